package pipeline

import (
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// managedParts are the attributes of a distribution in Terraform that hold what originhub adds
// (https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/cloudfront_distribution).
var managedParts = []string{"aliases", "origin", "ordered_cache_behavior"}

// terraform reads resources, and commands of provisioners.
func (r *run) terraform(file string, raw []byte) {
	r.seen++
	if depth(raw) > deepest {
		r.note(Position{file, 1, 1}, "the file is nested too deeply; the audit does not read it")
		return
	}
	parsed, problems := hclsyntax.ParseConfig(raw, file, hcl.InitialPos)
	if problems.HasErrors() {
		p := problems[0]
		at := Position{file, 1, 1}
		if p.Subject != nil {
			at.Line, at.Column = p.Subject.Start.Line, p.Subject.Start.Column
		}
		r.note(at, "the file cannot be parsed as Terraform: "+p.Summary)
	}
	if parsed == nil {
		return
	}
	body, ok := parsed.Body.(*hclsyntax.Body)
	if !ok {
		return
	}
	dir := path.Dir(file)
	r.dirs = append(r.dirs, dir)
	for _, b := range body.Blocks {
		if a := b.Body.Attributes["source"]; b.Type == "module" && a != nil {
			if sources := literals(&hclsyntax.TupleConsExpr{Exprs: []hclsyntax.Expression{a.Expr}}); strings.HasPrefix(sources[0], ".") {
				r.uses[dir] = append(r.uses[dir], path.Join(dir, sources[0]))
			}
		}
		if b.Type != "resource" || len(b.Labels) < 2 {
			continue
		}
		r.resource(file, raw, b)
		r.provisioners(file, raw, b)
	}
}

var terraformTypes = map[string]string{
	"aws_cloudfront_distribution": "AWS::CloudFront::Distribution", "aws_cloudfront_vpc_origin": "AWS::CloudFront::VpcOrigin", "aws_ram_resource_share": "AWS::RAM::ResourceShare",
	"aws_ram_resource_share_accepter": "RAM invitation", "aws_ram_resource_association": "AWS::RAM::ResourceShare",
}

func (r *run) resource(file string, raw []byte, b *hclsyntax.Block) {
	kind, ok := terraformTypes[b.Labels[0]]
	if !ok {
		return
	}
	whole := string(raw[b.OpenBraceRange.Start.Byte:b.CloseBraceRange.End.Byte])
	if kind == "AWS::RAM::ResourceShare" && (b.Labels[0] != "aws_ram_resource_association" || !strings.Contains(whole, "vpc_origin")) {
		return
	}
	at := b.TypeRange.Start
	d := Declaration{At: Position{file, at.Line, at.Column}, Type: kind, Name: b.Labels[0] + "." + b.Labels[1], Language: "terraform"}
	if a := b.Body.Attributes["aliases"]; a != nil {
		d.Aliases = literals(a.Expr)
	}
	d.Wired = strings.Contains(whole, "vpc_origin_config")
	d.Other = kind == "RAM invitation" && otherResources.Match(raw) && !aboutOrigins.Match(raw)
	lifecycle := false
	for _, inner := range b.Body.Blocks {
		if inner.Type != "lifecycle" {
			continue
		}
		lifecycle = true
		if a := inner.Body.Attributes["ignore_changes"]; a != nil {
			d.Ignored = traversals(a.Expr)
		}
	}
	left := map[string]string{
		"AWS::CloudFront::Distribution": strings.Join(managedParts, ", "),
		"AWS::CloudFront::VpcOrigin":    `tags["originhub:teardown"], tags_all["originhub:teardown"]`,
	}[kind]
	if left != "" && !lifecycle && b.CloseBraceRange.Start.Column == 1 && b.CloseBraceRange.Start.Line > b.OpenBraceRange.Start.Line {
		d.Fix = &Fix{File: file, Line: b.CloseBraceRange.Start.Line - 1, New: "\n  lifecycle {\n    ignore_changes = [" + left + "]\n  }\n"}
	}
	d.Maybe = strings.Contains(whole, `dynamic "vpc_origin_config"`)
	r.decls = append(r.decls, d)
}

// literals returns the strings of a list. A part that is no literal is unknown.
func literals(e hclsyntax.Expression) (found []string) {
	list, ok := e.(*hclsyntax.TupleConsExpr)
	if !ok {
		return []string{unknown}
	}
	for _, item := range list.Exprs {
		t, ok := item.(*hclsyntax.TemplateExpr)
		if !ok || !t.IsStringLiteral() {
			found = append(found, unknown)
			continue
		}
		v, _ := t.Value(nil)
		found = append(found, v.AsString())
	}
	return found
}

// traversals returns the names in a list, or "all".
func traversals(e hclsyntax.Expression) (found []string) {
	if hcl.ExprAsKeyword(e) == "all" {
		return []string{"all"}
	}
	list, ok := e.(*hclsyntax.TupleConsExpr)
	if !ok {
		return nil
	}
	for _, item := range list.Exprs {
		if t, problems := hcl.AbsTraversalForExpr(item); !problems.HasErrors() && len(t) > 0 {
			found = append(found, t.RootName())
		}
	}
	return found
}

// leaves reports whether the owner of a distribution leaves to others what originhub adds.
func (d Declaration) leaves() bool {
	return slices.Contains(d.Ignored, "all") || !slices.ContainsFunc(managedParts, func(p string) bool { return !slices.Contains(d.Ignored, p) })
}

// provisioners reads the commands of local-exec.
func (r *run) provisioners(file string, raw []byte, b *hclsyntax.Block) {
	for _, p := range b.Body.Blocks {
		if p.Type != "provisioner" || len(p.Labels) == 0 || p.Labels[0] != "local-exec" {
			continue
		}
		a := p.Body.Attributes["command"]
		if a == nil {
			continue
		}
		newShell(r, r.job(file)).script(commandOf(file, raw, a.Expr))
	}
}

// commandOf returns a string or here-document of Terraform as a shell script. What it interpolates is a variable of the shell.
func commandOf(file string, raw []byte, e hclsyntax.Expression) *script {
	s := &script{file: file}
	t, ok := e.(*hclsyntax.TemplateExpr)
	if !ok {
		return s
	}
	for _, part := range t.Parts {
		at := part.Range()
		literal, ok := part.(*hclsyntax.LiteralValueExpr)
		if !ok || literal.Val.Type() != cty.String {
			s.add("${originhub_"+variableName(string(raw[at.Start.Byte:at.End.Byte]))+"}", at.Start.Line, at.Start.Column)
			continue
		}
		line, column := at.Start.Line, at.Start.Column
		for l := range strings.Lines(literal.Val.AsString()) {
			s.add(l, line, column)
			line, column = line+1, 1
		}
	}
	return s
}

func variableName(e string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, e)
}
