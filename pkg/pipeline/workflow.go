package pipeline

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// workflow reads workflows and composite actions of GitHub Actions.
type workflow struct {
	run     *run
	file    string
	raw     [][]byte
	env     map[string]Value
	inputs  map[string]Value
	outputs map[string]Value // of steps: "steps.ID.outputs.NAME"
	seen    []string         // workflows and actions that are being read
	dir     string           // the working directory of the job
}

func isWorkflow(n *node) bool {
	jobs := n.get("jobs")
	if !jobs.isMap() {
		return n.get("runs", "steps").isList() && n.get("runs", "using") != nil
	}
	return slices.ContainsFunc(jobs.items, func(j *node) bool { return j.get("steps") != nil || j.get("uses") != nil })
}

// read reads a workflow or an action.
func (w *workflow) read(n *node) {
	w.run.seen++
	w.setEnv(n.get("env"))
	if dir := n.get("defaults", "run", "working-directory"); dir != nil {
		w.dir = within("", w.expand(dir.str()))
	}
	for i, in := range n.get("inputs").pairs() {
		w.input(i, in)
	}
	for i, in := range n.get("on", "workflow_call", "inputs").pairs() {
		w.input(i, in)
	}
	if steps := n.get("runs", "steps"); steps != nil {
		job := w.run.job(w.file)
		w.steps(newShell(w.run, job), steps)
		return
	}
	files := map[string]Value{}
	for _, j := range n.get("jobs").items {
		w.job(j, files)
	}
}

// pairs returns the values of a map by key.
func (n *node) pairs() map[string]*node {
	m := map[string]*node{}
	if n != nil {
		for i, k := range n.keys {
			m[k.value] = n.items[i]
		}
	}
	return m
}

func (w *workflow) input(name string, n *node) {
	if _, given := w.inputs[name]; !given && n.get("default") != nil {
		w.inputs[name] = text(n.get("default").str())
	}
}

func (w *workflow) setEnv(n *node) {
	for name, v := range n.pairs() {
		w.env[name] = w.expand(v.str())
	}
}

// job reads a job. Files go from one job to the next, as artifacts do.
func (w *workflow) job(n *node, files map[string]Value) {
	if never(n) {
		return
	}
	inner := *w
	inner.env, inner.outputs = clone(w.env), map[string]Value{}
	inner.setEnv(n.get("env"))
	if dir := n.get("defaults", "run", "working-directory"); dir != nil {
		inner.dir = within("", inner.expand(dir.str()))
	}
	if uses := n.get("uses"); uses != nil {
		inner.call(uses, n.get("with"), nil)
		return
	}
	s := newShell(w.run, w.run.job(w.file))
	s.files = files
	inner.steps(s, n.get("steps"))
	for k, v := range s.files {
		files[k] = v
	}
}

func never(n *node) bool {
	condition := strings.TrimSpace(strings.Trim(n.get("if").str(), "${} "))
	return condition == "false"
}

func (w *workflow) steps(s *shell, steps *node) {
	for _, step := range steps.list() {
		if never(step) {
			continue
		}
		inner := *w
		inner.env = clone(w.env)
		inner.setEnv(step.get("env"))
		if uses := step.get("uses"); uses != nil {
			inner.uses(s, step, uses)
			continue
		}
		if run := step.get("run"); run != nil {
			if run.isMap() { // CircleCI
				run = run.get("command")
			}
			inner.script(s, step, run)
		}
		w.handOver(s, step.get("id").str())
	}
}

// handOver makes known to later steps what a step wrote to $GITHUB_ENV and $GITHUB_OUTPUT.
func (w *workflow) handOver(s *shell, id string) {
	for key, v := range s.env {
		if name, ok := strings.CutPrefix(key, "$GITHUB_ENV "); ok {
			w.env[name] = v
		} else if name, ok := strings.CutPrefix(key, "$GITHUB_OUTPUT "); ok && id != "" {
			w.outputs["steps."+id+".outputs."+name] = v
		}
	}
}

// script evaluates the script of a step. Its variables end with it; its files stay.
func (w *workflow) script(s *shell, step, run *node) {
	t := textOf(w.file, w.raw, run)
	b := s.branch()
	b.vars = clone(w.env)
	if dir := step.get("working-directory"); dir != nil {
		b.dir = within("", w.expand(dir.str()))
	} else if w.dir != "" {
		b.dir = w.dir
	}
	t = w.expanded(b, t)
	kind := step.get("shell").str()
	switch {
	case strings.HasPrefix(kind, "python"):
		c := readCode(t, "python")
		s.job.add(c.acts...)
		return
	case kind == "cmd":
		return
	}
	b.source(t)
	s.files = b.files
}

var expression = regexp.MustCompile(`\$\{\{(.*?)\}\}`)

