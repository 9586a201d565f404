package pipeline

import (
	"regexp"
	"slices"
	"strings"
)

// jq evaluates jq and yq: a program over files or standard input.
func (s *shell) jq(args []arg, in Value) Value {
	var program *arg
	doc := in.Doc
	files := 0
	for i := 1; i < len(args); i++ {
		a := args[i]
		switch {
		case slices.Contains([]string{"--arg", "--argjson"}, a.Text):
			i += 2
		case slices.Contains([]string{"--slurpfile", "--rawfile"}, a.Text):
			if i+2 < len(args) {
				doc = merged(doc, s.file(args[i+2].Value).Doc)
			}
			i += 2
		case a.Text == "--indent" || a.Text == "-L" || a.Text == "-o" || a.Text == "--tab":
			i++
		case a.Text == "-f" || a.Text == "--from-file":
			i++
			program = &arg{}
		case a.Text == "eval" || a.Text == "e" || strings.HasPrefix(a.Text, "-") && len(a.Text) > 1:
		case program == nil:
			program = &args[i]
		default:
			files++
			content := s.file(a.Value)
			doc = merged(doc, content.Doc)
		}
	}
	if files > 0 && in.Doc != nil && doc == in.Doc {
		doc = nil
	}
	edits := programEdits(program)
	if doc == nil && len(edits) > 0 && files == 0 && in.Text == "" {
		return Value{Text: unknown, Shown: "$(jq …)", Doc: &Document{Kept: []string{"a text in the script"}}}
	}
	out := Value{Text: unknown, Shown: "$(jq …)", Doc: doc.edited(edits...)}
	if slices.ContainsFunc(args, func(a arg) bool { return a.Text == "-i" || a.Text == "--inplace" }) {
		s.write(args[len(args)-1].Value, out, false)
	}
	return out
}

func programEdits(program *arg) []Edit {
	if program == nil || program.Text == "" {
		return nil
	}
	return jqEdits(strings.ReplaceAll(program.Text, unknown, "null"), program.at)
}

func (s *shell) passes(args []arg, in Value) Value {
	out := Value{Doc: in.Doc, Text: in.Text, Shown: in.Shown}
	first := true
	for _, a := range args[1:] {
		if strings.HasPrefix(a.Text, "-") {
			continue
		}
		v := s.file(a.Value)
		if first {
			out, first = v, false
			continue
		}
		out = joined(out, v)
	}
	return out
}

func (s *shell) tee(args []arg, in Value) Value {
	for _, a := range args[1:] {
		if !strings.HasPrefix(a.Text, "-") {
			s.write(a.Value, in, false)
		}
	}
	return in
}

func (s *shell) copied(args []arg, _ Value) Value {
	var names []arg
	for _, a := range args[1:] {
		if !strings.HasPrefix(a.Text, "-") {
			names = append(names, a)
		}
	}
	if len(names) == 2 {
		s.write(names[1].Value, s.file(names[0].Value), false)
	}
	return Value{}
}

var disables = regexp.MustCompile(`"?Enabled"?\\?"?:?.{0,12}true.*Enabled.*false`)

// sed evaluates an edit that is not by the structure of the document.
func (s *shell) sed(args []arg, in Value) Value {
	doc := in.Doc
	var edits []Edit
	place := false
	var last arg
	seen := false
	for _, a := range args[1:] {
		switch {
		case strings.HasPrefix(a.Text, "-i") || a.Text == "--in-place":
			place = true
		case strings.HasPrefix(a.Text, "-"):
		case !seen:
			seen = true
			if disables.MatchString(a.Text) {
				edits = append(edits, Edit{At: a.at, Path: []Step{{Name: "Enabled"}}, Op: Assign, Value: "false", Source: a.Text})
			}
		default:
			last = a
			doc = merged(doc, s.file(a.Value).Doc)
		}
	}
	out := Value{Text: unknown, Shown: "$(sed …)", Doc: doc.edited(edits...)}
	if place && last.Text != "" {
		s.write(last.Value, out, false)
	}
	return out
}

