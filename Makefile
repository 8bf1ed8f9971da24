# Each target first makes .venv from requirements.lock where that is missing or older. Another Python 3.10 than the one
# found can be named with PYTHON=/path/to/python3.10. Parallel tests: WORKERS=4.

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.locked
UV_VERSION := 0.9.30
WORKERS ?= 2

export RASA_TELEMETRY_ENABLED := false

.PHONY: venv demo test check bench lock
.DEFAULT_GOAL := test

venv: $(STAMP)

$(STAMP): requirements.lock pyproject.toml tools/find-python
	@echo "Making $(VENV) from requirements.lock ..."
	@set -eu; python=$$(PYTHON="$(PYTHON)" tools/find-python); \
	  [ -x $(BIN)/python ] && $(BIN)/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 10))' 2>/dev/null \
	    || "$$python" -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv==$(UV_VERSION)"
	@VIRTUAL_ENV="$(CURDIR)/$(VENV)" $(BIN)/uv pip install --compile-bytecode --require-hashes -r requirements.lock
	@VIRTUAL_ENV="$(CURDIR)/$(VENV)" $(BIN)/uv pip install --no-deps -e .
	@touch $(STAMP)

demo: venv
	@$(BIN)/rasa-privacy demo

test: venv
	$(BIN)/pytest -n $(WORKERS) --dist loadfile

check: venv
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: venv
	@for script in $(wildcard bench/*.py); do echo "== $$script"; $(BIN)/python "$$script" || exit 1; done

lock: venv
	VIRTUAL_ENV="$(CURDIR)/$(VENV)" $(BIN)/uv pip compile --universal --generate-hashes --python-version 3.10 \
	  --no-emit-index-url --no-annotate --no-header --extra rasa --extra dev pyproject.toml -o requirements.lock
