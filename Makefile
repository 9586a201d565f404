# originhub. `make help` lists the targets.
SHELL := /bin/bash
TOOLS := .build/tools
CDK   := npx --yes aws-cdk@2.1148.1
# The race detector needs a C compiler; without one the target runs the tests all the same.
RACE      := $(shell command -v $$(go env CC) >/dev/null 2>&1 && echo -race)
LIGHT      = $$(go list ./... | grep -v /infra)
# The walks and some stories wait for the functions' processes more than they compute.
TEST_FLAGS := -shuffle=on -parallel 6
# Packages with tests: go test would also compile the others.
TESTED     = $$(go list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}' ./... | grep -v /infra)

# A function's package is named by a hash over it: a commit that changes no function must deploy none.
REPRODUCIBLE := -buildvcs=false

# The same for builds, tests and lint, or everything would be compiled twice.
export CGO_ENABLED := 0
export GOFLAGS     := -trimpath -tags=lambda.norpc

# Compiler, linker and tests come and go: a quarter of the garbage collections costs memory that nobody misses.
export GOGC := 400

# jsii reads this before the stacks' main runs; without it, each synth prints ten lines about the age of Node.
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 18,20,22

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: build ## Rehearse the life of two team origins in the local sandbox
	@.build/originhub demo

.PHONY: test
test: ## Run all tests: unit, property, story, import rules, golden templates
	go test $(TEST_FLAGS) $(TESTED)
	go test ./infra/...

.PHONY: race
race: ## Run the tests again under the race detector: minutes, mostly compiling (the EC2 client alone takes two) and linking
	CGO_ENABLED=1 go test $(RACE) -timeout 40m $(TEST_FLAGS) $(TESTED)

.PHONY: build
build: ## Build the CLI and the functions for this machine
	@go build $(REPRODUCIBLE) -o .build/local/ ./functions/...
	@go build -o .build/originhub ./pkg/cmd/originhub

.PHONY: functions
functions: ## Build the functions for Lambda (linux/arm64, reproducible)
	@GOOS=linux GOARCH=arm64 go build $(REPRODUCIBLE) -ldflags '-s -w' -o .build/functions/ ./functions/...

.PHONY: check
check: ## Vet and test all but the stacks: the inner loop
	go vet $(LIGHT)
	go test $(TESTED)

.PHONY: lint
lint: ## Run gofumpt, vet and golangci-lint
	GOBIN=$(CURDIR)/$(TOOLS) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.11.0
	go vet ./...
	$(TOOLS)/golangci-lint run ./...

.PHONY: golden
golden: ## Rewrite the golden files: synthesized templates, and what the sandbox leaves out
	go test ./infra ./pkg/sandbox -update

.PHONY: synth
synth: export CDK_OUTDIR := cdk.out
synth: export CDK_CONTEXT_JSON := $(if $(POLICY),{"policy":"$(POLICY)"},{})
synth: app ## Write the CDK assembly to cdk.out: make synth [POLICY=policy.yaml]

.PHONY: app
app: functions # what cdk.json runs: it writes the assembly to where the CDK CLI says
	@go build -o .build/infra ./infra/app
	@.build/infra

.PHONY: deploy
deploy: build functions ## Show what would change in the hub, ask, deploy: make deploy POLICY=policy.yaml
	@test -n "$(POLICY)" || { echo "say which hub policy: make deploy POLICY=policy.yaml" >&2; exit 2; }
	.build/originhub policy check --strict $(POLICY)
	$(CDK) diff hub -c policy=$(POLICY)
	$(CDK) deploy hub -c policy=$(POLICY) --require-approval any-change

.PHONY: destroy
destroy: ## Say what stays, ask, delete the hub's stack: make destroy POLICY=policy.yaml
	@test -n "$(POLICY)" || { echo "say which hub policy: make destroy POLICY=policy.yaml" >&2; exit 2; }
	@echo "The registry, the bus with its archive and their key stay, and so do the distribution and its DNS records: teams remain"
	@echo "on the air, nothing new is admitted, and no teardown is begun or finished. Tear the teams down first if they shall not."
	$(CDK) destroy hub -c policy=$(POLICY)

.PHONY: spoke
spoke: build ## Print how to roll out the spoke: make spoke POLICY=policy.yaml [OU=ou-…]
	@test -n "$(POLICY)" || { echo "say which hub policy: make spoke POLICY=policy.yaml [OU=ou-…]" >&2; exit 2; }
	@.build/originhub spoke $(POLICY) $(if $(OU),--ou $(OU))

.PHONY: bench
bench: build ## Measure what the README claims, or with COLD=1 demo and tests with empty Go caches
	@go mod download
	$(if $(COLD),,@go test -run '^$$' $(TESTED) ./infra/... >/dev/null) # compiles
	@for target in demo test; do \
	  $(if $(COLD),export GOCACHE=$$(mktemp -d);) TIMEFORMAT="make $$target with $(if $(COLD),an empty,a warm) Go cache: %0R s"; \
	  time $(MAKE) --no-print-directory $$target GOFLAGS='$(GOFLAGS) -count=1' >.build/bench.log 2>&1 || { cat .build/bench.log; exit 1; }; \
	  $(if $(COLD),rm -rf $$GOCACHE;) done
	$(if $(COLD),,@echo "functions in processes of their own:"; go test -run '^$$' -bench . -benchtime 1x ./pkg/cli ./pkg/rehearsal ./pkg/sandbox)
	$(if $(COLD),,@go test -run RandomLives -v ./pkg/rehearsal -parallel $$(nproc) -lives 100 | grep -o 'functions in this process: .*')

.PHONY: clean
clean: ## Remove everything that was built
	rm -rf .build cdk.out
