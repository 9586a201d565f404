package cloud

import (
	"fmt"
	"strconv"
	"strings"
)

// Int is a number of a template. CloudFormation accepts "5" for 5.
type Int int

// UnmarshalJSON reads a whole number, or a string of one.
func (i *Int) UnmarshalJSON(b []byte) error {
	n, err := strconv.Atoi(unquote(b))
	if err != nil {
		return fmt.Errorf("%s is not a whole number", b)
	}
	*i = Int(n)
	return nil
}

// Bool is a boolean of a template. CloudFormation accepts "true" for true.
type Bool bool

// UnmarshalJSON reads true or false, or a string of one.
func (v *Bool) UnmarshalJSON(b []byte) error {
	switch unquote(b) {
	case "true":
		*v = true
	case "false":
		*v = false
	default:
		return fmt.Errorf("%s is neither true nor false", b)
	}
	return nil
}

func unquote(b []byte) string { return strings.Trim(string(b), `"`) }
