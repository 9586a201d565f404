package kms

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// ResourceTypes returns the type of keys.
func (s *Service) ResourceTypes() []cloud.ResourceType {
	return []cloud.ResourceType{{
		Name:   "AWS::KMS::Key",
		Create: s.createResource,
		Update: s.updateResource,
		Delete: func(r *cloud.ResourceRequest, old *cloud.Resource) error {
			r.World.Do(func() {
				if k := s.find(r.Account, r.Region, old.Ref); k != nil {
					k.deletion = r.World.Clock.Now().AddDate(0, 0, 30) // assumption KMS-04
				}
			})
			return nil
		},
	}}
}

// properties has the properties of the resource type in a template.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-kms-key.html
type properties struct {
	Description       string
	Enabled           *cloud.Bool
	EnableKeyRotation cloud.Bool
	KeyPolicy         json.RawMessage
	KeySpec, KeyUsage string
	Tags              []cloud.Tag
}

func (p properties) check() error {
	switch {
	case !slices.Contains([]string{"", "SYMMETRIC_DEFAULT"}, p.KeySpec) || !slices.Contains([]string{"", "ENCRYPT_DECRYPT"}, p.KeyUsage):
		return errors.New("the sandbox supports only symmetric encryption keys")
	case len(p.KeyPolicy) == 0:
		return errors.New("the sandbox has no default key policy: set KeyPolicy")
	}
	return nil
}

func (s *Service) createResource(r *cloud.ResourceRequest) (*cloud.Resource, error) {
	k := &key{account: r.Account, region: r.Region, created: r.World.Clock.Now()}
	err := s.configure(r, k, func() {
		k.id = r.World.IDs.UUID()
		k.arn = keyARN(r.Region, r.Account, k.id)
	})
	if err != nil {
		return nil, err
	}
	r.World.Do(func() { s.keys = append(s.keys, k) })
	return &cloud.Resource{Ref: k.id, Attributes: map[string]string{"Arn": k.arn, "KeyId": k.id}}, nil
}

func (s *Service) updateResource(r *cloud.ResourceRequest, old *cloud.Resource) (*cloud.Resource, error) {
	var k *key
	r.World.Do(func() { k = s.find(r.Account, r.Region, old.Ref) })
	if k == nil {
		return nil, noKey(old.Ref)
	}
	return old, s.configure(r, k, func() {})
}

// configure sets the properties of the key. first runs with the world locked, before anything changes.
func (s *Service) configure(r *cloud.ResourceRequest, k *key, first func()) error {
	var p properties
	if err := r.DecodeProperties("AWS::KMS::Key", &p); err != nil {
		return err
	}
	err := p.check()
	r.World.Do(func() {
		if err != nil {
			return
		}
		first()
		if err = s.setPolicy(k, string(p.KeyPolicy), cloud.Root(r.Account)); err != nil {
			return
		}
		k.description, k.rotates = p.Description, bool(p.EnableKeyRotation)
		k.enabled = p.Enabled == nil || bool(*p.Enabled)
	})
	if err != nil {
		return fmt.Errorf("stack %s, resource %s: %w", r.Stack, r.LogicalID, err)
	}
	return nil
}