// expanded returns a script with expressions replaced by their values, or by a variable of that value.
func (w *workflow) expanded(s *shell, t *script) *script {
	return t.rewritten(func(rest string) (int, int, string, bool) {
		loc := expression.FindStringSubmatchIndex(rest)
		if loc == nil {
			return 0, 0, "", false
		}
		v := w.resolve(rest[loc[2]:loc[3]])
		if v.Known() && v.Doc == nil && !strings.ContainsAny(v.Text, "'\"`$\\\n") {
			return loc[0], loc[1], v.Text, true
		}
		name := "originhub_" + itoa(len(s.vars))
		s.vars[name] = v
		return loc[0], loc[1], "${" + name + "}", true
	})
}

// expand returns a text with its expressions resolved.
func (w *workflow) expand(t string) Value {
	if strings.Contains(t, unknown) {
		return Value{Text: unknown, Shown: "${{ … }}"}
	}
	out := Value{}
	for {
		loc := expression.FindStringSubmatchIndex(t)
		if loc == nil {
			return concatenated([]piece{{Value: out}, {Value: text(t)}})
		}
		out = concatenated([]piece{{Value: out}, {Value: text(t[:loc[0]])}, {Value: w.resolve(t[loc[2]:loc[3]])}})
		t = t[loc[1]:]
	}
}

// resolve returns the value of an expression.
func (w *workflow) resolve(e string) Value {
	e = strings.TrimSpace(e)
	if name, ok := strings.CutPrefix(e, "env."); ok {
		if v, ok := w.env[name]; ok {
			return v
		}
	}
	for _, prefix := range []string{"inputs.", "github.event.inputs."} {
		if name, ok := strings.CutPrefix(e, prefix); ok {
			if v, ok := w.inputs[name]; ok {
				return v
			}
		}
	}
	if v, ok := w.outputs[e]; ok {
		return v
	}
	return Value{Text: unknown, Shown: "${{ " + e + " }}"}
}

var roleARN = regexp.MustCompile(`arn:aws[\w-]*:iam::(\d{12}):role/`)

// uses evaluates a step that runs an action.
func (w *workflow) uses(s *shell, step, uses *node) {
	with := step.get("with")
	name, _, _ := strings.Cut(uses.str(), "@")
	switch {
	case strings.HasPrefix(name, "./"):
		w.call(uses, with, s)
	case name == "aws-actions/configure-aws-credentials":
		role := w.expand(with.get("role-to-assume").str())
		if m := roleARN.FindStringSubmatch(role.Text); m != nil {
			s.job.Account = m[1]
		}
	case name == "aws-actions/aws-cloudformation-github-deploy":
		s.deploys("cloudformation", "deploy", []arg{{at: Position{w.file, uses.line, uses.column}}}, w.expand(with.get("name").str()).Shown)
	case name == "youyo/aws-cdk-github-actions":
		if command := with.get("cdk_subcommand").str(); command == "deploy" || command == "destroy" {
			s.deploys("cdk", command, []arg{{at: Position{w.file, uses.line, uses.column}}}, with.get("cdk_stack").str())
		}
	case name == "nick-fields/retry" || name == "nick-invision/retry":
		if command := with.get("command"); command != nil {
			s.looped++
			w.script(s, step, command)
			s.looped--
		}
	}
}

// call reads an action or a workflow of the repository. Without a shell, it is a workflow with jobs of its own.
func (w *workflow) call(uses, with *node, s *shell) {
	target := path.Clean(uses.str())
	if s != nil {
		for _, name := range []string{"action.yml", "action.yaml"} {
			if w.run.repo.has(path.Join(target, name)) {
				target = path.Join(target, name)
			}
		}
	}
	if slices.Contains(w.seen, target) || len(w.seen) > deepestCall || !w.run.repo.has(target) {
		return
	}
	docs, raw, err := w.run.repo.yaml(target)
	if err != nil || len(docs) == 0 {
		return
	}
	from := w.file + ":" + itoa(uses.line)
	w.run.runs(target, from)
	inner := &workflow{
		run: w.run, file: target, raw: raw, env: map[string]Value{}, inputs: map[string]Value{}, outputs: map[string]Value{}, seen: append(slices.Clone(w.seen), target),
	}
	for name, v := range with.pairs() {
		inner.inputs[name] = w.expand(v.str())
	}
	if s == nil {
		inner.read(docs[0])
		return
	}
	inner.env = clone(w.env)
	for name, in := range docs[0].get("inputs").pairs() {
		inner.input(name, in)
	}
	s.job.Runs = append(s.job.Runs, from)
	defer func() { s.job.Runs = s.job.Runs[:len(s.job.Runs)-1] }()
	inner.steps(s, docs[0].get("runs", "steps"))
}
