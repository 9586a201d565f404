package cfn

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// template is a CloudFormation template. It is read strictly: a section or attribute that the sandbox does not support is an
// error.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html
type template struct {
	description string

	parameters map[string]parameter
	mappings   map[string]any
	conditions map[string]any
	rules      map[string]rule
	resources  map[string]resource
	outputs    map[string]output
}

type resource struct {
	kind       string // "AWS::SQS::Queue"
	properties any
	metadata   any
	condition  string
	dependsOn  []string
	retain     bool
	// exceptOnCreate reports that a retained resource is deleted when the deployment that creates it fails.
	exceptOnCreate bool
}

type rule struct {
	condition  any
	assertions []assertion
}

type assertion struct {
	holds       any
	description string
}

type output struct {
	value       any
	export      any
	condition   string
	description string
}

func parseTemplate(text []byte) (*template, error) {
	document, err := parseJSON(text)
	if err != nil {
		return nil, fmt.Errorf("read template: %w", err)
	}
	r := &reader{}
	t := &template{
		parameters: map[string]parameter{}, rules: map[string]rule{}, resources: map[string]resource{}, outputs: map[string]output{},
	}
	top := r.object(document, "the template")
	r.only(top, "the template", "AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Mappings", "Conditions", "Rules",
		"Resources", "Outputs")
	t.description = r.text(top["Description"], "Description")
	t.mappings, t.conditions = r.object(top["Mappings"], "Mappings"), r.object(top["Conditions"], "Conditions")
	r.each(top, "Parameters", func(name, path string, m map[string]any) { t.parameters[name] = r.parameter(path, m) })
	r.each(top, "Rules", func(name, path string, m map[string]any) { t.rules[name] = r.rule(path, m) })
	r.each(top, "Resources", func(name, path string, m map[string]any) { t.resources[name] = r.resource(path, m) })
	r.each(top, "Outputs", func(name, path string, m map[string]any) { t.outputs[name] = r.output(path, m) })
	if len(r.errors) == 0 && len(t.resources) == 0 {
		r.fail("Resources", "at least one resource is needed")
	}
	if err := errors.Join(r.errors...); err != nil {
		return nil, fmt.Errorf("read template: %w", err)
	}
	return t, nil
}

// reader collects all errors in the form of a template.
type reader struct{ errors []error }

func (r *reader) fail(path, format string, args ...any) {
	r.errors = append(r.errors, fmt.Errorf("%s: %s", path, fmt.Sprintf(format, args...)))
}

func (r *reader) object(v any, path string) map[string]any {
	m, ok := v.(map[string]any)
	if !ok && v != nil {
		r.fail(path, "must be an object")
	}
	return m
}

func (r *reader) list(v any, path string) []any {
	l, ok := v.([]any)
	if !ok && v != nil {
		r.fail(path, "must be a list")
	}
	return l
}

func (r *reader) text(v any, path string) string {
	s, ok := v.(string)
	if !ok && v != nil {
		r.fail(path, "must be a string")
	}
	return s
}

func (r *reader) only(m map[string]any, path string, known ...string) {
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if !slices.Contains(known, name) {
			r.fail(path, "%s is not supported by the sandbox", name)
		}
	}
}

func (r *reader) each(top map[string]any, section string, read func(name, path string, m map[string]any)) {
	all := r.object(top[section], section)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		path := section + "." + name
		if strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" {
			r.fail(path, "a name must be alphanumeric")
		}
		read(name, path, r.object(all[name], path))
	}
}

func (r *reader) resource(path string, m map[string]any) resource {
	r.only(m, path, "Type", "Properties", "Metadata", "Condition", "DependsOn", "DeletionPolicy", "UpdateReplacePolicy")
	out := resource{
		kind: r.text(m["Type"], path+".Type"), properties: m["Properties"], metadata: m["Metadata"],
		condition: r.text(m["Condition"], path+".Condition"),
	}
	if out.kind == "" {
		r.fail(path, "Type is missing")
	}
	r.object(out.properties, path+".Properties")
	if one, ok := m["DependsOn"].(string); ok {
		out.dependsOn = []string{one}
	} else {
		for _, id := range r.list(m["DependsOn"], path+".DependsOn") {
			out.dependsOn = append(out.dependsOn, r.text(id, path+".DependsOn"))
		}
	}
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html
	switch policy := r.text(m["DeletionPolicy"], path+".DeletionPolicy"); policy {
	case "", "Delete":
	case "Retain", "RetainExceptOnCreate":
		out.retain, out.exceptOnCreate = true, policy == "RetainExceptOnCreate"
	default:
		r.fail(path+".DeletionPolicy", "%s is not supported by the sandbox, only Delete, Retain and RetainExceptOnCreate", policy)
	}
	// The sandbox never replaces a resource, so any policy that CloudFormation knows is valid.
	switch policy := r.text(m["UpdateReplacePolicy"], path+".UpdateReplacePolicy"); policy {
	case "", "Delete", "Retain", "Snapshot":
	default:
		r.fail(path+".UpdateReplacePolicy", "%s is none of Delete, Retain, Snapshot", policy)
	}
	return out
}

func (r *reader) rule(path string, m map[string]any) rule {
	r.only(m, path, "RuleCondition", "Assertions")
	out := rule{condition: m["RuleCondition"]}
	for i, v := range r.list(m["Assertions"], path+".Assertions") {
		at := fmt.Sprintf("%s.Assertions[%d]", path, i)
		a := r.object(v, at)
		r.only(a, at, "Assert", "AssertDescription")
		out.assertions = append(out.assertions, assertion{holds: a["Assert"], description: r.text(a["AssertDescription"], at)})
	}
	return out
}

func (r *reader) output(path string, m map[string]any) output {
	r.only(m, path, "Description", "Value", "Export", "Condition")
	out := output{
		value: m["Value"], condition: r.text(m["Condition"], path+".Condition"), description: r.text(m["Description"], path+".Description"),
	}
	if out.value == nil {
		r.fail(path, "Value is missing")
	}
	export := r.object(m["Export"], path+".Export")
	r.only(export, path+".Export", "Name")
	out.export = export["Name"]
	return out
}
