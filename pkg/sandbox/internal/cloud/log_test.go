package cloud

import (
	"slices"
	"testing"
)

func TestLogKeepsTheNewestEntries(t *testing.T) {
	for _, test := range []struct {
		most, added int
		kept        []int
	}{
		{0, 3, []int{0, 1, 2}},
		{3, 2, []int{0, 1}},
		{3, 3, []int{0, 1, 2}},
		{3, 5, []int{2, 3, 4}},
		{1, 2, []int{1}},
	} {
		l := NewLog[int](test.most)
		for i := range test.added {
			l.Add(i)
		}
		if !slices.Equal(l.Entries(), test.kept) || l.Dropped() != test.added-len(test.kept) || l.Added() != test.added {
			t.Errorf("at most %d of %d entries: %v, %d dropped, %d added", test.most, test.added, l.Entries(), l.Dropped(), l.Added())
		}
	}
}

// The array of a full log does not grow with the entries that pass through it, and keeps nothing of those that were dropped.
func TestFullLogStaysInItsMemory(t *testing.T) {
	const most = 10
	l := NewLog[*int](most)
	for i := range 1000 * most {
		l.Add(&i)
		if n := cap(l.Entries()); n > 4*most {
			t.Fatalf("after %d entries, the array has room for %d", i+1, n)
		}
	}
}
