// Package origin is the vocabulary of the core: a shared VPC origin, what its team claims, and what the registry stores about it.
package origin

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Ref identifies a VPC origin.
type Ref struct {
	ID      string // "vo_…"
	ARN     string // "arn:aws:cloudfront::<owner>:vpcorigin/<id>"
	Account string // id of the account that owns the VPC origin
}

// arnForm is the form of a VPC origin's ARN
// (https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudfront.html#amazoncloudfront-resources-for-iam-policies).
var arnForm = regexp.MustCompile(`^arn:(aws|aws-cn|aws-us-gov):cloudfront::(\d{12}):vpcorigin/(vo_[A-Za-z0-9]+)$`)

// ParseARN parses the ARN of a VPC origin.
func ParseARN(arn string) (Ref, error) {
	m := arnForm.FindStringSubmatch(arn)
	if m == nil {
		return Ref{}, fmt.Errorf("%q is not the ARN of a VPC origin (arn:aws:cloudfront::<account>:vpcorigin/<id>)", arn)
	}
	return Ref{ID: m[3], ARN: arn, Account: m[2]}, nil
}

// DeleteCommand returns the command that deletes the VPC origin, for its owner. It first reads the ETag that the deletion needs.
func (r Ref) DeleteCommand() string {
	return fmt.Sprintf(`aws cloudfront delete-vpc-origin --region us-east-1 --id %[1]s --if-match `+
		`"$(aws cloudfront get-vpc-origin --region us-east-1 --id %[1]s --query ETag --output text)"`, r.ID)
}

// Claim is what a team claims for an origin: the requests for Paths on Hosts.
type Claim struct {
	Hosts    []string // host names in lower case
	Paths    []string // path patterns of cache behaviors
	Domain   string   // origin domain name in the distribution
	Settings Settings `json:",omitzero"`
}

// Settings are settings of an origin in the distribution. A setting that is zero has the value that the origin has already, or the one of
// DefaultSettings if the origin is new or once claimed another value.
type Settings struct {
	ReadTimeout        int // seconds
	KeepaliveTimeout   int // seconds
	ConnectionAttempts int
}

// String returns the settings that are not zero, in words.
func (s Settings) String() string {
	var all []string
	for _, one := range []struct {
		name  string
		value int
	}{{"OriginReadTimeout", s.ReadTimeout}, {"OriginKeepaliveTimeout", s.KeepaliveTimeout}, {"ConnectionAttempts", s.ConnectionAttempts}} {
		if one.value != 0 {
			all = append(all, fmt.Sprintf("%s %d", one.name, one.value))
		}
	}
	return strings.Join(all, ", ")
}

// DefaultSettings are the settings of an origin that claims none: CloudFront's own defaults
// (https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_VpcOriginConfig.html,
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_Origin.html).
var DefaultSettings = Settings{ReadTimeout: 30, KeepaliveTimeout: 5, ConnectionAttempts: 3}

// Or returns s with the values of o where s has none.
func (s Settings) Or(o Settings) Settings {
	return Settings{
		ReadTimeout: cmp.Or(s.ReadTimeout, o.ReadTimeout), KeepaliveTimeout: cmp.Or(s.KeepaliveTimeout, o.KeepaliveTimeout),
		ConnectionAttempts: cmp.Or(s.ConnectionAttempts, o.ConnectionAttempts),
	}
}

// where returns the settings of s that o has, too.
func (s Settings) where(o Settings) Settings {
	for _, one := range []struct{ is, has *int }{
		{&s.ReadTimeout, &o.ReadTimeout}, {&s.KeepaliveTimeout, &o.KeepaliveTimeout}, {&s.ConnectionAttempts, &o.ConnectionAttempts},
	} {
		if *one.has == 0 {
			*one.is = 0
		}
	}
	return s
}

