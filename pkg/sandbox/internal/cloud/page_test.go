package cloud

import (
	"encoding/base64"
	"testing"

	"pgregory.net/rapid"
)

// TestPage: whatever the size, following the tokens sees every item once and in order, and no page but the last one is short.
func TestPage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		items := make([]int, rapid.IntRange(0, 30).Draw(t, "items"))
		for i := range items {
			items[i] = i
		}
		size := rapid.IntRange(1, 12).Draw(t, "size")
		var seen []int
		for token := ""; ; {
			page, next, ok := Page(items, token, size)
			if !ok || next != "" && len(page) != size {
				t.Fatalf("token %q: page %v, next %q, ok %t", token, page, next, ok)
			}
			seen = append(seen, page...)
			if token = next; token == "" {
				break
			}
		}
		if len(seen) != len(items) {
			t.Fatalf("saw %v", seen)
		}
		for i := range seen {
			if seen[i] != i {
				t.Fatalf("saw %v", seen)
			}
		}
	})
}

func TestPage_RefusesOtherTokens(t *testing.T) {
	for _, token := range []string{"2", "from:2", "!", base64.RawURLEncoding.EncodeToString([]byte("from:-1")), base64.RawURLEncoding.EncodeToString([]byte("2"))} {
		if page, _, ok := Page([]int{1, 2, 3}, token, 1); ok {
			t.Errorf("token %q: %v", token, page)
		}
	}
	if page, next, ok := Page([]int{1, 2, 3}, base64.RawURLEncoding.EncodeToString([]byte("from:7")), 1); !ok || len(page) != 0 || next != "" {
		t.Errorf("a token behind the end: %v, %q, %t", page, next, ok)
	}
}
