package pipeline

import (
	"regexp"
	"slices"
	"strings"
)

// code is what a program does, as far as its clients, methods and paths show.
type code struct {
	acts     []*Act
	edits    []Edit
	opened   []string // files that it reads
	written  []string
	commands []*script // shell commands that it runs
	decls    []Declaration
}

type codeReader struct {
	code
	at      *script
	tokens  []lexeme
	python  bool
	clients map[string]string // service by the name of a variable
	uses    map[string]bool   // services whose SDK client the program has
	alias   map[string][]Step // path by the name of a variable
	cdk     bool              // it has CDK's package of CloudFront
}

// readCode reads a program in "python" or "javascript", which may be TypeScript.
func readCode(at *script, language string) code {
	r := &codeReader{at: at, python: language == "python", clients: map[string]string{}, uses: map[string]bool{}, alias: map[string][]Step{}}
	r.tokens = lex(at.text.String(), language)
	r.services()
	for i := range r.tokens {
		r.call(i)
		r.constructor(i)
		r.path(i)
		r.file(i)
		r.commandOf(i)
	}
	r.connect(strings.Contains(at.text.String(), "PreconditionFailed"))
	return r.code
}

func (r *codeReader) is(i int, kind byte, text string) bool {
	return i >= 0 && i < len(r.tokens) && r.tokens[i].kind == kind && (text == "" || r.tokens[i].text == text)
}

func (r *codeReader) place(i int) Position { return r.at.at(r.tokens[i].offset) }

var sdkModule = regexp.MustCompile(`client-(cloudfront|ram)$|^aws-sdk/clients/(cloudfront|ram)$`)

// services finds the clients.
//
//	boto3.client("cloudfront"), session.client(service_name="ram")   Python
//	require("@aws-sdk/client-cloudfront"), new AWS.RAM()             JavaScript
func (r *codeReader) services() {
	for i, t := range r.tokens {
		switch {
		case t.kind == 's':
			r.module(t.text)
		case t.kind == 'i' && t.text == "aws_cloudfront":
			r.cdk = true
		case t.kind == 'i' && t.text == "IfMatch": // of the services with a method update_distribution, only CloudFront has it
			r.uses["cloudfront"] = true
		case t.kind == 'i' && (t.text == "client" || t.text == "resource") && r.is(i+1, 'p', "("):
			r.named(i)
		case r.is(i-1, 'i', "new") || r.is(i-1, 'p', ".") && r.is(i-3, 'i', "new"):
			if service := map[string]string{"CloudFront": "cloudfront", "RAM": "ram"}[strings.TrimSuffix(t.text, "Client")]; service != "" {
				r.client(i, service)
			}
		}
	}
}

// module takes what the name of an imported package says.
func (r *codeReader) module(name string) {
	if m := sdkModule.FindStringSubmatch(name); m != nil {
		r.uses[m[1]+m[2]] = true
	}
	r.cdk = r.cdk || strings.Contains(name, "aws-cloudfront") || strings.HasPrefix(name, "aws-cdk-lib")
}

// named takes the client that a call such as client("cloudfront") makes.
func (r *codeReader) named(i int) {
	for k := i + 2; k < min(i+6, len(r.tokens)); k++ {
		if s := r.tokens[k]; s.kind == 's' && (s.text == "cloudfront" || s.text == "ram") {
			r.client(i, s.text)
		}
	}
}

// client remembers the variable to which a client is assigned.
func (r *codeReader) client(i int, service string) {
	r.uses[service] = true
	for k := i; k > max(0, i-8); k-- {
		if r.is(k, 'p', "=") && r.is(k-1, 'i', "") {
			r.clients[r.tokens[k-1].text] = service
			return
		}
	}
}

var (
	snake = regexp.MustCompile(`_`)
	humps = regexp.MustCompile(`([a-z0-9])([A-Z])`)
)

// operationOf returns the operation in the words of the AWS CLI.
func operationOf(method string) string {
	return strings.ToLower(humps.ReplaceAllString(snake.ReplaceAllString(method, "-"), "$1-$2"))
}

// call reads a call of a method of a client, or the construction of a command: new UpdateDistributionCommand.
func (r *codeReader) call(i int) {
	t := r.tokens[i]
	if t.kind != 'i' || !r.is(i+1, 'p', "(") {
		return
	}
	name, command := strings.CutSuffix(t.text, "Command")
	if command != (r.is(i-1, 'i', "new")) || !command && !r.is(i-1, 'p', ".") {
		return
	}
	operation := operationOf(name)
	for _, service := range []string{"cloudfront", "ram"} {
		if !slices.Contains(audited[service], operation) || r.python && !strings.Contains(t.text, "_") {
			continue
		}
		sure := Certain
		switch {
		case !r.uses[service]:
			if r.python || command || operation == "update-distribution" || operation == "delete-distribution" || operation == "create-distribution" || strings.HasPrefix(operation, "get-") {
				continue
			}
			sure = Unsure
		case !command && r.clients[r.receiver(i)] != service && !r.chained(i, service):
			sure = Likely
		}
		r.acts = append(r.acts, &Act{Service: service, Operation: operation, Options: r.options(i + 1), At: r.place(i), Sure: sure, Program: true})
	}
}

