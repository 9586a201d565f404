package cloud

// Log is a log of which only the newest entries are kept. It is not safe for use by several goroutines.
type Log[T any] struct {
	most    int // 0 keeps all entries
	dropped int
	entries []T
}

// NewLog returns an empty log that keeps the newest entries, at most that number, or all of them if the number is 0.
func NewLog[T any](most int) Log[T] { return Log[T]{most: most} }

// Add adds an entry, and drops the oldest one if the log is full.
func (l *Log[T]) Add(entry T) {
	if l.most > 0 && len(l.entries) == l.most {
		var none T
		l.entries[0] = none // so that the memory of what it refers to is free
		l.entries = l.entries[1:]
		l.dropped++
	}
	l.entries = append(l.entries, entry)
}

// Entries returns the entries that are kept, oldest first. The caller must not change them.
func (l *Log[T]) Entries() []T { return l.entries }

// Dropped returns how many entries were dropped.
func (l *Log[T]) Dropped() int { return l.dropped }

// Added returns how many entries were added, with those that were dropped.
func (l *Log[T]) Added() int { return l.dropped + len(l.entries) }
