# `make run` shows the whole of Assaymark on real input; `make test` proves it. Both set up what they need.
SHELL := /bin/bash
.DELETE_ON_ERROR:

# The first interpreter of 3.11 or later.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; exit; }; done; echo none)
VENV ?= .venv
BIN := $(VENV)/bin
JOBS ?= 2
# Loads and writes the corpus of `make bench BENCH=corpus`. Not in the lock: its CPU build differs between machines.
TORCH ?= 2.13.0
export MODEL ?=

.PHONY: help run serve-demo test lint types arch audit bench docs soak lock clean
help:  ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | sort

$(VENV)/.run: requirements/demo.txt pyproject.toml
	@if [ "$(PYTHON)" = none ]; then echo "Assaymark needs Python 3.11 or later; name one: make PYTHON=/path/to/python3.11" >&2; exit 1; fi
	@echo "Setting up $(VENV) from requirements/demo.txt (hash-locked) ..." >&2
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/demo.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.run
	@echo "Adding the development tools from requirements/dev.txt (hash-locked) ..." >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

run: $(VENV)/.run  ## the main job on real input; MODEL=path for a model of yours; ASSESS=1 for an architecture
	@$(BIN)/python $(if $(ASSESS),examples/assess_demo.py,examples/demo.py) $(if $(MODEL),--model "$$MODEL")

serve-demo: $(VENV)/.dev  ## a real model server under `assaymark run`
	@$(BIN)/python examples/serve_digits/serve_demo.py

test: $(VENV)/.dev  ## the tests
	@$(BIN)/python $(if $(COVERAGE),-m coverage run) -m pytest -n $(JOBS) $(TESTS)

lint: $(VENV)/.dev  ## style, spelling of imports, formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev  ## mypy, strict
	$(BIN)/mypy

arch: $(VENV)/.dev  ## the floors: who may import whom
	$(BIN)/lint-imports

audit: $(VENV)/.dev  ## the locks: hashes, no index address, known vulnerabilities where a service is reachable
	$(BIN)/python bench/audit_locks.py

.venv-bench/.peers: requirements/bench.txt
	@echo "Setting up .venv-bench with the peers to compare with (hash-locked) ..." >&2
	@test -x .venv-bench/bin/python || $(PYTHON) -m venv .venv-bench
	@.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bench.txt
	@touch $@

.venv-corpus/.libraries: requirements/corpus.txt
	@echo "Setting up .venv-corpus with the libraries that write model files (hash-locked, and torch $(TORCH)) ..." >&2
	@test -x .venv-corpus/bin/python || $(PYTHON) -m venv .venv-corpus
	@.venv-corpus/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/corpus.txt
	@.venv-corpus/bin/python -m pip install --quiet --disable-pip-version-check torch==$(TORCH)
	@.venv-corpus/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --target .venv-corpus/old-skops skops==0.11.0
	@touch $@

bench: $(if $(filter corpus,$(BENCH)),.venv-corpus/.libraries)
bench: $(VENV)/.dev .venv-bench/.peers  ## figures beside peers, as ratios and CPU-seconds
	@PATH="$(CURDIR)/.venv-bench/bin:$$PATH" $(BIN)/python -m bench $(BENCH)

docs: $(VENV)/.run  ## pictures and generated pages of the documentation
	$(BIN)/python docs/make.py

soak: $(VENV)/.dev  ## fuzzing until coverage stops growing, kills and races; SOAK="names" for some, SOAK_SECONDS at most a target (default 600)
	$(BIN)/python -m tests.soak $(SOAK)

lock: $(VENV)/.dev  ## renew the hash-locked files (needs uv)
	for set in "run:--group build" "serve:--extra serve" "demo:--extra demo --group build" "dev:--extra demo --extra serve --extra s3 --extra onnx --extra solve --group dev --group build" "bench:--group bench" "corpus:--group corpus"; do \
	  uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --upgrade \
	    $${set#*:} pyproject.toml -o requirements/$${set%%:*}.txt; done
	for scanner in picklescan==1.0.5 modelscan==0.8.8 "fickling==0.1.12 typing-extensions" modelaudit==0.2.54; do \
	  printf '%s\n' $$scanner | uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	    --upgrade - -o requirements/scanners/$${scanner%%==*}.txt; done

clean:  ## what the above made
	rm -rf $(VENV) out build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*
