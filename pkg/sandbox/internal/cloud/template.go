package cloud

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// ResourceType makes a service's resources deployable from a CloudFormation template. Its functions are called without the world
// locked. They lock it themselves (World.Do) or make API calls (World.Invoke).
type ResourceType struct {
	Name string // "AWS::SQS::Queue"
	// Create creates the resource as the stack's account. The intrinsic functions of its properties are resolved. A property that
	// the provider does not know must be an error that names it, as that of DecodeProperties does.
	Create func(r *ResourceRequest) (*Resource, error)
	// Update changes the resource in place. It is nil for a type that the sandbox cannot update; such an update is an error.
	Update func(r *ResourceRequest, old *Resource) (*Resource, error)
	// Delete deletes the resource. It is nil if there is nothing to delete.
	Delete func(r *ResourceRequest, old *Resource) error
}

// ResourceRequest is a request to create, update or delete one resource of a stack.
type ResourceRequest struct {
	World           *World
	Account, Region string
	Stack           string
	LogicalID       string
	Properties      json.RawMessage // with intrinsic functions resolved
	Metadata        json.RawMessage
	Asset           func(key string) (dir string, err error) // returns the directory of a Lambda asset, by its S3 key
}

// Resource is a deployed resource.
type Resource struct {
	Ref        string            // the value of Ref
	Attributes map[string]string // the values of Fn::GetAtt
}

// Name returns a physical name as CloudFormation generates it, <stack>-<logical id>-<random>, with at most limit characters.
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
