package cloudfront

import (
	"encoding/xml"
	"regexp"
	"sort"
	"strconv"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

type vpcOrigin struct {
	account, id, arn string

	etag              string
	config            EndpointConfig
	created, modified time.Time
	deleted           time.Time // when DeleteVpcOrigin was accepted
	failed            bool      // FailVpcOrigin was called
	tags              map[string]string
}

// FailVpcOrigin gives a VPC origin a status that is neither Deploying nor Deployed (assumption CF-40). Call without the world locked.
func (s *Service) FailVpcOrigin(id string) {
	s.world.Do(func() {
		if o := s.origin(id); o != nil {
			o.failed = true
		}
	})
}

// status is Deploying after creation, after an update and while being deleted. Assumptions CF-09 and CF-12.
func (o *vpcOrigin) status(now time.Time) string {
	if o.failed && o.deleted.IsZero() {
		return statusFailed
	}
	if !o.deleted.IsZero() || now.Before(o.modified.Add(VpcOriginDeployment)) {
		return statusDeploying
	}
	return statusDeployed
}

func (o *vpcOrigin) gone(now time.Time) bool {
	return !o.deleted.IsZero() && !now.Before(o.deleted.Add(VpcOriginDeletion))
}

// EndpointConfig is the wire form of a VPC origin's settings.
type EndpointConfig struct {
	XMLName              xml.Name      `xml:"VpcOriginEndpointConfig" json:"-"`
	Name                 string        `xml:"Name"`
	Arn                  string        `xml:"Arn"`
	HTTPPort             int           `xml:"HTTPPort"`
	HTTPSPort            int           `xml:"HTTPSPort"`
	OriginProtocolPolicy string        `xml:"OriginProtocolPolicy"`
	OriginSslProtocols   *SslProtocols `xml:"OriginSslProtocols,omitempty"`
}

// SslProtocols is the wire form of a list of protocols.
type SslProtocols struct {
	Quantity int      `xml:"Quantity"`
	Items    []string `xml:"Items>SslProtocol"`
}

// VpcOrigin is the wire form of a VPC origin.
type VpcOrigin struct {
	XMLName                 xml.Name       `xml:"VpcOrigin" json:"-"`
	ID                      string         `xml:"Id" json:"Id"`
	Arn                     string         `xml:"Arn"`
	AccountID               string         `xml:"AccountId" json:"AccountId"`
	Status                  string         `xml:"Status"`
	CreatedTime             string         `xml:"CreatedTime"`
	LastModifiedTime        string         `xml:"LastModifiedTime"`
	VpcOriginEndpointConfig EndpointConfig `xml:"VpcOriginEndpointConfig"`
}

// CreateVpcOriginInput is the input of CreateVpcOrigin.
type CreateVpcOriginInput struct {
	VpcOriginEndpointConfig *EndpointConfig `xml:"VpcOriginEndpointConfig"`
	Tags                    *Tags           `xml:"Tags"`
}

// VpcOriginOutput is the output of the operations that return a VPC origin.
type VpcOriginOutput struct {
	ETag      string     `loc:"header" name:"ETag" json:"eTag"`
	Location  string     `loc:"header" name:"Location"`
	VpcOrigin *VpcOrigin `loc:"payload"`
}

// TrailRecord returns the form that CloudTrail is expected to show. Assumption CF-15.
func (out *VpcOriginOutput) TrailRecord() any {
	v := out.VpcOrigin
	return map[string]any{"eTag": out.ETag, "location": out.Location, "vpcOrigin": map[string]any{
		"id": v.ID, "arn": v.Arn, "accountId": v.AccountID, "status": v.Status, "createdTime": v.CreatedTime,
		"lastModifiedTime": v.LastModifiedTime, "vpcOriginEndpointConfig": map[string]any{
			"name": v.VpcOriginEndpointConfig.Name, "arn": v.VpcOriginEndpointConfig.Arn,
			"hTTPPort": v.VpcOriginEndpointConfig.HTTPPort, "hTTPSPort": v.VpcOriginEndpointConfig.HTTPSPort,
			"originProtocolPolicy": v.VpcOriginEndpointConfig.OriginProtocolPolicy,
		},
	}}
}

// VpcOriginID is the input of GetVpcOrigin.
type VpcOriginID struct {
	ID string `loc:"uri" name:"Id"`
}

// UpdateVpcOriginInput is the input of UpdateVpcOrigin.
type UpdateVpcOriginInput struct {
	ID                      string          `loc:"uri" name:"Id" json:"Id"`
	IfMatch                 string          `loc:"header" name:"If-Match"`
	VpcOriginEndpointConfig *EndpointConfig `loc:"payload"`
}

// DeleteVpcOriginInput is the input of DeleteVpcOrigin.
type DeleteVpcOriginInput struct {
	ID      string `loc:"uri" name:"Id" json:"Id"`
	IfMatch string `loc:"header" name:"If-Match"`
}

// ListVpcOriginsInput is the input of ListVpcOrigins.
type ListVpcOriginsInput struct {
	Marker   string `loc:"query" name:"Marker"`
	MaxItems int    `loc:"query" name:"MaxItems"`
}

// ListVpcOriginsOutput is the output of ListVpcOrigins.
type ListVpcOriginsOutput struct {
	VpcOriginList *VpcOriginList `loc:"payload"`
}

// VpcOriginList is the wire form of a page of VPC origins.
type VpcOriginList struct {
	XMLName xml.Name `xml:"VpcOriginList" json:"-"`
	Listing
	Items []VpcOriginSummary `xml:"Items>VpcOriginSummary"`
}

// VpcOriginSummary is one VPC origin of a list.
type VpcOriginSummary struct {
	ID                string `xml:"Id"`
	Name              string `xml:"Name"`
	Status            string `xml:"Status"`
	CreatedTime       string `xml:"CreatedTime"`
	LastModifiedTime  string `xml:"LastModifiedTime"`
	Arn               string `xml:"Arn"`
	AccountID         string `xml:"AccountId"`
	OriginEndpointArn string `xml:"OriginEndpointArn"`
}

// createVpcOrigin implements CreateVpcOrigin.
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateVpcOrigin.html
func (s *Service) createVpcOrigin(c *cloud.Call, in *CreateVpcOriginInput) (*VpcOriginOutput, error) {
	if len(tagItems(in.Tags)) > 0 {
		err := s.authorize(c, access{
			action: "cloudfront:TagResource", arn: vpcOriginARN(c.Account(), "*"), requestTags: tagMap(in.Tags),
		})
		if err != nil {
			return nil, err
		}
	}
	if err := s.authorize(c, access{action: "cloudfront:CreateVpcOrigin", arn: "*", requestTags: tagMap(in.Tags)}); err != nil {
		return nil, err
	}
	tags := map[string]string{}
	if err := mergeTags(tags, in.Tags); err != nil {
		return nil, err
	}
	if err := s.checkEndpoint(c.Account(), "", in.VpcOriginEndpointConfig); err != nil {
		return nil, err
	}
	if most := s.Quota(c.Account(), quotaVpcOrigins); len(s.originsOf(c.Account())) >= most {
		return nil, cloud.Errorf(400, "EntityLimitExceeded",
			"The entity limit has been exceeded: %d VPC origins per account.", most)
	}
	id := "vo_" + s.world.IDs.Mixed(22)
	o := &vpcOrigin{
		account: c.Account(), id: id, arn: vpcOriginARN(c.Account(), id), etag: s.newETag(),
		config: *in.VpcOriginEndpointConfig, created: s.now(), modified: s.now(), tags: tags,
	}
	s.origins[id] = o
	s.world.Clock.After(VpcOriginDeployment, "VPC origin "+id+" Deployed", nil)
	for _, w := range s.watchers {
		w.VpcOriginAttached(s.view(o))
	}
	out := s.answerVpcOrigin(o)
	out.Location = "https://cloudfront.amazonaws.com/2020-05-31/vpc-origin/" + id
	return out, nil
}

// getVpcOrigin implements GetVpcOrigin.
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_GetVpcOrigin.html
func (s *Service) getVpcOrigin(c *cloud.Call, in *VpcOriginID) (*VpcOriginOutput, error) {
	o, err := s.vpcOrigin(c, "cloudfront:GetVpcOrigin", in.ID)
	if err != nil {
		return nil, err
	}
	return s.answerVpcOrigin(o), nil
}

// updateVpcOrigin implements UpdateVpcOrigin.
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_UpdateVpcOrigin.html
func (s *Service) updateVpcOrigin(c *cloud.Call, in *UpdateVpcOriginInput) (*VpcOriginOutput, error) {
	o, err := s.vpcOrigin(c, "cloudfront:UpdateVpcOrigin", in.ID)
	if err != nil {
		return nil, err
	}
	if err := checkIfMatch(in.IfMatch, o.etag); err != nil {
		return nil, err
	}
	if err := s.checkEndpoint(o.account, o.id, in.VpcOriginEndpointConfig); err != nil {
		return nil, err
	}
	if s.inUse(o.id) {
		return nil, inUse("CannotUpdateEntityWhileInUse")
	}
	if o.status(s.now()) != statusDeployed {
		return nil, busy("CannotUpdateEntityWhileInUse")
	}
	before := s.view(o)
	o.config, o.etag, o.modified = *in.VpcOriginEndpointConfig, s.newETag(), s.now()
	s.world.Clock.After(VpcOriginDeployment, "VPC origin "+o.id+" Deployed", nil)
	if o.config.Arn != before.Endpoint {
		for _, w := range s.watchers {
			w.VpcOriginDetached(before, o.modified.Add(VpcOriginDeployment))
			w.VpcOriginAttached(s.view(o))
		}
	}
	return s.answerVpcOrigin(o), nil
}

// deleteVpcOrigin implements DeleteVpcOrigin. It returns 202. The VPC origin can be read with status Deploying until it is
// deleted (assumption CF-12).
// deleteVpcOrigin implements DeleteVpcOrigin.
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_DeleteVpcOrigin.html
func (s *Service) deleteVpcOrigin(c *cloud.Call, in *DeleteVpcOriginInput) (*VpcOriginOutput, error) {
	o, err := s.vpcOrigin(c, "cloudfront:DeleteVpcOrigin", in.ID)
	if err != nil {
		return nil, err
	}
	if err := checkIfMatch(in.IfMatch, o.etag); err != nil {
		return nil, err
	}
	if s.inUse(o.id) {
		return nil, inUse("CannotDeleteEntityWhileInUse")
	}
	if o.status(s.now()) == statusDeploying {
		return nil, busy("CannotDeleteEntityWhileInUse")
	}
	o.deleted, o.etag = s.now(), s.newETag()
	gone := o.deleted.Add(VpcOriginDeletion)
	s.world.Clock.After(VpcOriginDeletion, "VPC origin "+o.id+" gone", nil)
	for _, w := range s.watchers {
		w.VpcOriginDetached(s.view(o), gone)
	}
	return s.answerVpcOrigin(o), nil
}

// listVpcOrigins implements ListVpcOrigins. It includes VPC origins that are shared with the caller, with their owner's account
// (assumption CF-11), unless OmitsShared is set (assumption CF-42).
// listVpcOrigins implements ListVpcOrigins.
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_ListVpcOrigins.html
func (s *Service) listVpcOrigins(c *cloud.Call, in *ListVpcOriginsInput) (*ListVpcOriginsOutput, error) {
	if err := s.authorize(c, access{action: "cloudfront:ListVpcOrigins", arn: "*"}); err != nil {
		return nil, err
	}
	visible := s.originsOf(c.Account())
	for id := range s.origins {
		if o := s.origin(id); o != nil && !s.OmitsShared && o.account != c.Account() && s.shared(o.arn, c.Account()) {
			visible = append(visible, o)
		}
	}
	items, l := paginate(visible, func(o *vpcOrigin) string { return o.id }, in.Marker, in.MaxItems)
	list := &VpcOriginList{Listing: l}
	for _, o := range items {
		list.Items = append(list.Items, VpcOriginSummary{
			ID: o.id, Name: o.config.Name, Status: o.status(s.now()), Arn: o.arn, AccountID: o.account, OriginEndpointArn: o.config.Arn,
			CreatedTime: timestamp(o.created), LastModifiedTime: timestamp(o.modified),
		})
	}
	return &ListVpcOriginsOutput{list}, nil
}

func (s *Service) answerVpcOrigin(o *vpcOrigin) *VpcOriginOutput {
	return &VpcOriginOutput{ETag: o.etag, VpcOrigin: &VpcOrigin{
		ID: o.id, Arn: o.arn, AccountID: o.account, Status: o.status(s.now()),
		CreatedTime: timestamp(o.created), LastModifiedTime: timestamp(o.modified), VpcOriginEndpointConfig: o.config,
	}}
}

// checkEndpoint checks the settings of an origin, whose id is "" if it is new.
// checkEndpoint implements VpcOriginEndpointConfig.
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_VpcOriginEndpointConfig.html
func (s *Service) checkEndpoint(account, id string, e *EndpointConfig) error {
	if e == nil {
		return missingMember("vpcOriginEndpointConfig")
	}
	if e.Name == "" {
		return missingMember("vpcOriginEndpointConfig/name")
	}
	endpoint := regexp.MustCompile(`^arn:aws:(?:elasticloadbalancing:[a-z0-9-]+:(\d{12}):loadbalancer/(?:app|net)/[^/]+/[^/]+` +
		`|ec2:[a-z0-9-]+:(\d{12}):instance/[^/]+)$`).FindStringSubmatch(e.Arn)
	switch {
	case endpoint == nil:
		return invalidArgument("The ARN %q is not that of an Application Load Balancer, Network Load Balancer or EC2 "+
			"instance.", e.Arn)
	case endpoint[1]+endpoint[2] != account:
		return invalidArgument("The endpoint %s is not in account %s.", e.Arn, account)
	case !validPort(e.HTTPPort) || !validPort(e.HTTPSPort):
		return invalidArgument("The parameters HTTPPort and HTTPSPort must be 80, 443 or 1024 to 65535, not %s and %s.",
			strconv.Itoa(e.HTTPPort), strconv.Itoa(e.HTTPSPort))
	}
	switch e.OriginProtocolPolicy {
	case "http-only", "match-viewer", "https-only":
	default:
		return invalidArgument("The parameter OriginProtocolPolicy must be http-only, match-viewer or https-only, not %q.",
			e.OriginProtocolPolicy)
	}
	if p := e.OriginSslProtocols; p != nil && p.Quantity != len(p.Items) {
		return cloud.Errorf(400, "InconsistentQuantities", "The value of Quantity and the size of Items don't match.")
	}
	for _, o := range s.originsOf(account) {
		if o.id != id && o.config.Name == e.Name {
			// Assumption CF-22.
			return cloud.Errorf(409, "EntityAlreadyExists", "The entity already exists: a VPC origin named %q (%s).", e.Name, o.id)
		}
	}
	for _, w := range s.watchers {
		if says := w.VpcOriginRefused(e.Arn); says != "" {
			return invalidArgument("%s", says)
		}
	}
	return nil
}

func validPort(p int) bool { return p == 80 || p == 443 || p >= 1024 && p <= 65535 }

// busy returns the error of a change during the previous one. Assumption CF-13.
func busy(code string) *cloud.Error {
	return cloud.Errorf(409, code, "The specified VPC origin is still being deployed.")
}

// vpcOrigin finds a VPC origin and authorizes the call on it.
func (s *Service) vpcOrigin(c *cloud.Call, action, id string) (*vpcOrigin, error) {
	o := s.origin(id)
	a := access{action: action, arn: vpcOriginARN(c.Account(), id)}
	if o != nil {
		a.arn, a.owner, a.tags = o.arn, o.account, o.tags
	}
	if err := s.authorize(c, a); err != nil {
		return nil, err
	}
	if o == nil {
		return nil, entityNotFound()
	}
	return o, nil
}

// origin returns the VPC origin with this id, or nil if it does not exist.
func (s *Service) origin(id string) *vpcOrigin {
	o := s.origins[id]
	if o == nil || o.gone(s.now()) {
		return nil
	}
	return o
}

func (s *Service) originsOf(account string) []*vpcOrigin {
	var list []*vpcOrigin
	for id := range s.origins {
		if o := s.origin(id); o != nil && o.account == account {
			list = append(list, o)
		}
	}
	sort.Slice(list, func(i, j int) bool { return list[i].id < list[j].id })
	return list
}

// users returns the distributions of all accounts whose current configuration names the VPC origin.
func (s *Service) users(id string) []*distribution {
	var list []*distribution
	for _, d := range s.distributions {
		if names(d.config(), id) {
			list = append(list, d)
		}
	}
	sort.Slice(list, func(i, j int) bool { return list[i].id < list[j].id })
	return list
}

// inUse reports whether a distribution of any account names the VPC origin, or has an update without it that has not reached all
// edges. Assumption CF-14.
func (s *Service) inUse(id string) bool {
	for _, d := range s.distributions {
		for _, v := range s.live(d, s.now()) {
			if names(v.config, id) {
				return true
			}
		}
	}
	return false
}

func vpcOriginARN(account, id string) string {
	return "arn:aws:cloudfront::" + account + ":vpcorigin/" + id
}
