package registry

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
)

// Items that were written before reasons had codes contain sentences and names of events instead. They are converted when they are
// read, and written in the current form with the next change. A reason that is converted from a sentence has the subject
// origin.AnySubject, except for an error of AWS, whose sentence names the subject. The findings of the audit were stored as a hash of sentences, "Says", which is not read: such a finding has no
// Facts, and counts as reported whatever its facts are now. ReasonsReported and WasLive are derived from the history.

// The items of distributions and refusals were in the partitions of the records. They count until function wire, or whoever refuses, has written
// them in the partitions of their own, which let IAM distinguish the writers.

// current returns the items without the old ones that were written again.
func current(items []map[string]types.AttributeValue) []map[string]types.AttributeValue {
	written := map[string]bool{}
	for _, item := range items {
		if key, old := keyOf(item); !old {
			written[key] = true
		}
	}
	return slices.DeleteFunc(items, func(item map[string]types.AttributeValue) bool {
		key, old := keyOf(item)
		return old && written[key]
	})
}

// keyOf returns what identifies an item wherever it is, and whether it is an old item of a distribution or a refusal.
func keyOf(item map[string]types.AttributeValue) (key string, old bool) {
	partition, key := stringOf(item[attrDistribution]), stringOf(item[attrItem])
	name, current := strings.CutPrefix(partition, contract.RegistryDistribution)
	switch {
	case key == itemDistribution:
		return key + " " + name, !current
	case strings.HasPrefix(key, prefixRefusal):
		return key, partition != contract.RegistryRefusals
	}
	return partition + " " + key, false
}

// oldDecisions maps the names of events in old histories to codes.
var oldDecisions = map[string]origin.Code{
	"Origin Admitted":            origin.DecidedAdmitted,
	"Origin Waits":               origin.DecidedDeferred,
	"Origin Live":                origin.DecidedLive,
	"Origin Quarantined":         origin.DecidedQuarantined,
	"Origin Withdrawn":           origin.DecidedWithdrawn,
	"Origin Detached":            origin.DecidedDetached,
	"Distribution Write Refused": origin.DecidedWriteRefused,
	"Teardown Started":           origin.DecidedTeardownStarted,
	"Teardown Cancelled":         origin.DecidedTeardownCancelled,
	"Teardown Finished":          origin.DecidedTeardownCompleted,
	"Teardown Left Something":    origin.DecidedTeardownDirty,
	"Teardown Stopped":           origin.DecidedTeardownBlocked,
}

// oldSentences maps old messages to codes. A stored text gets the code of each entry that matches, since messages were joined.
var oldSentences = []struct {
	says string // regular expression
	code origin.Code
}{
	{`the hub policy denies external shares`, "share-external"},
	{`the share holds nothing that can be seen yet`, "share-empty"},
	{`the share also holds `, "share-other-type"},
	{`a VPC origin that cannot be read`, "share-bad-arn"},
	{`, not to the sender `, "share-foreign-origin"},
	{`its invitation cannot be opened`, "share-unreadable"},
	{`it claims no host`, "claim-host-missing"},
	{`it claims no path`, "claim-paths-missing"},
	{`it names no domain`, "claim-domain-missing"},
	{`the host "[^"]*" (is not a DNS name|has \d+ characters)`, "claim-host-invalid"},
	{`the path "[^"]*" (does not begin|has \d+ characters|holds a character)`, "claim-path-invalid"},
	{`the domain "[^"]*" (is not a DNS name|has \d+ characters)`, "claim-domain-invalid"},
	{`the host "[^"]*" is not covered by`, "claim-outside-domain"},
	{` is (granted nothing on|not granted) `, "claim-not-granted"},
	{`the path \S+ overlaps `, "claim-taken"},
	{`its tags cannot be read`, "claim-unreadable"},
	{`it carries the tag `, "origin-tearing-down"},
	{`it is no longer shared with the hub`, origin.OriginNotShared},
	{`limits\.originsPerTeam is|no distribution (has room for|takes) it|its hosts? \S* ?(is|are) |its distribution \S+ would have|the registry knows no `, origin.DoesNotFit},
	{`a record that is not the hub's stands there`, "record-taken"},
	{`the teardown tag is "[^"]*": set it to`, "teardown-tag-invalid"},
	{`the teardown tag is "[^"]*", which is long over`, "teardown-tag-over"},
	{`the teardown tag is "[^"]*", and the hub policy permits`, "teardown-tag-too-far"},
	{`but the teardown has begun`, "teardown-tag-late"},
	{`that belongs to no origin of the registry`, "path-taken"},
	{` has the path \S+ already`, "path-twice"},
	{`of the distribution uses it, which originhub did not set`, "still-used"},
	{`CloudFront refuses an update with it in it`, "update-invalid"},
	{`^distribution \S+ is gone`, "distribution-gone"},
	{`^adopt distribution \S+: there is none`, "distribution-missing"},
	{`has been the one named`, "distribution-replaced"},
}

