package pipeline

import "slices"

// Rule is what a finding is about. Its page is generated from it.
type Rule struct {
	ID       string
	Severity Severity // a policy, or the kind of the step, may lower it
	Title    string
	Wrong    string // what goes wrong with originhub in place
	Instead  string // what replaces the step
	File     string // the kind of file that the examples are
	Bad      string // an example that has a finding of this rule
	Good     string // the same done right: without a finding of medium severity or more
}

// Rules returns all rules, sorted by id.
func Rules() []Rule {
	all := slices.Concat(documentRules(), edgeRules(), shareRules(), ownerRules(), commentRules())
	slices.SortFunc(all, func(a, b Rule) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	return all
}

const pages = "https://github.com/originhub/originhub/blob/main/pkg/pipeline/rules/"

// Page returns the address of the rule's page.
func (r Rule) Page() string { return pages + r.ID + ".md" }

const (
	readOnce = "aws cloudfront get-distribution-config --id \"$DIST\" > live.json\n"
	writeIt  = "aws cloudfront update-distribution --id \"$DIST\" --if-match \"$(jq -r .ETag live.json)\" --distribution-config file://next.json\n"
)

// again is a good write: it reads, changes and writes again when somebody else wrote in between.
func again(program string) string {
	return "until\n  " + readOnce + "  jq '.DistributionConfig | " + program + "' live.json > next.json\n  " + writeIt + "do sleep 5; done\n"
}

// once is a write without that.
func once(program string) string {
	return readOnce + "jq '.DistributionConfig | " + program + "' live.json > next.json\n" + writeIt
}

func documentRules() []Rule {
	const choose = `(.CacheBehaviors.Items[] | select(.PathPattern == "/app/*")).Compress = true`
	return []Rule{{
		ID: "kept-document", Severity: High, Title: "A saved configuration is written over the live distribution",
		Wrong:   "It takes out every origin, behavior and alias that originhub added since the document was made. Every team is off the air until the hub has put them back: 30 to 90 seconds in the sandbox, after each run. An ETag that is read only to get past the check protects nobody.",
		Instead: "Read the configuration with get-distribution-config in the same job, change only your part of that answer, and write it with the ETag of the same answer. Or describe the distribution in distribution.base of the hub policy.",
		File:    "deploy.sh",
		Bad:     "etag=$(aws cloudfront get-distribution-config --id \"$DIST\" --query ETag --output text)\naws cloudfront update-distribution --id \"$DIST\" --if-match \"$etag\" --distribution-config file://cdn.json\n",
		Good:    again(choose),
	}, {
		ID: "split-read", Severity: High, Title: "ETag and configuration come from two answers",
		Wrong:   "originhub may write between the two calls. If the ETag is the newer one, the update takes out what the hub has just added; if it is the older one, the update fails with PreconditionFailed.",
		Instead: "Keep one answer of get-distribution-config, and take both DistributionConfig and ETag from it.",
		File:    "deploy.sh",
		Bad:     "aws cloudfront get-distribution-config --id \"$DIST\" --query DistributionConfig | jq '.Comment = \"new\"' > next.json\netag=$(aws cloudfront get-distribution --id \"$DIST\" --query ETag --output text)\naws cloudfront update-distribution --id \"$DIST\" --if-match \"$etag\" --distribution-config file://next.json\n",
		Good:    again(`.Comment = "new"`),
	}, {
		ID: "behavior-by-index", Severity: High, Title: "A cache behavior is chosen by its index",
		Wrong:   "originhub puts its behaviors in front, so the index leads to the behavior of a team. The change stays there: the hub finds nothing of its own that differs, and a team's path has the settings of another site.",
		Instead: "Choose the behavior by its PathPattern: (.CacheBehaviors.Items[] | select(.PathPattern == \"/app/*\")).",
		File:    "deploy.sh",
		Bad:     once(".CacheBehaviors.Items[0].Compress = true"),
		Good:    again(choose),
	}, {
		ID: "origin-by-index", Severity: Informational, Title: "An origin is chosen by its index",
		Wrong:   "originhub appends its origins, so a low index still leads to the origin of the distribution's owner. It leads elsewhere when the owner removes an origin.",
		Instead: "Choose the origin by its Id: (.Origins.Items[] | select(.Id == \"site\")).",
		File:    "deploy.sh",
		Bad:     once(`.Origins.Items[0].OriginPath = "/v2"`),
		Good:    again(`(.Origins.Items[] | select(.Id == "site")).OriginPath = "/v2"`),
	}, {
		ID: "unguarded-items", Severity: High, Title: "A program iterates over items that origins of originhub do not have",
		Wrong:   "An origin or a behavior of originhub has Quantity 0 and no Items there. jq fails on it (\"Cannot iterate over null\"), so this pipeline breaks on the day on which the first team is wired.",
		Instead: "Write .Items[]? for lists that may be empty, and choose your own origin by its Id.",
		File:    "deploy.sh",
		Bad:     once(`(.Origins.Items[].CustomHeaders.Items[] | select(.HeaderName == "v")).HeaderValue = "2"`),
		Good:    again(`(.Origins.Items[] | select(.Id == "site") | .CustomHeaders.Items[]? | select(.HeaderName == "v")).HeaderValue = "2"`),
	}, {
		ID: "every-entry-edited", Severity: Medium, Title: "Every origin or behavior is changed, also those of originhub",
		Wrong:   "The change reaches the origins and behaviors of the teams. After each run, originhub restores what it manages and publishes Drift Found; the rest stays.",
		Instead: "Choose your own entries by Id or PathPattern. Leave out ids that begin with originhub-.",
		File:    "deploy.sh",
		Bad:     once(".CacheBehaviors.Items[].Compress = true"),
		Good:    again(choose),
	}, {
		ID: "list-rewritten", Severity: High, Title: "The whole list of origins, behaviors or aliases is replaced",
		Wrong:   "Everything that originhub added to the list is gone, and the teams that it served are off the air until the hub has put it back: 30 to 90 seconds in the sandbox, after each run.",
		Instead: "Add or change single entries, chosen by Id, PathPattern or name.",
		File:    "deploy.sh",
		Bad:     once(`.Aliases = {Quantity: 1, Items: ["www.example.com"]}`),
		Good:    again(`.Comment = "one entry"`),
	}, {
		ID: "managed-part-edited", Severity: High, Title: "A part that originhub manages is changed by hand",
		Wrong:   "originhub puts back what it manages and reports the change as Drift Found. Until then the team's traffic follows the change.",
		Instead: "Change the claim (the tags of the VPC origin) or the hub policy; originhub then writes the distribution.",
		File:    "deploy.sh",
		Bad:     once(`(.Origins.Items[] | select(.Id == "originhub-vo_1")).ConnectionTimeout = 5`),
		Good:    "aws cloudfront tag-resource --resource \"$VPC_ORIGIN_ARN\" --tags 'Items=[{Key=originhub:read-timeout,Value=60}]'\n",
	}, {
		ID: "update-without-retry", Severity: Low, Title: "An update does not try again after PreconditionFailed",
		Wrong:   "originhub writes the distribution, too. When it writes between your read and your write, the update fails with PreconditionFailed (412), and so does the pipeline. Nothing is lost.",
		Instead: "On PreconditionFailed, read, change and write again.",
		File:    "deploy.sh",
		Bad:     once(choose),
		Good:    again(choose),
	}}
}

func edgeRules() []Rule {
	const teardown = "aws cloudfront tag-resource --resource \"$VPC_ORIGIN_ARN\" --tags 'Items=[{Key=originhub:teardown,Value=now}]'\n"
	return []Rule{{
		ID: "distribution-disabled", Severity: High, Title: "A distribution is disabled",
		Wrong:   "Every team in the distribution is off the air. originhub reports Drift Found and does not enable a distribution that somebody disabled.",
		Instead: "Take single origins out: their teams tag them originhub:teardown. To keep originhub from writing, pause the distribution.",
		File:    "deploy.sh",
		Bad:     once(".Enabled = false"),
		Good:    teardown,
	}, {
		ID: "distribution-deleted", Severity: High, Title: "A distribution is deleted",
		Wrong:   "Every team in the distribution is off the air, its origins stay shared with the hub, and a new distribution has another domain name.",
		Instead: "Tear down each origin in it, remove its id from distribution.adopt of the hub policy, deploy the hub, and then delete the distribution.",
		File:    "deploy.sh",
		Bad:     "aws cloudfront delete-distribution --id \"$DIST\" --if-match \"$ETAG\"\n",
		Good:    teardown,
	}, {
		ID: "alias-moved", Severity: High, Title: "An alias is moved between distributions by hand",
		Wrong:   "The host leaves the distribution that originhub writes, or enters it. The team's host answers from elsewhere at once, and the next update of the hub fails with CNAMEAlreadyExists.",
		Instead: "Change the host that the team claims (tag originhub:host): originhub moves alias and DNS record. Hosts that no team may claim belong in reservedHosts of the hub policy.",
		File:    "deploy.sh",
		Bad:     "aws cloudfront associate-alias --target-distribution-id \"$NEW\" --alias \"$HOST\"\n",
		Good:    "aws cloudfront tag-resource --resource \"$VPC_ORIGIN_ARN\" --tags 'Items=[{Key=originhub:host,Value=app.example.com}]'\n",
	}, {
		ID: "distribution-copied", Severity: Medium, Title: "A distribution is copied with the origins of teams",
		Wrong:   "The copy uses the teams' VPC origins. A teardown of such an origin is blocked until somebody takes it out of the copy, and originhub reports the copy as a side door.",
		Instead: "Create a separate distribution for tests, without the origins whose ids begin with originhub-.",
		File:    "deploy.sh",
		Bad:     "aws cloudfront copy-distribution --primary-distribution-id \"$DIST\" --if-match \"$ETAG\" --staging --caller-reference \"$REF\"\n",
		Good:    "aws cloudfront create-distribution --distribution-config file://test.json\n",
	}, {
		ID: "staging-promoted", Severity: High, Title: "The configuration of a staging distribution replaces the live one",
		Wrong:   "The staging distribution has the origins and behaviors of the moment when it was copied. What originhub added to the live one since then is gone until the hub has put it back.",
		Instead: "Apply the tested change to the live configuration as it is now.",
		File:    "deploy.sh",
		Bad:     "aws cloudfront update-distribution-with-staging-config --id \"$DIST\" --staging-distribution-id \"$STAGING\" --if-match \"$ETAG, $STAGING_ETAG\"\n",
		Good:    again(`(.CacheBehaviors.Items[] | select(.PathPattern == "/app/*")).Compress = true`),
	}, {
		ID: "vpc-origin-deleted", Severity: High, Title: "A VPC origin is deleted by hand",
		Wrong:   "CloudFront refuses the call (CannotDeleteEntityWhileInUse) while a distribution uses the origin. If nothing uses it at that moment, it is gone while the hub still counts on it, and nothing proves that its network interfaces are released.",
		Instead: "Tag the VPC origin originhub:teardown. originhub detaches, unshares and deletes it, and verifies that nothing is left.",
		File:    "deploy.sh",
		Bad:     "aws cloudfront delete-vpc-origin --id \"$VO\" --if-match \"$ETAG\"\n",
		Good:    teardown,
	}, {
		ID: "vpc-origin-replaced", Severity: High, Title: "A VPC origin of a distribution is exchanged or wired by hand",
		Wrong:   "The hub's origin keeps its id and leads to another VPC origin, so the hub changes it back. A later deletion of the old VPC origin is refused, because the hub counts on it.",
		Instead: "Create and share the new VPC origin with the same claim, and tag the old one originhub:teardown. originhub wires both and takes out the old one.",
		File:    "deploy.sh",
		Bad:     once(`.Origins.Items[0].VpcOriginConfig.VpcOriginId = "vo_new"`),
		Good:    teardown,
	}, {
		ID: "vpc-origin-changed", Severity: Low, Title: "A VPC origin is updated while it may be in use",
		Wrong:   "CloudFront refuses the call (CannotUpdateEntityWhileInUse) while a distribution uses the origin, and once originhub has wired the origin, one does.",
		Instead: "Create and share a second VPC origin with the same claim, and tag the first one originhub:teardown.",
		File:    "deploy.sh",
		Bad:     "aws cloudfront update-vpc-origin --id \"$VO\" --if-match \"$ETAG\" --vpc-origin-endpoint-config file://endpoint.json\n",
		Good:    "aws cloudfront create-vpc-origin --vpc-origin-endpoint-config file://endpoint.json\n",
	}, {
		ID: "claim-tag-removed", Severity: Medium, Title: "A claim tag is removed from a VPC origin",
		Wrong:   "Without its tags the origin claims nothing that the policy grants. originhub takes it out as withdrawn, and its hosts stop answering.",
		Instead: "Set another value, or tag the origin originhub:teardown.",
		File:    "deploy.sh",
		Bad:     "aws cloudfront untag-resource --resource \"$VPC_ORIGIN_ARN\" --tag-keys 'Items=[originhub:host]'\n",
		Good:    teardown,
	}, {
		ID: "unresolved-operation", Severity: High, Title: "The operation of a call cannot be resolved",
		Wrong:   "The call may be one that another rule is about. Nothing in the repository says which operation it is.",
		Instead: "Write the operation in the script.",
		File:    "deploy.sh",
		Bad:     "aws cloudfront \"$1\" --id \"$DIST\"\n",
		Good:    "aws cloudfront create-invalidation --distribution-id \"$DIST\" --paths '/*'\n",
	}}
}
