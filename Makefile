# SAC on a machine with Python 3.11+ and make, and nothing else.
#
#   make run     set up .venv, build the console if its files are missing, start SAC and print the link
#   make test    everything that must hold: style, types, layers, tests
#   make bench   the project's benchmarks, as a table and as JSON
#   make docs    the documentation, into site/
#   make clean   remove what the targets above made; agents and the data directory stay
#
# SAC_PORT, SAC_DATA_DIR and SAC_TOKEN are honoured by `make run`.

SHELL := /bin/sh
MAKEFLAGS += --no-print-directory

PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3 python; do \
	"$$python" -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && command -v "$$python" && break; done)

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
PLUGINS := $(patsubst %/pyproject.toml,%,$(wildcard plugins/*/*/pyproject.toml))
# its library has more than 100 MB, and who has no cluster needs none of it: not for `make run`
HEAVY := plugins/executors/kubernetes
EDITABLE = $(patsubst %,--editable %,$(1))
CONSOLE := src/sac_core/server/static/index.html

.PHONY: run test bench docs clean

# Ctrl-C reaches make too: it ends without a message because the recipe is one process that ends well.
run: .venv/.run $(CONSOLE)
	@trap : INT; $(BIN)/sac up || [ $$? -eq 130 ]

test: .venv/.test $(CONSOLE)
	@PATH="$(CURDIR)/$(BIN):$$PATH" nox --no-venv --non-interactive --session lint types layers tests

bench: .venv/.bench $(CONSOLE)
	@$(BIN)/python -m benchmarks

docs: .venv/.docs
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

clean:
	@rm -rf .venv .nox .node .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis dist build site
	@rm -rf src/sac_core/server/static web/node_modules
	@find src tests benchmarks plugins -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

.venv/bin/python:
	@if [ -z "$(PYTHON)" ]; then \
		echo "SAC needs Python 3.11 or later with the module venv: install it, or name it: make run PYTHON=/path/to/python3" >&2; \
		exit 1; fi
	@echo "Making .venv with $(PYTHON)"
	@"$(PYTHON)" -m venv .venv

# A stamp for each set of libraries: installed again when pyproject.toml changed.
.venv/.run: pyproject.toml $(wildcard plugins/*/*/pyproject.toml) | .venv/bin/python
	@echo "Installing SAC into .venv"
	@$(PIP) install --editable ".[cli]" $(call EDITABLE,$(filter-out $(HEAVY),$(PLUGINS)))
	@touch $@

.venv/.test .venv/.bench .venv/.docs: .venv/.%: .venv/.run
	@echo "Installing what '$*' needs into .venv"
	@$(PIP) install "pip>=25.1"
	@$(PIP) install $(call EDITABLE,$(HEAVY)) --group $*
	@touch $@

$(CONSOLE): | .venv/bin/python
	@echo "Building the console"
	@$(BIN)/python web/build.py
