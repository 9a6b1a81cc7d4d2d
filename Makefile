# Each target does all its own set-up, with nothing but Python (3.11 or newer, with pip) on the machine.

PYTHON ?= python3
ARGS ?=
BIN = .venv/bin

# Without bytecode every start of Airflow compiles thousands of files again.
unexport PYTHONDONTWRITEBYTECODE

# Rooms that know no Airflow and no data system.
DEV_TESTS = $(addprefix tests/unit/,spec state artifacts testing sdk/airflow_api)
# Needs frames of other libraries.
DEV_LEFT_OUT = tests/unit/artifacts/test_data_modules.py

.PHONY: help test dev matrix demo stack docs lint format bench chaos constraints clean

help:
	@echo "make test         all tests, on Airflow 3 and 2.11, against real servers"
	@echo "make dev          unit tests that need no Airflow and no servers, in a small environment, .venv-dev"
	@echo "make matrix       unit tests on other Pythons, oldest versions; a flow on each Airflow; ARGS=python-3.12: one"
	@echo "make demo         the README's script on a real Airflow; ARGS=--keep leaves it running"
	@echo "make stack        an S3 server and an Airflow, until Ctrl-C, to try things with"
	@echo "make docs         the documentation as a site, in .work/site"
	@echo "make lint         ruff, mypy, import-linter; make format mends what ruff can"
	@echo "make bench        the figures of benchmarks/; ARGS=--smoke only tries whether they run"
	@echo "make chaos        kills, outages, tampering, hostile specs, up to 90 minutes; ARGS=--write keeps the figures"
	@echo "make constraints  pin in constraints/: the newest versions, the oldest, those of release days"
	@echo "make clean        remove the environments and all that tools left behind"

test:
	@$(PYTHON) tools/servers.py
	@$(PYTHON) tools/environments.py airflow-3 airflow-2.11 oracle
	@$(BIN)/python tools/suites.py $(ARGS)

dev:
	@$(PYTHON) tools/environments.py dev
	.venv-dev/bin/python -m pytest -q -m "not slow" --ignore $(DEV_LEFT_OUT) $(DEV_TESTS) $(ARGS)

matrix:
	@$(PYTHON) tools/servers.py
	@$(PYTHON) -m tools.matrix $(ARGS)

demo:
	@$(PYTHON) tools/environments.py airflow-3
	@$(BIN)/python -m demo $(ARGS)

stack:
	@$(PYTHON) tools/environments.py airflow-3
	@$(BIN)/python -m demo --only-stack

docs:
	@$(PYTHON) tools/environments.py docs
	NO_MKDOCS_2_WARNING=1 .venv-docs/bin/python -m mkdocs build --strict

lint:
	@$(PYTHON) tools/environments.py airflow-3
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/house.py

format:
	@$(PYTHON) tools/environments.py airflow-3
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench:
	@$(PYTHON) tools/servers.py
	@$(PYTHON) tools/environments.py airflow-3 dag-factory oracle
	$(BIN)/python -m benchmarks.run $(ARGS)

chaos:
	@$(PYTHON) tools/servers.py
	@$(PYTHON) tools/environments.py airflow-3
	$(BIN)/python -m pytest -q tests/chaos --full $(ARGS)

constraints:
	@$(PYTHON) -m tools.release_days
	@$(PYTHON) tools/environments.py --renew airflow-3 airflow-2.11 lowest-3 lowest-2.11 oracle docs dev

clean:
	rm -rf .venv .venv-* .work .mypy_cache .ruff_cache .pytest_cache \
	  .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
