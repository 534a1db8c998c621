# make test    everything a fresh machine needs, real servers included, then lint and tests
# make demo    a shop with live orders in an embedded OceanBase; its rows and changes as they arrive in Kafka
# PYTHON=python3.12 make venv    takes another interpreter than python3

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
INSTALLED := $(VENV)/.installed

.DEFAULT_GOAL := test
.PHONY: venv fetch lint format test demo pictures campaign benchmark soak clean

venv: $(INSTALLED)

# gcc and Python's headers are asked for, and installed by root where there is apt-get; without them obsync works too.
$(INSTALLED): pyproject.toml hatch_build.py $(wildcard obsync_tui/engine/native/*.[ch])
	@command -v $(PYTHON) >/dev/null || { \
	  echo "obsync needs Python 3.11 or newer, and there is no $(PYTHON) here." >&2; \
	  echo "Install it (Debian: apt-get install python3 python3-venv) or name one: make PYTHON=/path/to/python3.11" >&2; \
	  exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "obsync needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1)." >&2; \
	  echo "Name a newer one: make PYTHON=/path/to/python3.11" >&2; \
	  exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make virtual environments: its venv module is missing." >&2; \
	  echo "Install it: apt-get install python3-venv" >&2; \
	  exit 1; }
	@$(PYTHON) tests/servers/compiler.py
	test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

fetch: venv
	$(PY) -m tests.servers fetch

lint: venv
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy --strict obsync_tui
	$(BIN)/lint-imports --no-cache

format: venv
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

test: lint fetch
	$(PY) -m pytest --numprocesses=2 --dist=loadfile

demo: venv
	$(BIN)/obsync demo

pictures: venv
	$(PY) -m tests.console.pictures

campaign: fetch
	$(PY) -m pytest -m campaign --timeout=0

benchmark: fetch
	$(PY) -m benchmarks

# Twenty minutes of clients and projects that come and go: whether the engine grows.
soak: fetch
	$(PY) -m benchmarks.soak

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find obsync_tui tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
