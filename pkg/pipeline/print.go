package pipeline

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// Formats returns the names of the formats of a report.
func Formats() []string { return []string{"text", "json", "sarif", "markdown"} }

// Write writes a report in one of the formats.
func (r Report) Write(w io.Writer, format string) error {
	switch format {
	case "text":
		return r.text(w)
	case "json":
		return r.json(w)
	case "sarif":
		return r.sarif(w)
	case "markdown":
		return r.markdown(w)
	}
	return fmt.Errorf("%q is not a format: write one of %s", format, strings.Join(Formats(), ", "))
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// Headline says in a line what the audit found.
func (r Report) Headline() string {
	if len(r.Findings) == 0 {
		return fmt.Sprintf("no findings in %s%s", counted(r.Files, "file"), r.hidden())
	}
	by := map[Severity]int{}
	for _, f := range r.Findings {
		by[f.Severity]++
	}
	var parts []string
	for s := High; s >= Informational; s-- {
		if by[s] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", by[s], s))
		}
	}
	return fmt.Sprintf("%s in %s: %s%s", counted(len(r.Findings), "finding"), counted(r.Files, "file"), strings.Join(parts, ", "), r.hidden())
}

func (r Report) hidden() string {
	if r.Hidden == 0 {
		return ""
	}
	return fmt.Sprintf("; %d below --min-severity or --min-confidence not shown", r.Hidden)
}

func (r Report) text(w io.Writer) error {
	var b strings.Builder
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "%s: %s [%s] %s\n", f.Position, f.Severity, f.Rule, f.Does)
		fmt.Fprintf(&b, "    goes wrong  %s\n    instead     %s\n    confidence  %s\n", f.Wrong, f.Instead, f.because())
		if len(f.Runs) > 0 {
			fmt.Fprintf(&b, "    runs from   %s\n", strings.Join(f.Runs, ", "))
		}
		fmt.Fprintf(&b, "    more        %s\n\n", f.Page)
	}
	_, err := fmt.Fprintf(w, "%s%s\n", b.String(), r.Headline())
	return err
}

// because returns the confidence with what was assumed.
func (f Finding) because() string {
	if len(f.Assumed) == 0 {
		return f.Confidence.String()
	}
	return f.Confidence.String() + "; assumed: " + strings.Join(f.Assumed, "; ")
}

func (r Report) json(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(struct {
		Version  int       `json:"version"`
		Findings []Finding `json:"findings"`
		Notes    []Note    `json:"notes"`
		Files    int       `json:"files"`
		Hidden   int       `json:"hidden"`
	}{1, append([]Finding{}, r.Findings...), append([]Note{}, r.Notes...), r.Files, r.Hidden})
}

// mostMarkdown keeps a report below the limits of a comment on GitHub, 65,536 characters, and of a job summary, 1 MiB
// (https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands).
const mostMarkdown = 60_000

var cell = strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;", "`", "'")

func (r Report) markdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "**originhub audit ci: %s**\n", r.Headline())
	if len(r.Findings) > 0 {
		b.WriteString("\n| severity, confidence | place | what it does | instead |\n|---|---|---|---|\n")
	}
	for i, f := range r.Findings {
		row := fmt.Sprintf("| %s, %s | `%s` | %s ([%s](%s)) | %s |\n", f.Severity, f.Confidence, cell.Replace(f.String()), cell.Replace(f.Does), f.Rule, f.Page, cell.Replace(f.Instead))
		if b.Len()+len(row) > mostMarkdown {
			fmt.Fprintf(&b, "\n%s more; `originhub audit ci -o text` prints all.\n", counted(len(r.Findings)-i, "finding"))
			break
		}
		b.WriteString(row)
	}
	if len(r.Notes) > 0 {
		fmt.Fprintf(&b, "\n<details><summary>%s could not be read</summary>\n\n", counted(len(r.Notes), "place"))
		for i, n := range r.Notes {
			if i == 50 {
				fmt.Fprintf(&b, "- and %d more\n", len(r.Notes)-i)
				break
			}
			fmt.Fprintf(&b, "- `%s` %s\n", cell.Replace(n.String()), cell.Replace(n.Message))
		}
		b.WriteString("\n</details>\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Markdown returns the rule's page.
func (r Rule) Markdown() string {
	fence := strings.TrimPrefix(r.File[strings.LastIndex(r.File, "."):], ".")
	switch {
	case r.File == "deploy.sh":
		fence = "sh"
	case fence == "tf":
		fence = "hcl"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "<!-- written by make golden from the table of rules -->\n# %s\n\n%s. Severity: %s.\n\n", r.ID, r.Title, r.Severity)
	fmt.Fprintf(&b, "**What goes wrong with originhub in place.** %s\n\n**What replaces it.** %s\n\n", r.Wrong, r.Instead)
	fmt.Fprintf(&b, "Found:\n\n```%s\n%s```\n\nNot found:\n\n```%s\n%s```\n\n", fence, r.Bad, fence, r.Good)
	fmt.Fprintf(&b, "To silence it for one line, write a comment at the end of the line or on the line before: `# originhub:ignore[%s] reason`.\n", r.ID)
	return b.String()
}
