# Two commands matter: `make run` and `make test`. Both set up .venv by themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ORACLES := .venv-oracles
PEERS := vectorbt backtesting nautilus

.PHONY: run web test test-long chaos oracles lint bench clean help

help:           ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: $(VENV)/.installed web            ## set up, and bring the fleet up on the sample market with its pages
	$(BIN)/clawd up

web: $(VENV)/.installed                ## build the pages, with the npm that is here or one from PyPI
	@$(BIN)/python frontend/build.py --install-node

test: $(VENV)/.installed-dev web       ## set up and run the tests
	@echo "Compiling the engine, about a minute the first time ..."
	@$(BIN)/python -c "from clawd.engine.warm import warm_up; warm_up()"
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not long and not oracles"

test-long: $(VENV)/.installed-dev web      ## the proofs that take minutes
	$(BIN)/python -m pytest -n 2 --dist worksteal -m long

CHAOS_STEPS ?= 100000

chaos: $(VENV)/.installed-dev          ## kill -9 at every write and every call, and random days (CHAOS_STEPS=1000000)
	$(BIN)/python tests/chaos/kill_matrix.py
	$(BIN)/python tests/chaos/chaos_driver.py --steps $(CHAOS_STEPS)

oracles: $(VENV)/.installed-dev $(PEERS:%=$(ORACLES)/%/.installed)  ## the same orders in other backtesters
	$(BIN)/python -m pytest -m oracles

lint: $(VENV)/.installed-dev web       ## ruff, strict mypy, and the front end's types, rules and tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python frontend/check.py

bench: $(VENV)/.installed-dev $(ORACLES)/vectorbt/.installed $(ORACLES)/backtesting/.installed  ## every benchmark
	$(BIN)/python -m benchmarks

clean:          ## remove the virtual environment, the built pages and caches
	rm -rf frontend/node_modules frontend/codegen/node_modules src/clawd/server/dist
	rm -rf $(VENV) $(ORACLES) .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else "clawd needs Python 3.11 to 3.13, this is %d.%d; name one with: make PYTHON=python3.12 ..." % v)'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml constraints.txt
	@echo "Setting up $(VENV), about a minute the first time ..."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e ".[dev]"
	@touch $@

# Each peer has an environment of its own: their requirements exclude one another.
$(ORACLES)/%/.installed: tests/oracles/requirements-%.txt
	@echo "Setting up $(ORACLES)/$* ..."
	@$(PYTHON) -m venv $(ORACLES)/$*
	@$(ORACLES)/$*/bin/python -m pip install -qq --disable-pip-version-check -r $<
	@touch $@
