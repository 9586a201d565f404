package pipeline

import (
	"slices"
	"strings"
)

// scriptKeys are the keys under which pipelines of other tools hold shell commands: GitLab CI, Bitbucket, CircleCI, Azure Pipelines,
// Buildkite, Drone and Taskfiles.
var scriptKeys = []string{"script", "run", "command", "commands", "bash", "inlineScript", "cmds", "sh"}

// isGitLab reports whether a file has jobs as GitLab CI has them.
func isGitLab(n *node) bool {
	return n.isMap() && slices.ContainsFunc(n.items, func(j *node) bool {
		return j.isMap() && (j.get("script") != nil || j.get("before_script") != nil)
	}) || n.get("before_script") != nil
}

// gitLab reads a file of GitLab CI.
type gitLab struct {
	run  *run
	file string
	raw  [][]byte
	root *node
}

func (g *gitLab) read() {
	g.run.seen++
	files := map[string]Value{}
	for i, j := range g.root.items {
		name := g.root.keys[i].value
		if name == "default" || name == "variables" || name == "include" || !j.isMap() {
			continue
		}
		script := g.inherited(j, "script", 0)
		if script == nil && g.inherited(j, "before_script", 0) == nil && j.get("after_script") == nil {
			continue
		}
		before := g.inherited(j, "before_script", 0)
		if before == nil {
			before = g.root.get("default", "before_script")
		}
		if before == nil {
			before = g.root.get("before_script")
		}
		s := newShell(g.run, g.run.job(g.file))
		s.files = files
		g.variables(s, g.root.get("variables"))
		g.variables(s, g.inherited(j, "variables", 0))
		t := &commandList{g: g}
		t.add(before, 0)
		t.add(script, 0)
		s.source(t.script(g.file))
		after := &commandList{g: g}
		after.add(g.inherited(j, "after_script", 0), 0)
		s.source(after.script(g.file))
		for k, v := range s.files {
			files[k] = v
		}
	}
}

func (g *gitLab) variables(s *shell, n *node) {
	for name, v := range n.pairs() {
		value := v.str()
		if v.isMap() {
			value = v.get("value").str()
		}
		if !strings.Contains(value, "$") {
			s.vars[name] = text(value)
		}
	}
}

// inherited returns the value of a key of a job, or of the jobs that it extends.
func (g *gitLab) inherited(j *node, key string, deep int) *node {
	if v := j.get(key); v != nil || deep > deepestCall {
		return v
	}
	var found *node
	for _, base := range j.get("extends").list() {
		if v := g.inherited(g.root.get(base.str()), key, deep+1); v != nil {
			found = v
		}
	}
	return found
}

// commandList collects the commands of lists in lists, and of references to others.
type commandList struct {
	g     *gitLab
	parts []*script
}

func (t *commandList) add(n *node, deep int) {
	if deep > deepestCall {
		return
	}
	if n != nil && n.tag == "!reference" {
		var way []string
		for _, i := range n.items {
			way = append(way, i.str())
		}
		t.add(t.g.root.get(way...), deep+1)
		return
	}
	for _, i := range n.list() {
		if !i.scalar {
			t.add(i, deep+1)
			continue
		}
		t.parts = append(t.parts, textOf(t.g.file, t.g.raw, i))
	}
}

func (t *commandList) script(file string) *script {
	s := &script{file: file}
	for _, p := range t.parts {
		s.append(p)
	}
	return s
}

// isBuildspec reports whether a file is a buildspec of CodeBuild.
func isBuildspec(n *node) bool {
	phases := n.get("phases")
	return phases.isMap() && slices.ContainsFunc(phases.items, func(p *node) bool { return p.get("commands") != nil })
}

func readBuildspec(r *run, file string, raw [][]byte, n *node) {
	r.seen++
	s := newShell(r, r.job(file))
	for name, v := range n.get("env", "variables").pairs() {
		s.vars[name] = text(v.str())
	}
	t := &commandList{g: &gitLab{file: file, raw: raw, root: n}}
	for _, phase := range n.get("phases").items {
		t.add(phase.get("commands"), 0)
		t.add(phase.get("finally"), 0)
	}
	s.source(t.script(file))
}

// readCommands reads what any other file holds under keys that pipelines use for commands: each list of steps is a job.
func readCommands(r *run, file string, raw [][]byte, n *node) {
	n.walk(func(n *node) bool {
		if !n.isList() || !slices.ContainsFunc(n.items, isStep) {
			return true
		}
		r.seen++
		s := newShell(r, r.job(file))
		for _, step := range n.items {
			step.walk(func(n *node) bool {
				readStep(s, file, raw, n)
				return true
			})
		}
		return false
	})
	if n.isMap() && (n.get("tasks") != nil || n.get("hooks") != nil) {
		n.walk(func(n *node) bool {
			if n.isMap() && n.get("cmds") != nil {
				readStep(newShell(r, r.job(file)), file, raw, n)
			}
			return true
		})
	}
}

func isStep(n *node) bool {
	if !n.isMap() {
		return false
	}
	return slices.ContainsFunc(n.keys, func(k *node) bool { return slices.Contains(scriptKeys, k.value) }) || n.get("step", "script") != nil || n.get("inputs", "inlineScript") != nil
}

func readStep(s *shell, file string, raw [][]byte, n *node) {
	for i, k := range n.keys {
		if !slices.Contains(scriptKeys, k.value) || n.items[i].isMap() {
			continue
		}
		t := &commandList{g: &gitLab{file: file, raw: raw, root: n}}
		t.add(n.items[i], 0)
		s.source(t.script(file))
	}
}
