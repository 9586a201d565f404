package cloud

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// ResourceType lets a service's resources be deployed from a CloudFormation template. Its functions are called without
// the world locked: they lock it themselves (World.Do), or make API calls (World.Invoke).
type ResourceType struct {
	Name string // "AWS::SQS::Queue"
	// Create makes the resource as the stack's account. Properties have their intrinsics resolved; a property that the
	// provider does not know must be an error that names it (DecodeProperties does so).
	Create func(r *ResourceRequest) (*Resource, error)
	// Update changes it in place; nil means that the sandbox cannot update this type and says so.
	Update func(r *ResourceRequest, old *Resource) (*Resource, error)
	// Delete removes it; nil means that there is nothing to remove.
	Delete func(r *ResourceRequest, old *Resource) error
}

// ResourceRequest is one resource of a stack.
type ResourceRequest struct {
	World           *World
	Account, Region string
	Stack           string
	LogicalID       string
	Properties      json.RawMessage // intrinsics resolved
	Metadata        json.RawMessage
	// Policies, Assets: see package cfn.
	Asset func(key string) (dir string, err error) // resolves a Lambda asset's S3 key to a directory
}

// Resource is a deployed resource.
type Resource struct {
	Ref        string            // what Ref answers
	Attributes map[string]string // what Fn::GetAtt answers
}

// Name makes a physical name as CloudFormation does: <stack>-<logical id>-<random>, cut to limit characters.
func (r *ResourceRequest) Name(limit int) string {
	suffix := "-" + r.World.IDs.Upper(12)
	name := r.Stack + "-" + r.LogicalID
	if len(name)+len(suffix) > limit {
		name = name[:limit-len(suffix)]
	}
	return name + suffix
}

// DecodeProperties reads a resource's properties strictly: an unknown property is an error that names resource, type and property.
func (r *ResourceRequest) DecodeProperties(typeName string, into any) error {
	d := json.NewDecoder(bytes.NewReader(r.Properties))
	d.DisallowUnknownFields()
	if len(r.Properties) == 0 {
		return nil
	}
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("stack %s, resource %s (%s): %w", r.Stack, r.LogicalID, typeName, err)
	}
	return nil
}
