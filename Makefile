# Two commands matter: `make demo` shows deepfield at work, `make test` proves it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
TEST_STAMP := $(VENV)/.installed-test
JOBS ?= auto
# A commit gets the same verdict each time. Fresh inputs: `deepfield dev check`, and many of them: `--draws`.
SEED ?= 20261123
# The tests start the program some thousand times: each would compile it anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test lint types unit check bench format clean
# What `make test` runs: side by side, since each by itself leaves a core idle now and then.
PARTS := lint types unit check
SIDE_BY_SIDE := --jobs=$(words $(PARTS)) $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)

demo: $(STAMP)
	@$(BIN)/python -m deepfield_cli.demo

test: $(TEST_STAMP)
	@echo "$(PARTS): side by side, each shown when it ends; in ten minutes or so the last"
	@$(MAKE) --no-print-directory $(SIDE_BY_SIDE) $(PARTS)

lint: $(TEST_STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(TEST_STAMP)
	$(BIN)/mypy

# worksteal: a file's tests stay together, and so does what they share, a warm process with torch say.
unit: $(TEST_STAMP)
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -q

check: $(TEST_STAMP)
	$(BIN)/deepfield dev check --jobs 2 --brief --seed $(SEED)

bench: $(TEST_STAMP)
	$(BIN)/python -m benchmarks

format: $(TEST_STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(STAMP): $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	@touch $@

$(TEST_STAMP): $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[test,llm]"
	@touch $@ $(STAMP)

clean:
	rm -rf $(VENV) build dist *.egg-info
