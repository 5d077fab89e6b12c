# One obvious place for every task. `make help` lists them.

STATE := .gatewright
BIN := $(STATE)/bin
GATEWRIGHT := $(BIN)/gatewright
GOLANGCI_LINT_VERSION := v2.15.0
GOLANGCI_LINT := $(shell command -v golangci-lint 2>/dev/null || echo $(BIN)/golangci-lint)

# Packages that start no Node process. They are tested again with the race detector.
PURE = $(shell go list ./... | grep -v -e '/constructs' -e '/stacks' -e '/test$$' -e '/test/' -e 'gatewright/gatewright$$')

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z -]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{ printf "  %-16s %s\n", $$1, $$2 }'

.PHONY: up
up: $(GATEWRIGHT) ## Synthesize the dev stage and serve it on this machine
	@$(GATEWRIGHT) up --stage dev --site examples/website

.PHONY: $(GATEWRIGHT)
$(GATEWRIGHT):
	@echo "building the gatewright command (the first time takes half a minute)" >&2
	@go build -o $@ ./cmd/gatewright

.PHONY: test
test: ## Run every test
	@echo "testing (the first build of awscdk takes a minute or more)" >&2
	go test ./...

.PHONY: check
check: test format vet lint race generated ## Everything that CI runs

.PHONY: format
format: ## Fail where a file is not formatted
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); \
	if [ -n "$$unformatted" ]; then echo "not formatted; run gofmt -w on:"; echo "$$unformatted"; exit 1; fi

.PHONY: vet
vet: ## Run go vet
	go vet ./...

.PHONY: lint
lint: ## Run golangci-lint
	@test -x "$(GOLANGCI_LINT)" || { echo "golangci-lint is missing; run: make tools" >&2; exit 2; }
	$(GOLANGCI_LINT) run ./...

.PHONY: tools
tools: ## Install golangci-lint into .gatewright/bin (takes a few minutes)
	GOBIN=$(CURDIR)/$(BIN) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)

.PHONY: race
race: ## Test the packages without jsii with the race detector (needs a C compiler)
	CGO_ENABLED=1 go test -race $(PURE)

.PHONY: generated
generated: ## Fail where a generated file is not what its sources give
	go mod tidy -diff

.PHONY: snapshots
snapshots: ## Rewrite the golden files; read the difference before committing it
	go test ./internal/apispec -update
	go test ./internal/audit/rules -update
	go test ./internal/local/gateway -run Golden -update
	go test ./internal/report -run Golden -update
	go test ./test -run Golden -update

.PHONY: synth
synth: node_modules ## Synthesize every stage into cdk.out, functions included
	npx cdk synth --quiet

# The stage stands on the command line: one that a shell happens to export must
# not be destroyed. Recipes read it from their environment, so that nothing in it
# is run as a command.
STAGE_FROM := $(origin STAGE)
override STAGE := $(value STAGE)
export STAGE
STAGE_NAMED = @test "$(STAGE_FROM)" = "command line" || { echo "name the stage: make $@ STAGE=dev" >&2; exit 2; }; \
	case "$$STAGE" in *[!A-Za-z0-9-]*|"") echo "STAGE is no stage's name; write letters, digits and hyphens: make $@ STAGE=dev" >&2; exit 2;; esac

.PHONY: deploy
deploy: node_modules $(GATEWRIGHT) ## Deploy one stage, after a check: make deploy STAGE=dev
	$(STAGE_NAMED)
	npx cdk synth --quiet "$$STAGE/*" -c "stage=$$STAGE"
	$(GATEWRIGHT) deploy-check --stage "$$STAGE" --assembly cdk.out
	npx cdk deploy "$$STAGE/*" --app cdk.out

.PHONY: diff destroy
diff destroy: node_modules ## Run the CDK CLI on one stage: make diff STAGE=dev
	$(STAGE_NAMED)
	npx cdk $@ "$$STAGE/*" -c "stage=$$STAGE"

.PHONY: deploy-account
deploy-account: node_modules ## Set API Gateway's logging role for a stage's account and Region, once
	$(STAGE_NAMED)
	npx cdk deploy Account -c "account-of=$$STAGE"

node_modules: package.json package-lock.json
	npm ci --no-audit --no-fund
	@touch node_modules

.PHONY: clients
clients: test/clients/node_modules ## Install the client libraries and the dynalite that tests use

test/clients/node_modules: test/clients/package.json test/clients/package-lock.json
	npm ci --prefix test/clients --no-audit --no-fund
	@touch $@

.PHONY: bench
bench: $(GATEWRIGHT) ## Measure what the goals speak of, as ratios in one run
	@go run ./bench
