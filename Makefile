# Everything a newcomer types. `make` alone lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/sh
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(CURDIR)/node_modules/.bin:$(PATH)
# Some shells set it; CDK and the embedded AWS start much faster with their bytecode cached.
unexport PYTHONDONTWRITEBYTECODE
LOCAL_PORT ?= 4566
export LOCAL_PORT
LOCAL_ORIGINS ?=
export LOCAL_ORIGINS
ENVIRONMENT ?= dev

.PHONY: help setup run up down test test-unit attack image-test check format lock build bench openapi docs docs-serve sbom licences audit synth snapshots pictures hooks clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/.ready ## install everything into .venv and node_modules
.venv/.ready: requirements.txt package-lock.json .python-version scripts/setup.sh
	@scripts/setup.sh

run: setup ## run the real API on an embedded AWS; Ctrl-C stops it (LOCAL_PORT=4566)
	@exec $(BIN)/python -m local run

up: setup ## the same, detached
	@$(BIN)/python -m local up

down: setup ## stop what `make up` started
	@$(BIN)/python -m local down

test: setup ## run every test; those over HTTP start their own embedded AWS
	@$(BIN)/python -m pytest --numprocesses 2 --no-loadscope-reorder

attack: setup ## attack the whole system for about ten minutes and rewrite docs/security-report.md
	@$(BIN)/python -m pytest tests/attack --attack --attack-report docs/security-report.md --numprocesses 2 --dist loadfile

image-test: setup ## build every function's image and run it as Lambda does (Docker, or podman)
	@$(BIN)/python -m tests.images

test-unit: setup ## run the tests that need no embedded AWS
	@$(BIN)/python -m pytest -m "not e2e"

check: setup ## format check, lint, types, secrets: what the gate asks before the tests
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/python -m tests.secret_scan

format: setup ## format the code and apply safe lint fixes
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: setup ## compile the pinned requirements from pyproject.toml
	@scripts/lock.sh

build: setup ## build the Lambda packages of an environment (ENVIRONMENT=dev)
	@$(BIN)/python -m infra.packaging $(ENVIRONMENT)

bench: setup ## measure every function beside its peers and rewrite docs/performance.md (under 10 minutes)
	@$(BIN)/python -m tools.bench

openapi: setup ## write the API's description anew, after a change of the API that is meant: docs/openapi.json
	@$(BIN)/python -m tools.openapi

sbom: setup ## write each function's bill of materials (CycloneDX) to build/sbom
	@$(BIN)/python -m infra.packaging.supply_chain sbom

licences: setup ## list the licences of what the functions carry
	@$(BIN)/python -m infra.packaging.supply_chain licences

audit: setup ## look up known vulnerabilities of everything that is pinned
	@$(BIN)/python -m infra.packaging.supply_chain audit

synth: setup ## synthesize the templates of an environment (ENVIRONMENT=dev)
	@cdk synth --quiet -c environment=$(ENVIRONMENT)

snapshots: setup ## write the committed templates anew, after a change of them that is meant
	@$(BIN)/python -m tests.infra.snapshot

pictures: setup ## retake the screenshots of the console after changing it: docs/images/console-*.png
	@$(BIN)/python -m pytest tests/e2e/test_console_views.py tests/e2e/test_operations.py -k for_the_documentation --screenshots docs/images

docs: setup ## build the documentation, strictly, into build/site
	@$(BIN)/python -m tools.docsite

docs-serve: docs ## build the documentation and serve it on http://127.0.0.1:8000
	@$(BIN)/python -m http.server --bind 127.0.0.1 --directory build/site 8000

hooks: setup ## run the quick checks before each commit
	@$(BIN)/pre-commit install

clean: ## remove everything that is built or installed here
	rm -rf .venv .tools node_modules build cdk.out .local .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache
