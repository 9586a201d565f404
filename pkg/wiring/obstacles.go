package wiring

import (
	"fmt"
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

// Codes of obstacles, in addition to DistributionDisabled, PatternInFront and PathTaken.
const (
	CertificateOther     origin.Code = "certificate-other"     // not the certificate of the hub policy
	PermissionMissing    origin.Code = "permission-missing"    // an update may need a permission that the policy does not state
	ContinuousDeployment origin.Code = "continuous-deployment" // a staging distribution serves a part of the viewers
	OriginGroup          origin.Code = "origin-group"          // an origin group contains a VPC origin
)

// obstacles returns what in an adopted distribution is or will be in the way of originhub, with the remedy. A distribution of a kind that
// originhub cannot adopt does not get here: see Locate.
//
//	the configuration                                              obstacle
//	is disabled                                                    DistributionDisabled
//	has another certificate than the policy, or none               CertificateOther
//	has legacy logging to a bucket without a stated permission      PermissionMissing
//	has a Lambda@Edge function without a stated permission          PermissionMissing
//	has a continuous deployment policy                             ContinuousDeployment
//	has an origin group with a VPC origin                          OriginGroup
//	has an unmanaged pattern that takes a part of a granted path   PatternInFront
//	has an unmanaged behavior with a granted path                  PathTaken, unless it leads to a VPC origin, which can be taken over
func (r Run) obstacles() []origin.Reason {
	c := r.Served.Config
	var found []origin.Reason
	add := func(code origin.Code, subject, format string, args ...any) {
		found = append(found, origin.Reason{Code: code, Subject: subject, Message: fmt.Sprintf(format, args...)})
	}
	if !c.Enabled() {
		add(DistributionDisabled, "", "it is disabled, so viewers get nothing; enable it")
	}
	if attached := c.certificate(); attached != r.Terms.Certificate {
		add(CertificateOther, attached, "it has %s, and CloudFront accepts only aliases that the certificate covers; attach %s, or make sure that its own certificate covers "+
			"the hosts of the hub policy", certificateName(attached), r.Terms.Certificate)
	}
	found = append(found, r.missingPermissions()...)
	if id := c.root().get("ContinuousDeploymentPolicyId"); id != "" {
		add(ContinuousDeployment, id, "it has continuous deployment policy %s: viewers whom the policy sends to the staging distribution do not reach the teams' origins, and to "+
			"promote the staging distribution removes these origins; end the continuous deployment", id)
	}
	for _, group := range c.groupsOfVPCOrigins() {
		add(OriginGroup, group, "origin group %s contains a VPC origin, so that the teardown of that VPC origin will be blocked; take it out of the group before", group)
	}
	return append(found, c.inTheWayOf(r.Terms.Granted)...)
}

// missingPermissions returns an obstacle for each permission that an update of the distribution may need and that the policy does not state. CloudFront
// changes the access list of the log bucket with each update
// (https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logging-legacy-s3.html), and needs permissions on associated functions
// (https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/lambda-edge-permissions.html).
func (r Run) missingPermissions() (missing []origin.Reason) {
	lacks := func(subject, part, actions, key string) {
		missing = append(missing, origin.Reason{
			Code: PermissionMissing, Subject: subject,
			Message: fmt.Sprintf("it has %[2]s %[1]s, so that updates may need %[3]s on it; write %[1]s into distribution.%[4]s of the hub policy, and deploy the hub",
				subject, part, actions, key),
		})
	}
	if bucket := r.Served.Config.logBucket(); bucket != "" && !slices.Contains(r.Terms.Permissions.LogBuckets, bucket) {
		key := "permissions.logBuckets"
		if r.Terms.Base != nil {
			key = "base.logBucket"
		}
		lacks(bucket, "standard logging (legacy) to bucket", "s3:GetBucketAcl and s3:PutBucketAcl", key)
	}
	for _, arn := range r.Served.Config.edgeFunctions() {
		if !slices.Contains(r.Terms.Permissions.EdgeFunctions, arn) {
			lacks(arn, "the Lambda@Edge function", "lambda:GetFunction, lambda:EnableReplication* and lambda:DisableReplication*", "permissions.edgeFunctions")
		}
	}
	return missing
}

// inTheWayOf returns an obstacle for each unmanaged behavior that would take a part, or all, of a granted path.
func (c *Config) inTheWayOf(granted []string) (found []origin.Reason) {
	var unmanaged []string
	targets := map[string]string{}
	for _, b := range c.Behaviors() {
		if !Owned(b.Origin) {
			unmanaged = append(unmanaged, b.Path)
			targets[b.Path] = b.Origin
		}
	}
	parts := map[string][]string{} // granted paths by unmanaged pattern
	for _, path := range granted {
		for _, i := range inFrontOf(unmanaged, path) {
			parts[unmanaged[i]] = append(parts[unmanaged[i]], path)
		}
	}
	for _, pattern := range unmanaged {
		takes := parts[pattern]
		if taken := slices.ContainsFunc(granted, func(path string) bool { return samePath(path, pattern) }); taken && !c.isVPCOrigin(targets[pattern]) {
			found = append(found, origin.Reason{Code: PathTaken, Subject: pattern, Message: "behavior " + pattern + " has a path that the hub policy grants, so that a claim of that path " +
				"is quarantined; remove the behavior, or point it at the VPC origin of the team: originhub then takes it over"})
		}
		if len(takes) > 0 {
			found = append(found, origin.Reason{Code: PatternInFront, Subject: pattern, Message: "behavior " + pattern + " takes a part of " + few(takes) +
				", because it stays in front of what originhub adds; remove the behavior, or tell the teams"})
		}
	}
	return found
}

// few returns the first names of a list, and how many more there are.
func few(names []string) string {
	const most = 3
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// reportObstacles reports the obstacles at the first observation of an adopted distribution, and when they have changed.
func (r Run) reportObstacles(step *Step) Run {
	if r.Terms.Base != nil || !r.Terms.Named || r.Terms.Spec(r.Item, r.Served.Config).Created {
		return r
	}
	found := r.obstacles()
	first := r.Item.Examined != r.Item.ID
	if !first && origin.SameReasons(r.Item.Obstacles, found) {
		return r
	}
	why := "distribution " + r.Item.ID + " has changed: "
	if first {
		why = "distribution " + r.Item.ID + " is adopted: "
	}
	if len(found) == 0 {
		why += "nothing in it is in the way of originhub"
	} else {
		why += origin.Why(found)
	}
	step.Outcome.Inform(contract.DistributionExamined, "", outcome.Detail{What: r.Item.ID, Why: why, Codes: origin.Codes(found)})
	r.Item.Examined, r.Item.Obstacles = r.Item.ID, nil
	for _, o := range found {
		r.Item.Obstacles = append(r.Item.Obstacles, origin.Reason{Code: o.Code, Subject: o.Subject})
	}
	return r
}

// certificate returns the ARN of the distribution's ACM certificate or the id of its IAM certificate, or "" if it has none. Documents from before
// 2016 have it in element Certificate only (https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_ViewerCertificate.html).
func (c *Config) certificate() string {
	certificate := c.root().child("ViewerCertificate")
	for _, name := range []string{"ACMCertificateArn", "IAMCertificateId"} {
		if id := certificate.get(name); id != "" {
			return id
		}
	}
	if certificate.get("CertificateSource") == "cloudfront" {
		return ""
	}
	return certificate.get("Certificate")
}

// certificateName returns a certificate in words.
func certificateName(id string) string {
	if id == "" {
		return "CloudFront's default certificate"
	}
	return "certificate " + id
}

// logBucket returns the name of the S3 bucket for standard logs (legacy), or "".
func (c *Config) logBucket() string {
	bucket, _, _ := strings.Cut(c.root().child("Logging").get("Bucket"), ".s3.")
	return bucket
}

// edgeFunctions returns the ARNs of the Lambda@Edge functions in order.
func (c *Config) edgeFunctions() (arns []string) {
	c.doc.each(func(n *node) {
		if arn := n.get("LambdaFunctionARN"); arn != "" {
			arns = append(arns, arn)
		}
	})
	return sortedSet(arns)
}

// isVPCOrigin reports whether the origin with that id is a VPC origin.
func (c *Config) isVPCOrigin(id string) bool {
	n := find(c.root().child("Origins"), "Id", id)
	return n != nil && n.child("VpcOriginConfig") != nil
}

// groupsOfVPCOrigins returns the ids of the origin groups that contain a VPC origin.
func (c *Config) groupsOfVPCOrigins() (ids []string) {
	for _, group := range c.root().child("OriginGroups").items() {
		if slices.ContainsFunc(group.child("Members").items(), func(member *node) bool { return c.isVPCOrigin(member.get("OriginId")) }) {
			ids = append(ids, group.get("Id"))
		}
	}
	return ids
}
