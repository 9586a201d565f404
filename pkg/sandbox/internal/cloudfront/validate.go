package cloudfront

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// The limits are those of https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html
const (
	maxDistributions          = 500
	maxOriginGroups           = 10
	maxVpcOriginDistributions = 50
	maxFunctionDistributions  = 100
	maxPathPattern            = 255
)

// These are the codes of quotas that Service Quotas can raise.
const (
	quotaOrigins    = "L-B4048FB4"
	quotaBehaviors  = "L-F432D044"
	quotaAliases    = "L-AAD4943E"
	quotaVpcOrigins = "L-A53701DE"
)

// Documented returns the value of a quota in an account without a raised quota.
func Documented(_, code string) int {
	return map[string]int{quotaOrigins: 100, quotaBehaviors: 75, quotaAliases: 100, quotaVpcOrigins: 25}[code]
}

// validate checks a well-formed configuration: the rules between its parts, and those between it and other resources. id is the
// distribution's id, or "" for a new one.
func (s *Service) validate(account, id string, config *Element) error {
	targets, err := s.validateOrigins(account, id, config)
	if err != nil {
		return err
	}
	if err := s.validateBehaviors(account, id, config, targets); err != nil {
		return err
	}
	if err := validateVariant(config); err != nil {
		return err
	}
	return s.validateAliases(account, id, config)
}

// validateOrigins returns the origins that a behavior may target, by id. An origin group is nil.
func (s *Service) validateOrigins(account, id string, config *Element) (map[string]*Element, error) {
	origins := config.Items("Origins")
	if most := s.Quota(account, quotaOrigins); len(origins) > most {
		return nil, cloud.Errorf(400, "TooManyOrigins",
			"You cannot create more origins for the distribution: %d, the limit is %d.", len(origins), most)
	}
	targets := map[string]*Element{}
	for _, o := range origins {
		name := o.Value("Id")
		if name == "" || o.Value("DomainName") == "" {
			return nil, invalidArgument("The parameter Origin %q needs an Id and a DomainName.", name)
		}
		if _, twice := targets[name]; twice {
			return nil, invalidArgument("The parameter Origin Id %q is duplicated.", name)
		}
		targets[name] = o
		if err := s.validateOrigin(account, id, o); err != nil {
			return nil, err
		}
	}
	groups := config.Items("OriginGroups")
	if len(groups) > maxOriginGroups {
		return nil, cloud.Errorf(400, "TooManyOriginGroupsPerDistribution",
			"Processing your request would cause you to exceed the maximum number of origin groups allowed.")
	}
	for _, g := range groups {
		for _, m := range g.Items("Members") {
			if targets[m.Value("OriginId")] == nil {
				return nil, noSuchOrigin(m.Value("OriginId"))
			}
		}
	}
	for _, g := range groups {
		if _, twice := targets[g.Value("Id")]; twice {
			return nil, invalidArgument("The parameter OriginGroup Id %q is duplicated.", g.Value("Id"))
		}
		targets[g.Value("Id")] = nil
	}
	return targets, nil
}

func (s *Service) validateOrigin(account, id string, o *Element) error {
	var kinds []string
	for _, kind := range []string{"S3OriginConfig", "CustomOriginConfig", "VpcOriginConfig"} {
		if o.At(kind) != nil {
			kinds = append(kinds, kind)
		}
	}
	if len(kinds) != 1 {
		// Assumption CF-19.
		return invalidArgument("The parameter Origin %q must have exactly one of S3OriginConfig, CustomOriginConfig and "+
			"VpcOriginConfig, it has %d.", o.Value("Id"), len(kinds))
	}
	settings := o.At(kinds[0])
	for _, limit := range []struct{ member, code string }{
		{"OriginReadTimeout", "InvalidOriginReadTimeout"}, {"OriginKeepaliveTimeout", "InvalidOriginKeepaliveTimeout"},
	} {
		if text := settings.Value(limit.member); text != "" {
			if n, _ := strconv.Atoi(text); n < 1 || n > 120 {
				return cloud.Errorf(400, limit.code, "The %s of origin %q must be 1 to 120 seconds.", limit.member, o.Value("Id"))
			}
		}
	}
	if kinds[0] != "VpcOriginConfig" {
		return nil
	}
	return s.validateVpcOrigin(account, id, settings.Value("VpcOriginId"), settings.Value("OwnerAccountId"))
}

