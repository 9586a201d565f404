// Package cfn deploys CloudFormation templates, the same ones that go to AWS. It returns an error for whatever the sandbox cannot
// deploy.
package cfn

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// Service holds the stacks of all accounts.
type Service struct {
	world *cloud.World
	types map[string]cloud.ResourceType
	asset func(key string) (dir string, err error)

	deploying sync.Mutex // one change at a time

	// The world lock guards these. A stack is replaced, never changed.
	stacks map[stackKey]*stack
	gone   []*stack // deleted stacks, the last one last
}

type stackKey struct{ account, region, name string }

// stack is the result of a deployment.
type stack struct {
	key        stackKey
	id, status string
	parameters map[string]string // as given
	order      []string          // of creation
	resources  map[string]*deployed
	outputs    map[string]string
	exports    map[string]string
	imported   map[string]bool
	retained   []string // resources that updates removed from the stack and that still exist

	// The following are for DescribeStacks.
	description string
	declared    []Parameter
	results     []Output
	created     time.Time
	updated     time.Time // time of the last change, including its creation
	revised     bool      // whether it was updated
	deleted     time.Time
}

// deployed is one resource of a stack.
type deployed struct {
	request  *cloud.ResourceRequest
	kind     string
	resource *cloud.Resource
	retain   bool
}

// describe returns how messages name the resource.
func (d *deployed) describe(id string) string {
	return fmt.Sprintf("%s (%s %s)", id, d.kind, d.resource.Ref)
}

// New returns the service for the given resource types. asset returns the directory of a Lambda asset, by its S3 key.
func New(w *cloud.World, types []cloud.ResourceType, asset func(key string) (dir string, err error)) *Service {
	s := &Service{world: w, types: map[string]cloud.ResourceType{}, asset: asset, stacks: map[stackKey]*stack{}}
	for _, t := range types {
		if _, twice := s.types[t.Name]; twice {
			panic("resource type provided twice: " + t.Name)
		}
		s.types[t.Name] = t
	}
	return s
}

// Deploy creates or updates a stack and returns its outputs. Parameters that are not given keep their previous values. After a
// failure, everything is as before. Call without the world locked. Deploying takes no virtual time (assumption CFN-04).
func (s *Service) Deploy(account, region, name string, text []byte, parameters map[string]string) (map[string]string, error) {
	s.deploying.Lock()
	defer s.deploying.Unlock()
	key := stackKey{account, region, name}
	c := &change{service: s, before: s.find(key)}
	if c.before == nil {
		c.before = &stack{
			key: key, resources: map[string]*deployed{},
			id: "arn:aws:cloudformation:" + region + ":" + account + ":stack/" + name + "/" + s.world.IDs.UUID(),
		}
	}
	outputs, err := c.deploy(text, parameters)
	if err != nil {
		return nil, fmt.Errorf("deploy stack %s in account %s, %s: %w", name, account, region, err)
	}
	return outputs, nil
}

// Delete deletes a stack and its resources, in the reverse order of their creation. It returns the resources that stay: those
// that the template retains and those that updates left behind. Deleting a stack that does not exist succeeds. Call without the
// world locked.
func (s *Service) Delete(account, region, name string) (retained []string, err error) {
	s.deploying.Lock()
	defer s.deploying.Unlock()
	st := s.find(stackKey{account, region, name})
	if st == nil {
		return nil, nil
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("delete stack %s in account %s, %s: %w", name, account, region, err)
		}
	}()
	if user, export := s.importer(st); user != "" {
		return nil, fmt.Errorf("export %s is in use by stack %s: delete that one first", export, user)
	}
	left := *st
	left.resources, left.order = maps.Clone(st.resources), slices.Clone(st.order)
	kept, err := s.remove(&left, st.order)
	left.retained = append(slices.Clone(st.retained), kept...)
	if err != nil {
		left.status = "DELETE_FAILED"
		s.store(&left)
		return left.retained, err
	}
	left.status, left.deleted = "DELETE_COMPLETE", s.world.Clock.Now()
	s.world.Do(func() {
		delete(s.stacks, st.key)
		s.gone = append(s.gone, &left)
	})
	return left.retained, nil
}

