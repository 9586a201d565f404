package pipeline

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// arg is a word of a command.
type arg struct {
	Value
	at Position
}

// simple evaluates a simple command.
func (s *shell) simple(c *syntax.CallExpr, in Value) Value {
	if len(c.Args) == 0 {
		for _, a := range c.Assigns {
			s.assign(a)
		}
		return Value{}
	}
	if len(c.Assigns) > 0 {
		outer := clone(s.vars)
		defer func() { s.vars = outer }()
		for _, a := range c.Assigns {
			s.assign(a)
		}
	}
	var args []arg
	for _, w := range c.Args {
		at := s.at.at(int(w.Pos().Offset()))
		for _, v := range s.fields(w) {
			args = append(args, arg{v, at})
		}
	}
	return s.exec(args, in)
}

// wrappers are commands that run the command in their arguments. The value lists the options that take an argument; a wrapper
// that takes operands of its own before the command has their number after a colon.
var wrappers = map[string]string{
	"sudo": "-u -g -h -p -C -T", "env": "-u -C -S", "time": "-f -o", "nice": "-n", "nohup": "", "exec": "-a", "command": "", "builtin": "", "timeout": "-k -s :1",
	"stdbuf": "-i -o -e", "ionice": "-c -n", "chronic": "", "setsid": "", "unbuffer": "", "then": "", "do": "", "noglob": "", "caffeinate": "-t",
	"xargs": "-I -n -P -d -E -L -s -a --max-args --max-procs --replace --delimiter --arg-file", "parallel": "-j -N --jobs --colsep", "watch": "-n",
	"aws-vault": "-d --duration -n --prompt --region -t", "chamber": ":1", "dotenv": "-e -f", "op": "", "doppler": "-p -c --project --config", "poetry": "", "pipenv": "", "uv": "", "strace": "-o -e",
	"retry": "-t -d -n --times --delay --tries --sleep --max :?", "assume-role": ":1", "saml2aws": "-a --role", "granted": "", "assume": "", "dbg": "", "trace": "",
}

// retrying wrappers repeat a command that failed.
var retrying = []string{"retry", "watch"}

// texts are commands that print, test or describe their arguments, and run none of them.
var texts = []string{
	"echo", "printf", "print", ":", "true", "grep", "egrep", "fgrep", "rg", "ag", "test", "[", "log", "logger", "info", "warn", "error", "debug", "say", "fail", "die", "abort",
	"cowsay", "usage", "man", "which", "type", "hash", "alias", "complete", "curl", "wget", "git", "slack", "notify", "zenity", "figlet", "less", "more", "diff", "cmp", "ls", "rm", "mkdir", "popd",
	"chmod", "chown", "exit", "return", "sleep", "apt-get", "apt", "yum", "dnf", "apk", "brew", "pip", "pip3", "aws_completer", "tmux", "expect", "assert", "shellcheck",
}

// exec evaluates a command whose words are known.
func (s *shell) exec(args []arg, in Value) Value {
	if len(args) == 0 {
		return Value{}
	}
	name := args[0].Text
	if f, ok := s.funcs[name]; ok && s.depth < deepestCall {
		*f.used = true
		return s.call(f, name, args[1:], in)
	}
	base := path.Base(strings.TrimSuffix(name, ".exe"))
	if run, ok := s.builtin(base); ok {
		return run(args, in)
	}
	if options, ok := wrappers[base]; ok {
		return s.wrapped(base, options, args, in)
	}
	if slices.Contains(texts, base) {
		return printed(base, args, in)
	}
	if target, ok := s.run.find(s.at.file, name); ok {
		return s.runFile(target, args, in)
	}
	return s.other(args, in)
}

// builtin returns how commands are evaluated that the audit knows.
func (s *shell) builtin(name string) (func([]arg, Value) Value, bool) {
	f, ok := map[string]func([]arg, Value) Value{
		"aws": s.aws, "jq": s.jq, "yq": s.jq, "gojq": s.jq, "jaq": s.jq,
		"cat": s.passes, "tee": s.tee, "sponge": s.tee, "cp": s.copied, "mv": s.copied, "sed": s.sed, "gsed": s.sed,
		"bash": s.interpreter, "sh": s.interpreter, "zsh": s.interpreter, "dash": s.interpreter, "ksh": s.interpreter, "eval": s.eval, "source": s.sourced, ".": s.sourced,
		"trap": s.trap, "ssh": s.remote, "docker": s.container, "podman": s.container, "find": s.find,
		"cd": s.cd, "pushd": s.cd, "read": s.read, "mapfile": s.read, "readarray": s.read, "set": s.set, "shift": s.shift, "export": s.exported, "mktemp": s.temporary,
		"python": s.python, "python3": s.python, "node": s.python, "ruby": s.python,
		"make": s.make, "gmake": s.make, "npm": s.npm, "yarn": s.npm, "pnpm": s.npm, "bun": s.npm, "npx": s.npx, "pnpx": s.npx, "bunx": s.npx,
		"cdk": s.cdk, "terraform": s.terraform, "tofu": s.terraform, "terragrunt": s.terraform, "sam": s.sam, "serverless": s.serverless, "sls": s.serverless, "pulumi": s.pulumi,
	}[name]
	return f, ok
}

