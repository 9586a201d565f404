package cloud

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// Int is a template's number, which CloudFormation also takes as a string.
type Int int

// UnmarshalJSON reads 30 and "30".
func (i *Int) UnmarshalJSON(b []byte) error {
	text, err := scalar(b)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return fmt.Errorf("%s is not a whole number", b)
	}
	*i = Int(n)
	return nil
}

// Bool is a template's boolean, which CloudFormation also takes as a string.
type Bool bool

// UnmarshalJSON reads true and "true".
func (v *Bool) UnmarshalJSON(b []byte) error {
	text, err := scalar(b)
	if err != nil {
		return err
	}
	if text != "true" && text != "false" {
		return fmt.Errorf("%s is neither true nor false", b)
	}
	*v = text == "true"
	return nil
}

func scalar(b []byte) (string, error) {
	if len(b) > 0 && b[0] == '"' {
		var s string
		err := json.Unmarshal(b, &s)
		return s, err
	}
	return string(b), nil
}

// Tag is one tag of a template.
type Tag struct {
	Key   string
	Value string
}