// remove deletes resources of a stack in the reverse order and removes them from the stack. It stops at the first one that cannot
// be deleted, because that one may need the others.
func (s *Service) remove(st *stack, order []string) (retained []string, err error) {
	for _, id := range slices.Backward(slices.Clone(order)) {
		d := st.resources[id]
		if d.retain {
			retained = append(retained, d.describe(id))
		} else if err := s.delete(d); err != nil {
			return retained, fmt.Errorf("delete %s (%s): %w", id, d.kind, err)
		}
		delete(st.resources, id)
		st.order = slices.DeleteFunc(st.order, func(other string) bool { return other == id })
	}
	return retained, nil
}

func (s *Service) delete(d *deployed) error {
	if remove := s.types[d.kind].Delete; remove != nil {
		return remove(d.request, d.resource)
	}
	return nil
}

func (s *Service) find(key stackKey) (st *stack) {
	s.world.Do(func() { st = s.stacks[key] })
	return st
}

func (s *Service) store(st *stack) {
	st.updated = s.world.Clock.Now()
	if st.created.IsZero() {
		st.created = st.updated
	}
	s.world.Do(func() { s.stacks[st.key] = st })
}

// exports returns the exports of all stacks of an account and Region except one.
func (s *Service) exports(key stackKey) map[string]string {
	all := map[string]string{}
	s.world.Do(func() {
		for other, st := range s.stacks {
			if other != key && other.account == key.account && other.region == key.region {
				maps.Copy(all, st.exports)
			}
		}
	})
	return all
}

// importer returns a stack that imports one of st's exports.
func (s *Service) importer(st *stack) (user, export string) {
	s.world.Do(func() {
		for _, other := range s.sorted(st.key.account) {
			for _, name := range slices.Sorted(maps.Keys(st.exports)) {
				if other.key.region == st.key.region && other.imported[name] {
					user, export = other.key.name, name
					return
				}
			}
		}
	})
	return user, export
}

func (s *Service) sorted(account string) []*stack {
	var list []*stack
	for key, st := range s.stacks {
		if key.account == account {
			list = append(list, st)
		}
	}
	sort.Slice(list, func(i, j int) bool {
		a, b := list[i].key, list[j].key
		return a.region < b.region || a.region == b.region && a.name < b.name
	})
	return list
}

// Snapshot returns an account's stacks with their resources. Call with the world locked.
func (s *Service) Snapshot(account string) map[string]any {
	stacks := []any{}
	for _, st := range s.sorted(account) {
		resources := []any{}
		for _, id := range slices.Sorted(maps.Keys(st.resources)) {
			d := st.resources[id]
			resources = append(resources, map[string]any{"logicalId": id, "type": d.kind, "physicalId": d.resource.Ref})
		}
		stacks = append(stacks, map[string]any{
			"name": st.key.name, "id": st.id, "region": st.key.region, "status": st.status, "updated": st.updated,
			"parameters": st.parameters, "outputs": st.outputs, "exports": st.exports, "resources": resources,
			"retained": append([]string{}, st.retained...),
		})
	}
	return map[string]any{"stacks": stacks}
}

// unsupported returns an error with all types that no service provides, and the resources of each.
func (s *Service) unsupported(t *template) error {
	missing := map[string][]string{}
	for _, id := range slices.Sorted(maps.Keys(t.resources)) {
		kind := t.resources[id].kind
		if _, ok := s.types[kind]; !ok && kind != metadataType {
			missing[kind] = append(missing[kind], id)
		}
	}
	var problems []error
	for _, kind := range slices.Sorted(maps.Keys(missing)) {
		problems = append(problems, fmt.Errorf(
			"the sandbox does not know resource type %s (Resources.%s): take it out of the template, or add a provider",
			kind, strings.Join(missing[kind], ", Resources.")))
	}
	return errors.Join(problems...)
}