// printed returns what echo and printf print.
func printed(name string, args []arg, in Value) Value {
	if name != "echo" && name != "printf" && name != "print" {
		return Value{Text: unknown, Shown: "$(" + name + " …)", Doc: in.Doc}
	}
	var out Value
	first := true
	for _, a := range args[1:] {
		if first && strings.HasPrefix(a.Text, "-") && len(a.Text) <= 3 {
			continue
		}
		if !first {
			out.Text, out.Shown = out.Text+" ", out.Shown+" "
		}
		first = false
		out = Value{Text: out.Text + a.Text, Shown: out.Shown + a.Shown, Doc: merged(out.Doc, a.Doc)}
	}
	if name == "printf" && strings.HasPrefix(out.Text, "%") {
		_, t, _ := strings.Cut(out.Text, " ")
		_, shown, _ := strings.Cut(out.Shown, " ")
		out.Text, out.Shown = t, shown
	}
	if out.Doc == nil && strings.HasPrefix(strings.TrimSpace(out.Text), "{") && strings.Contains(out.Text, `"`) {
		out.Doc = &Document{Kept: []string{"a text in the script"}}
	}
	return out
}

func (s *shell) wrapped(name, options string, args []arg, in Value) Value {
	operands := 0
	flags := strings.Fields(options)
	for _, f := range flags {
		if f == ":1" {
			operands = 1
		}
	}
	i := 1
	for i < len(args) {
		t := args[i].Text
		switch {
		case t == "--" || t == "exec" || t == "run":
			i++
			continue
		case slices.Contains(flags, t):
			i += 2
			continue
		case strings.HasPrefix(t, "-") || assignment.MatchString(t):
			i++
			continue
		}
		break
	}
	i += operands
	if name == "retry" || name == "aws-vault" || slices.Contains([]string{"op", "doppler", "poetry", "pipenv", "uv", "saml2aws", "granted", "assume", "chamber"}, name) {
		i = max(1, min(i, len(args)), commandAt(args, i))
	}
	if i >= len(args) {
		return in
	}
	if slices.Contains(retrying, name) {
		s.looped++
		defer func() { s.looped-- }()
	}
	rest := args[i:]
	if name == "xargs" || name == "parallel" {
		rest = s.fed(args[1:i], rest, in)
		outer := s.every
		if list := listed(in.Doc); list != nil {
			s.every = list
		}
		defer func() { s.every = outer }()
	}
	return s.exec(rest, in)
}

var assignment = regexp.MustCompile(`^[A-Za-z_]\w*=`)

// commandAt returns the index of the first known command among some words.
func commandAt(args []arg, from int) int {
	for i := max(1, from); i < len(args); i++ {
		if base := path.Base(args[i].Text); base == "aws" || base == "bash" || base == "sh" || base == "cdk" || base == "terraform" {
			return i
		}
	}
	return from
}

// fed adds to a command what xargs gives it from standard input.
func (s *shell) fed(options, rest []arg, in Value) []arg {
	item := Value{Text: unknown, Shown: "{}", Doc: in.Doc}
	if in.Known() && in.Text != "" && !strings.ContainsAny(in.Text, " \n\t") {
		item = in
	}
	placeholder := ""
	for i, o := range options {
		switch {
		case o.Text == "-I" && i+1 < len(options):
			placeholder = options[i+1].Text
		case strings.HasPrefix(o.Text, "-I") && len(o.Text) > 2:
			placeholder = o.Text[2:]
		case strings.HasPrefix(o.Text, "--replace") || o.Text == "-i":
			placeholder = "{}"
		}
	}
	rest = slices.Clone(rest)
	if placeholder == "" && !slices.ContainsFunc(rest, func(a arg) bool { return strings.Contains(a.Text, "{}") }) {
		return append(rest, arg{item, rest[0].at})
	}
	if placeholder == "" {
		placeholder = "{}"
	}
	for i, a := range rest {
		if strings.Contains(a.Text, placeholder) {
			t := strings.ReplaceAll(a.Text, placeholder, item.Text)
			rest[i].Value = Value{Text: t, Shown: a.Shown, Doc: merged(a.Doc, item.Doc)}
		}
	}
	return rest
}

// call evaluates a function.
func (s *shell) call(f function, name string, args []arg, in Value) Value {
	outer, outerDepth := s.lists["@"], s.depth
	var list []Value
	for _, a := range args {
		if a.From == nil {
			a.From = &a.at
		}
		list = append(list, a.Value)
	}
	s.lists["@"] = list
	at := s.at
	s.at = f.at
	s.depth++
	looped := s.looped
	if strings.Contains(strings.ToLower(name), "retry") {
		s.looped++
	}
	out := s.stmt(f.body, in)
	s.looped = looped
	s.at, s.depth = at, outerDepth
	if outer == nil {
		delete(s.lists, "@")
	} else {
		s.lists["@"] = outer
	}
	return out
}

// other evaluates a command that the audit does not know: it may run a command in its arguments, and may print something made
// from what it reads.
func (s *shell) other(args []arg, in Value) Value {
	for i := 1; i+2 < len(args); i++ {
		if path.Base(args[i].Text) == "aws" && slices.Contains([]string{"cloudfront", "ram"}, args[i+1].Text) {
			outer := s.sure
			s.sure = min(s.sure, Likely)
			defer func() { s.sure = outer }()
			return s.aws(args[i:], in)
		}
	}
	doc := in.Doc
	for _, a := range args[1:] {
		if v, ok := s.files[filename(a.Value)]; ok {
			doc = merged(doc, v.Doc)
		} else if a.Doc != nil {
			doc = merged(doc, a.Doc)
		}
	}
	if doc != nil {
		doc = merged(doc, &Document{Opaque: true})
	}
	return Value{Text: unknown, Shown: "$(" + args[0].Shown + " …)", Doc: doc}
}
