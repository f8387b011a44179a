# Two commands do everything: `make run` and `make test`. PYTHON chooses the interpreter (3.11 to 3.13).
# EXTRAS=test,torch installs PyTorch too, for the tests of fine-tuning; without it they are skipped.
PYTHON ?= python3
VENV ?= .venv
EXTRAS ?= test
BIN = $(VENV)/bin
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check
TESTABLE = $(VENV)/.extras-$(EXTRAS)

.PHONY: run demo example test lint audit sbom setup clean

$(VENV)/.run: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) -e .
	touch $@

$(TESTABLE): $(VENV)/.run
	$(INSTALL) -e '.[$(EXTRAS)]'
	touch $@

setup: $(VENV)/.run

run: $(VENV)/.run
	$(BIN)/stancewatch run --all --limit 3

demo: $(VENV)/.run
	$(BIN)/stancewatch demo

example: $(VENV)/.run
	$(BIN)/python -m tools.pages --example .

lint: $(TESTABLE)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The licences of what is needed at run time; `pip-audit` for known weaknesses needs a network (docs/security.md)
audit: $(TESTABLE)
	$(BIN)/python tools/licences.py

# What is installed here, as CycloneDX. For a release: make sbom VENV=build/release EXTRAS=scale,otel,release
sbom: $(TESTABLE)
	mkdir -p dist
	$(BIN)/cyclonedx-py environment --output-reproducible --of JSON -o dist/stancewatch.cdx.json

# A file of tests is the unit that a process takes: files share servers, tests within one may share more.
test: $(TESTABLE) lint
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile

clean:
	rm -rf $(VENV) build dist *.egg-info
