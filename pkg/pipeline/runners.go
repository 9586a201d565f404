package pipeline

import (
	"path"
	"slices"
	"strings"
)

// here returns where the pipeline runs something from.
func (s *shell) here(at Position) string {
	return at.File + ":" + itoa(at.Line)
}

// runFile evaluates a file of the repository that a command runs.
func (s *shell) runFile(file string, args []arg, in Value) Value {
	from := s.here(args[0].at)
	s.run.runs(file, from)
	t := s.run.shellText(file)
	if t == nil || s.depth >= deepestCall {
		return Value{Text: unknown, Shown: "$(" + args[0].Shown + " …)", Doc: in.Doc}
	}
	b := s.branch()
	b.funcs = map[string]function{}
	b.lists = map[string][]Value{"@": nil}
	for _, a := range args[1:] {
		b.lists["@"] = append(b.lists["@"], a.Value)
	}
	b.job.Runs = append(b.job.Runs, from)
	defer func() { s.job.Runs = s.job.Runs[:len(s.job.Runs)-1] }()
	out := b.script(t)
	s.files = b.files
	return out
}

func (s *shell) make(args []arg, _ Value) Value {
	dir, file, from := "", "", s.here(args[0].at)
	var targets []string
	for i := 1; i < len(args); i++ {
		switch t := args[i].Text; {
		case t == "-C" && i+1 < len(args):
			dir, i = args[i+1].Text, i+1
		case t == "-f" && i+1 < len(args):
			file, i = args[i+1].Text, i+1
		case assignment.MatchString(t):
			name, value, _ := strings.Cut(t, "=")
			s.vars[name] = Value{Text: value, Shown: value, Doc: args[i].Doc}
		case !strings.HasPrefix(t, "-"):
			targets = append(targets, t)
		}
	}
	names := []string{"GNUmakefile", "Makefile", "makefile"}
	if file != "" {
		names = []string{file}
	}
	for _, name := range names {
		if found, ok := s.run.find(s.at.file, path.Join(dir, name)); ok {
			for _, t := range targets {
				s.target(found, t, from)
			}
			break
		}
	}
	return Value{}
}

// target evaluates a target of a makefile.
func (s *shell) target(file, target, from string) {
	m := s.run.makefile(file)
	if m == nil || s.depth >= deepestCall {
		return
	}
	outer := s.dir
	s.dir = path.Dir(file)
	defer func() { s.dir = outer }()
	s.run.runs(file, from)
	s.job.Runs = append(s.job.Runs, from)
	defer func() { s.job.Runs = s.job.Runs[:len(s.job.Runs)-1] }()
	s.depth++
	defer func() { s.depth-- }()
	m.run(s, target, map[string]bool{})
}

func (s *shell) npm(args []arg, in Value) Value {
	words := slices.DeleteFunc(slices.Clone(args[1:]), func(a arg) bool { return strings.HasPrefix(a.Text, "-") })
	if len(words) == 0 {
		return Value{}
	}
	name := words[0].Text
	switch name {
	case "exec", "dlx", "x":
		return s.exec(words[1:], in)
	case "run", "run-script":
		if len(words) < 2 {
			return Value{}
		}
		name = words[1].Text
	}
	file, ok := s.run.find(s.at.file, "package.json")
	if !ok {
		return Value{}
	}
	if t := s.run.packageScripts(file)[name]; t != nil && s.depth < deepestCall {
		from := s.here(args[0].at)
		s.run.runs(file, from)
		s.job.Runs = append(s.job.Runs, from)
		defer func() { s.job.Runs = s.job.Runs[:len(s.job.Runs)-1] }()
		return s.branch().script(t)
	}
	if name == "cdk" || name == "sls" || name == "serverless" {
		return s.exec(words[slices.IndexFunc(words, func(a arg) bool { return a.Text == name }):], in)
	}
	return Value{}
}

