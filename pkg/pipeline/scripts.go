package pipeline

import (
	"bytes"
	"strings"
)

// textOf returns the text of a scalar as a script whose places are those in the file. The parser keeps only where a scalar begins, so a
// block is read again from the lines of the file.
func textOf(file string, raw [][]byte, n *node) *script {
	s := &script{file: file}
	if n == nil || !n.scalar {
		return s
	}
	switch {
	case n.block == '|' || n.block == '>':
		block(s, raw, n)
	case n.line <= len(raw) && !strings.Contains(n.value, "\n") && bytes.Contains(raw[n.line-1], []byte(n.value)) && n.value != "":
		column := n.column
		if i := bytes.Index(raw[n.line-1][min(n.column-1, len(raw[n.line-1])):], []byte(n.value)); i >= 0 {
			column = n.column + i
		}
		s.add(n.value, n.line, column)
	default: // escapes, or several lines: the place of each part is where the scalar begins, or the line that has it
		line := n.line
		for l := range strings.Lines(n.value) {
			at, column := find(raw, line, strings.TrimSpace(l))
			if at > 0 {
				line = at
				s.add(l, at, max(1, column-(len(l)-len(strings.TrimLeft(l, " \t")))))
				continue
			}
			s.add(l, n.line, n.column)
		}
	}
	return s
}

// find returns the first line from some line on that holds a text, within 200 lines.
func find(raw [][]byte, line int, t string) (int, int) {
	if t == "" {
		return 0, 0
	}
	for i := line - 1; i < min(len(raw), line+200); i++ {
		if c := bytes.Index(raw[i], []byte(t)); c >= 0 {
			return i + 1, c + 1
		}
	}
	return 0, 0
}

// block reads a block scalar. Lines of a folded one are joined by spaces, unless they are indented more.
func block(s *script, raw [][]byte, n *node) {
	width := -1
	for i := n.line; i < len(raw); i++ { // n.line counts from 1, so this is the line after the header
		line := bytes.TrimRight(raw[i], "\r\n")
		trimmed := bytes.TrimLeft(line, " ")
		if len(trimmed) == 0 {
			s.add("\n", i+1, 1)
			continue
		}
		w := len(line) - len(trimmed)
		if width < 0 {
			if width = w; w == 0 {
				return
			}
		}
		if w < width {
			return
		}
		end := "\n"
		if n.block == '>' && i+1 < len(raw) && len(bytes.TrimSpace(raw[i+1])) > 0 && w == width && leading(raw[i+1]) == width {
			end = " "
		}
		s.add(string(line[width:])+end, i+1, width+1)
	}
}

func leading(line []byte) int { return len(line) - len(bytes.TrimLeft(line, " ")) }