// python evaluates an interpreter that is given its program as an argument or on standard input.
func (s *shell) python(args []arg, in Value) Value {
	program, at := "", args[0].at
	language := args[0].Text
	for i := 1; i < len(args); i++ {
		switch t := args[i].Text; {
		case (t == "-c" || t == "-e" || t == "--eval") && i+1 < len(args):
			program, at = args[i+1].Text, args[i+1].at
			i++
		case t == "-" || program != "" || strings.HasPrefix(t, "-"):
		default:
			if file, ok := s.run.find(s.at.file, t); ok {
				s.run.runs(file, s.here(args[0].at))
				return Value{Text: unknown, Shown: "…"}
			}
		}
	}
	if program == "" && len(args) <= 2 && in.Known() {
		program = in.Text
		if in.From != nil {
			at = *in.From
		}
		in = Value{}
	}
	if program == "" {
		return s.other(args, in)
	}
	kind := "python"
	if strings.Contains(language, "node") {
		kind = "javascript"
	}
	c := readCode(lines(at.File, program, at.Line, at.Column), kind)
	doc := in.Doc
	for _, name := range c.opened {
		doc = merged(doc, s.file(text(name)).Doc)
	}
	out := Value{Text: unknown, Shown: "…", Doc: doc.edited(c.edits...)}
	if doc != nil {
		for _, name := range c.written {
			s.write(text(name), out, false)
		}
	}
	s.job.add(c.acts...)
	return out
}

// interpreter evaluates bash, sh and their like, given a text or a script.
func (s *shell) interpreter(args []arg, in Value) Value {
	for i := 1; i < len(args); i++ {
		a := args[i]
		switch {
		case strings.HasPrefix(a.Text, "-") && strings.HasSuffix(a.Text, "c") && i+1 < len(args):
			return s.text(args[i+1], args[min(len(args), i+3):])
		case a.Text == "-o" || a.Text == "-O":
			i++
		case strings.HasPrefix(a.Text, "-"):
		default:
			if file, ok := s.run.find(s.at.file, a.Text); ok {
				return s.runFile(file, args[i:], in)
			}
			if content, ok := s.files[filename(a.Value)]; ok && content.Text != unknown {
				return s.text(arg{content, a.at}, args[i+1:])
			}
			return Value{Text: unknown, Shown: "…", Doc: in.Doc}
		}
	}
	if in.Text != "" && in.Text != unknown {
		return s.text(arg{in, args[0].at}, nil)
	}
	return Value{}
}

// text evaluates a text as a script.
func (s *shell) text(t arg, args []arg) Value {
	b := s.branch()
	b.lists["@"] = nil
	for _, a := range args {
		b.lists["@"] = append(b.lists["@"], a.Value)
	}
	if !t.Known() {
		b.sure = min(b.sure, Likely)
	}
	place := &script{file: t.at.File}
	place.add(strings.ReplaceAll(t.Text, unknown, "${originhub_unresolved}"), t.at.Line, t.at.Column)
	out := b.fixed(place, t.at)
	s.files = b.files
	return out
}

// fixed evaluates a script all of which is reported at one place.
func (s *shell) fixed(t *script, at Position) Value {
	n := len(t.text.String())
	t.segments = nil
	for i := range n + 1 {
		t.segments = append(t.segments, segment{i, at.Line, at.Column})
	}
	return s.script(t)
}

func (s *shell) eval(args []arg, _ Value) Value {
	if len(args) < 2 {
		return Value{}
	}
	var v Value
	for i, a := range args[1:] {
		if i > 0 {
			v.Text, v.Shown = v.Text+" ", v.Shown+" "
		}
		v = Value{Text: v.Text + a.Text, Shown: v.Shown + a.Shown, Doc: merged(v.Doc, a.Doc)}
	}
	if v.Text == unknown {
		return Value{Text: unknown, Shown: "…", Doc: v.Doc}
	}
	b := s.branch()
	if !v.Known() {
		b.sure = min(b.sure, Likely)
	}
	t := &script{file: args[1].at.File}
	t.add(strings.ReplaceAll(v.Text, unknown, "${originhub_unresolved}"), args[1].at.Line, args[1].at.Column)
	out := b.fixed(t, args[1].at)
	s.vars, s.files = b.vars, b.files
	return out
}

