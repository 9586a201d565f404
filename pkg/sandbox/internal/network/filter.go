package network

import (
	"encoding/base64"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// Filter is one filter of a Describe operation. One of its values must match, and all filters must match.
type Filter struct {
	Name   string   `query:"Name"`
	Values []string `query:"Value"`
}

// facets has the values of an item that filters can ask for, by filter name.
type facets map[string][]string

// withTags adds tag:<key> and tag-key.
func (f facets) withTags(tags map[string]string) facets {
	f["tag-key"] = slices.Collect(maps.Keys(tags))
	for k, v := range tags {
		f["tag:"+k] = []string{v}
	}
	return f
}

// matches reports whether all filters match. A filter that the sandbox does not know is an error that names it.
func (f facets) matches(filters []Filter) (bool, error) {
	all := true
	for _, filter := range filters {
		values, known := f[filter.Name]
		if !known && !strings.HasPrefix(filter.Name, "tag:") {
			return false, cloud.Errorf(400, "InvalidParameterValue", "The filter '%s' is invalid", filter.Name)
		}
		all = all && slices.ContainsFunc(filter.Values, func(pattern string) bool {
			return slices.ContainsFunc(values, func(v string) bool { return like(pattern, v) })
		})
	}
	return all, nil
}

// like matches EC2's wildcards * and ?, which match slashes too.
func like(pattern, value string) bool {
	escape := strings.NewReplacer(`[`, `\[`, `/`, "\x00")
	ok, err := path.Match(escape.Replace(pattern), strings.ReplaceAll(value, "/", "\x00"))
	return err == nil && ok
}

// page returns one page of items in a stable order. A token names the last item of the previous page.
func page[T any](items []T, key func(T) string, token string, limit int, ids []string) ([]T, string, error) {
	if limit != 0 && len(ids) > 0 {
		return nil, "", cloud.Errorf(400, "InvalidParameterCombination",
			"The parameter MaxResults cannot be used with a list of ids")
	}
	if limit != 0 && (limit < 5 || limit > 1000) {
		return nil, "", cloud.Errorf(400, "InvalidParameterValue",
			"Value ( %d ) for parameter maxResults is invalid. Expecting a value between 5 and 1000.", limit)
	}
	if token != "" {
		last, err := base64.RawURLEncoding.DecodeString(token)
		i := slices.IndexFunc(items, func(item T) bool { return key(item) > string(last) })
		switch {
		case err != nil:
			return nil, "", cloud.Errorf(400, "InvalidPaginationToken", "The provided pagination token is invalid")
		case i < 0:
			items = nil
		default:
			items = items[i:]
		}
	}
	if limit == 0 || len(items) <= limit {
		return items, "", nil
	}
	items = items[:limit]
	return items, base64.RawURLEncoding.EncodeToString([]byte(key(items[limit-1]))), nil
}
