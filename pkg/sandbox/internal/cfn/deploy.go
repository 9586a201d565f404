package cfn

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// metadataType is the type of the resource that the CDK adds for its own statistics.
const metadataType = "AWS::CDK::Metadata"

// change changes a stack from one template to the next.
type change struct {
	service  *Service
	before   *stack
	template *template
	scope    *scope
	order    []string

	after *stack
	undo  []func() error // undoes the steps so far
	left  []string       // resources that were created and that the rollback did not delete
}

func (c *change) deploy(text []byte, parameters map[string]string) (map[string]string, error) {
	kept, err := c.prepare(text, parameters)
	if err != nil {
		return nil, err
	}
	c.after = &stack{
		key: c.before.key, id: c.before.id, parameters: kept, resources: map[string]*deployed{}, status: "CREATE_COMPLETE",
		imported: c.scope.imported, description: c.template.description, declared: c.template.shown(kept, c.scope.parameters),
		created: c.before.created,
	}
	if len(c.before.resources) > 0 {
		c.after.status, c.after.revised = "UPDATE_COMPLETE", true
	}
	for _, id := range c.order {
		if err := c.step(id); err != nil {
			return nil, c.rollBack(err)
		}
	}
	if err := c.outputs(); err != nil {
		return nil, c.rollBack(err)
	}
	// Resources that the template no longer has are deleted last, when nothing needs them.
	var gone []string
	for _, id := range c.before.order {
		if _, stays := c.after.resources[id]; !stays {
			gone = append(gone, id)
			c.after.resources[id] = c.before.resources[id]
		}
	}
	c.after.order = append(slices.Clone(gone), c.order...)
	retained, err := c.service.remove(c.after, gone)
	c.after.retained = append(slices.Clone(c.before.retained), retained...)
	if err != nil {
		c.after.status = "UPDATE_COMPLETE_CLEANUP_FAILED"
	}
	c.service.store(c.after)
	if err != nil {
		return nil, fmt.Errorf("the update succeeded, but resources that the template no longer has were not deleted: %w", err)
	}
	return c.after.outputs, nil
}

// prepare reads and checks everything that can be checked before anything is created.
func (c *change) prepare(text []byte, parameters map[string]string) (kept map[string]string, err error) {
	if c.template, err = parseTemplate(text); err != nil {
		return nil, err
	}
	if err := c.service.unsupported(c.template); err != nil {
		return nil, err
	}
	values, kept, err := c.template.values(parameters, c.before.parameters)
	if err != nil {
		return nil, err
	}
	key := c.before.key
	c.scope = &scope{
		template: c.template, account: key.account, region: key.region, stack: key.name, stackID: c.before.id,
		parameters: values, conditions: map[string]bool{}, exports: c.service.exports(key),
		imported: map[string]bool{}, needed: map[string]bool{},
		made: func(string) *cloud.Resource { return nil },
	}
	if err := c.rules(); err != nil {
		return nil, err
	}
	needs, err := c.needs()
	if err != nil {
		return nil, err
	}
	sorted, cycle := order(needs)
	if cycle != nil {
		return nil, fmt.Errorf("the resources have a circular dependency: %s", strings.Join(cycle, " → "))
	}
	c.order = sorted
	c.scope.made = func(id string) *cloud.Resource {
		if d := c.after.resources[id]; d != nil {
			return d.resource
		}
		return nil
	}
	return kept, nil
}

// rules checks the Rules section of the template.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/rules-section-structure.html
func (c *change) rules() error {
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(c.template.rules)) {
		r, path := c.template.rules[name], "Rules."+name
		if r.condition != nil {
			applies, err := c.scope.boolean(r.condition, path+".RuleCondition")
			if err != nil || !applies {
				problems = append(problems, err)
				continue
			}
		}
		for i, a := range r.assertions {
			holds, err := c.scope.boolean(a.holds, fmt.Sprintf("%s.Assertions[%d].Assert", path, i))
			if err == nil && !holds {
				err = problem(path, "the parameters break the rule: %s", a.description)
			}
			problems = append(problems, err)
		}
	}
	return errors.Join(problems...)
}

// needs evaluates everything that can be evaluated, and finds the resources that each resource needs.
func (c *change) needs() (map[string][]string, error) {
	needs := map[string][]string{}
	var problems []error
	for _, id := range slices.Sorted(maps.Keys(c.template.resources)) {
		r, path := c.template.resources[id], "Resources."+id
		there, err := c.scope.there(r.condition, path+".Condition")
		if err != nil || !there || r.kind == metadataType {
			problems = append(problems, err)
			continue
		}
		clear(c.scope.needed)
		_, err = c.scope.value(r.properties, path+".Properties")
		problems = append(problems, err)
		for _, other := range r.dependsOn {
			on, ok := c.template.resources[other]
			if !ok {
				problems = append(problems, problem(path+".DependsOn", "there is no resource %s in the template", other))
				continue
			}
			if created, err := c.scope.there(on.condition, path+".DependsOn"); err == nil && created && on.kind != metadataType {
				c.scope.needed[other] = true
			}
		}
		needs[id] = slices.Sorted(maps.Keys(c.scope.needed))
	}
	for _, name := range slices.Sorted(maps.Keys(c.template.outputs)) {
		_, _, err := c.output(name)
		problems = append(problems, err)
	}
	return needs, errors.Join(problems...)
}