func (r *codeReader) receiver(i int) string {
	if r.is(i-2, 'i', "") {
		return r.tokens[i-2].text
	}
	return ""
}

// chained reports whether a method is called on the client that is made in the same expression.
func (r *codeReader) chained(i int, service string) bool {
	for k := i - 2; k > max(0, i-12); k-- {
		if r.is(k, 's', service) {
			return true
		}
	}
	return false
}

var optionNames = map[string]string{
	"Id": "--id", "Alias": "--alias", "TargetDistributionId": "--target-distribution-id", "resourceShareArn": "--resource-share-arn", "resourceArns": "--resource-arns",
	"principals": "--principals", "Resource": "--resource", "DistributionId": "--id",
}

// options returns the arguments of a call that are literals: Id="E1", Id: "E1".
func (r *codeReader) options(open int) map[string]Value {
	options := map[string]Value{}
	level := 0
	for i := open; i < min(len(r.tokens), open+400); i++ {
		t := r.tokens[i]
		if t.kind == 'p' {
			if level += nesting(t.text); level == 0 {
				break
			}
		}
		if option, ok := optionNames[t.text]; ok && (r.is(i+1, 'p', "=") || r.is(i+1, 'p', ":")) {
			options[option] = r.argument(i + 2)
		}
	}
	return options
}

// nesting returns by how much a sign changes how deep brackets are nested.
func nesting(sign string) int {
	switch sign {
	case "(", "[", "{":
		return 1
	case ")", "]", "}":
		return -1
	}
	return 0
}

// argument returns the value that begins at a token, if it is a literal.
func (r *codeReader) argument(i int) Value {
	v := Value{Text: unknown, Shown: "(a variable)"}
	for k := i; k < min(len(r.tokens), i+2); k++ {
		if r.is(k, 's', "") && !strings.Contains(r.tokens[k].text, "{") {
			return text(r.tokens[k].text)
		}
		if r.is(k, 'i', "") {
			v.Shown = r.tokens[k].text
			return v
		}
	}
	return v
}

// constructor reads CDK's constructs of a distribution, and lists of commands of its pipelines.
func (r *codeReader) constructor(i int) {
	t := r.tokens[i]
	if t.kind != 'i' {
		return
	}
	if strings.HasSuffix(strings.ToLower(t.text), "commands") && (r.is(i+1, 'p', ":") || r.is(i+1, 'p', "=")) && r.is(i+2, 'p', "[") {
		r.list(i + 3)
	}
	if !r.cdk || !r.is(i+1, 'p', "(") || !slices.Contains([]string{"Distribution", "CloudFrontWebDistribution", "CfnDistribution"}, t.text) {
		return
	}
	if !r.python && !r.is(i-1, 'i', "new") && !r.is(i-3, 'i', "new") || r.python && !r.is(i-1, 'p', ".") && !r.is(i+2, 'i', "self") {
		return
	}
	d := Declaration{At: r.place(i), Type: "AWS::CloudFront::Distribution", Language: "cdk"}
	for k := i + 2; k < min(len(r.tokens), i+8); k++ {
		if r.is(k, 's', "") {
			d.Name = r.tokens[k].text
			break
		}
	}
	for k := i; k < min(len(r.tokens), i+200); k++ {
		d.Wired = d.Wired || r.is(k, 'i', "VpcOrigin")
	}
	r.decls = append(r.decls, d)
}

// list reads a list of strings as commands.
func (r *codeReader) list(i int) {
	t := &script{file: r.at.file}
	for ; i < len(r.tokens) && !r.is(i, 'p', "]"); i++ {
		if r.is(i, 's', "") {
			t.append(r.textOf(i))
		}
	}
	if len(t.segments) > 0 {
		r.commands = append(r.commands, t)
	}
}

// textOf returns the text of a string as a script.
func (r *codeReader) textOf(i int) *script {
	s := r.literal(i)
	if r.python {
		return s
	}
	return s.rewritten(func(rest string) (int, int, string, bool) {
		loc := member.FindStringIndex(rest)
		if loc == nil {
			return 0, 0, "", false
		}
		return loc[0], loc[1], "${originhub_unresolved}", true
	})
}

