package ram

import (
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

const (
	defaultPage = 50
	largestPage = 500
)

// page cuts one page and then removes what the filters do not accept. So a page can be short, or empty with more pages to come
// (assumption RAM-05).
func page[T any](c *cloud.Call, all []T, keep func(T) bool, token string, max *int) ([]T, string, error) {
	size := defaultPage
	if max != nil {
		if size = *max; size < 1 || size > largestPage {
			code := "InvalidParameterException"
			if c.Operation.Name == "GetResourceShareInvitations" {
				code = "InvalidMaxResultsException"
			}
			return nil, "", cloud.Errorf(400, code, "maxResults must be from 1 to %d, not %d.", largestPage, size)
		}
	}
	scope := c.Operation.Name + ":" + c.Account() + ":"
	start, err := offset(token, scope)
	if err != nil {
		return nil, "", err
	}
	out := []T{}
	end := min(start+size, len(all))
	for _, e := range all[min(start, len(all)):end] {
		if keep(e) {
			out = append(out, e)
		}
	}
	if end == len(all) {
		return out, "", nil
	}
	return out, base64.RawURLEncoding.EncodeToString([]byte(scope + strconv.Itoa(end))), nil
}

func offset(token, scope string) (int, error) {
	if token == "" {
		return 0, nil
	}
	plain, err := base64.RawURLEncoding.DecodeString(token)
	rest, ours := strings.CutPrefix(string(plain), scope)
	n, err2 := strconv.Atoi(rest)
	if err != nil || err2 != nil || !ours || n < 1 {
		return 0, cloud.Errorf(400, "InvalidNextTokenException", "The specified value for NextToken is not valid.")
	}
	return n, nil
}