// patterns returns the compiled expressions of oldSentences. It compiles them at first use, since that takes a millisecond and most
// starts read no old item.
var patterns = sync.OnceValue(func() []*regexp.Regexp {
	compiled := make([]*regexp.Regexp, len(oldSentences))
	for i, s := range oldSentences {
		compiled[i] = regexp.MustCompile(s.says)
	}
	return compiled
})

// reasonsOf returns the reasons in an old text. About is the ARN of the share or origin that the text is about.
func reasonsOf(text, about string) (reasons []origin.Reason) {
	if text == "" {
		return nil
	}
	add := func(code origin.Code) {
		reasons = append(reasons, origin.Reason{Code: code, Subject: origin.AnySubject, Message: text})
		text = "" // only the first reason gets the message, since the text contains all of them
	}
	whole := text
	if strings.Contains(whole, "belongs to no team") {
		code := origin.Code("origin-unknown-account")
		if strings.Contains(about, ":resource-share/") {
			code = "share-unknown-account"
		}
		add(code)
	}
	for i, says := range patterns() {
		if says.MatchString(whole) {
			add(oldSentences[i].code)
		}
	}
	if len(reasons) == 0 {
		add("unknown")
	}
	return reasons
}

// answers matches the old form in which an error of AWS was stored.
const answers = `^AWS answers (\S+) for (\S+)$`

func readRefusal(document, about string) []origin.Reason {
	var reasons []origin.Reason
	if json.Unmarshal([]byte(document), &reasons) == nil {
		return reasons
	}
	return reasonsOf(document, about)
}

func readRecord(document []byte, r *origin.Record) error {
	if err := json.Unmarshal(document, r); err != nil {
		return err
	}
	var old struct {
		Reason        string
		History       []struct{ What string }
		Said, WasLive *time.Time
	}
	if err := json.Unmarshal(document, &old); err != nil {
		return err
	}
	if len(r.Reasons) == 0 {
		r.Reasons = reasonsOf(old.Reason, r.ARN)
	}
	for i := range r.History {
		d := &r.History[i]
		if d.Code != "" {
			continue
		}
		d.Code = oldDecisions[old.History[i].What]
		if d.Code != origin.DecidedWithdrawn {
			continue
		}
		for _, reason := range reasonsOf(d.Why, r.ARN) {
			d.Reasons = append(d.Reasons, origin.Reason{Code: reason.Code, Subject: reason.Subject})
		}
	}
	if r.State == "waiting" {
		r.State = origin.Deferred
	}
	if old.Said == nil && len(r.History) > 0 {
		r.ReasonsReported = r.History[len(r.History)-1].At
	}
	for _, d := range r.History {
		if old.WasLive == nil && d.Code == origin.DecidedLive {
			r.WasLive = d.At
		}
	}
	return nil
}

func readDistribution(document []byte, d *origin.Distribution) error {
	if err := json.Unmarshal(document, d); err != nil {
		return err
	}
	var old struct{ Unavailable string }
	if err := json.Unmarshal(document, &old); err != nil {
		return err
	}
	if d.Unavailable.Code != "" || old.Unavailable == "" {
		return nil
	}
	if d.Unavailable = reasonsOf(old.Unavailable, "")[0]; d.Unavailable.Code == "unknown" {
		d.Unavailable.Code = "unavailable" // the code that package wiring uses if AWS returned none
	}
	if m := regexp.MustCompile(answers).FindStringSubmatch(old.Unavailable); m != nil {
		d.Unavailable = origin.Reason{Code: origin.Code(m[1]), Subject: m[2], Message: old.Unavailable}
	}
	return nil
}
