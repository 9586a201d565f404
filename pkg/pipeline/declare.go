package pipeline

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// deployments is what the pipelines of the repository deploy and destroy, by tool.
type deployments struct {
	deploys  map[string]bool
	declared map[string]bool // languages with a distribution, a VPC origin or its share
	templ    bool            // a template has a distribution
}

// ofDeclaration decides about a resource that a file declares.
//
//	resource            declared in        and                                       rule
//	distribution        Terraform          does not ignore what originhub adds       terraform-owns-distribution
//	                    a template, CDK                                              stack-owns-distribution
//	                                       a template in the repository has it, too  nothing about CDK
//	                    anywhere           one of its origins is a VPC origin        vpc-origin-wired-by-hand, too
//	RAM invitation      Terraform                                                    terraform-accepts-invitation
//	VPC origin, share                                                                nothing: teams share origins so
//
// The confidence is medium if a pipeline of the repository deploys with that tool, and else low.
func ofDeclaration(d Declaration, all deployments) (hits []hit) {
	h := hit{at: d.At, severity: High, confidence: Unsure, fix: d.Fix, target: target{aliases: d.Aliases}}
	if all.deploys[tool(d.Language)] || d.Language == "template" && all.deploys["cdk"] {
		h.confidence = Likely
	}
	switch {
	case d.Type == "RAM invitation":
		h.rule, h.does, h.confidence, h.fix = "terraform-accepts-invitation", d.Name+" accepts an invitation", Likely, nil
		return []hit{h}
	case d.Type != "AWS::CloudFront::Distribution":
		return nil
	}
	if d.Wired {
		w := h
		w.rule, w.does, w.confidence, w.fix = "vpc-origin-wired-by-hand", strings.TrimSpace("distribution "+d.Name)+" has a VPC origin among its origins", max(h.confidence, Likely), nil
		hits = append(hits, w)
	}
	switch {
	case d.Language == "terraform" && d.leaves(), d.Language == "cdk" && all.templ:
		return hits
	case d.Language == "terraform":
		h.rule, h.does = "terraform-owns-distribution", d.Name+" has the whole configuration of a distribution"
	default:
		h.rule, h.does, h.fix = "stack-owns-distribution", strings.TrimSpace(fmt.Sprintf("the stack has the whole configuration of distribution %s", d.Name)), nil
	}
	return append(hits, h)
}

func tool(language string) string {
	return map[string]string{"terraform": "terraform", "cdk": "cdk", "template": "cloudformation"}[language]
}

// aboutEdge are names of stacks that hold what stands at the edge.
var aboutEdge = regexp.MustCompile(`(?i)edge|cdn|cloud-?front|distribution|vpc-?origin`)

// ofDeployment decides about a call that deploys or destroys a whole stack.
//
//	call       the repository declares, in the tool's language       rule
//	destroy    a distribution, a VPC origin or its share             destroy-without-teardown, medium confidence
//	           none; the stack is called after the edge              destroy-without-teardown, low confidence
//	deploy     a distribution                                        nothing: the finding is where it is declared
//	           none; the stack is called after the edge              stack-owns-distribution, medium confidence
func ofDeployment(a *Act, all deployments) (hits []hit) {
	operation := map[string]string{
		"deploy": "deploy", "destroy": "destroy", "delete-stack": "destroy", "create-stack": "deploy", "update-stack": "deploy", "create-change-set": "deploy", "execute-change-set": "deploy",
	}[a.Operation]
	if operation == "" || !slices.Contains([]string{"cloudformation", "cdk", "terraform"}, a.Service) {
		return nil
	}
	stack, _ := a.Option("stack", "--stack-name")
	declared := all.declared[a.Service] || a.Service == "cdk" && all.declared["cloudformation"]
	h := hit{at: a.At, severity: High, confidence: min(a.Sure, Likely), act: a, target: target{account: a.Account}}
	named := aboutEdge.MatchString(stack.Shown)
	switch {
	case operation == "destroy" && (declared || named):
		h.rule, h.does = "destroy-without-teardown", strings.TrimSpace(fmt.Sprintf("destroys a stack by %s: %s", a.Service, shown(stack)))
		if !declared {
			h.confidence = Unsure
		}
	case operation == "deploy" && !declared && named && a.Service != "terraform":
		h.rule, h.does = "stack-owns-distribution", fmt.Sprintf("deploys stack %s, whose template is not in the repository and which is named as if it held a distribution", shown(stack))
	default:
		return nil
	}
	return []hit{h}
}

// known collects what the repository declares and deploys.
func known(results []*run) deployments {
	all := deployments{deploys: map[string]bool{}, declared: map[string]bool{}}
	for _, r := range results {
		if r == nil {
			continue
		}
		for _, d := range r.decls {
			if d.Type == "RAM invitation" {
				continue
			}
			all.declared[tool(d.Language)] = true
			all.templ = all.templ || d.Language == "template" && d.Type == "AWS::CloudFront::Distribution"
		}
		for _, j := range r.jobs {
			for _, a := range j.Acts {
				if a.Service == "cloudformation" || a.Service == "cdk" || a.Service == "terraform" {
					all.deploys[a.Service] = true
				}
			}
		}
	}
	return all
}
