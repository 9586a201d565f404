package ram

import (
	"regexp"
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// resourceType is a type of resource that can be shared.
type resourceType struct {
	name       string // RAM's name
	arn        string // service and resource type in its ARNs, e.g. "ec2:subnet"
	global     bool
	permission string // name of the default AWS managed permission
}

// vpcOrigin is the type of VPC origins. Assumption RAM-06 is about the permission's name.
const vpcOrigin = "cloudfront:VpcOrigin"

// resourceTypes returns VPC origins and some other types, with which a share can be mixed.
// https://docs.aws.amazon.com/ram/latest/userguide/shareable.html
func resourceTypes() []resourceType {
	return []resourceType{
		{vpcOrigin, "cloudfront:vpcorigin", true, "AWSRAMDefaultPermissionCloudFront"},
		{"ec2:PrefixList", "ec2:prefix-list", false, "AWSRAMDefaultPermissionPrefixList"},
		{"ec2:SecurityGroup", "ec2:security-group", false, "AWSRAMDefaultPermissionSecurityGroup"},
		{"ec2:Subnet", "ec2:subnet", false, "AWSRAMDefaultPermissionSubnet"},
		{"ec2:TransitGateway", "ec2:transit-gateway", false, "AWSRAMDefaultPermissionTransitGateway"},
		{"rds:Cluster", "rds:cluster", false, "AWSRAMDefaultPermissionRDSCluster"},
		{"route53resolver:ResolverRule", "route53resolver:resolver-rule", false, "AWSRAMDefaultPermissionResolverRule"},
		{"ssm:Parameter", "ssm:parameter", false, "AWSRAMDefaultPermissionSSMParameterReadOnly"},
	}
}

var arnForm = regexp.MustCompile(`^arn:aws:([a-z0-9-]+):([a-z0-9-]*):(\d{12}):([a-z0-9-]+)[:/].+$`)

// typeOf returns the type of a resource by its ARN.
func typeOf(arn string) (resourceType, bool) {
	if m := arnForm.FindStringSubmatch(arn); m != nil {
		for _, t := range resourceTypes() {
			if t.arn == m[1]+":"+m[4] {
				return t, true
			}
		}
	}
	return resourceType{}, false
}

func typeName(arn string) string {
	t, _ := typeOf(arn)
	return t.name
}

func (t resourceType) scope() string {
	if t.global {
		return "GLOBAL"
	}
	return "REGIONAL"
}

// checkResource checks that an account may add a resource to a share of a Region.
func (s *Service) checkResource(account, region, arn string) error {
	m := arnForm.FindStringSubmatch(arn)
	if m == nil {
		return malformedARN(arn)
	}
	t, ok := typeOf(arn)
	switch {
	case !ok:
		return invalid("The sandbox does not know how to share %s.", arn)
	case m[3] != account:
		return unknownResource("Resource", arn)
	case t.global && (region != globalRegion || m[2] != ""):
		return unknownResource("Resource", arn)
	case !t.global && m[2] != region:
		return unknownResource("Resource", arn)
	case t.name == vpcOrigin && s.Exists != nil && !s.Exists(arn):
		return unknownResource("Resource", arn)
	}
	return nil
}

func checkPermission(arn string) error {
	name, ok := strings.CutPrefix(arn, permissionPrefix)
	if !ok {
		return malformedARN(arn)
	}
	if !slices.ContainsFunc(resourceTypes(), func(t resourceType) bool { return t.permission == name }) {
		return unknownResource("Permission", arn)
	}
	return nil
}

const permissionPrefix = "arn:aws:ram::aws:permission/"

// ListPermissionsInput is the input of ListPermissions.
type ListPermissionsInput struct {
	ResourceType   string `json:"resourceType,omitempty"`
	PermissionType string `json:"permissionType,omitempty"`
	NextToken      string `json:"nextToken,omitempty"`
	MaxResults     *int   `json:"maxResults,omitempty"`
}

// ListPermissionsOutput is one page of permissions.
type ListPermissionsOutput struct {
	Permissions []Permission `json:"permissions"`
	NextToken   string       `json:"nextToken,omitempty"`
}

// Permission is an AWS managed permission. The sandbox has no others.
type Permission struct {
	Arn                   string `json:"arn"`
	Name                  string `json:"name"`
	ResourceType          string `json:"resourceType"`
	PermissionType        string `json:"permissionType"`
	FeatureSet            string `json:"featureSet"`
	Status                string `json:"status"`
	Version               string `json:"version"`
	DefaultVersion        bool   `json:"defaultVersion"`
	IsResourceTypeDefault bool   `json:"isResourceTypeDefault"`
}

// listPermissions implements ListPermissions.
// https://docs.aws.amazon.com/ram/latest/APIReference/API_ListPermissions.html
func (s *Service) listPermissions(c *cloud.Call, in *ListPermissionsInput) (*ListPermissionsOutput, error) {
	if err := c.Authorize("ram:ListPermissions", "*", nil); err != nil {
		return nil, err
	}
	if err := checkType(in.ResourceType); err != nil {
		return nil, err
	}
	switch in.PermissionType {
	case "", "ALL", "AWS_MANAGED", "CUSTOMER_MANAGED":
	default:
		return nil, invalid("The permission type %s is not valid.", in.PermissionType)
	}
	var all []Permission
	for _, t := range resourceTypes() {
		all = append(all, Permission{
			Arn: permissionPrefix + t.permission, Name: t.permission, ResourceType: t.name, PermissionType: "AWS_MANAGED",
			FeatureSet: "STANDARD", Status: "ATTACHABLE", Version: "1", DefaultVersion: true, IsResourceTypeDefault: true,
		})
	}
	keep := func(p Permission) bool {
		return in.PermissionType != "CUSTOMER_MANAGED" &&
			(in.ResourceType == "" || strings.EqualFold(in.ResourceType, p.ResourceType))
	}
	list, next, err := page(c, all, keep, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	return &ListPermissionsOutput{list, next}, nil
}

// checkType returns an error for an unknown resource type. Types are not case-sensitive.
func checkType(name string) error {
	known := slices.ContainsFunc(resourceTypes(), func(t resourceType) bool { return strings.EqualFold(t.name, name) })
	if name != "" && !known {
		return cloud.Errorf(400, "InvalidResourceTypeException", "The specified resource type %s is not valid.", name)
	}
	return nil
}
