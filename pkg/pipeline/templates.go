package pipeline

import (
	"bytes"
	"fmt"
	"path"
	"strings"
)

// json reads a template, or the scripts of a package.json.
func (r *run) json(file, kind string, raw []byte) {
	if kind == "template" && !bytes.Contains(raw, []byte("AWS::")) { // a template of something else
		return
	}
	if kind == "template" && !bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{")) {
		r.yaml(file)
		return
	}
	if path.Base(file) == "package.json" {
		for _, t := range r.packageScripts(file) {
			r.seen++
			newShell(r, r.job(file)).script(t)
		}
		return
	}
	if !bytes.Contains(raw, []byte("AWS::")) && !bytes.Contains(raw, []byte("aws-sdk:")) {
		return
	}
	n, err := parseJSON(raw)
	if err != nil {
		r.note(Position{file, 1, 1}, fmt.Sprintf("the file cannot be parsed as JSON: %v", err))
		return
	}
	rows := bytes.SplitAfter(raw, []byte("\n"))
	if isTemplate(n) {
		r.template(file, rows, n)
		return
	}
	r.stateMachine(file, n)
}

func isTemplate(n *node) bool {
	if n.get("AWSTemplateFormatVersion") != nil {
		return true
	}
	for _, resource := range n.get("Resources").pairs() {
		if strings.HasPrefix(resource.get("Type").str(), "AWS::") {
			return true
		}
	}
	return false
}

// template reads a CloudFormation template: the resources that it declares, and the commands of its pipelines.
func (r *run) template(file string, rows [][]byte, n *node) {
	r.seen++
	resources := n.get("Resources")
	if resources == nil {
		return
	}
	for i, resource := range resources.items {
		if i >= len(resources.keys) {
			break
		}
		key := resources.keys[i]
		properties := resource.get("Properties")
		d := Declaration{At: Position{file, key.line, key.column}, Type: resource.get("Type").str(), Name: key.value, Language: "template"}
		switch d.Type {
		case "AWS::CloudFront::Distribution":
			r.distribution(&d, properties.get("DistributionConfig"))
			r.decls = append(r.decls, d)
		case "AWS::CloudFront::VpcOrigin", "AWS::RAM::ResourceShare":
			if d.Type == "AWS::RAM::ResourceShare" && !mentionsOrigin(properties) {
				continue
			}
			r.decls = append(r.decls, d)
		case "AWS::CodeBuild::Project":
			r.buildspec(file, rows, properties.get("Source", "BuildSpec"))
		case "AWS::CodePipeline::Pipeline":
			r.codePipeline(file, rows, properties)
		case "AWS::StepFunctions::StateMachine", "AWS::Serverless::StateMachine":
			r.stateMachine(file, properties)
		}
	}
}

func (r *run) distribution(d *Declaration, config *node) {
	for _, a := range config.get("Aliases").list() {
		d.Aliases = append(d.Aliases, a.str())
	}
	config.get("Origins").walk(func(n *node) bool {
		d.Wired = d.Wired || n.get("VpcOriginConfig") != nil
		return true
	})
}

// mentionsOrigin reports whether a share may hold a VPC origin: it names one, or what it holds cannot be resolved.
func mentionsOrigin(properties *node) bool {
	arns := properties.get("ResourceArns")
	if arns == nil {
		return true
	}
	found, other := false, false
	arns.walk(func(n *node) bool {
		found = found || strings.Contains(strings.ToLower(n.value), "vpcorigin")
		for _, service := range []string{"transit-gateway", ":ec2:", ":subnet/", "route53resolver", "license-manager", ":ssm:", "imagebuilder", "TransitGateway", "Subnet", "ResolverRule", "IPAM", "Ipam"} {
			other = other || strings.Contains(n.value, service)
		}
		return true
	})
	return found || !other
}

// buildspec reads a buildspec inside a template: a text in YAML or JSON, which a function may wrap.
func (r *run) buildspec(file string, rows [][]byte, n *node) {
	for n.isMap() && len(n.items) == 1 { // Fn::Sub
		n = n.items[0]
	}
	if n.isList() && n != nil { // Fn::Join, or Fn::Sub with variables
		var joined strings.Builder
		n.walk(func(n *node) bool {
			if n.scalar {
				joined.WriteString(n.value)
			}
			return true
		})
		n = &node{line: n.line, column: n.column, scalar: true, value: joined.String(), block: '"'}
	}
	if n == nil || !strings.Contains(n.str(), "phases") {
		return
	}
	docs, err := parseYAML([]byte(n.value))
	if err != nil || len(docs) == 0 || !isBuildspec(docs[0]) {
		return
	}
	shift(docs[0], rows, n)
	readBuildspec(r, file, rows, docs[0])
}

// shift moves the nodes of a text inside a file to where they stand in the file, as far as they are found there.
func shift(inner *node, rows [][]byte, outer *node) {
	inner.walk(func(n *node) bool {
		if outer.block == '|' {
			n.line += outer.line
			width := 0
			if outer.line < len(rows) {
				width = leading(rows[outer.line])
			}
			n.column += width
			return true
		}
		n.line, n.column = outer.line, outer.column
		if n.block == '|' || n.block == '>' {
			n.block = '"'
		}
		return true
	})
}

// codePipeline reads actions that run commands, and those that delete a stack.
func (r *run) codePipeline(file string, rows [][]byte, properties *node) {
	properties.get("Stages").walk(func(n *node) bool {
		configuration := n.get("Configuration")
		at := Position{file, n.line, n.column}
		switch n.get("ActionTypeId", "Provider").str() {
		case "CloudFormation":
			operation := map[string]string{"DELETE_ONLY": "destroy", "CREATE_UPDATE": "deploy", "REPLACE_ON_FAILURE": "deploy", "CHANGE_SET_EXECUTE": "deploy"}[configuration.get("ActionMode").str()]
			if mode := configuration.get("ActionMode"); operation != "" && mode != nil {
				at.Line, at.Column = mode.line, mode.column
				job := r.job(file)
				job.Acts = append(job.Acts, &Act{
					Service: "cloudformation", Operation: operation, At: at, Sure: Certain, Options: map[string]Value{"stack": text(configuration.get("StackName").str())},
				})
			}
		case "Commands":
			t := &commandList{g: &gitLab{file: file, raw: rows, root: n}}
			t.add(n.get("Commands"), 0)
			newShell(r, r.job(file)).source(t.script(file))
		}
		return true
	})
}

// stateMachine reads calls that a state machine makes through its integrations with the SDK
// (https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html).
func (r *run) stateMachine(file string, n *node) {
	job := r.job(file)
	n.walk(func(n *node) bool {
		_, call, ok := strings.Cut(n.value, ":::aws-sdk:")
		if !n.scalar || !ok || len(call) > 80 {
			return true
		}
		service, method, _ := strings.Cut(call, ":")
		method, _, _ = strings.Cut(method, ".")
		if operation := operationOf(method); strings.Contains(" "+strings.Join(audited[service], " ")+" ", " "+operation+" ") {
			job.Acts = append(job.Acts, &Act{Service: service, Operation: operation, At: Position{file, n.line, n.column}, Sure: Certain, Program: true, Options: map[string]Value{}})
		}
		return true
	})
	c := &code{acts: job.Acts}
	connect(c, false)
	r.seen++
}
