package front

import (
	"net/http/httptest"
	"testing"
)

func TestWebPagesAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		host, origin, site string
		refused            bool
	}{
		"an SDK":                        {"127.0.0.1:4566", "", "", false},
		"an SDK by name":                {"localhost:4566", "", "", false},
		"a bucket by name":              {"assets.localhost:4566", "", "", false},
		"IPv6":                          {"[::1]:4566", "", "", false},
		"a page of the sandbox":         {"127.0.0.1:4566", "http://127.0.0.1:4566", "same-origin", false},
		"a person who types an address": {"127.0.0.1:4566", "", "none", false},
		"a rebound name":                {"rebind.evil.example", "", "", true},
		"a rebound name with a port":    {"rebind.evil.example:4566", "http://rebind.evil.example:4566", "same-origin", true},
		"a name that ends alike":        {"evillocalhost", "", "", true},
		"another address":               {"10.0.0.1:4566", "", "", true},
		"no host":                       {"", "", "", true},
		"a page elsewhere":              {"127.0.0.1:4566", "https://evil.example", "cross-site", true},
		"a page elsewhere, no site":     {"127.0.0.1:4566", "https://evil.example", "", true},
		"a page on another port":        {"127.0.0.1:4566", "http://127.0.0.1:3000", "same-site", true},
		"a sandboxed frame":             {"127.0.0.1:4566", "null", "", true},
		"an image":                      {"127.0.0.1:4566", "", "cross-site", true},
	} {
		r := httptest.NewRequest("POST", "/_sandbox/advance", nil)
		r.Host = c.host
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		if c.site != "" {
			r.Header.Set("Sec-Fetch-Site", c.site)
		}
		if got := refusal(r); (got != "") != c.refused {
			t.Errorf("%s: %q", name, got)
		}
		w := httptest.NewRecorder()
		if c.refused {
			(&Front{}).ServeHTTP(w, r)
			if w.Code != 403 {
				t.Errorf("%s: status %d", name, w.Code)
			}
		}
	}
}
