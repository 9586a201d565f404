package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/charmbracelet/lipgloss"
	"github.com/muesli/termenv"

	"github.com/originhub/originhub/pkg/rehearsal"
)

// story prints for people. Colours appear on a terminal only, and not with NO_COLOR.
type story struct {
	out                          io.Writer
	bold, faint, good, bad, name lipgloss.Style
	pending                      []pendingShare
}

// pendingShare is what an actor is going to share.
type pendingShare struct {
	*rehearsal.Actor
	resources []string
}

func newStory(out io.Writer) story {
	r := lipgloss.NewRenderer(out, termenv.WithColorCache(true))
	return story{
		out:   out,
		bold:  r.NewStyle().Bold(true),
		faint: r.NewStyle().Faint(true),
		good:  r.NewStyle().Foreground(lipgloss.ANSIColor(2)),
		bad:   r.NewStyle().Foreground(lipgloss.ANSIColor(3)),
		name:  r.NewStyle().Foreground(lipgloss.ANSIColor(6)),
	}
}

func (s *story) printf(format string, args ...any) { fmt.Fprintf(s.out, format, args...) }

func (s *story) title(text string) { s.printf("%s\n", s.bold.Render(text)) }

func (s *story) chapter(number, text string) {
	s.printf("\n%s\n", s.bold.Render(number+"  "+text))
}

// note is one line: when, who, what. Long texts continue below themselves.
func (s *story) note(at, who, what string) {
	lines := wrap(what, 92)
	s.printf("   %s  %s %s\n", s.faint.Render(at), s.name.Render(pad(who, 11)), lines[0])
	for _, more := range lines[1:] {
		s.printf("   %s%s\n", strings.Repeat(" ", len(at)+14), more)
	}
}

// event is a decision of the hub's.
func (s *story) event(at, what string, alarm bool, subject, why string) {
	style := s.good
	if alarm {
		style = s.bad
	}
	text := subject
	if why != "" {
		text += ": " + why
	}
	lines := wrap(text, 80)
	s.printf("   %s  %s %s\n", s.faint.Render(at), style.Render(pad(what, 22)), lines[0])
	for _, more := range lines[1:] {
		s.printf("   %s%s\n", strings.Repeat(" ", len(at)+25), more)
	}
}

func (s *story) act(text string) {
	s.printf("   %s%s\n", strings.Repeat(" ", 23), s.faint.Render("· "+text))
}

func (s *story) verdict(text string) { s.printf("\n   verdict: %s\n", s.good.Render(text)) }

// rows prints a table whose columns are as wide as their widest cell.
func (s *story) rows(indent string, rows [][]string) {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], len(cell))
		}
	}
	for _, row := range rows {
		var cells []string
		for i, cell := range row {
			cells = append(cells, pad(cell, widths[i]))
		}
		s.printf("%s%s\n", indent, strings.TrimRight(strings.Join(cells, "   "), " "))
	}
}

func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-len(text)))
}

func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
