package edge

import (
	"strings"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloudfront"
)

// behavior returns the first behavior in listed order whose pattern matches the path, or the default behavior.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesCacheBehavior.html
func behavior(config *cloudfront.Element, path string) *cloudfront.Element {
	path = normalize(path)
	for _, b := range config.Items("CacheBehaviors") {
		if match("/"+strings.TrimPrefix(b.Value("PathPattern"), "/"), path) {
			return b
		}
	}
	return config.At("DefaultCacheBehavior")
}

func patternOf(behavior *cloudfront.Element) string {
	if behavior.Name == "DefaultCacheBehavior" {
		return "default"
	}
	return behavior.Value("PathPattern")
}

// match reports whether a path matches a pattern. The * stands for any characters including slashes, ? for exactly one. Case
// counts.
func match(pattern, path string) bool {
	star, mark := -1, 0
	p, i := 0, 0
	for i < len(path) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == path[i]):
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// normalize returns the form of a path that patterns are matched with, by RFC 3986 section 6.2.2: unreserved characters without
// escapes, escapes in capitals, no dot segments. The origin gets the path as the viewer sent it.
func normalize(path string) string {
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		high, low := -1, -1
		if path[i] == '%' && i+2 < len(path) {
			high, low = unhex(path[i+1]), unhex(path[i+2])
		}
		if high < 0 || low < 0 {
			b.WriteByte(path[i])
			continue
		}
		if c := byte(high<<4 | low); unreserved(c) {
			b.WriteByte(c)
		} else {
			b.WriteString(strings.ToUpper(path[i : i+3]))
		}
		i += 2
	}
	var out []string
	segments := strings.Split(strings.TrimPrefix(b.String(), "/"), "/")
	for i, s := range segments {
		last := i == len(segments)-1
		switch {
		case s == ".." && len(out) > 0:
			out = out[:len(out)-1]
		case s != "." && s != "..":
			out = append(out, s)
			continue
		}
		if last {
			out = append(out, "")
		}
	}
	return "/" + strings.Join(out, "/")
}

// unhex returns the value of a hexadecimal digit, or -1.
func unhex(c byte) int {
	if i := strings.IndexByte("0123456789abcdef", c); i >= 0 {
		return i
	}
	if i := strings.IndexByte("ABCDEF", c); i >= 0 {
		return 10 + i
	}
	return -1
}

func unreserved(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0
}