// validateVpcOrigin checks that an account's distribution may name a VPC origin. It is called for every origin of every update,
// so a distribution that still has an unshared origin cannot be updated.
func (s *Service) validateVpcOrigin(account, id, vpcOrigin, owner string) error {
	o := s.origin(vpcOrigin)
	switch {
	case o == nil || !o.deleted.IsZero():
		return entityNotFound()
	case o.account == account && owner != "" && owner != account:
		return entityNotFound()
	case o.account != account && owner != o.account:
		// This was observed for a missing OwnerAccountId: https://github.com/hashicorp/terraform-provider-aws/issues/45011,
		// https://github.com/aws-controllers-k8s/community/issues/2876
		return entityNotFound()
	case o.account != account && !s.shared(o.arn, account):
		// The error code is assumptions CF-02 and CF-29. That the update is refused is documented (CF-03):
		// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/sharing-resources.html
		return accessDenied("Account %s is not allowed to use the VPC origin %s of account %s: it is not shared with it.",
			account, vpcOrigin, o.account)
	}
	users := 0
	for _, d := range s.users(vpcOrigin) {
		if d.id != id {
			users++
		}
	}
	if users >= maxVpcOriginDistributions {
		// Assumption CF-20.
		return cloud.Errorf(400, "EntityLimitExceeded",
			"The VPC origin %s is associated with %d distributions, which is the limit.", vpcOrigin, users)
	}
	return nil
}

func (s *Service) validateBehaviors(account, id string, config *Element, targets map[string]*Element) error {
	behaviors := config.Items("CacheBehaviors")
	if most := s.Quota(account, quotaBehaviors); len(behaviors) > most {
		return cloud.Errorf(400, "TooManyCacheBehaviors",
			"You cannot create more cache behaviors for the distribution: %d, the limit is %d.", len(behaviors), most)
	}
	patterns := map[string]bool{}
	for _, b := range behaviors {
		pattern := b.Value("PathPattern")
		switch {
		case pattern == "" || len(pattern) > maxPathPattern:
			return invalidArgument("The parameter PathPattern must have 1 to %d characters.", maxPathPattern)
		case patterns[strings.TrimPrefix(pattern, "/")]:
			return invalidArgument("The parameter PathPattern %q is duplicated.", pattern)
		}
		patterns[strings.TrimPrefix(pattern, "/")] = true
		if err := s.validateBehavior(account, id, b, targets); err != nil {
			return err
		}
	}
	return s.validateBehavior(account, id, config.At("DefaultCacheBehavior"), targets)
}

