package ram

import (
	"regexp"
	"slices"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

type share struct {
	arn, name, owner, region string
	external                 bool // principals outside of the organization are allowed
	retain                   bool // access lasts after a principal leaves the organization
	tags                     []Tag
	created, updated         time.Time
	deletion                 time.Time // when DeleteResourceShare was called
	resources, principals    []*association
}

// Share statuses.
const (
	active   = "ACTIVE"
	deleting = "DELETING"
	deleted  = "DELETED"
)

func (s *Service) shareStatus(sh *share) string {
	switch {
	case sh.deletion.IsZero():
		return active
	case s.w.Clock.Now().Before(sh.deletion.Add(associationDelay)):
		return deleting
	}
	return deleted
}

// remembered reports whether a share is still listed. Assumption RAM-03.
func (s *Service) remembered(sh *share) bool {
	return sh.deletion.IsZero() || s.w.Clock.Now().Before(sh.deletion.Add(associationDelay+afterlife))
}

func (sh *share) find(associations []*association, entity string) *association {
	for _, a := range associations {
		if a.entity == entity {
			return a
		}
	}
	return nil
}

func (sh *share) drop(associations []*association, entity string) []*association {
	return slices.DeleteFunc(associations, func(a *association) bool { return a.entity == entity })
}

// Tag is one tag of a share.
type Tag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// ResourceShare is the wire form of a share.
type ResourceShare struct {
	ResourceShareArn           string         `json:"resourceShareArn"`
	Name                       string         `json:"name"`
	OwningAccountID            string         `json:"owningAccountId"`
	AllowExternalPrincipals    bool           `json:"allowExternalPrincipals"`
	Status                     string         `json:"status"`
	FeatureSet                 string         `json:"featureSet"`
	Tags                       []Tag          `json:"tags,omitempty"`
	CreationTime               time.Time      `json:"creationTime"`
	LastUpdatedTime            time.Time      `json:"lastUpdatedTime"`
	ResourceShareConfiguration *Configuration `json:"resourceShareConfiguration,omitempty"`
}

// Configuration has the settings that only the creation of a share can set.
type Configuration struct {
	RetainSharingOnAccountLeaveOrganization bool `json:"retainSharingOnAccountLeaveOrganization"`
}

func (s *Service) showShare(c *cloud.Call, sh *share) ResourceShare {
	out := ResourceShare{
		ResourceShareArn: sh.arn, Name: sh.name, OwningAccountID: sh.owner, AllowExternalPrincipals: sh.external,
		Status: s.shareStatus(sh), FeatureSet: "STANDARD", CreationTime: sh.created, LastUpdatedTime: sh.updated,
		ResourceShareConfiguration: &Configuration{sh.retain},
	}
	if c.Account() == sh.owner {
		out.Tags = sh.tags
	}
	return out
}

// CreateResourceShareInput is the input of CreateResourceShare.
type CreateResourceShareInput struct {
	Name                       string         `json:"name"`
	ResourceArns               []string       `json:"resourceArns,omitempty"`
	Principals                 []string       `json:"principals,omitempty"`
	PermissionArns             []string       `json:"permissionArns,omitempty"`
	AllowExternalPrincipals    *bool          `json:"allowExternalPrincipals,omitempty"`
	ResourceShareConfiguration *Configuration `json:"resourceShareConfiguration,omitempty"`
	Tags                       []Tag          `json:"tags,omitempty"`
	ClientToken                string         `json:"clientToken,omitempty"`
}

// CreateResourceShareOutput has the new share.
type CreateResourceShareOutput struct {
	ResourceShare ResourceShare `json:"resourceShare"`
	ClientToken   string        `json:"clientToken"`
}

// TrailRecord returns the documented responseElements.
// https://docs.aws.amazon.com/ram/latest/userguide/cloudtrail-logging.html
func (o *CreateResourceShareOutput) TrailRecord() any {
	return map[string]any{"resourceShare": map[string]any{
		"resourceShareArn": o.ResourceShare.ResourceShareArn, "name": o.ResourceShare.Name,
		"owningAccountId": o.ResourceShare.OwningAccountID, "allowExternalPrincipals": o.ResourceShare.AllowExternalPrincipals,
		"status": o.ResourceShare.Status,
	}}
}

// createResourceShare implements CreateResourceShare.
// https://docs.aws.amazon.com/ram/latest/APIReference/API_CreateResourceShare.html
func (s *Service) createResourceShare(c *cloud.Call, in *CreateResourceShareInput) (*CreateResourceShareOutput, error) {
	external := in.AllowExternalPrincipals == nil || *in.AllowExternalPrincipals
	context := map[string][]string{"ram:RequestedAllowsExternalPrincipals": {boolText(external)}}
	for _, t := range in.Tags {
		context["aws:RequestTag/"+t.Key] = []string{t.Value}
		context["aws:TagKeys"] = append(context["aws:TagKeys"], t.Key)
	}
	if err := s.authorizeEach(c, "*", context, in.Principals, in.ResourceArns); err != nil {
		return nil, err
	}
	return once(s, c, in.ClientToken, in, func(token string) (*CreateResourceShareOutput, error) {
		if in.Name == "" {
			return nil, missing("name")
		}
		for _, p := range in.PermissionArns {
			if err := checkPermission(p); err != nil {
				return nil, err
			}
		}
		sh := &share{
			arn:  "arn:aws:ram:" + c.Region + ":" + c.Account() + ":resource-share/" + s.w.IDs.UUID(),
			name: in.Name, owner: c.Account(), region: c.Region, external: external, tags: in.Tags, created: c.Now(),
			updated: c.Now(),
			retain:  in.ResourceShareConfiguration != nil && in.ResourceShareConfiguration.RetainSharingOnAccountLeaveOrganization,
		}
		if sh.retain && !external {
			return nil, invalid("retainSharingOnAccountLeaveOrganization needs allowExternalPrincipals.")
		}
		if sh.retain && slices.ContainsFunc(in.Principals, isOrganization) {
			return nil, invalid("retainSharingOnAccountLeaveOrganization needs accounts as principals.")
		}
		if err := s.checkNew(c, sh, in.Principals, in.ResourceArns); err != nil {
			return nil, err
		}
		s.shares = append(s.shares, sh)
		s.associate(sh, in.Principals, in.ResourceArns)
		return &CreateResourceShareOutput{s.showShare(c, sh), token}, nil
	})
}

// GetResourceSharesInput is the input of GetResourceShares.
type GetResourceSharesInput struct {
	ResourceOwner       string      `json:"resourceOwner"`
	ResourceShareArns   []string    `json:"resourceShareArns,omitempty"`
	ResourceShareStatus string      `json:"resourceShareStatus,omitempty"`
	Name                string      `json:"name,omitempty"`
	TagFilters          []TagFilter `json:"tagFilters,omitempty"`
	NextToken           string      `json:"nextToken,omitempty"`
	MaxResults          *int        `json:"maxResults,omitempty"`
}

// TagFilter accepts shares that have the tag with one of the values, or with any value if there are none.
type TagFilter struct {
	TagKey    string   `json:"tagKey"`
	TagValues []string `json:"tagValues,omitempty"`
}

// GetResourceSharesOutput is one page of shares.
type GetResourceSharesOutput struct {
	ResourceShares []ResourceShare `json:"resourceShares"`
	NextToken      string          `json:"nextToken,omitempty"`
}

// getResourceShares implements GetResourceShares.
// https://docs.aws.amazon.com/ram/latest/APIReference/API_GetResourceShares.html
func (s *Service) getResourceShares(c *cloud.Call, in *GetResourceSharesInput) (*GetResourceSharesOutput, error) {
	if err := c.Authorize("ram:GetResourceShares", "*", nil); err != nil {
		return nil, err
	}
	if err := checkOwner(in.ResourceOwner); err != nil {
		return nil, err
	}
	if err := s.checkFilter(c, in.ResourceShareArns); err != nil {
		return nil, err
	}
	var all []*share
	for _, sh := range s.shares {
		if sh.region == c.Region && (sh.owner == c.Account()) == (in.ResourceOwner == self) {
			all = append(all, sh)
		}
	}
	list, next, err := page(c, all, func(sh *share) bool {
		return s.visible(c, sh) && matches(in.ResourceShareArns, sh.arn) && (in.Name == "" || in.Name == sh.name) &&
			(in.ResourceShareStatus == "" || in.ResourceShareStatus == s.shareStatus(sh)) && tagged(c, sh, in.TagFilters)
	}, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &GetResourceSharesOutput{ResourceShares: []ResourceShare{}, NextToken: next}
	for _, sh := range list {
		out.ResourceShares = append(out.ResourceShares, s.showShare(c, sh))
	}
	return out, nil
}

func tagged(c *cloud.Call, sh *share, filters []TagFilter) bool {
	return !slices.ContainsFunc(filters, func(f TagFilter) bool {
		return sh.owner != c.Account() || !slices.ContainsFunc(sh.tags, func(t Tag) bool {
			return t.Key == f.TagKey && matches(f.TagValues, t.Value)
		})
	})
}

// UpdateResourceShareInput is the input of UpdateResourceShare.
type UpdateResourceShareInput struct {
	ResourceShareArn        string `json:"resourceShareArn"`
	Name                    string `json:"name,omitempty"`
	AllowExternalPrincipals *bool  `json:"allowExternalPrincipals,omitempty"`
	ClientToken             string `json:"clientToken,omitempty"`
}

// UpdateResourceShareOutput has the changed share.
type UpdateResourceShareOutput struct {
	ResourceShare ResourceShare `json:"resourceShare"`
	ClientToken   string        `json:"clientToken"`
}

// updateResourceShare implements UpdateResourceShare.
// https://docs.aws.amazon.com/ram/latest/APIReference/API_UpdateResourceShare.html
func (s *Service) updateResourceShare(c *cloud.Call, in *UpdateResourceShareInput) (*UpdateResourceShareOutput, error) {
	sh, err := s.authorizeShare(c, in.ResourceShareArn, nil, nil)
	if err != nil {
		return nil, err
	}
	return once(s, c, in.ClientToken, in, func(token string) (*UpdateResourceShareOutput, error) {
		if err := s.changeable(c, sh, in.ResourceShareArn); err != nil {
			return nil, err
		}
		if in.AllowExternalPrincipals != nil {
			// A share with principals outside of the organization cannot be closed to them. Assumption RAM-10.
			outsider := func(a *association) bool { return s.outsider(sh, a) && s.status(a) != disassociated }
			if !*in.AllowExternalPrincipals && slices.ContainsFunc(sh.principals, outsider) {
				return nil, notPermitted("The resource share %s has principals outside your organization.", sh.arn)
			}
			sh.external = *in.AllowExternalPrincipals
		}
		if in.Name != "" {
			sh.name = in.Name
		}
		sh.updated = c.Now()
		return &UpdateResourceShareOutput{s.showShare(c, sh), token}, nil
	})
}

// TagResourceInput is the input of TagResource.
type TagResourceInput struct {
	ResourceShareArn string `json:"resourceShareArn,omitempty"`
	ResourceArn      string `json:"resourceArn,omitempty"`
	Tags             []Tag  `json:"tags"`
}

// TagResourceOutput is empty.
type TagResourceOutput struct{}

// tagResource implements TagResource.
// https://docs.aws.amazon.com/ram/latest/APIReference/API_TagResource.html
func (s *Service) tagResource(c *cloud.Call, in *TagResourceInput) (*TagResourceOutput, error) {
	context := map[string][]string{}
	for _, t := range in.Tags {
		context["aws:RequestTag/"+t.Key] = []string{t.Value}
		context["aws:TagKeys"] = append(context["aws:TagKeys"], t.Key)
	}
	sh, err := s.forTags(c, in.ResourceShareArn+in.ResourceArn, context)
	if err != nil {
		return nil, err
	}
	for _, t := range in.Tags {
		sh.tags = append(slices.DeleteFunc(sh.tags, func(old Tag) bool { return old.Key == t.Key }), t)
	}
	return &TagResourceOutput{}, nil
}

// UntagResourceInput is the input of UntagResource.
type UntagResourceInput struct {
	ResourceShareArn string   `json:"resourceShareArn,omitempty"`
	ResourceArn      string   `json:"resourceArn,omitempty"`
	TagKeys          []string `json:"tagKeys"`
}

// UntagResourceOutput is empty.
type UntagResourceOutput struct{}

// untagResource implements UntagResource.
// https://docs.aws.amazon.com/ram/latest/APIReference/API_UntagResource.html
func (s *Service) untagResource(c *cloud.Call, in *UntagResourceInput) (*UntagResourceOutput, error) {
	sh, err := s.forTags(c, in.ResourceShareArn+in.ResourceArn, map[string][]string{"aws:TagKeys": in.TagKeys})
	if err != nil {
		return nil, err
	}
	sh.tags = slices.DeleteFunc(sh.tags, func(t Tag) bool { return slices.Contains(in.TagKeys, t.Key) })
	return &UntagResourceOutput{}, nil
}

func (s *Service) forTags(c *cloud.Call, arn string, context map[string][]string) (*share, error) {
	sh := s.findShare(c, arn)
	for key, values := range shareContext(sh) {
		context[key] = values
	}
	if err := c.Authorize("ram:"+c.Operation.Name, arn, context); err != nil {
		return nil, err
	}
	return sh, s.changeable(c, sh, arn)
}

// DeleteResourceShareInput is the input of DeleteResourceShare.
type DeleteResourceShareInput struct {
	ResourceShareArn string `loc:"query" name:"resourceShareArn" json:"resourceShareArn"`
	ClientToken      string `loc:"query" name:"clientToken" json:"clientToken,omitempty"`
}

// DeleteResourceShareOutput is the output of DeleteResourceShare.
type DeleteResourceShareOutput struct {
	ReturnValue bool   `json:"returnValue"`
	ClientToken string `json:"clientToken"`
}

// deleteResourceShare implements DeleteResourceShare.
// https://docs.aws.amazon.com/ram/latest/APIReference/API_DeleteResourceShare.html
func (s *Service) deleteResourceShare(c *cloud.Call, in *DeleteResourceShareInput) (*DeleteResourceShareOutput, error) {
	sh, err := s.authorizeShare(c, in.ResourceShareArn, nil, nil)
	if err != nil {
		return nil, err
	}
	return once(s, c, in.ClientToken, in, func(token string) (*DeleteResourceShareOutput, error) {
		if err := s.changeable(c, sh, in.ResourceShareArn); err != nil {
			return nil, err
		}
		for _, a := range slices.Concat(sh.principals, sh.resources) {
			s.leave(sh, a)
		}
		sh.deletion, sh.updated = c.Now(), c.Now()
		s.w.Clock.After(associationDelay, "RAM share "+sh.name+" deleted", nil)
		return &DeleteResourceShareOutput{true, token}, nil
	})
}

const (
	self   = "SELF"
	others = "OTHER-ACCOUNTS"
)

func checkOwner(owner string) error {
	switch owner {
	case self, others:
		return nil
	case "":
		return missing("resourceOwner")
	}
	return invalid("The resource owner %s is not valid.", owner)
}

var shareForm = regexp.MustCompile(`^arn:aws:ram:[a-z0-9-]+:\d{12}:resource-share/.+$`)

// checkFilter returns an error for shares that the caller cannot see.
func (s *Service) checkFilter(c *cloud.Call, arns []string) error {
	for _, arn := range arns {
		if !shareForm.MatchString(arn) {
			return malformedARN(arn)
		}
		if sh := s.findShare(c, arn); sh == nil || !s.visible(c, sh) {
			return unknownResource("ResourceShare", arn)
		}
	}
	return nil
}

// visible reports whether the caller sees a share. An owner sees it for some time after its deletion, others while it reaches
// them.
func (s *Service) visible(c *cloud.Call, sh *share) bool {
	if sh.owner == c.Account() {
		return s.remembered(sh)
	}
	return s.reaches(sh, c.Account())
}

// findShare returns a share of the Region of the call, whoever owns it.
func (s *Service) findShare(c *cloud.Call, arn string) *share {
	for _, sh := range s.shares {
		if sh.arn == arn && sh.region == c.Region {
			return sh
		}
	}
	return nil
}

// changeable checks that the caller may change a share.
func (s *Service) changeable(c *cloud.Call, sh *share, arn string) error {
	switch {
	case !shareForm.MatchString(arn):
		return malformedARN(arn)
	case sh == nil || sh.owner != c.Account() || s.shareStatus(sh) == deleted:
		return unknownResource("ResourceShare", arn)
	case s.shareStatus(sh) == deleting:
		return invalidState("The resource share %s is being deleted.", arn)
	}
	return nil
}

// authorizeShare authorizes a call on a share and returns the share, or nil if there is none.
func (s *Service) authorizeShare(c *cloud.Call, arn string, principals, resources []string) (*share, error) {
	sh := s.findShare(c, arn)
	return sh, s.authorizeEach(c, arn, shareContext(sh), principals, resources)
}

// shareContext returns the condition keys of a share.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsresourceaccessmanagerram.html
func shareContext(sh *share) map[string][]string {
	context := map[string][]string{}
	if sh == nil {
		return context
	}
	context["ram:ResourceShareName"] = []string{sh.name}
	context["ram:AllowsExternalPrincipals"] = []string{boolText(sh.external)}
	context["ram:RetainSharingOnAccountLeaveOrganization"] = []string{boolText(sh.retain)}
	for _, t := range sh.tags {
		context["aws:ResourceTag/"+t.Key] = []string{t.Value}
	}
	return context
}

// authorizeEach authorizes each pair of principal and resource in a call. Assumption RAM-11.
func (s *Service) authorizeEach(
	c *cloud.Call, on string, context map[string][]string, principals, resources []string,
) error {
	if len(principals) == 0 {
		principals = []string{""}
	}
	if len(resources) == 0 {
		resources = []string{""}
	}
	for _, p := range principals {
		for _, r := range resources {
			delete(context, "ram:Principal")
			delete(context, "ram:ResourceArn")
			delete(context, "ram:RequestedResourceType")
			if p != "" {
				context["ram:Principal"] = []string{p}
			}
			if r != "" {
				context["ram:ResourceArn"] = []string{r}
				context["ram:RequestedResourceType"] = []string{typeName(r)}
			}
			if err := c.Authorize("ram:"+c.Operation.Name, on, context); err != nil {
				return err
			}
		}
	}
	return nil
}

func boolText(b bool) string {
	if b {
		return "true"
	}
	return "false"
}