func (s *shell) sourced(args []arg, _ Value) Value {
	if len(args) < 2 {
		return Value{}
	}
	file, ok := s.run.find(s.at.file, args[1].Text)
	if !ok {
		return Value{}
	}
	t := s.run.shellText(file)
	if t == nil {
		return Value{}
	}
	s.script(t)
	return Value{}
}

func (s *shell) trap(args []arg, _ Value) Value {
	if len(args) >= 3 && strings.Contains(args[1].Text, " ") {
		s.text(args[1], nil)
	} else if len(args) >= 3 {
		if f, ok := s.funcs[args[1].Text]; ok {
			*f.used = true
			s.branch().call(f, args[1].Text, nil, Value{})
		}
	}
	return Value{}
}

// remote evaluates what ssh runs elsewhere.
func (s *shell) remote(args []arg, in Value) Value {
	if i := slices.IndexFunc(args, func(a arg) bool { return a.Text == "aws" }); i > 0 {
		return s.branch().aws(args[i:], in)
	}
	if last := args[len(args)-1]; len(args) > 2 && strings.Contains(last.Text, " ") {
		return s.text(last, nil)
	}
	if in.Text != "" && in.Known() {
		return s.text(arg{in, args[0].at}, nil)
	}
	return Value{}
}

// container evaluates docker run: the image of the AWS CLI runs what follows it, and others may.
func (s *shell) container(args []arg, in Value) Value {
	if len(args) < 3 || args[1].Text != "run" && args[1].Text != "exec" {
		return Value{}
	}
	for i := 2; i < len(args); i++ {
		t := args[i].Text
		switch {
		case strings.Contains(t, "amazon/aws-cli") || strings.Contains(t, "aws-cli"):
			return s.aws(args[i:], in)
		case t == "aws":
			return s.aws(args[i:], in)
		case t == "bash" || t == "sh" || strings.HasSuffix(t, "/bash") || strings.HasSuffix(t, "/sh"):
			return s.interpreter(args[i:], in)
		case t == "cdk" || t == "terraform" || strings.Contains(t, "hashicorp/terraform"):
			return s.terraform(args[i:], in)
		}
	}
	return Value{}
}

func (s *shell) find(args []arg, in Value) Value {
	if i := slices.IndexFunc(args, func(a arg) bool { return a.Text == "-exec" || a.Text == "-execdir" }); i > 0 && i+1 < len(args) {
		return s.exec(args[i+1:], in)
	}
	return Value{Text: unknown, Shown: "$(find …)"}
}

func (s *shell) read(args []arg, in Value) Value {
	for i, a := range args[1:] {
		previous := args[i].Text
		if strings.HasPrefix(a.Text, "-") || slices.Contains([]string{"-p", "-d", "-t", "-n", "-u", "-i"}, previous) {
			continue
		}
		s.vars[a.Text] = Value{Text: unknown, Shown: "$" + a.Text, Doc: in.Doc}
		if args[0].Text != "read" {
			s.lists[a.Text] = []Value{{Text: unknown, Shown: "${" + a.Text + "[…]}", Doc: in.Doc}}
		}
	}
	return Value{}
}

func (s *shell) set(args []arg, _ Value) Value {
	if i := slices.IndexFunc(args, func(a arg) bool { return a.Text == "--" }); i > 0 {
		var list []Value
		for _, a := range args[i+1:] {
			list = append(list, a.Value)
		}
		s.lists["@"] = list
	}
	return Value{}
}

func (s *shell) shift(_ []arg, _ Value) Value {
	if list := s.lists["@"]; len(list) > 0 {
		s.lists["@"] = list[1:]
	}
	return Value{}
}

func (s *shell) exported(args []arg, _ Value) Value {
	for _, a := range args[1:] {
		if name, value, ok := strings.Cut(a.Text, "="); ok {
			_, shown, _ := strings.Cut(a.Shown, "=")
			s.vars[name] = Value{Text: value, Shown: shown, Doc: a.Doc}
		}
	}
	return Value{}
}

func (s *shell) temporary(args []arg, _ Value) Value {
	return Value{Text: unknown, Shown: "mktemp:" + args[0].at.String()}
}
