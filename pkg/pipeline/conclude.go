package pipeline

import (
	"bytes"
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// conclude decides about everything that was read.
func conclude(repo *repository, results []*run, scope Scope) Report {
	c := &conclusion{rules: map[string]Rule{}, scope: scope, found: map[string]*Finding{}}
	for _, r := range Rules() {
		c.rules[r.ID] = r
	}
	from := map[string][]string{}
	report := Report{}
	for _, r := range results {
		if r == nil {
			continue
		}
		report.Files += min(r.seen, 1)
		report.Notes = append(report.Notes, r.notes...)
		for file, froms := range r.from {
			from[file] = append(from[file], froms...)
		}
	}
	all := known(results)
	others(repo, results)
	covered := coverage(results)
	for _, r := range results {
		if r == nil {
			continue
		}
		for _, j := range r.jobs {
			c.job(j, covered, all)
		}
		for _, d := range r.decls {
			for _, h := range ofDeclaration(d, all) {
				c.add(h)
			}
		}
	}
	report.Findings = c.findings(from)
	report.Findings = comments(repo, results, c, report.Findings)
	sortFindings(report.Findings)
	slices.SortFunc(report.Notes, func(a, b Note) int {
		return cmp.Or(comparePositions(a.Position, b.Position), cmp.Compare(a.Message, b.Message))
	})
	report.Notes = slices.Compact(report.Notes)
	return report
}

type conclusion struct {
	rules map[string]Rule
	scope Scope
	found map[string]*Finding
}

// aboutOrigins are words of a file whose shares may hold VPC origins.
var aboutOrigins = regexp.MustCompile(`(?i)cloudfront|vpc.?origin|originhub`)

// others marks the calls about shares in files that speak of other resources, and not of VPC origins.
func others(repo *repository, results []*run) {
	for _, r := range results {
		if r == nil {
			continue
		}
		for _, j := range r.jobs {
			for _, a := range j.Acts {
				if a.Service != "ram" {
					continue
				}
				raw, err := repo.read(a.At.File)
				a.Other = err == nil && otherResources.Match(raw) && !aboutOrigins.Match(raw)
			}
		}
	}
}

// coverage returns the files whose reading evaluated each call. A script is read by itself, too; what it does when a pipeline runs it
// counts more, because then its arguments and files are known.
func coverage(results []*run) map[Position]map[string]bool {
	covered := map[Position]map[string]bool{}
	for _, r := range results {
		if r == nil {
			continue
		}
		for _, j := range r.jobs {
			for _, a := range j.Acts {
				if covered[a.At] == nil {
					covered[a.At] = map[string]bool{}
				}
				covered[a.At][j.Root] = true
			}
		}
	}
	return covered
}

func (c *conclusion) job(j *Job, covered map[Position]map[string]bool, all deployments) {
	hits := ofJob(j)
	for _, a := range j.Acts {
		hits = append(hits, ofDeployment(a, all)...)
	}
	for _, h := range hits {
		if h.act != nil && h.act.At.File == j.Root && len(covered[h.act.At]) > 1 {
			continue
		}
		c.add(h)
	}
}

// add adds a finding, or joins it with the same one that another job has.
func (c *conclusion) add(h hit) {
	rule := c.rules[h.rule]
	f := Finding{
		Rule: rule.ID, Severity: min(rule.Severity, h.severity), Confidence: h.confidence, Position: h.at, Does: h.does, Wrong: rule.Wrong, Instead: rule.Instead, Page: rule.Page(), Fix: h.fix,
	}
	c.scope.grade(&f, h.target)
	if h.act != nil {
		f.Runs = h.act.Runs
	}
	key := f.Rule + " " + f.String()
	old, ok := c.found[key]
	if !ok {
		c.found[key] = &f
		return
	}
	for _, r := range f.Runs {
		if !slices.Contains(old.Runs, r) {
			old.Runs = append(old.Runs, r)
		}
	}
	if f.Severity > old.Severity || f.Severity == old.Severity && f.Confidence > old.Confidence {
		f.Runs = old.Runs
		*old = f
	}
}

func (c *conclusion) findings(from map[string][]string) []Finding {
	var findings []Finding
	for _, f := range c.found {
		for _, r := range from[f.File] {
			if !slices.Contains(f.Runs, r) {
				f.Runs = append(f.Runs, r)
			}
		}
		slices.Sort(f.Runs)
		f.Runs = slices.Compact(f.Runs)
		findings = append(findings, *f)
	}
	return findings
}

var ignoreComment = regexp.MustCompile(`(#|//)\s*originhub:ignore\[([A-Za-z0-9 ,_-]*)\][ \t]*(.*?)\s*$`)

// slashes are the files whose comments begin with //.
var slashes = regexp.MustCompile(`(?i)\.([cm]?[jt]sx?|go|groovy|jenkins|jenkinsfile)$|(^|/)jenkinsfile[^/]*$`)

// ignore is a comment that silences rules on its line, or on the next line, if the comment stands alone on its line.
type ignore struct {
	at     Position
	on     int // line
	rules  []string
	reason string
	used   []string
	text   string // the comment with the white space before it
}

func ignores(file string, raw []byte) (found []*ignore) {
	number := 0
	for line := range bytes.Lines(raw) {
		number++
		m := ignoreComment.FindSubmatchIndex(line)
		if m == nil || slashes.MatchString(file) != (line[m[2]] == '/') && !strings.HasSuffix(file, ".tf") {
			continue
		}
		i := &ignore{at: Position{file, number, m[0] + 1}, on: number, reason: strings.TrimSpace(string(line[m[6]:m[7]]))}
		for r := range strings.SplitSeq(string(line[m[4]:m[5]]), ",") {
			i.rules = append(i.rules, strings.TrimSpace(r))
		}
		if before := bytes.TrimRight(line[:m[0]], " \t"); len(before) == 0 {
			i.on = number + 1
		} else {
			i.text = strings.TrimRight(string(line[len(before):]), "\r\n")
		}
		found = append(found, i)
	}
	return found
}

// comments removes findings that a comment silences, and adds those about the comments themselves.
func comments(repo *repository, results []*run, c *conclusion, findings []Finding) []Finding {
	for k, r := range results {
		if r == nil || r.seen == 0 {
			continue
		}
		file := repo.files[k]
		raw, err := repo.read(file)
		if err != nil || !bytes.Contains(raw, []byte("originhub:ignore")) {
			continue
		}
		all := ignores(file, raw)
		findings = slices.DeleteFunc(findings, func(f Finding) bool { return f.File == file && silenced(f, all) })
		for _, i := range all {
			findings = append(findings, c.aboutComment(i)...)
		}
	}
	return findings
}

// silenced reports whether a comment silences a finding, and remembers that the comment is used.
func silenced(f Finding, all []*ignore) bool {
	for _, i := range all {
		if i.on == f.Line && slices.Contains(i.rules, f.Rule) {
			i.used = append(i.used, f.Rule)
			return i.reason != ""
		}
	}
	return false
}

// removal is the fix of a comment that silences nothing, if it stands behind something else and names one rule.
func (i *ignore) removal() *Fix {
	if i.text == "" || len(i.rules) > 1 {
		return nil
	}
	return &Fix{File: i.at.File, Line: i.at.Line, Old: i.text}
}

func (c *conclusion) aboutComment(i *ignore) (findings []Finding) {
	about := func(id, does string, fix *Fix) {
		rule := c.rules[id]
		findings = append(findings, Finding{
			Rule: id, Severity: rule.Severity, Confidence: Certain, Position: i.at, Does: does, Wrong: rule.Wrong, Instead: rule.Instead, Page: rule.Page(), Fix: fix,
		})
	}
	if i.reason == "" {
		about("ignore-without-reason", "the comment gives no reason", nil)
	}
	for _, r := range i.rules {
		switch _, known := c.rules[r]; {
		case !known:
			about("ignore-unused", fmt.Sprintf("there is no rule %q", r), nil)
		case !slices.Contains(i.used, r):
			about("ignore-unused", "rule "+r+" finds nothing there", i.removal())
		}
	}
	return findings
}
