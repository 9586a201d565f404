# originhub. `make help` lists the targets.
SHELL := /bin/bash
TOOLS := .build/tools
CDK   := .build/cdk/node_modules/.bin/cdk
# The race detector needs a C compiler. Without one, the target runs the tests without the detector.
RACE      := $(shell command -v $$(go env CC) >/dev/null 2>&1 && echo -race)
LIGHT      = $$(go list ./... | grep -v /infra)
# The crash walk and some stories mostly wait for the functions' processes, so more tests than CPUs run at once.
TEST_FLAGS := -shuffle=on -parallel 6
# Only packages with tests, because go test would also compile the others.
TESTED     = $$(go list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}' ./... | grep -v /infra)

# A function is deployed again if the hash of its binary changes. So the binary must not contain the commit.
REPRODUCIBLE := -buildvcs=false

# Builds, tests and lint use the same flags; otherwise Go would compile everything twice.
export CGO_ENABLED := 0
export GOFLAGS     := -trimpath -tags=lambda.norpc

# Compiler, linker and tests are short processes. Fewer garbage collections make them faster and cost only memory.
export GOGC := 400

# Without this variable, jsii prints ten lines about old versions of Node with each synth.
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 18,20,22

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: build ## Rehearse the life of two team origins in the local sandbox; no AWS account needed
	@.build/originhub demo

# The stacks come first: jsii uses one CPU for most of their tests, while the other packages use the rest.
.PHONY: test
test: ## Run all tests: unit, property, story, import rules, golden templates
	go test $(TEST_FLAGS) ./infra/... $(TESTED)

.PHONY: race
race: ## Run the tests with the race detector; takes minutes, mostly to compile
	CGO_ENABLED=1 go test $(RACE) -timeout 40m $(TEST_FLAGS) $(TESTED)

.PHONY: build
build: ## Build the CLI and the functions for this machine
	@go build $(REPRODUCIBLE) -o .build/local/ ./functions/...
	@go build -o .build/originhub ./pkg/cmd/originhub

.PHONY: functions
functions: ## Build the functions for Lambda (linux/arm64, reproducible)
	@GOOS=linux GOARCH=arm64 go build $(REPRODUCIBLE) -ldflags '-s -w' -o .build/functions/ ./functions/...

.PHONY: check
check: ## Vet and test everything except the stacks
	go vet $(LIGHT)
	go test $(TESTED)

.PHONY: lint
lint: ## Run gofumpt, vet and golangci-lint
	GOBIN=$(CURDIR)/$(TOOLS) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.11.0
	go vet ./...
	$(TOOLS)/golangci-lint run ./...

.PHONY: golden
golden: ## Rewrite the golden files: templates, the picture and the demo in the README, list of what the sandbox omits, pages of the audit's rules
	go test ./infra ./pkg/sandbox ./pkg/cli ./pkg/pipeline -update

# The CDK CLI with the version and the content that the lockfile names. Its folder is outside the Go packages, which a folder node_modules
# in infra would be among.
.PHONY: cdk
cdk: $(CDK) ## Install the CDK CLI as infra/package-lock.json names it: .build/cdk/node_modules/.bin/cdk

$(CDK): infra/package.json infra/package-lock.json
	@mkdir -p .build/cdk && cp $^ .build/cdk/
	@npm ci --prefix .build/cdk --ignore-scripts --no-audit --no-fund --silent
	@touch $@

.PHONY: synth
synth: export CDK_OUTDIR := cdk.out
synth: export CDK_CONTEXT_JSON := $(if $(POLICY),{"policy":"$(POLICY)"},{})
synth: app ## Write the CDK assembly to cdk.out: make synth [POLICY=policy.yaml]

.PHONY: app
app: functions # cdk.json runs this; it writes the assembly to the directory that the CDK CLI names
	@go build -o .build/infra ./infra/app
	@.build/infra

# First of a target's prerequisites, so that a missing policy is reported before anything is built.
.PHONY: named
named:
	@test -n "$(POLICY)" || { echo "POLICY is missing. Name the hub policy, for example: make $(or $(firstword $(MAKECMDGOALS)),deploy) POLICY=policy.yaml" >&2; exit 2; }

# The hub's template is the same for every policy: infra/testdata/hub.template.json. make synth writes beside it what a policy gives its parameters.
GIVEN = $$(sed 's/^/--parameters /' cdk.out/hub.parameters)

# Writes the policy of the deployed hub to .build/deployed.yaml. The package of each function contains it.
DEPLOYED = rm -f .build/deployed.yaml && \
  function=$$(aws cloudformation describe-stack-resources --region us-east-1 --stack-name originhub-$$(sed -n 's/^HubName=//p' cdk.out/hub.parameters) \
    --query "StackResources[?starts_with(LogicalResourceId,'AdmitFunction')&&ResourceType=='AWS::Lambda::Function'].PhysicalResourceId|[0]" --output text 2>/dev/null) && \
  package=$$(aws lambda get-function --region us-east-1 --function-name "$$function" --query Code.Location --output text 2>/dev/null) && \
  curl -sSf -o .build/deployed.zip "$$package" && unzip -p .build/deployed.zip policy.yaml > .build/deployed.yaml

