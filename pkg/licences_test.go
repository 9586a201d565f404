package pkg_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// licences are those that a company can use, deploy and pass on without further conditions than to keep their text, and MPL-2.0, which also asks
// that the source of its own files stays available: these modules are unmodified, and their source is where their path says. The key is a phrase
// that only the text of the licence has, lower case, with single spaces.
var licences = map[string]string{
	"apache license version 2.0": "Apache-2.0",
	"permission is hereby granted, free of charge, to any person obtaining a copy": "MIT",
	"redistribution and use in source and binary forms":                            "BSD",
	"permission to use, copy, modify, and/or distribute this software":             "ISC",
	"permission to use, copy, modify, and distribute this software":                "ISC",
	"mozilla public license, version 2.0":                                          "MPL-2.0",
}

// TestLicences covers each module from which a package is compiled into the functions, the CLI or the CDK app.
func TestLicences(t *testing.T) {
	list := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}\t{{.Dir}}{{end}}{{end}}",
		"./functions/...", "./pkg/cmd/...", "./infra/app")
	list.Dir = ".."
	out, err := list.Output()
	if err != nil {
		t.Fatalf("list the modules: %v", err)
	}
	modules := map[string]string{}
	for line := range strings.Lines(string(out)) {
		if path, dir, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok {
			modules[path] = dir
		}
	}
	if len(modules) < 20 {
		t.Fatalf("%d modules found: the test does not find them", len(modules))
	}
	for path, dir := range modules {
		if found := licenceOf(t, dir); found == "" {
			t.Errorf("module %s has no licence among the permitted ones: use another module, or add its licence here after a review", path)
		}
	}
}

func licenceOf(t *testing.T, dir string) string {
	t.Helper()
	for _, pattern := range []string{"LICEN[SC]E*", "COPYING*"} {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			text := strings.Join(strings.Fields(strings.ToLower(string(raw))), " ")
			for phrase, name := range licences {
				if strings.Contains(text, phrase) {
					return name
				}
			}
		}
	}
	return ""
}
