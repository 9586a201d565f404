package pipeline

import (
	"bytes"
	"sort"
	"strings"
)

// script is a text that stands in a file, possibly with other escapes, indents and line ends than there.
type script struct {
	file     string
	text     strings.Builder
	segments []segment
}

// segment says where the text from an offset on stands in the file.
type segment struct {
	offset       int
	line, column int
}

// add appends a text that stands at a place of the file, without a line end in between.
func (s *script) add(t string, line, column int) {
	s.segments = append(s.segments, segment{s.text.Len(), line, column})
	s.text.WriteString(t)
}

// at returns the place of an offset.
func (s *script) at(offset int) Position {
	i := sort.Search(len(s.segments), func(i int) bool { return s.segments[i].offset > offset }) - 1
	if i < 0 {
		return Position{s.file, 1, 1}
	}
	g := s.segments[i]
	return Position{s.file, g.line, g.column + offset - g.offset}
}

// append adds another script of the same file, as a line of its own.
func (s *script) append(o *script) {
	if o == nil {
		return
	}
	base := s.text.Len()
	for _, g := range o.segments {
		s.segments = append(s.segments, segment{base + g.offset, g.line, g.column})
	}
	s.text.WriteString(o.text.String())
	if !strings.HasSuffix(o.text.String(), "\n") {
		s.text.WriteString("\n")
	}
}

// lines returns a script of whole lines, the first of which stands at a place of the file.
func lines(file, t string, line, column int) *script {
	s := &script{file: file}
	for l := range strings.Lines(t) {
		s.add(l, line, column)
		line, column = line+1, 1
	}
	return s
}

// rewritten returns the script with each part of its text replaced for which find returns one, in order, as long as there is one. The
// replacement may have another length.
func (s *script) rewritten(find func(rest string) (start, end int, replacement string, ok bool)) *script {
	t := s.text.String()
	out := &script{file: s.file}
	copied := func(from, to int) {
		for from < to {
			end := to
			if i := sort.Search(len(s.segments), func(i int) bool { return s.segments[i].offset > from }); i < len(s.segments) {
				end = min(end, s.segments[i].offset)
			}
			p := s.at(from)
			out.add(t[from:end], p.Line, p.Column)
			from = end
		}
	}
	done := 0
	for {
		start, end, replacement, ok := find(t[done:])
		if !ok {
			break
		}
		copied(done, done+start)
		p := s.at(done + start)
		out.add(replacement, p.Line, p.Column)
		done += end
	}
	copied(done, len(t))
	return out
}

// Bounds of what is read. A file beyond them costs a note.
const (
	largest = 4 << 20 // bytes of a file
	deepest = 200     // brackets, or spaces of indentation divided by two
)

// depth returns how deep brackets are nested in a text at most. It does not know quotes, so it may be too high.
func depth(t []byte) int {
	most, now := 0, 0
	for _, c := range t {
		switch c {
		case '(', '[', '{':
			now++
			most = max(most, now)
		case ')', ']', '}':
			now = max(0, now-1)
		}
	}
	return most
}

func binary(raw []byte) bool { return bytes.IndexByte(raw[:min(len(raw), 8000)], 0) >= 0 }
