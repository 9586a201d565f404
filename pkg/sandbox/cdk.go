package sandbox

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// manifest is the manifest.json of a CDK cloud assembly, as far as it matters here.
// https://docs.aws.amazon.com/cdk/v2/guide/deploy.html (cloud assembly); aws-cdk-lib/cloud-assembly-schema
type manifest struct {
	Artifacts map[string]artifact `json:"artifacts"`
}

type artifact struct {
	Type         string   `json:"type"`
	Environment  string   `json:"environment"`
	Dependencies []string `json:"dependencies"`
	Properties   struct {
		TemplateFile  string            `json:"templateFile"`
		StackName     string            `json:"stackName"`
		Parameters    map[string]string `json:"parameters"`
		File          string            `json:"file"`
		DirectoryName string            `json:"directoryName"`
	} `json:"properties"`
}

type assetManifest struct {
	Files map[string]struct {
		Source struct {
			Path string `json:"path"`
		} `json:"source"`
		Destinations map[string]struct {
			ObjectKey string `json:"objectKey"`
		} `json:"destinations"`
	} `json:"files"`
}

// DeployAssembly deploys every stack of a CDK cloud assembly, in the order of their dependencies. A stack without an
// account goes to the first account of the options, one without a Region to us-east-1. parameters holds values of template
// parameters, by stack and name; they count more than those that the assembly holds.
func (s *Sandbox) DeployAssembly(dir string, parameters map[string]map[string]string) error {
	deployed, err := s.deployAssembly(dir, parameters)
	if err != nil {
		return err
	}
	for _, stack := range slices.Sorted(maps.Keys(parameters)) {
		if !slices.Contains(deployed, stack) {
			return fmt.Errorf("deploy assembly %s: parameters are given for stack %s, but the stacks are %s",
				dir, stack, strings.Join(deployed, ", "))
		}
	}
	return nil
}

// deployAssembly answers the names of the stacks.
func (s *Sandbox) deployAssembly(dir string, parameters map[string]map[string]string) ([]string, error) {
	var m manifest
	if err := readJSON(filepath.Join(dir, "manifest.json"), &m); err != nil {
		return nil, fmt.Errorf("read assembly: %w", err)
	}
	for _, id := range slices.Sorted(maps.Keys(m.Artifacts)) {
		a := m.Artifacts[id]
		if a.Type != "cdk:asset-manifest" {
			continue
		}
		if err := s.addAssets(dir, a.Properties.File); err != nil {
			return nil, fmt.Errorf("read assembly: %w", err)
		}
	}
	order, err := m.order()
	if err != nil {
		return nil, fmt.Errorf("read assembly %s: %w", dir, err)
	}
	var deployed []string
	for _, id := range order {
		a := m.Artifacts[id]
		switch a.Type {
		case "cdk:cloud-assembly":
			inner, err := s.deployAssembly(filepath.Join(dir, a.Properties.DirectoryName), parameters)
			if err != nil {
				return nil, err
			}
			deployed = append(deployed, inner...)
		case "aws:cloudformation:stack":
			stack := orElse(a.Properties.StackName, id)
			values := maps.Clone(a.Properties.Parameters)
			if values == nil {
				values = map[string]string{}
			}
			maps.Copy(values, parameters[stack])
			if err := s.deployArtifact(dir, stack, a, values); err != nil {
				return nil, err
			}
			deployed = append(deployed, stack)
		}
	}
	return deployed, nil
}

func (s *Sandbox) addAssets(dir, file string) error {
	var assets assetManifest
	if err := readJSON(filepath.Join(dir, file), &assets); err != nil {
		return err
	}
	for _, f := range assets.Files {
		for _, d := range f.Destinations {
			s.assets.add(d.ObjectKey, filepath.Join(dir, f.Source.Path))
		}
	}
	return nil
}

func (s *Sandbox) deployArtifact(dir, stack string, a artifact, parameters map[string]string) error {
	// "aws://123456789012/eu-west-1"; "unknown-account" and "unknown-region" where the app leaves it open.
	account, region, ok := strings.Cut(strings.TrimPrefix(a.Environment, "aws://"), "/")
	if !ok {
		return fmt.Errorf("deploy stack %s: environment %q is not aws://<account>/<region>", stack, a.Environment)
	}
	if account == "unknown-account" {
		if s.firstAccount == "" {
			return fmt.Errorf("deploy stack %s: neither the app nor the sandbox names an account", stack)
		}
		account = s.firstAccount
	}
	if region == "unknown-region" {
		region = "us-east-1"
	}
	template, err := os.ReadFile(filepath.Join(dir, a.Properties.TemplateFile))
	if err != nil {
		return fmt.Errorf("deploy stack %s: %w", stack, err)
	}
	_, err = s.Deploy(account, region, stack, template, parameters)
	return err
}

// order sorts the artifacts so that each comes after those it depends on.
func (m manifest) order() ([]string, error) {
	const underWay, done = 1, 2
	var order []string
	state := map[string]int{}
	var visit func(id string) error
	visit = func(id string) error {
		switch state[id] {
		case underWay:
			return fmt.Errorf("artifact %s depends on itself", id)
		case done:
			return nil
		}
		a, ok := m.Artifacts[id]
		if !ok {
			return fmt.Errorf("artifact %s is depended on but absent", id)
		}
		state[id] = underWay
		for _, d := range slices.Sorted(slices.Values(a.Dependencies)) {
			if err := visit(d); err != nil {
				return err
			}
		}
		state[id] = done
		order = append(order, id)
		return nil
	}
	for _, id := range slices.Sorted(maps.Keys(m.Artifacts)) {
		if err := visit(id); err != nil {
			return nil, err
		}
	}
	return order, nil
}

func readJSON(file string, into any) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}