func (s *Service) validateBehavior(account, id string, b *Element, targets map[string]*Element) error {
	target, known := targets[b.Value("TargetOriginId")]
	if !known {
		return noSuchOrigin(b.Value("TargetOriginId"))
	}
	if err := s.validatePolicies(account, b); err != nil {
		return err
	}
	if err := validateMethods(b); err != nil {
		return err
	}
	for _, l := range b.Items("LambdaFunctionAssociations") {
		if target.At("VpcOriginConfig") != nil && strings.HasPrefix(l.Value("EventType"), "origin-") {
			// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-vpc-origins.html
			return cloud.Errorf(400, "InvalidLambdaFunctionAssociation", "Lambda@Edge %s triggers are not supported with VPC origins.",
				l.Value("EventType"))
		}
	}
	events := map[string]bool{}
	for _, f := range b.Items("FunctionAssociations") {
		event, arn := f.Value("EventType"), f.Value("FunctionARN")
		if !strings.HasPrefix(event, "viewer-") || events[event] {
			return invalidFunctionAssociation("a behavior can have one function for each of viewer-request and "+
				"viewer-response, not %s", event)
		}
		events[event] = true
		fn := s.functions[arn]
		if fn == nil || fn.account != account {
			return invalidFunctionAssociation("the function %s does not exist", arn)
		}
		if fn.live == nil {
			return invalidFunctionAssociation("the function %s is not published", arn)
		}
		users := slices.DeleteFunc(s.functionUsers(arn), func(user string) bool { return user == id })
		if len(users) >= maxFunctionDistributions {
			return cloud.Errorf(400, "TooManyDistributionsWithSingleFunctionARN",
				"The maximum number of distributions have been associated with the specified function.")
		}
	}
	return nil
}

func (s *Service) validatePolicies(account string, b *Element) error {
	policy, legacy := b.Value("CachePolicyId"), b.At("ForwardedValues")
	switch {
	case policy == "" && legacy == nil:
		return invalidArgument("The parameter ForwardedValues is required.")
	case policy != "" && legacy != nil:
		return invalidArgument("The parameter ForwardedValues cannot be used when a cache policy is associated to the " +
			"cache behavior.")
	case policy == "" && b.Value(s.originRequestPolicies.member()) != "":
		return invalidArgument("The parameter OriginRequestPolicyId needs a CachePolicyId.")
	}
	for _, k := range []*policyKind{s.cachePolicies, s.originRequestPolicies, s.responseHeadersPolicies} {
		if id := b.Value(k.member()); id != "" && s.policy(k, account, id) == nil {
			return k.missing(id)
		}
	}
	return nil
}

// validateMethods accepts the three sets of methods of
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_AllowedMethods.html
func validateMethods(b *Element) error {
	allowed := b.At("AllowedMethods")
	if allowed == nil {
		return nil
	}
	methods := allowed.Values()
	slices.Sort(methods)
	switch strings.Join(methods, " ") {
	case "GET HEAD", "GET HEAD OPTIONS", "DELETE GET HEAD OPTIONS PATCH POST PUT":
		return nil
	}
	return invalidArgument("The parameter AllowedMethods must be GET and HEAD, or these and OPTIONS, or all seven "+
		"methods, not %v.", methods)
}

// validateVariant refuses what a staging distribution and a multi-tenant distribution cannot have. Viewers reach a staging distribution
// through its primary one, and the domain names of a multi-tenant distribution belong to its tenants. Assumptions CF-34 and CF-35.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/distribution-config-options.html
func validateVariant(config *Element) error {
	if config.Value("Staging") == "true" && len(config.Values("Aliases")) > 0 {
		return invalidArgument("The parameter Aliases is not supported for a staging distribution.")
	}
	if config.Value("ConnectionMode") != "tenant-only" {
		if config.At("TenantConfig") != nil {
			return invalidArgument("The parameter TenantConfig is supported only for a multi-tenant distribution.")
		}
		return nil
	}
	unsupported := func(parameter string) error {
		return invalidArgument("The parameter %s is not supported for a multi-tenant distribution.", parameter)
	}
	set := func(e *Element, path ...string) bool {
		return !slices.Contains([]string{"", "false", "0", "None"}, e.Value(path...))
	}
	for _, path := range [][]string{
		{"Aliases", "Quantity"},
		{"Staging"},
		{"ContinuousDeploymentPolicyId"},
		{"PriceClass"},
		{"IsIPV6Enabled"},
		{"AnycastIpListId"},
		{"Logging", "Enabled"},
		{"ViewerCertificate", "IAMCertificateId"},
	} {
		if set(config, path...) {
			return unsupported(path[0])
		}
	}
	if method := config.Value("ViewerCertificate", "SSLSupportMethod"); method != "" && method != "sni-only" {
		return unsupported("SSLSupportMethod " + method)
	}
	for _, o := range config.Items("Origins") {
		if set(o, "S3OriginConfig", "OriginAccessIdentity") {
			return unsupported("OriginAccessIdentity")
		}
	}
	for _, b := range behaviorsOf(config) {
		if b.At("ForwardedValues") != nil {
			return unsupported("ForwardedValues")
		}
		for _, path := range [][]string{{"MinTTL"}, {"DefaultTTL"}, {"MaxTTL"}, {"SmoothStreaming"}, {"TrustedSigners", "Enabled"}} {
			if set(b, path...) {
				return unsupported(path[0])
			}
		}
	}
	return nil
}

