package audit

import (
	"fmt"

	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/wiring"
)

// changedFunction finds other code than the hub's in the function that answers 404 in distributions that the hub created.
//
//	distributions  published function  finding
//	adopted        -                   none: they have no such function
//	created        none                none: no distribution uses it, since CloudFront does not delete a function that one uses
//	created        with the hub's code none
//	created        with other code     function-changed
func (o Observed) changedFunction() []Finding {
	if o.function() == "" || o.Function.Name == "" || o.Function.Code == wiring.NotFoundFunction {
		return nil
	}
	return []Finding{{
		Kind: FunctionChanged, Subject: o.Function.Name, Account: o.Account, Alarm: true, Cost: unknown,
		Risk: "CloudFront function " + o.Function.Name + ", which answers 404 to every request that no team claims, has other code than the hub's, so that such " +
			"requests may get any answer; the hub publishes its own code again",
		Repair: o.triggerWire(), In: o.Account,
		Facts: []origin.Reason{fact(codeIs, fmt.Sprintf("%d bytes", len(o.Function.Code)))},
	}}
}

// guardFunction judges the publication of a CloudFront function. A call of another account than the hub's is forged, and one that names
// another function is harmless. Otherwise the published code counts. UpdateFunction needs no judgement, since a draft reaches nobody until it
// is published, and DeleteFunction needs none, since it is refused while a distribution uses the function
// (https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_UpdateFunction.html, API_DeleteFunction.html).
func (o Observed) guardFunction(c inbound.CallHint) Judgement {
	switch {
	case c.Account != o.Account:
		return forged("account %s does not own the hub's functions", c.Account)
	case o.function() == "":
		return harmless("the distributions are adopted, and the hub has no function")
	case c.Target != "" && c.Target != o.function():
		return harmless("function %s is unmanaged", c.Target)
	}
	if found := o.changedFunction(); len(found) > 0 {
		return Judgement{Verdict: Found, Findings: found}
	}
	return harmless("the published code of function %s is the hub's, or no distribution uses the function", o.function())
}
