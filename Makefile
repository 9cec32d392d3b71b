# make demo: environment + the main job.  make test: environment + tests.  make help lists the rest.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help demo test test-all fuzz lint figures benchmark clean

help:
	@grep -E '^#|^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /: /'

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), "inphase needs Python 3.11 or newer; run: make PYTHON=python3.11"'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	touch $@

demo: $(VENV)/.installed ## the main job: one system, does it synchronize? -> results/report.html
	$(BIN)/inphase study attention --beta 9 --n 20000 --seed 0 --out results

test: $(VENV)/.installed lint ## lint, types, rooms and the quick tests
	$(BIN)/python -m pytest -m 'not long' -n auto --maxprocesses 4

test-all: $(VENV)/.installed lint ## the checks of minutes too
	$(BIN)/python -m pytest -n auto --maxprocesses 4

MINUTES ?= 10
fuzz: $(VENV)/.installed ## damaged files and command lines for MINUTES, with a fresh seed -> fuzz-results/
	$(BIN)/python tests/fuzz --minutes $(MINUTES) --out fuzz-results

lint: $(VENV)/.installed
	$(BIN)/ruff check src tests benchmarks docs
	$(BIN)/ruff format --check src tests benchmarks docs
	$(BIN)/mypy
	$(BIN)/lint-imports

figures: $(VENV)/.installed ## the figures of docs/
	$(BIN)/python docs/make_figures.py
	for example in docs/gallery/*.py; do $(BIN)/python $$example; done

benchmark: $(VENV)/.installed ## the table of docs/performance.md (installs the peers)
	$(BIN)/python -m pip install --quiet --editable '.[benchmark]'
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) results
