package pipeline

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// hit is what a rule says about a place, before it is graded.
type hit struct {
	rule       string
	at         Position
	does       string
	confidence Confidence
	severity   Severity // the least of this and the rule's
	target     target
	fix        *Fix
	act        *Act // the call that it is about; nil for a declaration
}

// target is what a step changes, by which the hub policy grades it.
type target struct {
	distribution *Value
	alias        *Value
	aliases      []string
	account      string
}

// ofJob decides about the calls of one job, in order.
//
//	call                                     and                                          rule
//	update-distribution                      its document                                 see ofUpdate
//	delete-distribution                                                                   distribution-deleted
//	associate-alias,
//	update-domain-association                                                             alias-moved
//	copy-distribution                                                                     distribution-copied
//	update-distribution-with-staging-config                                               staging-promoted
//	delete-vpc-origin                                                                     vpc-origin-deleted
//	update-vpc-origin                                                                     vpc-origin-changed
//	untag-resource                           a tag originhub:* other than teardown        claim-tag-removed
//	disassociate- or delete-resource-share   for each share of the account                every-share-deleted
//	                                         a deletion of a VPC origin follows           wrong-order
//	                                         otherwise                                    share-revoked
//	accept- or reject-…-invitation                                                        invitation-answered
//	shares and invitations                   the file is about other resources            low confidence
//	an operation that is not resolved                                                     unresolved-operation
func ofJob(j *Job) (hits []hit) {
	for i, a := range j.Acts {
		h := hit{at: a.At, confidence: a.Sure, severity: High, act: a, target: target{account: a.Account}}
		id, _ := a.Option("--id", "--distribution-id", "--primary-distribution-id")
		switch a.Operation {
		case "update-distribution":
			hits = append(hits, ofUpdate(j, i)...)
			continue
		case "delete-distribution":
			h.rule, h.does, h.target.distribution = "distribution-deleted", "deletes distribution "+shown(id), &id
		case "associate-alias", "update-domain-association":
			alias, _ := a.Option("--alias", "--domain")
			h.rule, h.does, h.target.alias = "alias-moved", fmt.Sprintf("moves alias %s to another distribution", shown(alias)), &alias
		case "copy-distribution":
			h.rule, h.does, h.target.distribution = "distribution-copied", "copies distribution "+shown(id), &id
		case "update-distribution-with-staging-config":
			h.rule, h.does, h.target.distribution = "staging-promoted", "writes the configuration of a staging distribution over distribution "+shown(id), &id
		case "delete-vpc-origin":
			h.rule, h.does = "vpc-origin-deleted", "deletes VPC origin "+shown(id)
		case "update-vpc-origin":
			h.rule, h.does = "vpc-origin-changed", "updates VPC origin "+shown(id)
		case "untag-resource":
			keys, _ := a.Option("--tag-keys")
			if !strings.Contains(strings.ReplaceAll(keys.Text, "originhub:teardown", ""), "originhub:") {
				continue
			}
			h.rule, h.does = "claim-tag-removed", "removes the tags "+keys.Shown
		case "disassociate-resource-share", "delete-resource-share":
			h = ofShare(j, i, h)
		case "accept-resource-share-invitation", "reject-resource-share-invitation":
			verb, _, _ := strings.Cut(a.Operation, "-")
			h.rule, h.does = "invitation-answered", verb+"s an invitation to a share"
			if a.Other {
				h.confidence = Unsure
			}
		case "unresolved":
			h.rule, h.does = "unresolved-operation", "calls an operation of "+a.Service+" that the audit cannot resolve"
		default:
			continue
		}
		hits = append(hits, h)
	}
	return hits
}

func shown(v Value) string {
	if s := strings.TrimSpace(strings.ReplaceAll(v.Shown, unknown, "…")); s != "" && len(s) < 80 {
		return s
	}
	return "(not resolved)"
}

// otherResources are words in the arguments of a share that holds something else than VPC origins.
var otherResources = regexp.MustCompile(`(?i)transit[-_ ]?gateway|tgw|lattice|:subnet|subnet-|resolver|license-manager|prefix[-_]list|ipam|:ssm:|parameter/`)

func ofShare(j *Job, i int, h hit) hit {
	a := j.Acts[i]
	share, _ := a.Option("--resource-share-arn")
	h.does = "deletes share " + shown(share)
	if a.Operation == "disassociate-resource-share" {
		h.does = "takes principals or resources out of share " + shown(share)
	}
	arns, _ := a.Option("--resource-arns")
	if !share.Known() && a.Account == "" {
		h.confidence = min(h.confidence, Likely)
	}
	if a.Other || otherResources.MatchString(share.Shown+arns.Shown) {
		h.confidence = Unsure
	}
	follows := slices.ContainsFunc(j.Acts[i+1:], func(b *Act) bool { return b.Operation == "delete-vpc-origin" })
	switch {
	case a.Every != nil && a.Every.Service == "ram" && !filtered(a.Every):
		h.rule, h.does, h.confidence = "every-share-deleted", "deletes each share of the account", a.Sure
	case follows:
		h.rule, h.does, h.confidence = "wrong-order", h.does+", and a VPC origin is deleted after that", a.Sure
	default:
		h.rule = "share-revoked"
	}
	return h
}

