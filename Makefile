# The only entry: a colleague, a commit hook and CI all call these targets.
# Needs Python 3.11 or newer and make; PYTHON=/path/to/python3 picks another interpreter.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet
PINS   := requirements/constraints.txt
# Two at once: enough to hide waiting, kind to a small machine.
JOBS   ?= 2

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help install run demo test test-pg drills check fmt-check lint types contracts \
        fmt expected pictures migration bench clean

help: ## List the targets
	@awk -F ':.*## ' '/^## /{printf "\n%s\n", substr($$0, 4)} \
	  /^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

## Use

install: $(VENV)/.runtime ## Create .venv and install Okaeri into it

run: $(VENV)/.runtime ## Start the service on your own configuration (ARGS="--data DIR --config DIR")
	@exec $(BIN)/okaeri run $(ARGS)

demo: $(VENV)/.runtime ## Show the whole path on sample orders (ONCE=1: print the result as JSON and exit)
	@exec $(BIN)/okaeri demo $(if $(ONCE),--once --json) $(ARGS)

## Test

test: $(VENV)/.dev ## Run the tests, all but the long drills (ARGS="-k word")
	$(BIN)/pytest -n $(JOBS) -m "not drill" $(ARGS)

test-pg: $(VENV)/.dev ## Run the PostgreSQL half only; fails where no server can be had
	CI=true $(BIN)/pytest -n $(JOBS) -m "postgres and not drill" $(ARGS)

drills: $(VENV)/.dev ## Run the long failure drills (broker loss, kill -9, 70 s freeze)
	$(BIN)/pytest -m drill $(ARGS)

bench: $(VENV)/.dev ## Print speed as ratios against the bare limit of this machine
	@$(BIN)/python -m bench $(ARGS)

## Check

check: fmt-check lint types contracts ## All four below

fmt-check: $(VENV)/.dev ## Is everything formatted?
	$(BIN)/ruff format --check .

lint: $(VENV)/.dev ## Lint
	$(BIN)/ruff check .

types: $(VENV)/.dev ## Check the types
	$(BIN)/mypy

contracts: $(VENV)/.dev ## Do imports point one way?
	$(BIN)/lint-imports

## Change

fmt: $(VENV)/.dev ## Format, and mend what can be mended by itself
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

expected: $(VENV)/.dev ## Write the expected mails anew; read the diff before you commit it
	$(BIN)/python -m tests.mail.expected

pictures: $(VENV)/.dev ## Take the pictures in docs/images anew, from the demo (needs chromium)
	$(BIN)/python -m tests.console.pictures

migration: $(VENV)/.dev ## Draft a migration from the tables (NAME="add parcel cards")
	$(if $(NAME),,$(error Say what it does: make migration NAME="add parcel cards"))
	$(BIN)/python -m worker.store.migrate draft "$(NAME)"

clean: ## Remove caches and built files (ALL=1: the environment too); never your data
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage
	find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +
	$(if $(ALL),rm -rf $(VENV))

# The environment. Words go to stderr: stdout belongs to the command (make demo ONCE=1 | jq).
# A stamp for what the service needs and one for what its developers need; each is made anew
# only when the declared packages or their pinned versions change.

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' >&2 || { \
	  echo "Okaeri needs Python 3.11 or newer. Name one: make PYTHON=/path/to/python3" >&2; exit 2; }
	@echo "Creating $(VENV) ..." >&2
	@$(PYTHON) -m venv $(VENV) >&2 || $(PYTHON) -m virtualenv $(VENV) >&2 || { rm -rf $(VENV); \
	  echo "This Python cannot create environments. On Debian: apt-get install python3-venv" >&2; exit 2; }

$(VENV)/.runtime: pyproject.toml $(PINS) | $(BIN)/python
	@echo "Installing Okaeri ..." >&2
	@$(PIP) install --editable '.[postgres,demo]' --constraint $(PINS) >&2
	@touch $@

$(VENV)/.dev: pyproject.toml $(PINS) | $(BIN)/python
	@echo "Installing Okaeri and its test tools ..." >&2
	@$(PIP) install --editable '.[dev]' --constraint $(PINS) >&2
	@touch $(VENV)/.runtime $@
