package cloudwatchlogs

import (
	"net/http"
	"strings"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// parsePattern reads a filter pattern of terms. A line must contain all terms, or, if each has a question mark before it, one of
// them.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html#matching-terms-unstructured-log-events
func parsePattern(text string) (matches func(line string) bool, err error) {
	var all, some []string
	for rest := strings.TrimSpace(text); rest != ""; rest = strings.TrimSpace(rest) {
		optional := rest[0] == '?'
		rest = strings.TrimPrefix(rest, "?")
		var term string
		if term, rest, err = nextTerm(rest); err != nil {
			return nil, err
		}
		if optional {
			some = append(some, term)
		} else {
			all = append(all, term)
		}
	}
	if len(some) > 0 && len(all) > 0 {
		return nil, unknown("terms with and without a question mark in one pattern, where AWS ignores the former")
	}
	return func(line string) bool {
		for _, term := range all {
			if !strings.Contains(line, term) {
				return false
			}
		}
		for _, term := range some {
			if strings.Contains(line, term) {
				return true
			}
		}
		return len(some) == 0
	}, nil
}

// nextTerm reads a phrase in quotation marks, or a word.
func nextTerm(text string) (term, rest string, err error) {
	if phrase, quoted := strings.CutPrefix(text, `"`); quoted {
		term, rest, closed := strings.Cut(phrase, `"`)
		switch {
		case !closed:
			return "", "", invalid("Invalid filter pattern: %s has no closing quotation mark.", text)
		case strings.Contains(term, `\`):
			return "", "", unknown(`a \ in a phrase`)
		}
		if strings.TrimSpace(term) == "" {
			term = "" // a phrase of blanks matches everything
		}
		return term, rest, nil
	}
	for first, what := range map[string]string{
		"{": "JSON patterns ({ … })", "[": "space-delimited patterns ([ … ])", "%": "regular expressions (%…%)", "-": "terms to exclude (-…)",
	} {
		if strings.HasPrefix(text, first) {
			return "", "", unknown(what)
		}
	}
	end := strings.IndexFunc(text, func(r rune) bool { return r == ' ' || r == '\t' || r == '\n' })
	if end < 0 {
		end = len(text)
	}
	term = text[:end]
	if term == "" || strings.Trim(term, wordCharacters) != "" {
		return "", "", invalid("Invalid character(s) in term '%s'", term)
	}
	return term, text[end:], nil
}

// wordCharacters are the characters of a term without quotation marks.
const wordCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"

func unknown(what string) error {
	return cloud.Errorf(http.StatusNotImplemented, "NotImplemented", "the sandbox does not know %s in a filter pattern", what)
}
