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

// manifest is the part of a CDK cloud assembly's manifest.json that the sandbox reads. The format is that of
// aws-cdk-lib/cloud-assembly-schema.
// https://docs.aws.amazon.com/cdk/v2/guide/deploy.html
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

// Assembly is a CDK cloud assembly, with parameters and target accounts.
type Assembly struct {
	Dir string
	// Parameters are values of template parameters, by stack and name. They override those of the assembly.
	Parameters map[string]map[string]string
	// Accounts are the target accounts of each stack. A stack that is not in Accounts is not deployed. If Accounts is empty,
	// every stack goes where the app says; a stack without an account goes to the first account of the options, and one without a
	// Region to us-east-1.
	Accounts map[string][]string
}

// DeployAssembly deploys the stacks of an assembly in the order of their dependencies.
func (s *Sandbox) DeployAssembly(a Assembly) error {
	stacks, err := s.deployAssembly(a, a.Dir)
	if err != nil {
		return err
	}
	if len(stacks) == 0 {
		return fmt.Errorf("deploy assembly %s: its manifest.json has no stack; synthesize the app again, or name the directory that cdk synth wrote", a.Dir)
	}
	for _, stack := range slices.Concat(slices.Sorted(maps.Keys(a.Parameters)), slices.Sorted(maps.Keys(a.Accounts))) {
		if !slices.Contains(stacks, stack) {
			return fmt.Errorf("deploy assembly %s: it has no stack %s; its stacks are %s", a.Dir, stack, strings.Join(stacks, ", "))
		}
	}
	return nil
}

// deployAssembly returns the names of all stacks.
func (s *Sandbox) deployAssembly(assembly Assembly, dir string) ([]string, error) {
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
	var stacks []string
	for _, id := range order {
		a := m.Artifacts[id]
		switch a.Type {
		case "cdk:cloud-assembly":
			inner, err := s.deployAssembly(assembly, filepath.Join(dir, a.Properties.DirectoryName))
			if err != nil {
				return nil, err
			}
			stacks = append(stacks, inner...)
		case "aws:cloudformation:stack":
			stack := orElse(a.Properties.StackName, id)
			stacks = append(stacks, stack)
			if err := s.deployStack(assembly, dir, stack, a); err != nil {
				return nil, err
			}
		}
	}
	return stacks, nil
}

// deployStack deploys a stack into each of its target accounts.
func (s *Sandbox) deployStack(assembly Assembly, dir, stack string, a artifact) error {
	parameters := map[string]string{}
	maps.Copy(parameters, a.Properties.Parameters)
	maps.Copy(parameters, assembly.Parameters[stack])
	if len(assembly.Accounts) == 0 {
		return s.deployArtifact(dir, stack, a, parameters)
	}
	_, region, _ := strings.Cut(strings.TrimPrefix(a.Environment, "aws://"), "/")
	for _, account := range assembly.Accounts[stack] {
		a.Environment = "aws://" + account + "/" + region
		if err := s.deployArtifact(dir, stack, a, parameters); err != nil {
			return err
		}
	}
	return nil
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
	// An environment is "aws://123456789012/eu-west-1". It has "unknown-account" and "unknown-region" where the app does not set
	// them.
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
			return fmt.Errorf("artifact %s does not exist, but another artifact depends on it", id)
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
