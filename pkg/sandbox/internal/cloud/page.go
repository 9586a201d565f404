package cloud

import (
	"encoding/base64"
	"strconv"
	"strings"
)

// Page returns one page of at most size items, and the token of the next page, which is "" if no items follow. A token holds how many
// items are before its page. ok is false for a token that Page did not return.
func Page[T any](items []T, token string, size int) (page []T, next string, ok bool) {
	const mark = "from:"
	from := 0
	if token != "" {
		text, err := base64.RawURLEncoding.DecodeString(token)
		number, marked := strings.CutPrefix(string(text), mark)
		if from, ok = count(number); err != nil || !marked || !ok {
			return nil, "", false
		}
	}
	from = min(from, len(items)) // items may have been deleted since
	to := min(from+size, len(items))
	if to < len(items) {
		next = base64.RawURLEncoding.EncodeToString([]byte(mark + strconv.Itoa(to)))
	}
	return items[from:to], next, true
}

func count(text string) (int, bool) {
	n, err := strconv.Atoi(text)
	return n, err == nil && n > 0
}