// step changes one resource to what the template says.
func (c *change) step(id string) error {
	s, r := c.service, c.template.resources[id]
	properties, err := c.scope.value(r.properties, "Resources."+id+".Properties")
	if err != nil {
		return err
	}
	request := &cloud.ResourceRequest{
		World: s.world, Account: c.before.key.account, Region: c.before.key.region, Stack: c.before.key.name, LogicalID: id, Asset: s.asset,
	}
	if properties != nil {
		if request.Properties, err = json.Marshal(properties); err != nil {
			return fmt.Errorf("write properties of %s: %w", id, err)
		}
	}
	if r.metadata != nil {
		if request.Metadata, err = json.Marshal(r.metadata); err != nil {
			return fmt.Errorf("write metadata of %s: %w", id, err)
		}
	}
	provider, old := s.types[r.kind], c.before.resources[id]
	now := &deployed{request: request, kind: r.kind, retain: r.retain}
	switch {
	case old == nil:
		now.resource, err = provider.Create(request)
		if err != nil {
			return fmt.Errorf("create %s (%s): %w", id, r.kind, err)
		}
		c.undo = append(c.undo, func() error {
			if r.retain && !r.exceptOnCreate {
				c.left = append(c.left, now.describe(id))
			} else if err := s.delete(now); err != nil {
				return fmt.Errorf("delete %s (%s): %w", id, r.kind, err)
			}
			delete(c.after.resources, id)
			return nil
		})
	case old.kind != r.kind:
		return fmt.Errorf("change %s: it is a %s and cannot become a %s: give the new resource another logical id", id, old.kind, r.kind)
	case string(old.request.Properties) == string(request.Properties):
		now.resource = old.resource
	case provider.Update == nil:
		return fmt.Errorf("update %s (%s): the sandbox cannot change a resource of this type (changed: %s): "+
			"give it another logical id, or delete the stack and deploy it again", id, r.kind, differing(old.request.Properties, request.Properties))
	default:
		now.resource, err = provider.Update(request, old.resource)
		if err != nil {
			return fmt.Errorf("update %s (%s, changed: %s): %w", id, r.kind, differing(old.request.Properties, request.Properties), err)
		}
		c.undo = append(c.undo, func() error {
			if _, err := provider.Update(old.request, now.resource); err != nil {
				return fmt.Errorf("restore %s (%s): %w", id, r.kind, err)
			}
			return nil
		})
	}
	c.after.resources[id] = now
	return nil
}

// rollBack undoes the steps so far, the last one first. What was created and has DeletionPolicy Retain stays, outside of the stack
// (assumption CFN-02).
func (c *change) rollBack(cause error) error {
	var failures []error
	for _, undo := range slices.Backward(c.undo) {
		if err := undo(); err != nil {
			failures = append(failures, err)
		}
	}
	if c.left != nil {
		cause = fmt.Errorf("%w; these stay and are no part of the stack, because of DeletionPolicy Retain: %s", cause, strings.Join(c.left, ", "))
	}
	if len(failures) == 0 {
		return cause
	}
	// A resource that could be neither finished nor rolled back stays in the stack, so that deleting the stack tries again.
	left := *c.before
	left.status, left.resources = "ROLLBACK_FAILED", maps.Clone(c.before.resources)
	left.order = slices.Clone(c.before.order)
	for _, id := range c.order {
		if d := c.after.resources[id]; d != nil && left.resources[id] == nil {
			left.resources[id] = d
			left.order = append(left.order, id)
		}
	}
	c.service.store(&left)
	return errors.Join(cause, fmt.Errorf("roll back: %w", errors.Join(failures...)))
}

func (c *change) outputs() error {
	c.after.outputs, c.after.exports = map[string]string{}, map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(c.template.outputs)) {
		value, export, err := c.output(name)
		if err != nil {
			return err
		}
		if value == nil {
			continue
		}
		text := scalar(value)
		c.after.outputs[name] = text
		c.after.results = append(c.after.results, Output{
			OutputKey: name, OutputValue: text, Description: c.template.outputs[name].description, ExportName: export,
		})
		if export == "" {
			continue
		}
		if _, twice := c.scope.exports[export]; twice {
			return problem("Outputs."+name+".Export.Name", "another stack exports %s already", export)
		}
		c.after.exports[export] = text
	}
	return nil
}

// output evaluates an output. The value is nil if the output's condition is false.
func (c *change) output(name string) (value any, export string, err error) {
	o, path := c.template.outputs[name], "Outputs."+name
	there, err := c.scope.there(o.condition, path+".Condition")
	if err != nil || !there {
		return nil, "", err
	}
	if value, err = c.scope.value(o.value, path+".Value"); err != nil {
		return nil, "", err
	}
	if _, err := single(value, path+".Value"); err != nil && !isUnknown(value) {
		return nil, "", err
	}
	if o.export == nil {
		return value, "", nil
	}
	exported, err := c.scope.value(o.export, path+".Export.Name")
	if err != nil || isUnknown(exported) {
		return value, "", err
	}
	export, err = single(exported, path+".Export.Name")
	return value, export, err
}

// differing returns the names of the top-level properties in which two resolved sets differ.
func differing(a, b json.RawMessage) string {
	var before, after map[string]json.RawMessage
	if json.Unmarshal(a, &before) != nil && len(a) > 0 || json.Unmarshal(b, &after) != nil && len(b) > 0 {
		return "Properties"
	}
	names := map[string]bool{}
	for name := range before {
		names[name] = string(before[name]) != string(after[name])
	}
	for name := range after {
		names[name] = string(before[name]) != string(after[name])
	}
	maps.DeleteFunc(names, func(_ string, differs bool) bool { return !differs })
	return strings.Join(slices.Sorted(maps.Keys(names)), ", ")
}
