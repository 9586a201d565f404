package policy

import (
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// Placeholders names the values of a policy file that are still those of an example: they are valid, but nobody's own. Who
// owns an example's account could share origins with the hub, and everybody can read an example's external id.
func Placeholders(data []byte) Errors {
	root, err := read(data)
	if err != nil {
		return nil //nolint:nilerr // Parse says what is wrong
	}
	c := checker{root: root}
	c.placeholders(root, nil)
	return c.sorted()
}

func (c *checker) placeholders(n ast.Node, way []any) {
	switch n := n.(type) {
	case *ast.MappingNode:
		for _, v := range n.Values {
			c.placeholders(v.Value, along(way, v.Key.GetToken().Value))
		}
	case *ast.SequenceNode:
		for i, entry := range n.Values {
			c.placeholders(entry, along(way, i))
		}
	case *ast.StringNode:
		c.placeholder(n.Value, way)
	}
}

// exampleAccount tells whether an account is one of our examples or of AWS's documentation.
func exampleAccount(account string) bool {
	return account != "" && strings.Trim(account, account[:1]) == "" ||
		slices.Contains([]string{"100000000000", "123456789012", "111122223333", "444455556666"}, account)
}

// exampleName are names that RFC 2606 keeps for examples, and everything under them.
var exampleName = regexp.MustCompile(`^(.*\.)?(example\.(com|net|org)|example)$`)

func (c *checker) placeholder(value string, way []any) {
	const own = "%s %s is an example's: write your own"
	var key string
	for _, step := range way { // the innermost key
		if s, ok := step.(string); ok {
			key = s
		}
	}
	switch key {
	case "externalId":
		if strings.HasPrefix(value, "change-me") || value == "rehearsal-7f3a" {
			c.fail(way, "externalId %s is an example's, and everybody can read it: write one of your own, such as openssl rand -hex 16 prints", value)
		}
	case "accounts":
		if exampleAccount(value) {
			c.fail(way, "account %s is an example's, and whoever owns it could share origins with your hub: write your team's", value)
		}
	case "certificate":
		if account := strings.Split(value, ":"); len(account) > 4 && exampleAccount(account[4]) {
			c.fail(way, own, key, value)
		}
	case "organization":
		if strings.HasPrefix(value, "o-example") {
			c.fail(way, own, key, value)
		}
	case "hostedZone", "adopt":
		if strings.HasSuffix(value, "EXAMPLE") {
			c.fail(way, own, name(way), value)
		}
	case "domain": // of the hub, and of a claim; a grant's host is under the hub's
		if exampleName.MatchString(strings.ToLower(value)) {
			c.fail(way, own, key, value)
		}
	}
}
