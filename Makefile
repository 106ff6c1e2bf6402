# Floodgate's targets. `make` alone lists them.
.DEFAULT_GOAL := help

# Tools run by "go run" at these versions; they are in no go.mod.
GOLANGCI_LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

PROVIDER ?= local
LANE ?= smoke
POLICIES ?= seed
OUT ?= out
ARGS ?=
# For PROVIDER=kind and PROVIDER=existing: what is installed, kuadrant or standin.
STACK ?=
# For PROVIDER=kind: the nodes' image. Where the container engine has the one that
# tools/nodeimage builds, it is used; otherwise kind's own is pulled.
NODE_IMAGE ?= $(shell tools/nodeimage/build.sh --print-tag-if-built 2>/dev/null)

FLOODGATE := bin/floodgate
POD := bin/floodgate-pod
CHARTS := bin/floodgate-charts

CLUSTER_ARGS = $(if $(filter kind existing,$(PROVIDER)),$(if $(STACK),--stack $(STACK))) \
	$(if $(filter kind,$(PROVIDER)),$(if $(NODE_IMAGE),--node-image $(NODE_IMAGE)))

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/floodgate
	@mkdir -p bin
	go build -trimpath -o $(FLOODGATE) ./tools/floodgate

.PHONY: pod
pod: ## build bin/floodgate-pod, the program of our pods, for linux
	@mkdir -p bin
	CGO_ENABLED=0 GOOS=linux go build -trimpath -ldflags "-s -w" -o $(POD) ./tools/pod

.PHONY: charts
charts: ## build bin/floodgate-charts, Helm for stack kuadrant
	@mkdir -p bin
	cd tools/charts && go build -trimpath -ldflags "-s -w" -o ../../$(CHARTS) .

.PHONY: test-charts
test-charts: charts ## the tests of bin/floodgate-charts, a module of its own
	cd tools/charts && go vet ./... && go test ./... && go mod tidy -diff

.PHONY: node-image
node-image: ## build a kind node image where none can be pulled, and print its name
	tools/nodeimage/build.sh

.PHONY: e2e
e2e: build $(if $(filter kind existing,$(PROVIDER)),$(if $(filter standin,$(STACK)),pod,charts pod)) ## the main job: bring a stack up, run a lane, judge, report
	$(FLOODGATE) run --provider $(PROVIDER) --lane $(LANE) --policies $(POLICIES) --out $(OUT) $(CLUSTER_ARGS) $(ARGS)

.PHONY: test-existing
test-existing: build pod ## a cluster that is there: with rights, reading alone, plain URLs; cases that scale, restart and edit
	NODE_IMAGE=$(NODE_IMAGE) tools/test-existing.sh $(FLOODGATE)

.PHONY: test-kind
test-kind: build pod charts ## what only clusters show: cut off and gone on, down, failures, leaks; makes two of its own
	NODE_IMAGE=$(NODE_IMAGE) tools/test-kind.sh $(FLOODGATE)

.PHONY: full
full: build ## every case that one machine can host
	$(FLOODGATE) run --lane full --out $(OUT) $(ARGS)

.PHONY: random
random: build ## policies and schedules that nobody wrote, drawn from a seed (ARGS='--seed 7 --trials 3')
	$(FLOODGATE) run --lane random --out $(OUT) $(ARGS)

.PHONY: selftest
selftest: build ## every fault, pairs of faults and correct systems: what the suite finds, and whom it accuses
	$(FLOODGATE) selftest --out $(OUT) --json $(OUT)/selftest.json $(ARGS)

.PHONY: test
test: ## all tests; RACE=-race has them run with the race detector
	go test $(RACE) ./...

.PHONY: race
race: ## all tests with the race detector
	$(MAKE) test RACE=-race

.PHONY: check
check: lint tidy race darwin ## what to run before a commit: lint, layers, tests with -race, macOS build

.PHONY: lint
lint: ## lint, import layers and formatting
	go run $(GOLANGCI_LINT) run ./...

.PHONY: fmt
fmt: ## format the code
	go run $(GOLANGCI_LINT) fmt ./...

.PHONY: tidy
tidy: ## check that go.mod and go.sum are tidy
	go mod tidy -diff

.PHONY: darwin
darwin: ## build for macOS
	GOOS=darwin GOARCH=arm64 go build -o /dev/null ./tools/floodgate
	GOOS=darwin GOARCH=arm64 go vet ./cluster/... ./suites/attack/...

.PHONY: faults
faults: build ## a handful of faults, each of which lane smoke must find
	tools/faults.sh $(FLOODGATE) $(OUT)

.PHONY: faults-all
faults-all: build ## every named fault of every stand-in
	tools/faults.sh $(FLOODGATE) $(OUT) all

.PHONY: bench
bench: ## the attack against vegeta's own, hits per CPU second in one run; a million entries judged
	go test -run '^$$' -bench . -benchtime 1x ./suites/attack
	go test -run '^$$' -bench Doubling -benchtime 1x ./suites/oracle

# How long each parser is fed.
FUZZTIME ?= 30s
FUZZED := fixtures/policy:FuzzRead cluster/metrics:FuzzPages cluster/metrics:FuzzLimiterAnswers \
	cluster/metrics:FuzzPrometheusAnswers reports/evidence:FuzzRead reports/render:FuzzRecord \
	fixtures/standin/gateway:FuzzBody suites/oracle:FuzzJudge

.PHONY: fuzz
fuzz: ## feed every parser of foreign text
	@set -e; for target in $(FUZZED); do \
		go test -run '^$$' -fuzz "^$${target##*:}$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x ./$${target%%:*}; \
	done

.PHONY: soundness
soundness: ## 100,000 random sound ledgers for each rule
	FLOODGATE_LEDGERS=100000 go test -count=1 -run TestCorrectLimiterIsNeverAccused ./suites/oracle

.PHONY: clean
clean: ## remove what was built and the runs' folders
	rm -rf bin $(OUT)