// Within returns the smaller of the bounds s and o, for each setting; zero is no bound.
func (s Settings) Within(o Settings) Settings {
	return Settings{
		ReadTimeout: lower(s.ReadTimeout, o.ReadTimeout), KeepaliveTimeout: lower(s.KeepaliveTimeout, o.KeepaliveTimeout),
		ConnectionAttempts: lower(s.ConnectionAttempts, o.ConnectionAttempts),
	}
}

// Intent is what the hub wants for an origin.
type Intent string

// Intents.
const (
	Wire   Intent = "wire"   // in its distribution
	Detach Intent = "detach" // in no distribution
)

// State is the last observed state of an origin in its distribution.
type State string

// States, in the order of the life of an origin.
const (
	Deferred    State = "deferred"    // no distribution has capacity for it; Reasons name the limit
	Pending     State = "pending"     // assigned to a distribution, and not in its configuration yet
	Wired       State = "wired"       // in the configuration, not yet Deployed
	Live        State = "live"        // Deployed; DNS records written, except where an unmanaged record exists
	Quarantined State = "quarantined" // kept out of the configuration because an update with it is invalid; Reasons say why
	Detaching   State = "detaching"   // removed from the configuration, not yet Deployed
	Detached    State = "detached"    // removed from the configuration, and Deployed
	Deleted     State = "deleted"     // the VPC origin is deleted and nothing is left behind
)

// States returns all states, in the order of the life of an origin.
func States() []State {
	return []State{Deferred, Pending, Wired, Live, Quarantined, Detaching, Detached, Deleted}
}

// Record is the registry's item for one origin. A field that was renamed keeps its first name in stored JSON.
type Record struct {
	Ref
	// Distribution is the name of the distribution that the origin is wired into, or is to be wired into. It is the registry's
	// partition.
	Distribution    string
	Team            string
	Share           string // ARN of the RAM share by which the hub may use the origin
	Claim           Claim
	OnceClaimed     Settings `json:",omitzero"` // the first value of each setting that the origin has claimed and may claim no longer
	ReleasedHosts   []string `json:"Left"`      // hosts that the origin no longer claims, until their alias and DNS record are observed to be gone
	Intent          Intent
	State           State
	Reasons         []Reason  // why the origin is Deferred, Quarantined or withdrawn
	ReasonsReported time.Time `json:"Said"` // when wire last reported Reasons; wire retries a quarantined origin one hour later
	Written         time.Time // when the update was sent for which the origin waits until it is Deployed; zero if it waits for none, or if that is unknown
	WasLive         time.Time // when the origin became Live after Admitted; a time before Admitted means not since
	Generation      int       // counts changes of intent; part of the name of each execution
	Admitted        time.Time // when the claim was first permitted: of two overlapping claims the earlier one stays
	Token           string    // Step Functions task token to complete when the origin is Detached
	Teardown        *Teardown
	History         []Decision // newest last
	Version         int        // of the item; writes are conditional on it
}

// Reserves reports whether the claim of r reserves its hosts and paths, so that no other origin can claim them.
func (r Record) Reserves() bool { return r.Intent == Wire }

// WaitsForCapacity reports whether no distribution has capacity for the origin.
func (r Record) WaitsForCapacity() bool { return r.Intent == Wire && r.State == Deferred }

// Placed reports whether the distribution of r contains the origin, or is to contain it.
func (r Record) Placed() bool {
	return r.State != Deferred && r.State != Detached && r.State != Deleted
}

// BoundHosts returns the hosts that are bound to the distribution of r, because their alias or DNS record points to it or is to point
// to it.
func (r Record) BoundHosts() []string {
	if !r.Placed() {
		return slices.Clone(r.ReleasedHosts)
	}
	return slices.Concat(r.Claim.Hosts, r.ReleasedHosts)
}

// WithClaim returns r with claim c. The hosts that c no longer claims become released hosts: their aliases and DNS records still exist,
// and only the registry knows that the hub added them.
func (r Record) WithClaim(c Claim) Record {
	released := r.BoundHosts()
	slices.Sort(released)
	r.OnceClaimed = r.OnceClaimed.Or(r.Claim.Settings)
	r.Claim = c
	r.ReleasedHosts = slices.DeleteFunc(slices.Compact(released), func(h string) bool { return slices.Contains(c.Hosts, h) })
	return r
}

