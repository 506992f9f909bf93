# Needs Python 3.11 or newer with venv, make and git. Everything else goes into .tools/ and .venv/.
PYTHON ?= python3
WORKERS ?= 2
ORDER ?= 20261122  # the tests' order is shuffled by this number: the same for everybody; `make soak` draws a new one
export UV_PYTHON_DOWNLOADS := never
unexport PYTHONDONTWRITEBYTECODE  # without bytecode every verb compiles everything first

BIN := .venv/bin
UV := .tools/bin/uv
COMPILE := $(UV) pip compile --no-config --quiet --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-emit-find-links --no-header --no-annotate $(if $(UPGRADE),--upgrade)
PYTEST := $(BIN)/pytest --hypothesis-profile

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup components run test test-postgresql check lint format browser test-tools reference docs bench soak lock changelog clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

setup: .venv/.ready components ## install everything into .tools/ and .venv/ (again: nothing to do)

components: .venv/.ready ## fetch the programs that nodes need (nft, bubblewrap, sshd, QEMU) into .tools/
	@$(BIN)/python scripts/install_components.py

run: setup ## the tour: a small organisation, evidence, a pack, and the console, which stays up
	@$(BIN)/ringfence tour

test: lint browser test-tools ## all checks, then all tests
	$(PYTEST)=ci -n $(WORKERS) --durations=20 --randomly-seed=$(strip $(ORDER))

test-postgresql: setup test-tools ## every test that works in a database, on PostgreSQL
	$(PYTEST)=ci -n $(WORKERS) --postgresql --randomly-seed=$(strip $(ORDER))

check: lint ## the quick half: format, lint, types, layers, documents
	$(PYTEST)=ci -q tests/architecture tests/docs

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup ## rewrite the files as the formatter wants them
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

browser: setup
	@$(BIN)/python scripts/install_browser.py

test-tools: setup
	@$(BIN)/python scripts/install_tools.py testing

reference: setup ## write the pages of docs/reference anew that are made from code and data
	$(BIN)/python scripts/write_reference.py

docs: setup ## build the documentation into docs/_build/, warnings as errors
	$(BIN)/sphinx-build -q -W --keep-going -b html docs docs/_build

bench: setup ## measure beside a peer and print ratios (WRITE=1 also writes docs/measurements/)
	@$(BIN)/python scripts/install_tools.py bench
	$(BIN)/python benchmarks/run.py $(if $(WRITE),--write)

soak: setup browser test-tools ## the full counts and long property runs; may take an hour
	RINGFENCE_SOAK=1 $(PYTEST)=soak -n $(WORKERS) --durations=20 --timeout=3600

lock: .tools/.ready ## resolve requirements/*.txt anew, with hashes (UPGRADE=1 takes newer versions)
	$(COMPILE) pyproject.toml --extra all -o requirements/run.txt
	$(COMPILE) pyproject.toml --extra all --group test --group bench --group lint --group docs -c requirements/run.txt -o requirements/dev.txt

changelog: setup ## show the notes that changes/ would add to CHANGELOG.md
	$(BIN)/towncrier build --draft --version next

clean: ## remove what the other commands made
	rm -rf .tools .venv docs/_build .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

.tools/.ready: requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Ringfence needs Python 3.11 or newer: make PYTHON=python3.11 …")'
	$(PYTHON) -m venv .tools
	.tools/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

.venv/.ready: .tools/.ready requirements/dev.txt pyproject.toml
	@test -x $(BIN)/python || $(UV) venv --quiet --python .tools/bin/python .venv
	$(UV) pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements/dev.txt
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@
