package iam

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// A pattern is a policy string with wildcards and policy variables, such as
// arn:aws:sqs:*:${aws:PrincipalAccount}:orders-*.
type pattern []token

type token struct {
	kind     tokenKind
	text     string // literal text, or the variable's key in lower case
	fallback string // value of a missing variable
	optional bool   // the variable has a fallback
}

type tokenKind int

const (
	literal tokenKind = iota
	star
	question
	variable
)

// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
var variableForm = regexp.MustCompile(`^\$\{\s*([^},]+?)\s*(?:,\s*'([^']*)'\s*)?\}`)

// compile reads s. Wildcards and variables are literal text unless the arguments say otherwise.
func compile(s string, wildcards, variables bool) (pattern, error) {
	var p pattern
	text := func(t string) {
		if n := len(p); n > 0 && p[n-1].kind == literal {
			p[n-1].text += t
			return
		}
		p = append(p, token{kind: literal, text: t})
	}
	for len(s) > 0 {
		switch {
		case variables && strings.HasPrefix(s, "${"):
			m := variableForm.FindStringSubmatch(s)
			if m == nil {
				return nil, fmt.Errorf("policy variable in %q is not closed", s)
			}
			switch m[1] {
			case "*", "?", "$":
				text(m[1])
			default:
				if err := checkKey(m[1]); err != nil {
					return nil, fmt.Errorf("policy variable ${%s}: %w", m[1], err)
				}
				p = append(p, token{
					kind: variable, text: strings.ToLower(m[1]), fallback: m[2],
					optional: strings.Contains(m[0], ","),
				})
			}
			s = s[len(m[0]):]
		case wildcards && s[0] == '*':
			p = append(p, token{kind: star})
			s = s[1:]
		case wildcards && s[0] == '?':
			p = append(p, token{kind: question})
			s = s[1:]
		default:
			text(s[:1])
			s = s[1:]
		}
	}
	return p, nil
}

// expand replaces variables by the request's values. It returns false if a variable has no single value; then nothing matches.
func (p pattern) expand(context func() map[string][]string) (pattern, bool) {
	if !slices.ContainsFunc(p, func(t token) bool { return t.kind == variable }) {
		return p, true
	}
	out := make(pattern, 0, len(p))
	for _, t := range p {
		if t.kind == variable {
			values := context()[t.text]
			switch {
			case len(values) == 1:
				t = token{kind: literal, text: values[0]}
			case len(values) == 0 && t.optional:
				t = token{kind: literal, text: t.fallback}
			default:
				return nil, false
			}
		}
		out = append(out, t)
	}
	return out, true
}

// String returns the text of an expanded pattern.
func (p pattern) String() string {
	var b strings.Builder
	for _, t := range p {
		switch t.kind {
		case literal:
			b.WriteString(t.text)
		case star:
			b.WriteByte('*')
		case question:
			b.WriteByte('?')
		case variable:
			b.WriteString("${" + t.text + "}")
		}
	}
	return b.String()
}

// match reports whether an expanded pattern matches the whole of s. In an ARN, a star stays within its colon-separated segment
// unless it is the segment's last character.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
func (p pattern) match(s string, arn bool) bool {
	if len(p) == 1 && p[0].kind == star {
		return true
	}
	if len(p) > 0 && p[0].kind == literal {
		switch {
		case !strings.HasPrefix(s, p[0].text):
			return false
		case len(p) == 1:
			return len(s) == len(p[0].text)
		case len(p) == 2 && p[1].kind == star:
			return true
		}
	}
	at := make([]bool, len(s)+1)
	at[0] = true
	for i, t := range p {
		next := make([]bool, len(s)+1)
		switch t.kind {
		case literal:
			for pos, ok := range at {
				if ok && strings.HasPrefix(s[pos:], t.text) {
					next[pos+len(t.text)] = true
				}
			}
		case question:
			for pos, ok := range at {
				if ok && pos < len(s) && (!arn || s[pos] != ':') {
					next[pos+1] = true
				}
			}
		case star:
			crosses := !arn || i == len(p)-1 || strings.HasPrefix(p[i+1].text, ":")
			open := false
			for pos := range next {
				open = open || at[pos]
				next[pos] = open
				if !crosses && pos < len(s) && s[pos] == ':' {
					open = false
				}
			}
		}
		at = next
	}
	return at[len(s)]
}

// segments splits a pattern at its first five colons, for ARN conditions, which compare part by part. It returns false if there
// are fewer colons.
func (p pattern) segments() ([]pattern, bool) {
	parts := make([]pattern, 1, 6)
	for _, t := range p {
		for t.kind == literal && len(parts) < 6 {
			before, after, found := strings.Cut(t.text, ":")
			if !found {
				break
			}
			if before != "" {
				parts[len(parts)-1] = append(parts[len(parts)-1], token{kind: literal, text: before})
			}
			parts = append(parts, nil)
			t.text = after
		}
		if t.kind != literal || t.text != "" {
			parts[len(parts)-1] = append(parts[len(parts)-1], t)
		}
	}
	return parts, len(parts) == 6
}

// matchARN compares like ArnEquals and ArnLike, which are the same.
func (p pattern) matchARN(arn string) bool {
	want, ok := p.segments()
	have := strings.SplitN(arn, ":", 6)
	if !ok || len(have) != 6 || have[0] != "arn" {
		return false
	}
	for i := range want {
		if !want[i].match(have[i], false) {
			return false
		}
	}
	return true
}
