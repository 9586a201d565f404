package cloudfront

import (
	"strconv"
	"unicode"
	"unicode/utf8"
)

// hidden is CloudTrail's placeholder for free text.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/logging_using_cloudtrail.html
const hidden = "HIDDEN_DUE_TO_SECURITY_REASONS"

// trailDocument returns an XML document in the form of CloudTrail's requestParameters: keys with a lower first letter and
// otherwise unchanged (aCMCertificateArn, hTTPPort), and lists as arrays.
func trailDocument(document []byte) any {
	e, err := parseElement(document)
	if err != nil {
		return nil
	}
	return trailElement(e)
}

// trailPayload is trailDocument under the name of the document's element.
func trailPayload(document []byte) map[string]any {
	e, err := parseElement(document)
	if err != nil {
		return map[string]any{}
	}
	return map[string]any{lowerFirst(e.Name): trailElement(e)}
}

func lowerFirst(name string) string {
	r, n := utf8.DecodeRuneInString(name)
	return string(unicode.ToLower(r)) + name[n:]
}

func trailElement(e *Element) any {
	if len(e.Children) == 0 {
		switch {
		case e.Name == "Comment":
			return hidden
		case e.Text == "true" || e.Text == "false":
			return e.Text == "true"
		}
		if n, err := strconv.Atoi(e.Text); err == nil && strconv.Itoa(n) == e.Text {
			return n
		}
		return e.Text
	}
	if e.Name == "Items" {
		var list []any
		for _, c := range e.Children {
			list = append(list, trailElement(c))
		}
		return list
	}
	members := map[string]any{}
	for _, c := range e.Children {
		members[lowerFirst(c.Name)] = trailElement(c)
	}
	return members
}