// behaviorsOf returns the behaviors of a configuration, the default one last.
func behaviorsOf(config *Element) []*Element {
	return append(slices.Clone(config.Items("CacheBehaviors")), config.At("DefaultCacheBehavior"))
}

func (s *Service) validateAliases(account, id string, config *Element) error {
	aliases := config.Values("Aliases")
	if most := s.Quota(account, quotaAliases); len(aliases) > most {
		return cloud.Errorf(400, "TooManyDistributionCNAMEs",
			"Your request contains more CNAMEs than are allowed per distribution: %d, the limit is %d.", len(aliases), most)
	}
	host := regexp.MustCompile(`^(\*\.)?([a-z0-9_]([a-z0-9_-]*[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)
	for i, alias := range aliases {
		if !host.MatchString(alias) || len(alias) > 253 {
			return invalidArgument("The parameter CNAME contains one or more parameters that are not valid: %q", alias)
		}
		if slices.Contains(aliases[:i], alias) {
			return invalidArgument("The parameter CNAME %q is duplicated.", alias)
		}
		for _, d := range s.distributions {
			if d.id != id && slices.Contains(d.config().Values("Aliases"), alias) {
				return cloud.Errorf(409, "CNAMEAlreadyExists",
					"One or more of the CNAMEs you provided are already associated with a different resource: %s", alias)
			}
		}
	}
	return validateCertificate(config.At("ViewerCertificate"), len(aliases) > 0)
}

// validateCertificate checks that aliases have a certificate of us-east-1. It does not check which names the certificate covers
// (assumption CF-21).
func validateCertificate(v *Element, aliases bool) error {
	arn, iam := v.Value("ACMCertificateArn"), v.Value("IAMCertificateId")
	switch {
	case arn == "" && iam == "":
		if aliases {
			return invalidViewerCertificate("To add an alternate domain name (CNAME) to a CloudFront distribution, you " +
				"must attach a trusted certificate that validates your authorization to use the domain name.")
		}
		return nil
	case arn != "" && !regexp.MustCompile(`^arn:aws:acm:us-east-1:\d{12}:certificate/.+$`).MatchString(arn):
		return invalidViewerCertificate("The specified SSL certificate doesn't exist, isn't in us-east-1 region, isn't valid, or " +
			"doesn't include a valid certificate chain.")
	case v.Value("CloudFrontDefaultCertificate") == "true":
		return invalidViewerCertificate("A distribution has either the CloudFront default certificate or a certificate of its own.")
	case v.Value("SSLSupportMethod") == "":
		return invalidViewerCertificate("A certificate of its own needs an SSLSupportMethod.")
	}
	return nil
}

func invalidViewerCertificate(says string) *cloud.Error {
	return cloud.Errorf(400, "InvalidViewerCertificate", "%s", says)
}

func invalidFunctionAssociation(format string, args ...any) *cloud.Error {
	return cloud.Errorf(400, "InvalidFunctionAssociation", "A CloudFront function association is invalid: "+format, args...)
}

func noSuchOrigin(id string) *cloud.Error {
	return cloud.Errorf(404, "NoSuchOrigin", "One or more of your origins or origin groups do not exist: %s", id)
}
