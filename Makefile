# Every target does its own set-up. Start with `make demo`, then `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
ONLY ?=

.PHONY: help setup demo test test-long check serve bench lock clean system-packages
.DEFAULT_GOAL := help

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(STAMP)  ## .venv with everything pinned by hash
$(STAMP): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "EduSeal needs Python 3.11 or newer; try make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@echo "Setting up $(VENV) (about half a minute, once) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: setup  ## three schools, one signed class, four forgeries, all verified (under a minute)
	@$(BIN)/eduseal demo

serve: setup  ## the service on http://127.0.0.1:8000 over the demo's home
	@test -d var/demo/home || $(BIN)/eduseal demo
	@EDUSEAL_PUBLIC_URL=http://127.0.0.1:8000 $(BIN)/eduseal serve --home var/demo/home --passphrase-file var/demo/passphrase

check: setup  ## ruff, mypy --strict, import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo 2>/dev/null || $(BIN)/lint-imports

system-packages:
	@tests/system-packages

test: check system-packages  ## everything CI runs
	@$(BIN)/pytest -q -m "not long"

test-long: check system-packages  ## the full counts too
	@$(BIN)/pytest -q

bench: setup  ## ours beside pyHanko, as ratios; ONLY=name runs one
	@$(BIN)/python -m benchmarks $(ONLY)

lock: setup  ## re-pin requirements.txt after a change of pyproject.toml
	@$(BIN)/python -m pip install --quiet pip-tools
	@$(BIN)/pip-compile --quiet --strip-extras --allow-unsafe --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --no-emit-trusted-host --no-emit-find-links --extra dev --output-file requirements.txt pyproject.toml

clean:  ## the environment and everything made by the demo
	rm -rf $(VENV) var build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
