PYTHON ?= python3
PY := .venv/bin/python -W ignore
DEMO_METHODS := naive fame two-token devias

.PHONY: help setup demo test lint

help:
	@echo 'make setup  install into .venv (2 minutes; done by the others too)'
	@echo 'make demo   render the embedded benchmark, train and test 4 methods, rank them'
	@echo 'make test   run the test suite'
	@echo 'make lint   run ruff'

setup:
	@PYTHON=$(PYTHON) bash tools/setup_env.sh

demo: setup
	@echo 'demo: renders videos (20 s), trains and tests $(DEMO_METHODS) (10 minutes on a laptop CPU), writes the leaderboard'
	@$(PY) tools/data/make_puppets.py --out data/puppets --preset demo --workers 2
	@$(PY) tools/benchmark.py run benchmarks/puppets.py --methods $(DEMO_METHODS) --seeds 0
	@$(PY) tools/benchmark.py table benchmarks/puppets.py --methods $(DEMO_METHODS) --seeds 0
	@$(PY) tools/benchmark.py plot benchmarks/puppets.py --methods $(DEMO_METHODS) --seeds 0

test: setup
	@echo 'test: the whole suite on up to 4 cores, about 10 minutes on 2'
	@.venv/bin/python -m pytest -n auto --maxprocesses 4 --dist loadfile

lint: setup
	@.venv/bin/ruff check .
