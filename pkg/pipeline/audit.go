package pipeline

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// Audit reads the files below a directory, or one file, and returns what the rules find. It returns an error only if the directory cannot
// be read, or if ctx ends; what is wrong with a file is a note.
func Audit(ctx context.Context, dir string, scope Scope) (Report, error) {
	repo, err := open(dir)
	if err != nil {
		return Report{}, err
	}
	results := make([]*run, len(repo.files))
	work := make(chan int)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := range work {
				results[i] = read(repo, repo.files[i])
			}
		})
	}
feed:
	for i := range repo.files {
		select {
		case work <- i:
		case <-ctx.Done():
			break feed
		}
	}
	close(work)
	workers.Wait()
	if err := ctx.Err(); err != nil {
		return Report{}, err
	}
	return conclude(repo, results, scope), nil
}

// run is the reading of one file, and of those that it runs.
type run struct {
	repo  *repository
	root  string
	calls int // commands evaluated
	seen  int // pipelines and scripts read
	jobs  []*Job
	decls []Declaration
	dirs  []string            // directories with Terraform files
	uses  map[string][]string // directories of modules, by the directory that uses them
	notes []Note
	from  map[string][]string // files that are run, and where from
}

func (r *run) job(file string) *Job {
	j := &Job{Root: r.root}
	_ = file
	r.jobs = append(r.jobs, j)
	return j
}

func (r *run) note(at Position, message string) {
	n := Note{at, message}
	if !slices.Contains(r.notes, n) {
		r.notes = append(r.notes, n)
	}
}

func (r *run) runs(file, from string) { r.from[file] = append(r.from[file], from) }

// near reports whether the serverless.yml beside a file is about CloudFront.
func (r *run) near(file string) bool {
	for _, name := range []string{"serverless.yml", "serverless.yaml"} {
		if raw, err := r.repo.read(path.Join(path.Dir(file), name)); err == nil && r.repo.has(path.Join(path.Dir(file), name)) {
			return relevant(raw)
		}
	}
	return false
}

func (r *run) find(from, name string) (string, bool) { return r.repo.find(from, name) }

// shellText returns a shell script of the repository, or nil if the file is none.
func (r *run) shellText(file string) *script {
	raw, err := r.repo.read(file)
	if err != nil || kindOf(file, raw) != "shell" {
		return nil
	}
	return lines(file, string(raw), 1, 1)
}

func (r *run) makefile(file string) *makefile {
	raw, err := r.repo.read(file)
	if err != nil {
		return nil
	}
	return readMakefile(file, string(raw))
}

// packageScripts returns the scripts of a package.json by name.
func (r *run) packageScripts(file string) map[string]*script {
	raw, err := r.repo.read(file)
	if err != nil {
		return nil
	}
	n, err := parseJSON(raw)
	if err != nil {
		return nil
	}
	rows := bytes.SplitAfter(raw, []byte("\n"))
	scripts := map[string]*script{}
	for name, v := range n.get("scripts").pairs() {
		scripts[name] = textOf(file, rows, v)
	}
	return scripts
}

// read reads one file. A parser that fails on it costs a note.
func read(repo *repository, file string) (r *run) {
	r = &run{repo: repo, root: file, from: map[string][]string{}, uses: map[string][]string{}}
	defer func() {
		if failed := recover(); failed != nil {
			r.note(Position{file, 1, 1}, fmt.Sprintf("the parser failed on this file, so that it is not read: %v", failed))
		}
	}()
	if !wanted(file) {
		return r
	}
	raw, err := repo.read(file)
	if err != nil {
		if kindOf(file, nil) != "" {
			r.note(Position{file, 1, 1}, fmt.Sprintf("the file is not read: %v", err))
		}
		return r
	}
	kind := kindOf(file, raw)
	if kind == "" || !always(file) && !relevant(raw) {
		return r
	}
	r.content(file, kind, raw)
	return r
}

var named = regexp.MustCompile(`(?i)^(gnu)?makefile$|^jenkinsfile|^buildspec|^package\.json$|^action\.ya?ml$|^\.gitlab-ci|pipelines?\.ya?ml$`)

// always reports whether a file is read whatever is in it, since it may run others.
func always(file string) bool {
	return named.MatchString(path.Base(file)) || path.Ext(file) == ".tf" || strings.HasPrefix(file, ".github/workflows/") || strings.Contains(file, "/.github/workflows/")
}

// tests are not run by pipelines to change anything in an account.
var tests = regexp.MustCompile(`(_test\.go|\.(test|spec)\.[cm]?[jt]sx?|\.d\.ts|\.min\.js|(^|/)test_\w+\.py|(^|/)conftest\.py|_test\.py)$`)

var extensions = map[string]string{
	".yml": "yaml", ".yaml": "yaml", ".json": "json", ".template": "template", ".sh": "shell", ".bash": "shell", ".zsh": "shell", ".ksh": "shell", ".bats": "",
	".mk": "make", ".mak": "make", ".tf": "terraform", ".tofu": "terraform", ".py": "python", ".js": "javascript", ".mjs": "javascript", ".cjs": "javascript", ".jsx": "javascript",
	".ts": "javascript", ".mts": "javascript", ".cts": "javascript", ".tsx": "javascript", ".go": "go", ".groovy": "groovy", ".jenkinsfile": "groovy", ".jenkins": "groovy",
}

