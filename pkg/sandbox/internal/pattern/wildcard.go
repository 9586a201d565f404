package pattern

import (
	"fmt"
	"strings"
)

// maxWildcards is the maximum number of * in one wildcard value. EventBridge refuses values by a complexity that it does not
// publish; a value with six * was refused. Assumption EV-01.
const maxWildcards = 5

// compileWildcard compiles a value in which * stands for any number of characters. \* and \\ are literal.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html#eb-filtering-wildcard-matching
func compileWildcard(s string) (func(string) bool, error) {
	parts := []string{""} // the literals between the wildcards
	for i := 0; i < len(s); i++ {
		literal := s[i : i+1]
		switch s[i] {
		case '*':
			if i+1 < len(s) && s[i+1] == '*' {
				return nil, fmt.Errorf("consecutive wildcard characters at pos %d", i)
			}
			parts = append(parts, "")
			continue
		case '\\':
			i++
			if i == len(s) || (s[i] != '*' && s[i] != '\\') {
				return nil, fmt.Errorf("invalid escape character at pos %d", i-1)
			}
			literal = s[i : i+1]
		}
		parts[len(parts)-1] += literal
	}
	if len(parts)-1 > maxWildcards {
		return nil, fmt.Errorf("rule is too complex - try using fewer wildcard characters")
	}
	return func(value string) bool { return wildcardMatch(parts, value) }, nil
}

func wildcardMatch(parts []string, value string) bool {
	if len(parts) == 1 {
		return value == parts[0]
	}
	first, last := parts[0], parts[len(parts)-1]
	if len(value) < len(first)+len(last) || !strings.HasPrefix(value, first) || !strings.HasSuffix(value, last) {
		return false
	}
	value = value[len(first) : len(value)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		_, rest, found := strings.Cut(value, part)
		if !found {
			return false
		}
		value = rest
	}
	return true
}
