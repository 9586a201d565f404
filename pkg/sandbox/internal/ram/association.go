package ram

import (
	"regexp"
	"slices"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// association is a resource or a principal of a share.
type association struct {
	entity  string // a resource's ARN, an account id or an organization's ARN
	created time.Time
	changed time.Time // when the last change of its status began
	leaving bool
	// invitation must be accepted before the association takes effect. Nil if no invitation is needed.
	invitation *invitation
}

// Association statuses.
const (
	associating    = "ASSOCIATING"
	associated     = "ASSOCIATED"
	disassociating = "DISASSOCIATING"
	disassociated  = "DISASSOCIATED"
)

// status derives the status from the clock: a change that began associationDelay ago has ended.
func (s *Service) status(a *association) string {
	if a.invitation != nil {
		switch s.invitationStatus(a.invitation) {
		case pending:
			return associating
		case rejected, expired:
			return disassociated
		}
	}
	done := !s.w.Clock.Now().Before(a.changed.Add(associationDelay))
	switch {
	case a.leaving && done:
		return disassociated
	case a.leaving:
		return disassociating
	case done:
		return associated
	}
	return associating
}

// gone returns the time when the association ended, or the zero time while it lasts.
func (s *Service) gone(a *association) time.Time {
	switch {
	case s.status(a) != disassociated:
		return time.Time{}
	case a.leaving:
		return a.changed.Add(associationDelay)
	default:
		return a.invitation.end()
	}
}

// listed reports whether the association is still listed. Assumption RAM-03.
func (s *Service) listed(a *association) bool {
	end := s.gone(a)
	return end.IsZero() || s.w.Clock.Now().Before(end.Add(afterlife))
}

// effective reports whether the association gives access. Access lasts until the association has ended (assumption RAM-01).
func (s *Service) effective(a *association) bool {
	status := s.status(a)
	entered := a.invitation == nil || s.invitationStatus(a.invitation) == accepted
	return status == associated || status == disassociating && entered
}

// usable reports whether one of the associations is for entity and gives access.
func (s *Service) usable(associations []*association, entity string) bool {
	return slices.ContainsFunc(associations, func(a *association) bool { return a.entity == entity && s.effective(a) })
}

// reaches reports whether an account can use the share's resources, by its id or through the organization.
func (s *Service) reaches(sh *share, account string) bool {
	if s.usable(sh.principals, account) {
		return true
	}
	member := account != sh.owner && s.w.Account(account).InOrganization
	return member && slices.ContainsFunc(sh.principals, func(a *association) bool { return isOrganization(a.entity) && s.effective(a) })
}

var (
	organizationForm = regexp.MustCompile(`^arn:aws:organizations::\d{12}:organization/(o-[a-z0-9]+)$`)
	unitForm         = regexp.MustCompile(`^arn:aws:organizations::\d{12}:ou/`)
	iamForm          = regexp.MustCompile(`^arn:aws:iam::\d{12}:(role|user)/`)
)

func isOrganization(principal string) bool { return organizationForm.MatchString(principal) }

func (s *Service) sameOrganization(a, b string) bool {
	return s.w.Account(a).InOrganization && s.w.Account(b).InOrganization
}

// outsider reports whether a principal is outside the organization of the share's owner now.
func (s *Service) outsider(sh *share, principal *association) bool {
	return !isOrganization(principal.entity) && !s.sameOrganization(sh.owner, principal.entity)
}

// checkPrincipal checks that a share may be opened to a principal.
func (s *Service) checkPrincipal(owner string, external bool, principal string) error {
	switch {
	case principal == owner:
		return invalid("You cannot share a resource with the account that owns it: %s.", principal)
	case cloud.IsAccount(principal):
		if !external && !s.sameOrganization(owner, principal) {
			return notPermitted("The resource you are attempting to share can only be shared within your AWS Organization: %s is outside it.", principal)
		}
		return nil
	case isOrganization(principal):
		if organizationForm.FindStringSubmatch(principal)[1] != s.w.Organization || !s.w.Account(owner).InOrganization {
			return unknownResource("Organization", principal)
		}
		return nil
	case unitForm.MatchString(principal):
		return invalid("The sandbox's organization has no organizational units: %s.", principal)
	case iamForm.MatchString(principal):
		return invalid("Resources of the share cannot be shared with IAM roles and users: %s.", principal)
	}
	return invalid("The principal %s is not valid.", principal)
}

// invites reports whether a principal must accept an invitation before it gets access: one outside of the organization, or any
// account whose access is to last after it leaves the organization.
// https://docs.aws.amazon.com/ram/latest/userguide/getting-started-sharing.html
func (s *Service) invites(sh *share, principal string) bool {
	return cloud.IsAccount(principal) && (sh.retain || !s.sameOrganization(sh.owner, principal))
}

// AssociateResourceShareInput is the input of AssociateResourceShare.
type AssociateResourceShareInput struct {
	ResourceShareArn string   `json:"resourceShareArn"`
	ResourceArns     []string `json:"resourceArns,omitempty"`
	Principals       []string `json:"principals,omitempty"`
	ClientToken      string   `json:"clientToken,omitempty"`
}

// AssociateResourceShareOutput has the associations of the request.
type AssociateResourceShareOutput struct {
	ResourceShareAssociations []Association `json:"resourceShareAssociations"`
	ClientToken               string        `json:"clientToken"`
}

// Association is the wire form of an association.
type Association struct {
	ResourceShareArn  string    `json:"resourceShareArn"`
	ResourceShareName string    `json:"resourceShareName"`
	AssociatedEntity  string    `json:"associatedEntity"`
	AssociationType   string    `json:"associationType"`
	Status            string    `json:"status"`
	External          bool      `json:"external"`
	CreationTime      time.Time `json:"creationTime"`
	LastUpdatedTime   time.Time `json:"lastUpdatedTime"`
}

// associateResourceShare implements AssociateResourceShare.
// https://docs.aws.amazon.com/ram/latest/APIReference/API_AssociateResourceShare.html
func (s *Service) associateResourceShare(
	c *cloud.Call, in *AssociateResourceShareInput,
) (*AssociateResourceShareOutput, error) {
	sh, err := s.authorizeShare(c, in.ResourceShareArn, in.Principals, in.ResourceArns)
	if err != nil {
		return nil, err
	}
	return once(s, c, in.ClientToken, in, func(token string) (*AssociateResourceShareOutput, error) {
		if err := s.changeable(c, sh, in.ResourceShareArn); err != nil {
			return nil, err
		}
		if len(in.Principals)+len(in.ResourceArns) == 0 {
			return nil, invalid("You must specify at least one resource or principal.")
		}
		if err := s.checkNew(c, sh, in.Principals, in.ResourceArns); err != nil {
			return nil, err
		}
		return &AssociateResourceShareOutput{s.associate(sh, in.Principals, in.ResourceArns), token}, nil
	})
}

// checkNew validates all new resources and principals of a share before any of them is associated.
func (s *Service) checkNew(c *cloud.Call, sh *share, principals, resources []string) error {
	invitations := 0
	for _, p := range principals {
		if err := s.checkPrincipal(sh.owner, sh.external, p); err != nil {
			return err
		}
		if a := sh.find(sh.principals, p); s.invites(sh, p) && (a == nil || s.status(a) == disassociated) {
			invitations++
		}
	}
	for _, i := range s.invitations {
		if i.share.owner == sh.owner && s.invitationStatus(i) == pending {
			invitations++
		}
	}
	if invitations > pendingQuota {
		return cloud.Errorf(400, "ResourceShareLimitExceededException",
			"An account can have at most %d pending invitations.", pendingQuota)
	}
	for _, r := range resources {
		if err := s.checkResource(sh.owner, sh.region, r); err != nil {
			return err
		}
		// The owner needs cloudfront:PutResourcePolicy on the resource. Assumption RAM-13.
		// https://docs.aws.amazon.com/ram/latest/userguide/getting-started-terms-and-concepts.html
		if typeName(r) == vpcOrigin {
			if err := c.Authorize("cloudfront:PutResourcePolicy", r, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// associate associates what is not in the share yet. An existing association does not change (assumption RAM-07).
func (s *Service) associate(sh *share, principals, resources []string) []Association {
	now := s.w.Clock.Now()
	sh.updated = now
	var out []Association
	for _, p := range principals {
		a := sh.find(sh.principals, p)
		if a == nil || s.status(a) == disassociated || a.leaving {
			a = &association{
				entity: p, created: now, changed: now,
			}
			sh.principals = append(sh.drop(sh.principals, p), a)
			if s.invites(sh, p) {
				a.invitation = s.invite(sh, p)
			} else {
				s.settle(sh, a)
			}
		}
		out = append(out, s.show(sh, a, "PRINCIPAL"))
	}
	for _, r := range resources {
		a := sh.find(sh.resources, r)
		if a == nil || a.leaving {
			a = &association{entity: r, created: now, changed: now}
			sh.resources = append(sh.drop(sh.resources, r), a)
			s.settle(sh, a)
		}
		out = append(out, s.show(sh, a, "RESOURCE"))
	}
	return out
}

// DisassociateResourceShareInput is the input of DisassociateResourceShare.
type DisassociateResourceShareInput struct {
	ResourceShareArn string   `json:"resourceShareArn"`
	ResourceArns     []string `json:"resourceArns,omitempty"`
	Principals       []string `json:"principals,omitempty"`
	ClientToken      string   `json:"clientToken,omitempty"`
}

// DisassociateResourceShareOutput has the associations that are being removed.
type DisassociateResourceShareOutput struct {
	ResourceShareAssociations []Association `json:"resourceShareAssociations"`
	ClientToken               string        `json:"clientToken"`
}

// disassociateResourceShare implements DisassociateResourceShare. A consumer cannot leave a share, because VPC origins are not
// among the types that allow it.
// https://docs.aws.amazon.com/ram/latest/APIReference/API_DisassociateResourceShare.html
// https://docs.aws.amazon.com/ram/latest/userguide/working-with-shared-leave.html
func (s *Service) disassociateResourceShare(
	c *cloud.Call, in *DisassociateResourceShareInput,
) (*DisassociateResourceShareOutput, error) {
	sh, err := s.authorizeShare(c, in.ResourceShareArn, in.Principals, in.ResourceArns)
	if err != nil {
		return nil, err
	}
	return once(s, c, in.ClientToken, in, func(token string) (*DisassociateResourceShareOutput, error) {
		if sh != nil && sh.owner != c.Account() && s.reaches(sh, c.Account()) {
			return nil, notPermitted("You cannot leave the resource share %s: it holds resources of a type that does not support it.", sh.arn)
		}
		if err := s.changeable(c, sh, in.ResourceShareArn); err != nil {
			return nil, err
		}
		if len(in.Principals)+len(in.ResourceArns) == 0 {
			return nil, invalid("You must specify at least one resource or principal.")
		}
		// What is not in the share is an unknown resource. Assumption RAM-08.
		for _, p := range in.Principals {
			if a := sh.find(sh.principals, p); a == nil || s.status(a) == disassociated {
				return nil, unknownResource("Principal", p)
			}
		}
		for _, r := range in.ResourceArns {
			if !arnForm.MatchString(r) {
				return nil, malformedARN(r)
			}
			if a := sh.find(sh.resources, r); a == nil || s.status(a) == disassociated {
				return nil, unknownResource("Resource", r)
			}
		}
		sh.updated = c.Now()
		out := &DisassociateResourceShareOutput{ClientToken: token}
		for _, p := range in.Principals {
			a := sh.find(sh.principals, p)
			s.leave(sh, a)
			out.ResourceShareAssociations = append(out.ResourceShareAssociations, s.show(sh, a, "PRINCIPAL"))
		}
		for _, r := range in.ResourceArns {
			a := sh.find(sh.resources, r)
			s.leave(sh, a)
			out.ResourceShareAssociations = append(out.ResourceShareAssociations, s.show(sh, a, "RESOURCE"))
		}
		return out, nil
	})
}

// leave starts the removal of an association, unless it has started.
func (s *Service) leave(sh *share, a *association) {
	if a.leaving || s.status(a) == disassociated {
		return
	}
	if a.invitation != nil && s.invitationStatus(a.invitation) == pending {
		// The invitation is withdrawn with the association. Assumption RAM-09.
		a.invitation.withdrawn = true
	}
	a.leaving, a.changed = true, s.w.Clock.Now()
	s.settle(sh, a)
}

func (s *Service) show(sh *share, a *association, kind string) Association {
	return Association{
		ResourceShareArn: sh.arn, ResourceShareName: sh.name, AssociatedEntity: a.entity, AssociationType: kind,
		Status: s.status(a), External: kind == "PRINCIPAL" && s.outsider(sh, a), CreationTime: a.created, LastUpdatedTime: a.changed,
	}
}

// GetResourceShareAssociationsInput is the input of GetResourceShareAssociations.
type GetResourceShareAssociationsInput struct {
	AssociationType   string   `json:"associationType"`
	ResourceShareArns []string `json:"resourceShareArns,omitempty"`
	ResourceArn       string   `json:"resourceArn,omitempty"`
	Principal         string   `json:"principal,omitempty"`
	AssociationStatus string   `json:"associationStatus,omitempty"`
	NextToken         string   `json:"nextToken,omitempty"`
	MaxResults        *int     `json:"maxResults,omitempty"`
}

// GetResourceShareAssociationsOutput is one page of associations.
type GetResourceShareAssociationsOutput struct {
	ResourceShareAssociations []Association `json:"resourceShareAssociations"`
	NextToken                 string        `json:"nextToken,omitempty"`
}

// getResourceShareAssociations implements GetResourceShareAssociations. It returns the associations of the caller's own shares.
// getResourceShareAssociations implements GetResourceShareAssociations.
// https://docs.aws.amazon.com/ram/latest/APIReference/API_GetResourceShareAssociations.html
func (s *Service) getResourceShareAssociations(
	c *cloud.Call, in *GetResourceShareAssociationsInput,
) (*GetResourceShareAssociationsOutput, error) {
	if err := c.Authorize("ram:GetResourceShareAssociations", "*", nil); err != nil {
		return nil, err
	}
	switch {
	case in.AssociationType == "":
		return nil, missing("associationType")
	case in.AssociationType != "PRINCIPAL" && in.AssociationType != "RESOURCE":
		return nil, invalid("The association type %s is not valid.", in.AssociationType)
	case in.AssociationType == "PRINCIPAL" && in.ResourceArn != "":
		return nil, invalid("resourceArn cannot be specified with association type PRINCIPAL.")
	case in.AssociationType == "RESOURCE" && in.Principal != "":
		return nil, invalid("principal cannot be specified with association type RESOURCE.")
	}
	if err := s.checkFilter(c, in.ResourceShareArns); err != nil {
		return nil, err
	}
	type entry struct {
		Association
		listed bool
	}
	var all []entry
	for _, sh := range s.shares {
		if sh.owner != c.Account() || sh.region != c.Region {
			continue
		}
		associations := sh.resources
		if in.AssociationType == "PRINCIPAL" {
			associations = sh.principals
		}
		for _, a := range associations {
			all = append(all, entry{s.show(sh, a, in.AssociationType), s.listed(a)})
		}
	}
	entity := in.ResourceArn + in.Principal
	entries, next, err := page(c, all, func(e entry) bool {
		return e.listed && matches(in.ResourceShareArns, e.ResourceShareArn) &&
			(entity == "" || entity == e.AssociatedEntity) && (in.AssociationStatus == "" || in.AssociationStatus == e.Status)
	}, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &GetResourceShareAssociationsOutput{ResourceShareAssociations: []Association{}, NextToken: next}
	for _, e := range entries {
		out.ResourceShareAssociations = append(out.ResourceShareAssociations, e.Association)
	}
	return out, nil
}

// matches reports whether a filter accepts a value.
func matches(filter []string, value string) bool {
	return len(filter) == 0 || slices.Contains(filter, value)
}