// wanted reports whether a file may be of a kind that is read, by its name.
func wanted(file string) bool {
	if tests.MatchString(file) {
		return false
	}
	ext := strings.ToLower(path.Ext(file))
	if ext == "" || ext == path.Base(file) {
		return true
	}
	return extensions[ext] != "" || named.MatchString(path.Base(file))
}

// kindOf returns the kind of a file, or "" if it is none that is read.
func kindOf(file string, raw []byte) string {
	base := strings.ToLower(path.Base(file))
	if kind := extensions[strings.ToLower(path.Ext(file))]; kind != "" {
		return kind
	}
	switch {
	case base == "makefile" || base == "gnumakefile":
		return "make"
	case strings.HasPrefix(base, "jenkinsfile"):
		return "groovy"
	case bytes.HasPrefix(raw, []byte("#!")):
		first, _, _ := bytes.Cut(raw, []byte("\n"))
		switch {
		case bytes.Contains(first, []byte("python")):
			return "python"
		case bytes.Contains(first, []byte("node")):
			return "javascript"
		case bytes.Contains(first, []byte("sh")):
			return "shell"
		}
	}
	return ""
}

// words of which a file has one if it holds a step that a rule is about.
var words = [][]byte{
	[]byte("cloudfront"), []byte("CloudFront"), []byte("CLOUDFRONT"), []byte("Cloudfront"), []byte("cloudFront"), []byte("resource-share"), []byte("ResourceShare"), []byte("resource_share"),
	[]byte("resourceShare"), []byte("VpcOrigin"), []byte("vpc-origin"), []byte("vpc_origin"), []byte("originhub:ignore"), []byte("cdk "), []byte("delete-stack"), []byte("terraform "),
}

func relevant(raw []byte) bool {
	return slices.ContainsFunc(words, func(w []byte) bool { return bytes.Contains(raw, w) })
}

func (r *run) content(file, kind string, raw []byte) {
	switch kind {
	case "shell":
		r.seen++
		newShell(r, r.job(file)).source(lines(file, string(raw), 1, 1))
	case "make":
		r.seen++
		m := readMakefile(file, string(raw))
		for _, target := range m.order {
			s := newShell(r, r.job(file))
			s.dir = path.Dir(file)
			m.run(s, target, map[string]bool{})
		}
	case "yaml":
		r.yaml(file)
	case "json", "template":
		r.json(file, kind, raw)
	case "terraform":
		r.terraform(file, raw)
	case "groovy":
		r.groovy(file, string(raw))
	case "python", "javascript":
		r.code(file, kind, string(raw))
	case "go":
		r.goCode(file, raw)
	}
}

func (r *run) yaml(file string) {
	docs, raw, err := r.repo.yaml(file)
	if err != nil {
		r.note(Position{file, 1, 1}, fmt.Sprintf("the file cannot be parsed as YAML, so only its commands are read: %v", err))
		r.commandsOf(file, raw)
		return
	}
	for _, n := range docs {
		r.document(file, raw, n)
	}
}

func (r *run) document(file string, raw [][]byte, n *node) {
	switch {
	case isTemplate(n):
		r.template(file, raw, n)
	case isWorkflow(n):
		w := &workflow{run: r, file: file, raw: raw, env: map[string]Value{}, inputs: map[string]Value{}, outputs: map[string]Value{}, seen: []string{file}}
		w.read(n)
	case isBuildspec(n):
		readBuildspec(r, file, raw, n)
	case isGitLab(n):
		(&gitLab{run: r, file: file, raw: raw, root: n}).read()
	default:
		readCommands(r, file, raw, n)
	}
}

var commandLine = regexp.MustCompile(`^(\s*(?:- )?(?:- )?)(?:(\w+):\s*)?([|>][-+0-9]*)?\s*(.*?)\s*$`)

// commandsOf reads what looks like a list of commands in a file that is not valid YAML.
func (r *run) commandsOf(file string, raw [][]byte) {
	if len(raw) > 20_000 {
		return
	}
	w := &workflow{run: r, file: file}
	r.seen++
	job := r.job(file)
	s := newShell(r, job)
	s.sure = Likely
	for i := 0; i < len(raw); i++ {
		m := commandLine.FindSubmatch(bytes.TrimRight(raw[i], "\r\n"))
		if m == nil || len(m[2]) > 0 && !slices.Contains(scriptKeys, string(m[2])) {
			continue
		}
		switch {
		case len(m[3]) > 0:
			t := &script{file: file}
			block(t, raw, &node{line: i + 1, block: m[3][0]})
			i += max(0, len(t.segments)-1)
			s.script(w.expanded(s, t))
		case len(m[4]) > 0 && (len(m[2]) > 0 || bytes.Contains(m[1], []byte("- "))):
			t := &script{file: file}
			t.add(strings.Trim(string(m[4]), `"'`), i+1, len(raw[i])-len(bytes.TrimLeft(raw[i], " -"))+1)
			s.script(w.expanded(s, t))
		}
	}
}