// filtered reports whether a list holds only chosen shares.
func filtered(list *Act) bool {
	query, _ := list.Option("--query")
	_, chosen := list.Option("--name", "--resource-share-arns", "--tag-filters", "--permission-arn")
	return chosen || strings.Contains(query.Text, "?")
}

// ofUpdate decides about one update of a distribution, by where its document comes from and what was changed in it.
//
//	document                            and                                               rule
//	no answer of this job is in it      a file or a text is                               kept-document
//	                                    nothing is known of it                            kept-document, low confidence
//	an answer is in it                  the ETag is from another one, read later          split-read
//	                                    the ETag is from another one, read before         split-read, medium
//	                                    an edit                                           see ofEdit
//	                                    no other finding, and nothing repeats the update  update-without-retry
//
// An update without --distribution-config, such as one with --default-root-object, is not judged: the AWS CLI itself reads the configuration, changes
// one setting and writes it.
func ofUpdate(j *Job, i int) (hits []hit) {
	a := j.Acts[i]
	id, _ := a.Option("--id")
	config, ok := a.Option("--distribution-config", "--cli-input-json", "--cli-input-yaml")
	if !ok {
		return nil
	}
	base := hit{at: a.At, confidence: a.Sure, severity: High, act: a, target: target{distribution: &id, account: a.Account}}
	doc := config.Doc
	if doc == nil || len(doc.Reads) == 0 {
		return append(hits, kept(base, config, id))
	}
	etag, _ := a.Option("--if-match")
	if etag.Doc != nil && len(etag.Doc.Reads) > 0 && !slices.ContainsFunc(etag.Doc.Reads, func(r *Act) bool { return slices.Contains(doc.Reads, r) }) {
		h := base
		h.rule, h.does = "split-read", fmt.Sprintf("writes distribution %s with an ETag that was read after its document", shown(id))
		if slices.Index(j.Acts, etag.Doc.Reads[0]) < slices.Index(j.Acts, doc.Reads[0]) {
			h.severity, h.does = Medium, fmt.Sprintf("writes distribution %s with an ETag that was read before its document, by another call", shown(id))
		}
		hits = append(hits, h)
	}
	for _, e := range doc.Edits {
		if h, ok := ofEdit(e); ok {
			h.act, h.target, h.confidence = a, base.target, min(h.confidence, a.Sure)
			hits = append(hits, h)
		}
	}
	if !a.Looped && !slices.ContainsFunc(hits, func(h hit) bool { return h.rule != "origin-by-index" }) {
		h := base
		h.rule, h.does = "update-without-retry", fmt.Sprintf("writes distribution %s once, and does not try again after PreconditionFailed", shown(id))
		hits = append(hits, h)
	}
	return hits
}

func kept(h hit, config, id Value) hit {
	h.rule = "kept-document"
	switch {
	case config.Doc != nil && len(config.Doc.Kept) > 0:
		h.does = fmt.Sprintf("writes %s over distribution %s; nothing in this job read it from CloudFront", strings.Join(config.Doc.Kept, " and "), shown(id))
		if config.Doc.Opaque {
			h.confidence = min(h.confidence, Likely)
		}
	case config.Doc == nil && config.Known() && strings.Contains(config.Text, "{"):
		h.does = "overwrites distribution " + shown(id) + " with a document written in the command"
	default:
		h.does = fmt.Sprintf("overwrites distribution %s with a document; the audit could not see where it comes from", shown(id))
		h.confidence = Unsure
	}
	return h
}

// emptyLists are lists that an origin or a behavior of originhub has without Items.
var emptyLists = []string{"CustomHeaders", "LambdaFunctionAssociations", "FunctionAssociations", "TrustedKeyGroups", "TrustedSigners"}

