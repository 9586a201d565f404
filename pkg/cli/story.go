package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/charmbracelet/lipgloss"

	"github.com/originhub/originhub/pkg/rehearsal"
)

// story prints text for people. It uses colours only on a terminal, and not if NO_COLOR is set.
type story struct {
	out                          io.Writer
	bold, faint, good, bad, name lipgloss.Style
	pending                      []pendingShare
}

// pendingShare holds the resources that an actor will share.
type pendingShare struct {
	*rehearsal.Actor
	resources []string
}

// lineWidth is the width to which long texts are wrapped. A single long word, such as an ARN, may exceed it.
const lineWidth = 117

func newStory(out io.Writer) story {
	r := lipgloss.NewRenderer(out)
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

// note prints a time, a name and a text. A long text continues on lines below its beginning.
func (s *story) note(at, who, what string) {
	lines := wrap(what, lineWidth-len(at)-17)
	s.printf("   %s  %s %s\n", s.faint.Render(at), s.name.Render(pad(who, 11)), lines[0])
	for _, more := range lines[1:] {
		s.printf("%s%s\n", strings.Repeat(" ", len(at)+17), more)
	}
}

// event prints an event of the hub.
func (s *story) event(at, what string, alarm bool, subject, why string) {
	style := s.good
	if alarm {
		style = s.bad
	}
	text := subject
	if why != "" {
		text += ": " + why
	}
	lines := wrap(text, lineWidth-len(at)-28)
	s.printf("   %s  %s %s\n", s.faint.Render(at), style.Render(pad(what, 22)), lines[0])
	for _, more := range lines[1:] {
		s.printf("%s%s\n", strings.Repeat(" ", len(at)+28), more)
	}
}

// act prints a change that a function made, below the note that it belongs to.
func (s *story) act(text string) {
	s.printf("   %s%s\n", strings.Repeat(" ", 23), s.faint.Render("· "+text))
}

func (s *story) verdict(text string) { s.printf("\n   verdict: %s\n", s.good.Render(text)) }

// rows prints a table. Each column is as wide as its widest cell.
func (s *story) rows(rows [][]string) {
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
		s.printf("   %s\n", strings.TrimRight(strings.Join(cells, "   "), " "))
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
