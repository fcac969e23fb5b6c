# makerd: `make run` shows it work, `make test` checks it, `make bench` measures it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q

CONFIG ?= deploy/config/paper.toml
DURATION ?=
MARKET ?=
SEED ?=
VENUE_FILE ?=
RUN_OPTIONS = $(if $(DURATION),--duration "$(DURATION)") $(if $(MARKET),--market "$(MARKET)") \
	$(if $(SEED),--seed "$(SEED)") $(if $(VENUE_FILE),--venue-file "$(VENUE_FILE)")

.DEFAULT_GOAL := help
.PHONY: help run test format bench chaos clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "  make run DURATION=60                       end by itself, leave run/summary.json"
	@echo "  make run MARKET=replay:PATH                serve a recording instead of the synthetic market"
	@echo "  make run VENUE_FILE=path                   use a local venue that already runs"
	@echo "  make run CONFIG=path                       another deployment"

run: $(VENV)/run.stamp  ## start the paper deployment and show it; Ctrl-C stops everything
	@exec $(BIN)/python -m services.console --config "$(CONFIG)" run $(RUN_OPTIONS)

#: after chaos, which waits most of its time as the scenarios do
QUICK = $(filter-out tests/chaos/ tests/scenarios/,$(wildcard tests/*/)) $(wildcard tests/test_*.py)

test: $(VENV)/test.stamp  ## format, types and the whole suite
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	@log=$$(mktemp); echo "chaos and the quick tests run beside the scenarios; they are shown at the end"; \
	$(BIN)/python -m pytest tests/chaos $(QUICK) >"$$log" 2>&1 & others=$$!; \
	trap 'kill $$others; rm -f "$$log"; exit 130' INT TERM; \
	$(BIN)/python -m pytest tests/scenarios; scenarios=$$?; \
	wait $$others; others=$$?; cat "$$log"; rm -f "$$log"; exit $$((scenarios || others))

format: $(VENV)/test.stamp  ## rewrite the code in the house format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/bench.stamp  ## measure; writes run/bench.json
	$(BIN)/python -m tests.bench

chaos: $(VENV)/test.stamp  ## kill every process at chosen points; prints the times to recover
	$(BIN)/python -m tests.chaos

clean:  ## remove the environment and everything a run left
	rm -rf $(VENV) run .mypy_cache .ruff_cache .hypothesis

$(VENV)/run.stamp: requirements-run.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "makerd needs Python 3.11 or newer; $(PYTHON) is older (make PYTHON=... picks another)"; exit 78; }
	@test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	@echo "installing (once)"
	@$(PIP) install --require-hashes -r requirements-run.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/sweep.stamp: $(VENV)/run.stamp requirements-sweep.txt
	@$(PIP) install --require-hashes -r requirements-sweep.txt
	@touch $@

$(VENV)/test.stamp: $(VENV)/sweep.stamp requirements-test.txt
	@$(PIP) install --require-hashes -r requirements-test.txt
	@touch $@

$(VENV)/bench.stamp: $(VENV)/sweep.stamp requirements-bench.txt
	@$(PIP) install --require-hashes -r requirements-bench.txt
	@touch $@
