package cloudfront

import (
	"bytes"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

const namespace = "http://cloudfront.amazonaws.com/doc/2020-05-31/"

type distribution struct {
	account, id, arn, domain string

	etag     string
	modified time.Time
	tags     map[string]string
	// written holds the configurations that an edge may still serve, oldest first. The last one is the current one.
	written []version
	past    []version // those that no edge serves any more, if the service keeps them
}

// version is a configuration, and when the last edge has it.
type version struct {
	config     *Element
	everywhere time.Time
}

func (d *distribution) config() *Element { return d.written[len(d.written)-1].config }

func (d *distribution) enabled() bool { return d.config().Value("Enabled") == "true" }

// status is InProgress until the last update has reached all edges. Assumption CF-04.
func (d *distribution) status(now time.Time) string {
	if d.written[len(d.written)-1].deployed(now) {
		return statusDeployed
	}
	return statusInProgress
}

// served returns the configuration that the slowest edge serves, or nil before the first deployment. Updates reach each edge in order, the
// slowest one when their own deployment time has passed. Assumption CF-05.
func (s *Service) served(d *distribution, now time.Time) *Element {
	if first := s.live(d, now)[0]; first.deployed(now) {
		return first.config
	}
	return nil
}

// ServedAt returns the configuration that the slowest edge served of a distribution at a time in the past, or nil if there was none. Set
// KeepPast before the first call. Call without the world locked.
func (s *Service) ServedAt(id string, at time.Time) (config []byte) {
	s.world.Do(func() {
		d := s.distributions[id]
		if d == nil {
			return
		}
		for _, v := range slices.Concat(d.past, d.written) {
			if v.deployed(at) {
				config = v.config.Raw
			}
		}
	})
	return config
}

// live drops configurations that no edge serves any more. It returns the configuration that edges serve, if there is one, and
// those that have not reached them.
func (s *Service) live(d *distribution, now time.Time) []version {
	for len(d.written) > 1 && d.written[1].deployed(now) {
		if s.KeepPast {
			d.past = append(d.past, d.written[0])
		}
		d.written = d.written[1:]
	}
	return d.written
}

func (v version) deployed(now time.Time) bool { return !now.Before(v.everywhere) }

func (s *Service) write(d *distribution, config *Element) {
	now := s.now()
	everywhere := now.Add(s.Propagation())
	if n := len(d.written); n > 0 && d.written[n-1].everywhere.After(everywhere) {
		everywhere = d.written[n-1].everywhere // in order
	}
	d.written = append(d.written, version{config, everywhere})
	d.etag, d.modified = s.newETag(), now
	s.world.Clock.After(everywhere.Sub(now), "distribution "+d.id+" Deployed", nil)
}

// CreateDistributionInput is the input of CreateDistribution.
type CreateDistributionInput struct {
	DistributionConfig cloud.RawXML `loc:"payload"`
}

// TrailRecord returns the configuration in CloudTrail's form.
func (in *CreateDistributionInput) TrailRecord() any {
	return map[string]any{"distributionConfig": trailDocument(in.DistributionConfig)}
}

// CreateDistributionWithTagsInput is the input of CreateDistributionWithTags.
type CreateDistributionWithTagsInput struct {
	DistributionConfigWithTags cloud.RawXML `loc:"payload"`
}

// TrailRecord returns the configuration in CloudTrail's form.
func (in *CreateDistributionWithTagsInput) TrailRecord() any {
	return map[string]any{"distributionConfigWithTags": trailDocument(in.DistributionConfigWithTags)}
}

// DistributionOutput is the output of the operations that return a Distribution.
type DistributionOutput struct {
	ETag         string       `loc:"header" name:"ETag"`
	Location     string       `loc:"header" name:"Location"`
	Distribution cloud.RawXML `loc:"payload"`
}

// TrailRecord returns the distribution in CloudTrail's form.
func (out *DistributionOutput) TrailRecord() any {
	return map[string]any{"eTag": out.ETag, "location": out.Location, "distribution": trailDocument(out.Distribution)}
}

// DistributionConfigOutput is the output of GetDistributionConfig.
type DistributionConfigOutput struct {
	ETag               string       `loc:"header" name:"ETag"`
	DistributionConfig cloud.RawXML `loc:"payload"`
}

// DistributionID is the input of the operations that take only an id.
type DistributionID struct {
	ID string `loc:"uri" name:"Id"`
}

// UpdateDistributionInput is the input of UpdateDistribution.
type UpdateDistributionInput struct {
	ID                 string       `loc:"uri" name:"Id"`
	IfMatch            string       `loc:"header" name:"If-Match"`
	DistributionConfig cloud.RawXML `loc:"payload"`
}

// TrailRecord returns the configuration in CloudTrail's form.
func (in *UpdateDistributionInput) TrailRecord() any {
	return map[string]any{"id": in.ID, "ifMatch": in.IfMatch, "distributionConfig": trailDocument(in.DistributionConfig)}
}

// DeleteDistributionInput is the input of DeleteDistribution.
type DeleteDistributionInput struct {
	ID      string `loc:"uri" name:"Id"`
	IfMatch string `loc:"header" name:"If-Match"`
}

// ListDistributionsInput is the input of ListDistributions.
type ListDistributionsInput struct {
	Marker   string `loc:"query" name:"Marker"`
	MaxItems int    `loc:"query" name:"MaxItems"`
}

// ListDistributionsOutput is the output of ListDistributions.
type ListDistributionsOutput struct {
	DistributionList cloud.RawXML `loc:"payload"`
}

// createDistribution implements CreateDistribution.
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateDistribution.html
func (s *Service) createDistribution(c *cloud.Call, in *CreateDistributionInput) (*DistributionOutput, error) {
	if err := s.authorize(c, access{action: "cloudfront:CreateDistribution", arn: newDistributionARN(c)}); err != nil {
		return nil, err
	}
	config, err := parseElement(in.DistributionConfig)
	if err != nil {
		return nil, malformedInput("%v", err)
	}
	return s.create(c, config, nil)
}

// createDistributionWithTags implements CreateDistributionWithTags.
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateDistributionWithTags.html
func (s *Service) createDistributionWithTags(c *cloud.Call, in *CreateDistributionWithTagsInput) (*DistributionOutput, error) {
	document, parseErr := parseElement(in.DistributionConfigWithTags)
	tags := &Tags{}
	for _, t := range document.Items("Tags") {
		tags.Items = append(tags.Items, Tag{t.Value("Key"), t.Value("Value")})
	}
	for _, action := range []string{"cloudfront:TagResource", "cloudfront:CreateDistribution"} {
		if err := s.authorize(c, access{action: action, arn: newDistributionARN(c), requestTags: tagMap(tags)}); err != nil {
			return nil, err
		}
	}
	if parseErr != nil {
		return nil, malformedInput("%v", parseErr)
	}
	config := document.At("DistributionConfig")
	if document.Name != "DistributionConfigWithTags" || config == nil {
		return nil, malformedInput("expected DistributionConfigWithTags with a DistributionConfig")
	}
	return s.create(c, config, tags)
}

func (s *Service) create(c *cloud.Call, config *Element, tags *Tags) (*DistributionOutput, error) {
	set := map[string]string{}
	if err := mergeTags(set, tags); err != nil {
		return nil, err
	}
	if err := s.schema.check(config, s.FutureFields); err != nil {
		return nil, err
	}
	own := s.distributionsOf(c.Account())
	for _, d := range own {
		if d.config().Value("CallerReference") == config.Value("CallerReference") {
			return nil, cloud.Errorf(409, "DistributionAlreadyExists", "The caller reference that you are using to create a "+
				"distribution is associated with another distribution. Already exists: %s", d.id)
		}
	}
	if len(own) >= maxDistributions {
		return nil, cloud.Errorf(400, "TooManyDistributions",
			"Processing your request would cause you to exceed the maximum number of distributions allowed.")
	}
	if err := s.validate(c.Account(), "", config); err != nil {
		return nil, err
	}
	if err := s.authorizeParts(c, config); err != nil {
		return nil, err
	}
	config, err := s.completed(config)
	if err != nil {
		return nil, err
	}
	id := "E" + s.world.IDs.Upper(13)
	d := &distribution{
		account: c.Account(), id: id, arn: distributionARN(c.Account(), id), tags: set,
		domain: "d" + strings.ToLower(s.world.IDs.Upper(13)) + ".cloudfront.net",
	}
	s.distributions[id] = d
	s.write(d, config)
	out := s.answer(d)
	out.Location = "https://cloudfront.amazonaws.com/2020-05-31/distribution/" + id
	return out, nil
}

// getDistribution implements GetDistribution.
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_GetDistribution.html
func (s *Service) getDistribution(c *cloud.Call, in *DistributionID) (*DistributionOutput, error) {
	d, err := s.distribution(c, "cloudfront:GetDistribution", in.ID)
	if err != nil {
		return nil, err
	}
	return s.answer(d), nil
}

// getDistributionConfig implements GetDistributionConfig.
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_GetDistributionConfig.html
func (s *Service) getDistributionConfig(c *cloud.Call, in *DistributionID) (*DistributionConfigOutput, error) {
	d, err := s.distribution(c, "cloudfront:GetDistributionConfig", in.ID)
	if err != nil {
		return nil, err
	}
	return &DistributionConfigOutput{ETag: d.etag, DistributionConfig: cloud.RawXML(d.config().Raw)}, nil
}

// updateDistribution implements UpdateDistribution. It replaces the whole configuration. Updates are accepted while the
// distribution is InProgress.
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_UpdateDistribution.html
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HowToUpdateDistribution.html
func (s *Service) updateDistribution(c *cloud.Call, in *UpdateDistributionInput) (*DistributionOutput, error) {
	d, err := s.distribution(c, "cloudfront:UpdateDistribution", in.ID)
	if err != nil {
		return nil, err
	}
	if err := s.throttle(c.Account()); err != nil {
		return nil, err
	}
	if err := checkIfMatch(in.IfMatch, d.etag); err != nil {
		return nil, err
	}
	config, err := parseElement(in.DistributionConfig)
	if err != nil {
		return nil, malformedInput("%v", err)
	}
	if err := s.schema.check(config, s.FutureFields); err != nil {
		return nil, err
	}
	if config.Value("CallerReference") != d.config().Value("CallerReference") {
		return nil, illegalUpdate("The caller reference of a distribution cannot be changed.")
	}
	if err := s.validate(c.Account(), d.id, config); err != nil {
		return nil, err
	}
	if err := s.authorizeParts(c, config); err != nil {
		return nil, err
	}
	if config, err = s.completed(config); err != nil {
		return nil, err
	}
	s.write(d, config)
	return s.answer(d), nil
}

// throttle counts a call of UpdateDistribution by an account, and returns an error if it is one too many (assumption CF-41).
func (s *Service) throttle(account string) error {
	if s.UpdatesPerMinute == 0 {
		return nil
	}
	now, last := s.now(), s.updates[account]
	if first := len(last) - s.UpdatesPerMinute; first >= 0 && now.Sub(last[first]) < time.Minute {
		return throttling()
	}
	last = append(last, now)
	s.updates[account] = last[max(0, len(last)-s.UpdatesPerMinute):]
	return nil
}

// authorizeParts checks the permissions that parts of a configuration require of who writes it, whether or not they change (assumption CF-39):
// on the bucket for standard logs (legacy), and on the functions of Lambda@Edge.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logging-legacy-s3.html
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/lambda-edge-permissions.html
func (s *Service) authorizeParts(c *cloud.Call, config *Element) error {
	if bucket, _, _ := strings.Cut(config.Value("Logging", "Bucket"), ".s3."); bucket != "" {
		for _, action := range []string{"s3:GetBucketAcl", "s3:PutBucketAcl"} {
			if err := s.authorize(c, access{action: action, arn: "arn:aws:s3:::" + bucket}); err != nil {
				return err
			}
		}
	}
	for _, b := range behaviorsOf(config) {
		for _, l := range b.Items("LambdaFunctionAssociations") {
			for _, action := range []string{"lambda:GetFunction", "lambda:EnableReplication*", "lambda:DisableReplication*"} {
				if err := s.authorize(c, access{action: action, arn: l.Value("LambdaFunctionARN")}); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// deleteDistribution implements DeleteDistribution.
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_DeleteDistribution.html
func (s *Service) deleteDistribution(c *cloud.Call, in *DeleteDistributionInput) (*Empty, error) {
	d, err := s.distribution(c, "cloudfront:DeleteDistribution", in.ID)
	if err != nil {
		return nil, err
	}
	if err := checkIfMatch(in.IfMatch, d.etag); err != nil {
		return nil, err
	}
	if d.enabled() || d.status(s.now()) != statusDeployed {
		return nil, cloud.Errorf(409, "DistributionNotDisabled", "The distribution you are trying to delete has not been disabled.")
	}
	delete(s.distributions, d.id)
	return &Empty{}, nil
}

// listDistributions implements ListDistributions.
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_ListDistributions.html
func (s *Service) listDistributions(c *cloud.Call, in *ListDistributionsInput) (*ListDistributionsOutput, error) {
	if err := s.authorize(c, access{action: "cloudfront:ListDistributions", arn: "*"}); err != nil {
		return nil, err
	}
	items, l := paginate(s.distributionsOf(c.Account()), func(d *distribution) string { return d.id }, in.Marker, in.MaxItems)
	var b bytes.Buffer
	b.WriteString(`<DistributionList xmlns="` + namespace + `">`)
	writeText(&b, "Marker", l.Marker)
	if l.IsTruncated {
		writeText(&b, "NextMarker", l.NextMarker)
	}
	writeText(&b, "MaxItems", strconv.Itoa(l.MaxItems))
	writeText(&b, "IsTruncated", strconv.FormatBool(l.IsTruncated))
	writeText(&b, "Quantity", strconv.Itoa(l.Quantity))
	b.WriteString("<Items>")
	for _, d := range items {
		s.writeSummary(&b, d)
	}
	b.WriteString("</Items></DistributionList>")
	return &ListDistributionsOutput{b.Bytes()}, nil
}

func (s *Service) writeSummary(b *bytes.Buffer, d *distribution) {
	b.WriteString("<DistributionSummary>")
	writeText(b, "Id", d.id)
	writeText(b, "ARN", d.arn)
	writeText(b, "ETag", d.etag)
	writeText(b, "Status", d.status(s.now()))
	writeText(b, "LastModifiedTime", timestamp(d.modified))
	writeText(b, "DomainName", d.domain)
	for _, name := range []string{
		"Aliases", "Origins", "OriginGroups", "DefaultCacheBehavior", "CacheBehaviors", "CustomErrorResponses", "Comment",
		"PriceClass", "Enabled", "ViewerCertificate", "Restrictions", "WebACLId", "HttpVersion", "IsIPV6Enabled", "Staging",
	} {
		if e := d.config().At(name); e != nil {
			b.Write(e.Raw)
		}
	}
	b.WriteString("</DistributionSummary>")
}

func (s *Service) answer(d *distribution) *DistributionOutput {
	var b bytes.Buffer
	b.WriteString(`<Distribution xmlns="` + namespace + `">`)
	writeText(&b, "Id", d.id)
	writeText(&b, "ARN", d.arn)
	writeText(&b, "Status", d.status(s.now()))
	writeText(&b, "LastModifiedTime", timestamp(d.modified))
	writeText(&b, "InProgressInvalidationBatches", "0")
	writeText(&b, "DomainName", d.domain)
	b.WriteString("<ActiveTrustedSigners><Enabled>false</Enabled><Quantity>0</Quantity></ActiveTrustedSigners>")
	b.WriteString("<ActiveTrustedKeyGroups><Enabled>false</Enabled><Quantity>0</Quantity></ActiveTrustedKeyGroups>")
	b.Write(d.config().Raw)
	b.WriteString("</Distribution>")
	return &DistributionOutput{ETag: d.etag, Distribution: b.Bytes()}
}

// distribution finds a distribution and authorizes the call on it.
func (s *Service) distribution(c *cloud.Call, action, id string) (*distribution, error) {
	d := s.distributions[id]
	a := access{action: action, arn: distributionARN(c.Account(), id)}
	if d != nil {
		a.arn, a.owner, a.tags = d.arn, d.account, d.tags
	}
	if err := s.authorize(c, a); err != nil {
		return nil, err
	}
	if d == nil {
		return nil, noSuchDistribution()
	}
	return d, nil
}

func (s *Service) distributionsOf(account string) []*distribution {
	var list []*distribution
	for _, d := range s.distributions {
		if d.account == account {
			list = append(list, d)
		}
	}
	sort.Slice(list, func(i, j int) bool { return list[i].id < list[j].id })
	return list
}

func distributionARN(account, id string) string {
	return "arn:aws:cloudfront::" + account + ":distribution/" + id
}

func newDistributionARN(c *cloud.Call) string { return distributionARN(c.Account(), "*") }

// ForeignEdit changes the distribution's comment, and with it the ETag, like a writer that is not in the call log. Call without
// the world locked.
func (s *Service) ForeignEdit(id, comment string) error {
	err := error(noSuchDistribution())
	s.world.Do(func() {
		d := s.distributions[id]
		if d == nil {
			return
		}
		var config *Element
		if config, err = parseElement(d.config().withText("Comment", comment)); err == nil {
			s.write(d, config)
		}
	})
	return err
}

// ForeignEditHook is ForeignEdit for fault rules: the distribution that the call is about to update gets a comment that counts
// such edits. Other calls do nothing.
func (s *Service) ForeignEditHook(c *cloud.Call) {
	in, ok := c.Input.(*UpdateDistributionInput)
	if !ok {
		return
	}
	var n int
	s.world.Do(func() { s.edits++; n = s.edits })
	_ = s.ForeignEdit(in.ID, "edited by hand, "+strconv.Itoa(n)) // the call itself reports a distribution that does not exist
}

func originIDs(config *Element) []string {
	var ids []string
	for _, o := range config.Items("Origins") {
		ids = append(ids, o.Value("Id"))
	}
	return ids
}

func pathPatterns(config *Element) []string {
	var patterns []string
	for _, b := range config.Items("CacheBehaviors") {
		patterns = append(patterns, b.Value("PathPattern"))
	}
	return patterns
}

// names reports whether a configuration has the VPC origin among its origins.
func names(config *Element, vpcOrigin string) bool {
	return slices.ContainsFunc(config.Items("Origins"), func(o *Element) bool {
		return o.Value("VpcOriginConfig", "VpcOriginId") == vpcOrigin
	})
}
