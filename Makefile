PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
DATA ?=
PYTEST ?=

# Small networks train about as fast on one thread as on two, and where test workers or
# other programs share the cores, threads that wait for each other are far slower.
export OMP_NUM_THREADS ?= 1

.DEFAULT_GOAL := help
.PHONY: help demo test coverage test-oldest floors lint types format docs bench mutants install clean

help:  ## show this list
	@sed -n 's/^\([a-z-]*\):.*##/\1\t/p' $(MAKEFILE_LIST) | expand -t 14

# One stamp for each extra: installed again only when what is asked for changes.
.venv/.%: pyproject.toml setup.cfg constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -c constraints.txt -e ".[$*]"
	@touch $@

demo: .venv/.examples  ## PCA against AutoencoderTransformer on real data; pictures in demo/
	$(BIN)/python examples/plot_replace_pca.py --output demo

test: .venv/.test floors  ## the tests, the doctests and the contracts on imports
	$(BIN)/python -m pytest -n 2 $(PYTEST)

coverage: .venv/.test  ## the tests, and the branches that they do not run
	$(MAKE) test PYTEST=--cov

# Its own environment: an old torch takes 3 GB to download and 6 GB on disk.
.venv-oldest/.test: pyproject.toml setup.cfg constraints-oldest.txt
	test -x .venv-oldest/bin/python || $(PYTHON) -m venv .venv-oldest
	.venv-oldest/bin/python -m pip install -c constraints-oldest.txt -e ".[test]"
	@touch $@

test-oldest: .venv-oldest/.test  ## the laws with the oldest supported versions
	.venv-oldest/bin/python -m pytest -n 2 tests/laws

floors: .venv/.test  ## which part of the package may import which
	$(BIN)/lint-imports

lint: .venv/.test types  ## style, format and types; nothing is changed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/.test  ## whether the types fit together
	$(BIN)/mypy

format: .venv/.test  ## fix style and format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: .venv/.docs  ## the documentation, in docs/_build/html; a warning is an error
	$(BIN)/python -m sphinx -W --keep-going docs docs/_build/html

bench: .venv/.bench  ## the measured tables in docs/measured; DATA=folder for more data sets
	$(BIN)/python benchmarks/transform_quality.py --output docs/measured \
	    $(if $(DATA),--data "$(DATA)")
	$(BIN)/python benchmarks/transformer_curve.py --output docs/measured \
	    $(if $(DATA),--data "$(DATA)")
	$(BIN)/python benchmarks/imputation_quality.py --output docs/measured \
	    $(if $(DATA),--data "$(DATA)")
	$(BIN)/python benchmarks/outlier_quality.py --output docs/measured \
	    $(if $(DATA),--data "$(DATA)")
	$(BIN)/python benchmarks/restoration.py --output docs/measured \
	    $(if $(DATA),--data "$(DATA)")
	$(BIN)/python benchmarks/training_methods.py --output docs/measured \
	    $(if $(DATA),--data "$(DATA)")
	$(BIN)/python benchmarks/growth.py --output docs/measured
	$(BIN)/python benchmarks/speed.py --output docs/measured \
	    $(if $(DATA),--data "$(DATA)")

# Mutants of the lower floors have to be noticed by the tests of these. A mutant may ask
# for more memory than there is.
mutants: .venv/.mutants  ## change the code bit by bit: does a test notice? takes hours
	ulimit -v 8000000; \
	    PYTEST_ADDOPTS="$(addprefix --deselect=,$(wildcard tests/estimators/*/))" \
	    $(BIN)/mutmut run --max-children 2 'skae._tables.*' 'skae._training.*'
	ulimit -v 8000000; $(BIN)/mutmut run --max-children 2 'skae.estimators.*'
	$(BIN)/mutmut results

install: .venv/.dev  ## everything for working on skae, and the pre-commit hook
	$(BIN)/pre-commit install

clean:  ## remove what make made
	rm -rf .venv .venv-oldest build dist demo mutants docs/_build docs/auto_examples docs/generated *.egg-info
	rm -rf .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
