# `make` lists the commands. `make up` runs everything; `make test` tests everything; `make check` is exactly CI.
.DEFAULT_GOAL := help
SHELL := /bin/bash

VENV ?= .venv
BIN := $(VENV)/bin
PYTHON ?= python3
# The third waits most of the time: tests/support/order_of_files.py
PYTEST_WORKERS ?= 3
FUZZ_SECONDS ?= 60
# Where it is set, each of the many processes that are started would compile the product anew.
unexport PYTHONDONTWRITEBYTECODE

##@ Every day

.PHONY: help
help: ## List the commands
	@awk 'BEGIN {FS = ":.*##"} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*##/ {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: up
up: $(VENV)/.runs ## Run the whole product on this machine (stop with Ctrl-C)
	@$(BIN)/rymi up

.PHONY: test
test: $(VENV)/.tests $(VENV)/.clients ## Run all tests
	deploy/run-tests $(BIN)/pytest -n $(PYTEST_WORKERS) --dist loadfile

.PHONY: bench
bench: $(VENV)/.tests ## Measure, print the tables, write benchmarks/results/
	$(BIN)/python -m benchmarks

##@ Checking

.PHONY: check
check: format lint types contracts api-diff test ## Everything CI runs

.PHONY: format
format: $(VENV)/.tests ## Refuse unformatted code (`make tidy` formats it)
	$(BIN)/ruff format --check --quiet .

.PHONY: lint
lint: $(VENV)/.tests ## Lint
	$(BIN)/ruff check --quiet .

.PHONY: types
types: $(VENV)/.tests ## Strict types
	$(BIN)/mypy

.PHONY: contracts
contracts: $(VENV)/.tests ## The direction of imports
	$(BIN)/lint-imports

.PHONY: api-diff
api-diff: $(VENV)/.tests ## Refuse a stale sdks/contract/openapi.json (`make api` writes it)
	$(BIN)/rymi openapi | diff -u sdks/contract/openapi.json -

##@ Now and then

.PHONY: tidy
tidy: $(VENV)/.tests ## Format the code and mend what the linter can
	$(BIN)/ruff check --quiet --fix .
	$(BIN)/ruff format --quiet .

.PHONY: api
api: $(VENV)/.tests ## Write sdks/contract/openapi.json, and the SDK's types of it
	$(BIN)/rymi openapi > sdks/contract/openapi.json
	node sdks/contract/generate.mjs

.PHONY: sdks
sdks: $(VENV)/.clients ## Write the SDKs' types and the pages that are built from them
	cd sdks && node contract/generate.mjs && node build.mjs

.PHONY: settings
settings: $(VENV)/.tests ## Write docs/reference/settings.md and deploy/rymi.sample.env
	mkdir -p docs/reference
	$(BIN)/rymi settings > docs/reference/settings.md
	$(BIN)/rymi settings --sample > deploy/rymi.sample.env

.PHONY: pins
pins: $(VENV)/.tests ## Bring requirements/*.txt up to what requirements/*.in allow
	deploy/pin-requirements $(CURDIR)/$(BIN)/uv

.PHONY: fuzz
fuzz: $(VENV)/.tests ## Fuzz the room server's parsers, guided by coverage, for FUZZ_SECONDS (60)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/fuzz.txt
	$(BIN)/python -m tests.roomlet.fuzz_packets -max_total_time=$(FUZZ_SECONDS)

.PHONY: local-engines
local-engines: $(VENV)/.tests ## Try the local engines' own packages (half a gigabyte) with toy models
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --upgrade \
		--target $(VENV)/local-engines -r requirements/local-engines.txt
	$(BIN)/pytest -q tests/speech/test_local_packages.py

.PHONY: clean
clean: ## Remove the virtual environment and caches (never data)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# --- set-up ----------------------------------------------------------------------------------------------------------

$(BIN)/python:
	deploy/make-environment $(PYTHON) $(VENV)

$(VENV)/.runs: requirements/server.txt requirements/rooms.txt requirements/carrierbox.txt requirements/agent.txt pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/server.txt -r requirements/rooms.txt -r requirements/carrierbox.txt -r requirements/agent.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

$(VENV)/.tests: requirements/test.txt $(VENV)/.runs
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/test.txt
	@touch $@

$(VENV)/.clients: requirements/sdk-newest.txt requirements/sdk-year-old.txt requirements/pipecat.txt tests/roomlet/clients/package-lock.json sdks/package-lock.json tests/sdks/runtimes/package-lock.json tests/node_queue/package-lock.json $(VENV)/.tests
	@deploy/make-test-clients $(BIN) $(VENV)
	@touch $@