// member is an interpolation in JavaScript or Groovy that the shell would not understand: ${a.b}, ${f(x)}.
var member = regexp.MustCompile(`\$\{\s*[\w$]+\s*[.(][^}]*\}`)

func (r *codeReader) literal(i int) *script {
	s := &script{file: r.at.file}
	tok := r.tokens[i]
	offset := tok.offset
	for l := range strings.Lines(tok.text) {
		p := r.at.at(offset)
		if tok.raw {
			p = r.at.at(offset)
			offset += len(l)
		}
		s.add(l, p.Line, p.Column)
	}
	return s
}

var (
	runners = []string{"system", "popen", "Popen", "run", "call", "check_call", "check_output", "getoutput", "getstatusoutput", "exec", "execSync", "spawn", "spawnSync", "execa", "execaCommand", "execFile", "execFileSync", "sh", "shell", "$"}
	runsAWS = regexp.MustCompile(`(^|[;&|(\s])aws\s+(--\S+\s+\S+\s+)*(cloudfront|ram|cloudformation)\s|^\s*(npx\s+)?cdk\s+(deploy|destroy)|^\s*terraform\s+(apply|destroy)`)
)

// commandOf reads a shell command that a program runs: as a text, or as a list of words.
func (r *codeReader) commandOf(i int) {
	t := r.tokens[i]
	if t.kind != 's' || !runsAWS.MatchString(t.text) && t.text != "aws" {
		return
	}
	called := false
	for k := i - 1; k >= max(0, i-3); k-- {
		called = called || r.is(k, 'i', "") && slices.Contains(runners, r.tokens[k].text)
	}
	if !called && (t.text != "aws" || !r.is(i-1, 'p', "[")) {
		return
	}
	if t.text != "aws" {
		r.commands = append(r.commands, r.textOf(i))
		return
	}
	r.commands = append(r.commands, r.wordsFrom(i))
}

// wordsFrom returns a command whose words are a list of strings and variables, from its first word on.
func (r *codeReader) wordsFrom(i int) *script {
	s := &script{file: r.at.file}
	at := r.place(i)
	s.add("aws", at.Line, at.Column)
	k, level := i+1, 0
	if r.is(i+2, 'p', "[") { // spawn("aws", ["cloudfront", …])
		k = i + 3
	}
	for ; k < min(len(r.tokens), i+80); k++ {
		p := r.place(k)
		if r.tokens[k].kind == 'p' {
			if level += nesting(r.tokens[k].text); level < 0 {
				break
			}
		}
		switch {
		case level > 0: // inside an index or a call
		case r.is(k, 's', ""):
			s.add(" '"+strings.ReplaceAll(r.tokens[k].text, "'", "")+"'", p.Line, p.Column)
		case r.is(k, 'i', "") && (r.is(k-1, 'p', ",") || r.is(k-1, 'p', "[")):
			s.add(" \"${"+strings.Trim(r.tokens[k].text, "$")+"}\"", p.Line, p.Column)
		}
	}
	return s
}

// file reads which files a program opens.
func (r *codeReader) file(i int) {
	if !r.is(i, 'i', "") || !r.is(i+1, 'p', "(") || !r.is(i+2, 's', "") {
		return
	}
	name := r.tokens[i+2].text
	switch r.tokens[i].text {
	case "open":
		if r.is(i+3, 'p', ",") && r.is(i+4, 's', "") && strings.ContainsAny(r.tokens[i+4].text, "wax") {
			r.written = append(r.written, name)
			return
		}
		r.opened = append(r.opened, name)
	case "readFileSync", "readFile":
		r.opened = append(r.opened, name)
	case "require":
		if strings.HasSuffix(name, ".json") {
			r.opened = append(r.opened, name)
		}
	case "writeFileSync", "writeFile":
		r.written = append(r.written, name)
	}
}

// connect says of each update what its document is made of: the answers that the program read before, or else a file.
func (r *codeReader) connect(retries bool) { connect(&r.code, retries) }

func connect(c *code, retries bool) {
	doc := &Document{}
	for _, a := range c.acts {
		a.Looped = a.Looped || retries
		if a.Service == "cloudfront" && (a.Operation == "get-distribution" || a.Operation == "get-distribution-config") {
			doc.Reads = append(doc.Reads, a)
		}
	}
	if len(doc.Reads) == 0 {
		doc.Kept = append(doc.Kept, c.opened...)
	}
	doc.Opaque = len(doc.Reads) == 0 && len(doc.Kept) == 0
	doc.Edits = c.edits
	for _, a := range c.acts {
		if a.Operation == "update-distribution" {
			a.Options["--distribution-config"] = Value{Text: unknown, Shown: "its document", Doc: doc}
		}
	}
}
