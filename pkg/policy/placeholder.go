package policy

import (
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

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

// exampleAccount reports whether an account is from an example of originhub or of AWS's documentation.
func exampleAccount(account string) bool {
	return account != "" && strings.Trim(account, account[:1]) == "" ||
		slices.Contains([]string{"100000000000", "123456789012", "111122223333", "444455556666"}, account)
}

// exampleName matches the domains that RFC 2606 reserves for examples, and all names under them.
var exampleName = regexp.MustCompile(`^(.*\.)?(example\.(com|net|org)|example)$`)

func (c *checker) placeholder(value string, way []any) {
	const own = "%s %s is from an example: write your own value"
	var key string
	for _, step := range way { // the innermost key
		if s, ok := step.(string); ok {
			key = s
		}
	}
	switch key {
	case "externalId":
		if strings.HasPrefix(value, "change-me") || value == "rehearsal-7f3a" {
			c.fail(way, "externalId %s is from an example, which everybody can read: write a value of your own, such as the output of openssl rand -hex 16", value)
		}
	case "accounts":
		if exampleAccount(value) {
			c.fail(way, "account %s is from an example, and its owner could share origins with your hub: write the account of your team", value)
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
	case "domain": // of the hub, or of a claim; the hosts of grants are under the domain of the hub
		if exampleName.MatchString(strings.ToLower(value)) {
			c.fail(way, own, key, value)
		}
	}
}
