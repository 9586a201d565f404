package cloud

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
)

// IDs generates identifiers from a seed. The same seed and the same calls give the same identifiers.
type IDs struct {
	mu  sync.Mutex
	rng *rand.Rand
}

// NewIDs returns a generator for seed.
func NewIDs(seed uint64) *IDs { return &IDs{rng: rand.New(rand.NewPCG(seed, 0x6f726967696e))} }

const (
	upperAlphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	alphanumeric      = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	hexDigits         = "0123456789abcdef"
)

// Upper returns n characters of A-Z0-9, as in distribution ids and ETags ("E" + Upper(13)).
func (g *IDs) Upper(n int) string { return g.from(upperAlphanumeric, n) }

// Mixed returns n characters of A-Za-z0-9, as in VPC origin ids ("vo_" + Mixed(22)).
func (g *IDs) Mixed(n int) string { return g.from(alphanumeric, n) }

// Hex returns n lower-case hexadecimal digits, as in "eni-" + Hex(17).
func (g *IDs) Hex(n int) string { return g.from(hexDigits, n) }

// UUID returns a random-looking version 4 UUID.
func (g *IDs) UUID() string {
	h := g.Hex(32)
	return fmt.Sprintf("%s-%s-4%s-a%s-%s", h[:8], h[8:12], h[13:16], h[17:20], h[20:])
}

func (g *IDs) from(alphabet string, n int) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	var b strings.Builder
	for range n {
		b.WriteByte(alphabet[g.rng.IntN(len(alphabet))])
	}
	return b.String()
}
