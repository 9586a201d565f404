package cloudfront

import "github.com/originhub/originhub/pkg/sandbox/internal/cloud"

// API returns the operations that the sandbox implements.
func (s *Service) API() *cloud.Service {
	const (
		root         = "/2020-05-31"
		distribution = root + "/distribution"
		origin       = root + "/vpc-origin"
		function     = root + "/function"
	)
	read := func(name, path string) cloud.Operation {
		return cloud.Operation{Name: name, Method: "GET", Path: path, ReadOnly: true}
	}
	write := func(name, method, path string, status int) cloud.Operation {
		return cloud.Operation{Name: name, Method: method, Path: path, Status: status}
	}
	service := &cloud.Service{
		Name: "cloudfront", Protocol: cloud.RESTXML, Global: true, EventSource: "cloudfront.amazonaws.com",
		TrailVersion: "2020_05_31", Namespace: namespace,
		Operations: []cloud.Operation{
			cloud.Op(write("CreateDistributionWithTags", "POST", distribution+"?WithTags", 201), s.createDistributionWithTags),
			cloud.Op(write("CreateDistribution", "POST", distribution, 201), s.createDistribution),
			cloud.Op(read("GetDistribution", distribution+"/{Id}"), s.getDistribution),
			cloud.Op(read("GetDistributionConfig", distribution+"/{Id}/config"), s.getDistributionConfig),
			cloud.Op(write("UpdateDistribution", "PUT", distribution+"/{Id}/config", 200), s.updateDistribution),
			cloud.Op(write("DeleteDistribution", "DELETE", distribution+"/{Id}", 204), s.deleteDistribution),
			cloud.Op(read("ListDistributions", distribution), s.listDistributions),
			cloud.Op(write("CopyDistribution", "POST", distribution+"/{PrimaryDistributionId}/copy", 201), s.copyDistribution),
			cloud.Op(write("AssociateAlias", "PUT", distribution+"/{TargetDistributionId}/associate-alias", 200), s.associateAlias),
			cloud.Op(write("UpdateDomainAssociation", "POST", root+"/domain-association", 200), s.updateDomainAssociation),

			cloud.Op(write("CreateVpcOrigin", "POST", origin, 202), s.createVpcOrigin),
			cloud.Op(read("GetVpcOrigin", origin+"/{Id}"), s.getVpcOrigin),
			cloud.Op(write("UpdateVpcOrigin", "PUT", origin+"/{Id}", 202), s.updateVpcOrigin),
			cloud.Op(write("DeleteVpcOrigin", "DELETE", origin+"/{Id}", 202), s.deleteVpcOrigin),
			cloud.Op(read("ListVpcOrigins", origin), s.listVpcOrigins),
			cloud.Op(read("ListDistributionsByVpcOriginId", root+"/distributionsByVpcOriginId/{VpcOriginId}"),
				s.listDistributionsByVpcOriginID),
			cloud.Op(read("ListDistributionsByOwnedResource", root+"/distributionsByOwnedResource/{ResourceArn}"),
				s.listDistributionsByOwnedResource),

			cloud.Op(write("TagResource", "POST", root+"/tagging?Operation=Tag", 204), s.tagResource),
			cloud.Op(write("UntagResource", "POST", root+"/tagging?Operation=Untag", 204), s.untagResource),
			cloud.Op(read("ListTagsForResource", root+"/tagging"), s.listTagsForResource),

			cloud.Op(write("CreateFunction", "POST", function, 201), s.createFunction),
			cloud.Op(read("DescribeFunction", function+"/{Name}/describe"), s.describeFunction),
			cloud.Op(read("GetFunction", function+"/{Name}"), s.getFunction),
			cloud.Op(write("UpdateFunction", "PUT", function+"/{Name}", 200), s.updateFunction),
			cloud.Op(write("PublishFunction", "POST", function+"/{Name}/publish", 200), s.publishFunction),
			cloud.Op(write("DeleteFunction", "DELETE", function+"/{Name}", 204), s.deleteFunction),
			cloud.Op(read("ListFunctions", function), s.listFunctions),

			cloud.Op(read("ListConflictingAliases", root+"/conflicting-alias"), s.listConflictingAliases),
		},
	}
	for _, k := range []*policyKind{s.cachePolicies, s.originRequestPolicies, s.responseHeadersPolicies} {
		service.Operations = append(service.Operations, k.operations(s, root)...)
	}
	return service
}
