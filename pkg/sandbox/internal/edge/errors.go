package edge

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloudfront"
)

// errorCache has the errors that origins returned, by distribution and path. It has no part of the request in its keys that the managed policy
// CachingDisabled does not have in its own either, such as the Host. Assumption EDGE-11.
type errorCache struct {
	mutex   sync.Mutex
	entries map[string]cachedError
}

type cachedError struct {
	answer answer
	until  time.Time
}

// cacheable reports whether CloudFront caches responses to a method.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HTTPStatusCodes.html
func cacheable(method string) bool { return method == http.MethodGet || method == http.MethodHead }

func (c *errorCache) get(key, method string, now time.Time) (answer, bool) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	e, ok := c.entries[key]
	if !ok || !cacheable(method) || !now.Before(e.until) {
		return answer{}, false
	}
	return answer{e.answer.status, e.answer.header.Clone(), e.answer.body}, true
}

func (c *errorCache) put(key, method string, a answer, now time.Time, ttl time.Duration) {
	if ttl <= 0 || !cacheable(method) {
		return
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	maps.DeleteFunc(c.entries, func(_ string, e cachedError) bool { return !now.Before(e.until) })
	if c.entries == nil {
		c.entries = map[string]cachedError{}
	}
	c.entries[key] = cachedError{answer{a.status, a.header.Clone(), a.body}, now.Add(ttl)}
}

// errorTTL returns how long an edge caches a response that is an error: the distribution's minimum for the status code, or 10 seconds. The
// status codes that CloudFront caches only for the max-age of the origin are not among them, because the managed policy CachingDisabled has a
// maximum of 0.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HTTPStatusCodes.html
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/custom-error-pages-expiration.html
func errorTTL(config *cloudfront.Element, a answer) time.Duration {
	if !slices.Contains([]int{404, 414, 500, 501, 502, 503, 504}, a.status) {
		return 0
	}
	control := strings.ToLower(a.header.Get("Cache-Control"))
	if slices.Contains([]int{404, 414, 501}, a.status) &&
		slices.ContainsFunc([]string{"no-store", "no-cache", "private"}, func(word string) bool { return strings.Contains(control, word) }) {
		return 0
	}
	for _, e := range config.Items("CustomErrorResponses") {
		if seconds, err := strconv.Atoi(e.Value("ErrorCachingMinTTL")); err == nil && e.Value("ErrorCode") == strconv.Itoa(a.status) {
			return time.Duration(seconds) * time.Second
		}
	}
	return 10 * time.Second
}
