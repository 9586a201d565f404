package pipeline

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// deployments is what the pipelines of the repository deploy and destroy, by tool.
type deployments struct {
	deploys  map[string]bool
	declared map[string]bool // languages with a distribution, a VPC origin or its share
	templ    bool            // a template has a distribution
	// Directories of Terraform: all, those with one of these resources, and the modules that each uses.
	dirs, with map[string]bool
	uses       map[string][]string
	applied    []*Act // calls of Terraform
}

// holds reports whether what Terraform deploys from a directory has one of these resources, and whether that is known. The directory
// may be seen from the root of the repository or from that of a file.
func (d deployments) holds(a *Act) (holds, known bool) {
	dir, known := d.directory(a)
	if dir == "" {
		return true, known
	}
	for module := range d.modules(dir, map[string]bool{}) {
		holds = holds || d.with[module]
	}
	return holds, true
}

// directory returns the directory with Terraform files from which a call deploys, or "" if there is none of that name.
func (d deployments) directory(a *Act) (dir string, known bool) {
	if a.Dir == unknown {
		return "", false
	}
	for _, dir := range []string{path.Join(".", a.Dir), path.Join(path.Dir(a.At.File), a.Dir)} {
		if d.dirs[dir] {
			return dir, true
		}
	}
	return "", true
}

// modules returns a directory with those of the modules that it uses.
func (d deployments) modules(dir string, done map[string]bool) map[string]bool {
	if !done[dir] {
		done[dir] = true
		for _, m := range d.uses[dir] {
			d.modules(m, done)
		}
	}
	return done
}

// applies reports whether a pipeline deploys the Terraform files of a directory, as far as that is known.
func (d deployments) applies(file string) bool {
	return slices.ContainsFunc(d.applied, func(a *Act) bool {
		dir, _ := d.directory(a)
		return dir == "" || d.modules(dir, map[string]bool{})[path.Dir(file)]
	})
}

// ofDeclaration decides about a resource that a file declares.
//
//	resource            declared in        and                                       rule
//	distribution        Terraform          does not ignore what originhub adds       terraform-owns-distribution
//	                    a template, CDK                                              stack-owns-distribution
//	                                       a template in the repository has it, too  nothing about CDK
//	                    anywhere           one of its origins is a VPC origin        vpc-origin-wired-by-hand, too; low if a variable decides
//	RAM invitation      Terraform                                                    terraform-accepts-invitation; low if its file is about other resources
//	VPC origin          Terraform          does not ignore its teardown tag          teardown-tag-removed
//	                    a template                                                   nothing: teams share origins so
//	share                                                                            nothing, for the same reason
//
// The confidence is medium if a pipeline of the repository deploys with that tool (Terraform: from that directory), and else low.
func ofDeclaration(d Declaration, all deployments) (hits []hit) {
	h := hit{at: d.At, severity: High, confidence: Unsure, fix: d.Fix, target: target{aliases: d.Aliases}}
	switch {
	case d.Language == "terraform" && !all.applies(d.At.File):
	case all.deploys[tool(d.Language)], d.Language == "template" && all.deploys["cdk"]:
		h.confidence = Likely
	}
	switch {
	case d.Type == "RAM invitation":
		h.rule, h.does, h.confidence, h.fix = "terraform-accepts-invitation", d.Name+" accepts an invitation", Likely, nil
		if d.Other {
			h.confidence = Unsure
		}
		return []hit{h}
	case d.Type == "AWS::CloudFront::VpcOrigin" && d.Language == "terraform" && !slices.Contains(d.Ignored, "all") && !slices.Contains(d.Ignored, "tags"):
		h.rule, h.does = "teardown-tag-removed", d.Name+" has its tags, and an apply removes all others"
		return []hit{h}
	case d.Type != "AWS::CloudFront::Distribution":
		return nil
	}
	if d.Wired {
		w := h
		w.rule, w.does, w.confidence, w.fix = "vpc-origin-wired-by-hand", strings.TrimSpace("distribution "+d.Name)+" has a VPC origin among its origins", max(h.confidence, Likely), nil
		if d.Maybe {
			w.confidence = Unsure
		}
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
//	           Terraform: in another directory than it runs in       nothing; a directory that is not resolved: low confidence
//	           none; its name contains cdn, edge or alike            destroy-without-teardown, low confidence
//	deploy     a distribution                                        nothing: the finding is where it is declared
//	           none; its name contains cdn, edge or alike            stack-owns-distribution, medium confidence
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
	if a.Service == "terraform" && operation == "destroy" {
		holds, known := all.holds(a)
		if !holds || strings.Contains(a.At.File, "localstack") {
			return nil
		}
		if !known {
			h.confidence = Unsure
		}
	}
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
	all := deployments{deploys: map[string]bool{}, declared: map[string]bool{}, dirs: map[string]bool{}, with: map[string]bool{}, uses: map[string][]string{}}
	for _, r := range results {
		if r == nil {
			continue
		}
		all.terraform(r)
		for _, d := range r.decls {
			if d.Type == "RAM invitation" {
				continue
			}
			all.declared[tool(d.Language)] = true
			all.templ = all.templ || d.Language == "template" && d.Type == "AWS::CloudFront::Distribution"
		}
		all.deployed(r)
	}
	return all
}

// terraform adds the directories and modules that a file shows.
func (d deployments) terraform(r *run) {
	for _, dir := range r.dirs {
		d.dirs[dir] = true
	}
	for dir, modules := range r.uses {
		d.uses[dir] = append(d.uses[dir], modules...)
	}
	for _, decl := range r.decls {
		if decl.Language == "terraform" && decl.Type != "RAM invitation" {
			d.with[path.Dir(decl.At.File)] = true
		}
	}
}

// deployed adds the calls that deploy.
func (d *deployments) deployed(r *run) {
	for _, j := range r.jobs {
		for _, a := range j.Acts {
			switch a.Service {
			case "terraform":
				d.applied = append(d.applied, a)
				fallthrough
			case "cloudformation", "cdk":
				d.deploys[a.Service] = true
			}
		}
	}
}