// Settings returns the settings that the origin has to have: those that it claims, and the default of each other one that it once claimed.
func (r Record) Settings() Settings {
	return r.Claim.Settings.Or(DefaultSettings.where(r.OnceClaimed))
}

// Teardown is what a teardown remembers from one observation to the next.
type Teardown struct {
	Value          string    // of the tag
	Requested      time.Time // when the tag was first observed with Value
	Due            time.Time // end of grace
	ExecutionAsked time.Time `json:"Asked"` // when the latest execution was started
	Region         string    // of the VPC
	VPC            string
	ENIs           []string  // ids of the origin's network interfaces, recorded before the delete
	ETag           string    // of the VPC origin when ENIs were recorded
	Earlier        []Place   // where the origin's interfaces were recorded before it moved to VPC
	Recorded       bool      // ENIs were recorded, even if there are none
	SharesLeft     []string  `json:"Left"` // ARNs of shares that contained other resources when the origin was removed from them
	SharesKept     []string  // ARNs of shares that the hub does not delete, and that are reported if they are empty
	Phase          string    // the current phase, as package teardown names it
	Since          time.Time // when Phase began; it limits how long a phase waits
	Ended          bool      // blocked or dirty, and not retried since
	Outcome        string    // how the teardown last ended in Phase; "" if it did not. It was reported
	Because        Reason    // for Outcome
	Redrives       int       // observed redrives of the latest execution
	Reported       time.Time // when Because was reported; zero if nothing was reported since Phase began
	Resumed        int       // how often the teardown was resumed after its execution had died
	Unshared       time.Time // when the origin was last removed from a share
}

// Unresolved reports whether the record's teardown was reported as blocked or dirty, and has not gone on since.
func (r Record) Unresolved() bool {
	return r.State != Deleted && r.Teardown != nil && !r.Teardown.Reported.IsZero()
}

// Place is a VPC in which a VPC origin had network interfaces.
type Place struct {
	Region string
	VPC    string
	ENIs   []string // ids
}

// Places returns every VPC in which interfaces of the origin were recorded, the latest one first.
func (t Teardown) Places() []Place {
	if t.VPC == "" {
		return t.Earlier
	}
	return append([]Place{{t.Region, t.VPC, t.ENIs}}, t.Earlier...)
}

// Decision is one entry of the history of a record.
type Decision struct {
	At      time.Time
	Code    Code     // what was decided
	Reasons []Reason // codes and subjects; the messages are in Why
	Why     string
}

// historyKept is the length of a record's history. It is limited since an item can have at most 400 KB
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html).
const historyKept = 50

// Remember appends a decision to the history of r, with its reasons, or with why if there are none.
func (r *Record) Remember(at time.Time, code Code, reasons []Reason, why string) {
	d := Decision{At: at, Code: code, Why: Brief(why)}
	if len(reasons) > 0 {
		d.Why = Brief(Why(reasons))
	}
	for _, reason := range reasons[:min(len(reasons), historyKept)] {
		d.Reasons = append(d.Reasons, Reason{Code: reason.Code, Subject: reason.Subject})
	}
	history := append(slices.Clone(r.History), d)
	r.History = history[max(0, len(history)-historyKept):]
}

// MayRemember reports whether the history of r has a decision of that code, or may have lost it because its length is limited.
func (r Record) MayRemember(code Code) bool {
	return len(r.History) >= historyKept || slices.ContainsFunc(r.History, func(d Decision) bool { return d.Code == code })
}

// SetReasons replaces the reasons of r. Without arguments it removes them.
func (r *Record) SetReasons(reasons ...Reason) {
	r.Reasons = nil
	for _, reason := range reasons[:min(len(reasons), historyKept)] {
		reason.Message = Brief(reason.Message)
		r.Reasons = append(r.Reasons, reason)
	}
}