// ofEdit decides about one edit of a document that is written. The first row that fits counts.
//
//	path                                              operation            rule
//	…"originhub-"… in a condition                     any change           managed-part-edited
//	{Origins,CacheBehaviors}.Items[].(list).Items[]   any, also a read     unguarded-items, unless [] has a ? or a condition chose the entry
//	…VpcOriginConfig…                                 any change           vpc-origin-replaced
//	CacheBehaviors.Items[N]                           any change           behavior-by-index
//	Origins.Items[N]                                  any change           origin-by-index
//	Enabled                                           = false              distribution-disabled; another value: low confidence
//	{Origins,CacheBehaviors,Aliases}(.Items)          =, deletion          list-rewritten; by a program: low confidence, unless it is a literal
//	{Origins,CacheBehaviors}.Items[]…                 any change           every-entry-edited
func ofEdit(e Edit) (hit, bool) {
	h := hit{at: e.At, severity: High, confidence: Certain}
	where := pathText(e.Path)
	changes := e.Op != Access
	switch {
	case changes && slices.ContainsFunc(e.Path, func(s Step) bool { return s.Kind == Selected && strings.Contains(s.Name, "originhub-") }):
		h.rule, h.does = "managed-part-edited", "changes "+where+", which originhub manages"
	case unguarded(e.Path):
		h.rule, h.does = "unguarded-items", "iterates over "+where+", which an origin or a behavior of originhub does not have"
		h.fix = guard(e)
	case !changes:
		return h, false
	case has(e.Path, "VpcOriginConfig") || has(e.Path, "VpcOriginId"):
		h.rule, h.does = "vpc-origin-replaced", "sets "+where+" by hand"
	case followed(e.Path, "CacheBehaviors", Indexed):
		h.rule, h.does = "behavior-by-index", "changes "+where
	case followed(e.Path, "Origins", Indexed):
		h.rule, h.does = "origin-by-index", "changes "+where
	case last(e.Path).Name == "Enabled" && onlyTop(e.Path[:len(e.Path)-1]):
		return enabled(h, e)
	case whole(e):
		h.rule, h.does = "list-rewritten", "replaces the whole of "+where
		if e.Source == "" && e.Op == Assign && e.Value != "[" && e.Value != "{" && e.Value != "dict" {
			h.confidence = Unsure
		}
	case followed(e.Path, "Origins", Each) || followed(e.Path, "CacheBehaviors", Each):
		h.rule, h.does = "every-entry-edited", "changes "+where
	default:
		return h, false
	}
	return h, true
}

func enabled(h hit, e Edit) (hit, bool) {
	h.rule, h.does = "distribution-disabled", "sets Enabled to false"
	value := strings.ToLower(e.Value)
	switch {
	case e.Op == Delete || value == "true":
		return h, false
	case value != "false":
		h.does, h.confidence = "sets Enabled to a value that may be false", Unsure
	}
	return h, true
}

func pathText(path []Step) string {
	var b strings.Builder
	for _, s := range path {
		if s.Name == "DistributionConfig" || s.Name == "Distribution" {
			continue
		}
		b.WriteString(s.String())
	}
	return strings.TrimPrefix(strings.ReplaceAll(b.String(), "{}", ""), ".")
}

func has(path []Step, name string) bool {
	return slices.ContainsFunc(path, func(s Step) bool { return s.Kind == Named && s.Name == name })
}

func last(path []Step) Step { return path[len(path)-1] }

func onlyTop(path []Step) bool {
	return !slices.ContainsFunc(path, func(s Step) bool { return s.Name != "DistributionConfig" && s.Name != "Distribution" })
}

// followed reports whether a path has a list of that name and then a step of that kind into its items, which no condition follows.
func followed(path []Step, list string, kind StepKind) bool {
	for i := 0; i+2 < len(path); i++ {
		if path[i].Name == list && path[i].Kind == Named && path[i+1].Name == "Items" && path[i+2].Kind == kind {
			return kind == Indexed || !slices.ContainsFunc(path[i+3:], func(s Step) bool { return s.Kind == Selected })
		}
	}
	return false
}

// unguarded reports whether a path iterates, in each origin or behavior, over items that may not be there.
func unguarded(path []Step) bool {
	for i := 0; i+5 < len(path); i++ {
		if (path[i].Name != "Origins" && path[i].Name != "CacheBehaviors") || path[i+1].Name != "Items" || path[i+2].Kind != Each {
			continue
		}
		for k := i + 3; k+2 < len(path); k++ {
			if path[k].Kind == Selected {
				break
			}
			if slices.Contains(emptyLists, path[k].Name) && path[k+1].Name == "Items" && !path[k+1].Optional && path[k+2].Kind == Each && !path[k+2].Optional {
				return true
			}
		}
	}
	return false
}

// guard is the fix of an iteration over items that may not be there.
func guard(e Edit) *Fix {
	for _, list := range emptyLists {
		if old := list + ".Items[]"; strings.Count(e.Source, old) == 1 && has(e.Path, list) {
			return &Fix{File: e.At.File, Line: e.At.Line, Old: old, New: old + "?"}
		}
	}
	return nil
}

// whole reports whether an edit replaces or deletes a whole list.
func whole(e Edit) bool {
	path := e.Path
	if e.Op != Assign && e.Op != Delete {
		return false
	}
	if last(path).Name == "Items" && last(path).Kind == Named && len(path) > 1 {
		path = path[:len(path)-1]
	}
	return slices.Contains([]string{"Origins", "CacheBehaviors", "Aliases"}, last(path).Name) && last(path).Kind == Named && onlyTop(path[:len(path)-1])
}
