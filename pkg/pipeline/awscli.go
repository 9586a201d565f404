package pipeline

import (
	"slices"
	"strings"
)

// valued are the global options of the AWS CLI that take a value
// (https://docs.aws.amazon.com/cli/latest/reference/#options).
var valued = []string{
	"--profile", "--region", "--output", "--query", "--endpoint-url", "--ca-bundle", "--cli-read-timeout", "--cli-connect-timeout", "--color", "--cli-binary-format",
	"--cli-auto-prompt",
}

// audited are the operations that rules decide about, by service. Calls of other operations are of no interest.
var audited = map[string][]string{
	"cloudfront": {
		"update-distribution", "delete-distribution", "get-distribution", "get-distribution-config", "list-distributions", "create-distribution", "create-distribution-with-tags",
		"associate-alias", "copy-distribution", "update-distribution-with-staging-config", "update-domain-association",
		"create-vpc-origin", "update-vpc-origin", "delete-vpc-origin", "get-vpc-origin", "list-vpc-origins", "untag-resource",
		"list-distributions-by-vpc-origin-id",
	},
	"ram": {
		"delete-resource-share", "disassociate-resource-share", "associate-resource-share", "create-resource-share", "update-resource-share", "get-resource-shares",
		"get-resource-share-associations", "get-resource-share-invitations", "accept-resource-share-invitation", "reject-resource-share-invitation", "list-resources",
	},
	"cloudformation": {"delete-stack", "deploy", "create-stack", "update-stack", "execute-change-set", "create-change-set"},
}

// aws evaluates a call of the AWS CLI.
func (s *shell) aws(args []arg, in Value) Value {
	call := awsCall(args)
	service, operation, sure := call.service, call.operation, s.sure
	if call.harmless {
		return Value{}
	}
	if service == unknown || service == "" {
		service = serviceOf(operation)
		sure = min(sure, Likely)
	}
	if strings.Contains(operation, unknown) && (service == "cloudfront" || service == "ram") {
		sure = Unsure
		operation = "unresolved"
	} else if !slices.Contains(audited[service], operation) {
		return Value{Text: unknown, Shown: "$(aws …)", Doc: in.Doc}
	}
	act := &Act{Service: service, Operation: operation, Options: call.options, At: call.at, Sure: sure, Looped: s.looped > 0, Every: s.every}
	s.take(act)
	return s.answer(act)
}

// take adds a call to the job, with what is known of the files that its options name.
func (s *shell) take(act *Act) {
	for name, v := range act.Options {
		if file, ok := strings.CutPrefix(v.Shown, "file://"); ok {
			content := s.file(Value{Text: file, Shown: file})
			act.Options[name] = Value{Text: content.Text, Shown: v.Shown, Doc: content.Doc}
		}
	}
	s.job.add(act)
}

// answer returns what a call prints.
func (s *shell) answer(act *Act) Value {
	shown := "$(aws " + act.Service + " " + act.Operation + " …)"
	return Value{Text: unknown, Shown: shown, Doc: &Document{Reads: []*Act{act}}}
}

// cliCall is a command line of the AWS CLI, parsed.
type cliCall struct {
	service, operation string
	options            map[string]Value
	harmless           bool     // prints help or a skeleton, or calls an emulator
	at                 Position // of the command, or of the call of a function that gets the operation as an argument
}

func awsCall(args []arg) cliCall {
	c := cliCall{options: map[string]Value{}, at: args[0].at}
	for i := 1; i < len(args); i++ {
		a := args[i]
		name, value, inline := strings.Cut(a.Text, "=")
		switch {
		case !strings.HasPrefix(a.Text, "--"):
			switch {
			case c.service == "":
				c.service = a.Text
			case c.operation == "":
				c.operation = a.Text
				if a.From != nil {
					c.at = *a.From
				}
			case a.Text == "help":
				c.harmless = true
			}
		case inline:
			_, shown, _ := strings.Cut(a.Shown, "=")
			c.options[name] = Value{Text: value, Shown: shown, Doc: a.Doc}
		case c.operation == "" && !slices.Contains(valued, name):
			c.options[name] = Value{}
		case c.operation == "" && i+1 < len(args):
			i++
			c.options[name] = args[i].Value
		default:
			c.options[name], i = operand(args, i)
		}
	}
	endpoint := c.options["--endpoint-url"].Text
	_, skeleton := c.options["--generate-cli-skeleton"]
	c.harmless = c.harmless || skeleton || strings.Contains(endpoint, "localhost") || strings.Contains(endpoint, "127.0.0.1") || strings.Contains(endpoint, "localstack") ||
		c.operation == "help"
	return c
}

// operand returns the words after an option, up to the next one, and the index of the last of them.
func operand(args []arg, i int) (Value, int) {
	var v Value
	first := true
	for i+1 < len(args) && !strings.HasPrefix(args[i+1].Text, "--") {
		i++
		if !first {
			v.Text, v.Shown = v.Text+" ", v.Shown+" "
		}
		first = false
		v = Value{Text: v.Text + args[i].Text, Shown: v.Shown + args[i].Shown, Doc: merged(v.Doc, args[i].Doc)}
	}
	return v, i
}

// serviceOf returns the only service that has an operation of that name, or "".
func serviceOf(operation string) string {
	for _, service := range []string{"cloudfront", "ram"} {
		if slices.Contains(audited[service], operation) && operation != "untag-resource" && operation != "list-resources" {
			return service
		}
	}
	return ""
}
