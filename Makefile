# The commands of the project. `make` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/sh
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(CURDIR)/node_modules/.bin:$(PATH)
# Some shells set it. CDK and the emulated AWS start much faster with cached bytecode.
unexport PYTHONDONTWRITEBYTECODE
LOCAL_PORT ?=
export LOCAL_PORT
LOCAL_ORIGINS ?=
export LOCAL_ORIGINS
ENVIRONMENT ?= dev

.PHONY: help setup run up down test test-unit attack image-test check format lock build bench openapi docs docs-serve sbom licences audit synth snapshots pictures hooks clean

help: ## list the targets
	@awk -F ':.*## ' '/^## /{ printf "\n%s\n", substr($$0, 4) } /^[a-z-]+:.*## /{ printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

## Install

setup: .venv/.ready ## install the pinned packages into .venv and node_modules
.venv/.ready: requirements.txt package-lock.json .python-version scripts/setup.sh
	@scripts/setup.sh

hooks: setup ## install a git hook that runs the quick checks before each commit
	@$(BIN)/pre-commit install --config .ci/pre-commit-config.yaml

clean: ## remove everything that was built or installed here
	rm -rf .venv .tools node_modules build cdk.out .local .hypothesis .mypy_cache .pytest_cache .ruff_cache

## Run it on this machine

run: setup ## run the API on an emulated AWS; Ctrl-C stops it (LOCAL_PORT=4566)
	@exec $(BIN)/python -m local run

up: setup ## run it in the background
	@$(BIN)/python -m local up

down: setup ## stop the stack that `make up` started
	@$(BIN)/python -m local down

## Test and check

# One worker more than the cores of a small machine: a worker often waits for its stack.
test: setup ## run all tests; those over HTTP start their own emulated AWS
	@$(BIN)/python -m pytest --numprocesses 3 --no-loadscope-reorder

test-unit: setup ## run the tests that do not need the emulated AWS
	@$(BIN)/python -m pytest -m "not e2e"

check: setup ## check format, lint, types and secrets
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@scripts/find_secrets.sh

format: setup ## format the code and apply safe lint fixes
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

attack: setup ## attack the system for about ten minutes and write docs/security-report.md
	@$(BIN)/python -m pytest tests/attack tests/images/test_soak.py --attack --attack-report docs/security-report.md --numprocesses 2 --dist loadfile

image-test: setup ## build every function's image and run it as Lambda does (Docker or podman)
	@$(BIN)/python -m tests.images

## Build and deploy

build: setup ## build the Lambda packages of an environment (ENVIRONMENT=dev)
	@$(BIN)/python -m infra.packaging $(ENVIRONMENT)

synth: setup ## synthesize the templates of an environment (ENVIRONMENT=dev)
	@cdk synth --quiet -c environment=$(ENVIRONMENT)

sbom: setup ## write each function's bill of materials (CycloneDX) to build/sbom
	@scripts/sbom.sh

licences: setup ## list the licences of the packages that the functions ship
	@scripts/licences.sh

audit: setup ## look up known vulnerabilities of all pinned packages
	@scripts/audit.sh

## Write generated files

openapi: setup ## write docs/openapi.json, after an intended change of the API
	@$(BIN)/python -m tools.openapi

snapshots: setup ## write the committed templates, after an intended change of the infrastructure
	@$(BIN)/python -m tests.infra.snapshot

pictures: setup ## retake the screenshots of the console after changing it: docs/images/console-*.png
	@$(BIN)/python -m pytest tests/e2e/test_console_views.py tests/e2e/test_operations.py -k for_the_documentation --screenshots docs/images

lock: setup ## compile the requirements files from pyproject.toml
	@scripts/lock.sh

bench: setup ## measure the functions and their peers and write docs/performance.md (under 10 minutes)
	@$(BIN)/python -m tools.bench

docs: setup ## build the documentation into build/site; warnings are errors
	@$(BIN)/python -m tools.docsite

docs-serve: docs ## build the documentation and serve it on http://127.0.0.1:8000
	@$(BIN)/python -m http.server --bind 127.0.0.1 --directory build/site 8000