.PHONY: deploy
deploy: named build $(CDK) ## Show the changes to the hub, ask, deploy: make deploy POLICY=policy.yaml
	.build/originhub policy check --strict $(POLICY)
	@$(MAKE) --silent synth POLICY=$(POLICY)
	$(CDK) diff hub --app cdk.out $(GIVEN)
	@echo "What the policy says, deployed (-) and to be deployed (+), where they differ:"
	@$(DEPLOYED) && .build/originhub policy diff .build/deployed.yaml $(POLICY) || echo "The policy of the deployed hub cannot be compared: there is no such hub yet, or who deploys may not call lambda:GetFunction, or the policy is not valid for this version. Review the whole of $(POLICY)."
	@echo "Parameters of the stack, deployed (-) and to be deployed (+), where they differ:"
	@aws cloudformation describe-stacks --region us-east-1 --stack-name originhub-$$(sed -n 's/^HubName=//p' cdk.out/hub.parameters) \
	  --query 'Stacks[0].Parameters[].join(`=`, [ParameterKey, ParameterValue])' --output text 2>/dev/null | tr '\t' '\n' | LC_ALL=C sort | \
	  diff --unified=0 - cdk.out/hub.parameters | grep '^[-+][A-Z]' || true
	$(CDK) deploy hub --app cdk.out --no-previous-parameters --require-approval any-change $(GIVEN)

.PHONY: destroy
destroy: named $(CDK) ## Say what stays, ask, delete the hub: make destroy POLICY=policy.yaml
	@echo "This deletes the stack of the hub. These stay: the registry, the bus with its archive, their key, the distributions and their"
	@echo "DNS records. Teams stay on the air, but nothing new is admitted, and no teardown starts or continues. To take teams off the"
	@echo "air, tear them down before you delete the stack."
	$(CDK) destroy hub -c policy=$(POLICY)

.PHONY: spoke
spoke: named build ## Print the commands that deploy the spoke: make spoke POLICY=policy.yaml [OU=ou-…]
	@.build/originhub spoke $(POLICY) $(if $(OU),--ou $(OU))

# VULNDB is the database of vulnerabilities: that of Go, or a copy (file:///…) where it is out of reach.
VULNDB ?= https://vuln.go.dev

.PHONY: supply
supply: ## Check what originhub is built from: checksums, licences, known vulnerabilities; needs https://vuln.go.dev
	go mod verify
	go test ./pkg -run TestLicences -count=1
	GOBIN=$(CURDIR)/$(TOOLS) go install golang.org/x/vuln/cmd/govulncheck@v1.1.4
	$(TOOLS)/govulncheck -db $(VULNDB) ./...
	npm audit --prefix infra

.PHONY: bench
bench: build ## Measure demo, tests and benchmarks; with COLD=1 demo and tests with empty Go caches
	@go mod download
	$(if $(COLD),,@go test -run '^$$' ./infra/... $(TESTED) >/dev/null) # compiles
	@for target in demo test; do \
	  $(if $(COLD),export GOCACHE=$$(mktemp -d);) TIMEFORMAT="make $$target with $(if $(COLD),an empty,a warm) Go cache: %0R s"; \
	  time $(MAKE) --no-print-directory $$target GOFLAGS='$(GOFLAGS) -count=1' >.build/bench.log 2>&1 || { cat .build/bench.log; exit 1; }; \
	  $(if $(COLD),rm -rf $$GOCACHE;) done
	$(if $(COLD),,@echo "functions in processes of their own:"; go test -run '^$$' -bench . -skip 'Growth|Soak|Fleet' -benchtime 1x ./pkg/cli ./pkg/rehearsal ./pkg/sandbox)
	$(if $(COLD),,@$(MAKE) --no-print-directory growth)
	$(if $(COLD),,@go test -run RandomLives -v ./pkg/rehearsal -parallel $$(nproc) -lives 100 | grep -o 'functions in this process: .*')

ORIGINS ?= 100,200,400,800

.PHONY: growth
growth: ## Measure how the work of the functions grows: make growth [ORIGINS=100,200,400,800]; takes up to an hour
	go test -run '^$$' -bench Growth -benchtime 1x -timeout 0 ./pkg/rehearsal -growth $(ORIGINS)

DAYS ?= 1
RATE ?= 10

.PHONY: soak
soak: ## Let origins come and go for virtual days: make soak [DAYS=30 RATE=200]; RATE is an hour's onboardings on the busiest day
	go test -run '^$$' -bench Soak -benchtime 1x -timeout 0 ./pkg/rehearsal -soak-days $(DAYS) -soak-rate $(RATE)

TEAMS ?= 1000

.PHONY: fleet
fleet: ## Onboard two origins of each of many teams and tear down one of each: make fleet [TEAMS=1000]
	go test -run '^$$' -bench Fleet -benchtime 1x -timeout 0 ./pkg/rehearsal -fleet-teams $(TEAMS)

.PHONY: clean
clean: ## Remove everything that was built
	rm -rf .build cdk.out