func (s *shell) npx(args []arg, in Value) Value {
	i := 1
	for i < len(args) && (strings.HasPrefix(args[i].Text, "-") || args[i-1].Text == "-p" || args[i-1].Text == "--package") {
		i++
	}
	if i == len(args) {
		return Value{}
	}
	rest := slices.Clone(args[i:])
	name, _, _ := strings.Cut(strings.TrimPrefix(rest[0].Text, "@"), "@")
	if name == "aws-cdk" {
		name = "cdk"
	}
	rest[0].Value = text(name)
	rest[0].at = args[0].at
	return s.exec(rest, in)
}

// deploys adds a call of a tool that deploys or destroys whole stacks.
func (s *shell) deploys(service, operation string, args []arg, stacks string) Value {
	act := &Act{Service: service, Operation: operation, At: args[0].at, Sure: s.sure, Options: map[string]Value{"stack": text(stacks)}, Dir: s.dir}
	s.job.add(act)
	return Value{Text: unknown, Shown: "…"}
}

func (s *shell) cdk(args []arg, _ Value) Value {
	var words []string
	for i := 1; i < len(args); i++ {
		switch t := args[i].Text; {
		case slices.Contains([]string{"-a", "--app", "-c", "--context", "--profile", "--require-approval", "-o", "--output", "--outputs-file", "--parameters", "-r", "--role-arn", "--toolkit-stack-name", "--tags", "-t"}, t):
			i++
		case !strings.HasPrefix(t, "-"):
			words = append(words, args[i].Shown)
		}
	}
	if len(words) == 0 || words[0] != "deploy" && words[0] != "destroy" {
		return Value{}
	}
	return s.deploys("cdk", words[0], args, strings.Join(words[1:], " "))
}

// cd changes the directory. After a directory that cannot be resolved, the directory stays unknown.
func (s *shell) cd(args []arg, _ Value) Value {
	if len(args) > 1 {
		s.dir = within(s.dir, args[len(args)-1].Value)
	}
	return Value{}
}

// within returns a directory, seen from another one.
func within(dir string, to Value) string {
	switch {
	case dir == unknown || !to.Known() || to.Text == "-":
		return unknown
	case strings.HasPrefix(to.Text, "/"):
		return unknown
	}
	return path.Join(dir, to.Text)
}

func (s *shell) terraform(args []arg, _ Value) Value {
	outer := s.dir
	defer func() { s.dir = outer }()
	for _, a := range args[1:] {
		for _, option := range []string{"-chdir=", "--chdir=", "--terragrunt-working-dir="} {
			if strings.HasPrefix(a.Text, option) {
				s.dir = within(s.dir, Value{Text: strings.TrimPrefix(a.Text, option)})
			}
		}
	}
	destroys := slices.ContainsFunc(args, func(a arg) bool { return a.Text == "-destroy" || a.Text == "--destroy" })
	for _, a := range args[1:] {
		switch {
		case a.Text == "destroy" || a.Text == "apply" && destroys:
			return s.deploys("terraform", "destroy", args, "")
		case a.Text == "apply":
			return s.deploys("terraform", "deploy", args, "")
		case !strings.HasPrefix(a.Text, "-") && a.Text != "run-all":
			return Value{}
		}
	}
	return Value{}
}

func (s *shell) sam(args []arg, _ Value) Value {
	if len(args) < 2 || args[1].Text != "deploy" && args[1].Text != "delete" {
		return Value{}
	}
	return s.deploys("cloudformation", map[string]string{"deploy": "deploy", "delete": "destroy"}[args[1].Text], args, optionOf(args, "--stack-name"))
}

func (s *shell) serverless(args []arg, _ Value) Value {
	if len(args) < 2 || args[1].Text != "remove" || !s.run.near(s.at.file) {
		return Value{}
	}
	return s.deploys("cloudformation", "destroy", args, "")
}

func (s *shell) pulumi(args []arg, _ Value) Value {
	if len(args) < 2 || args[1].Text != "destroy" {
		return Value{}
	}
	return s.deploys("terraform", "destroy", args, optionOf(args, "--stack"))
}

func optionOf(args []arg, name string) string {
	for i, a := range args {
		if a.Text == name && i+1 < len(args) {
			return args[i+1].Shown
		}
		if v, ok := strings.CutPrefix(a.Shown, name+"="); ok {
			return v
		}
	}
	return ""
}
