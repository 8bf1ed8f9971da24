# Each target first makes .venv from requirements.lock where that is missing or older. Another Python 3.10 than the one
# found can be named with PYTHON=/path/to/python3.10. Parallel tests: WORKERS=4.

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.locked
UV_VERSION := 0.9.30
WORKERS ?= 2
# The rooms that need no Rasa, and a Python and an SQLAlchemy that Rasa does not run on.
CORE := .venv-core
CORE_VERSION := 3.13
CORE_TESTS := $(addprefix tests/,policy crypto storage consent minimize dialogue rights retention access console cli fuzz)
# What `make fuzz` fuzzes, and for how long.
TARGET ?= segment
SECONDS ?= 600

export RASA_TELEMETRY_ENABLED := false

.PHONY: venv demo test core fuzz check bench lock
.DEFAULT_GOAL := test

venv: $(STAMP)

# $(call fill,folder,Python version,lock,interpreter that was named)
define fill
@echo "Making $(1) from $(3) ..."
@set -eu; python=$$(PYTHON="$(4)" tools/find-python $(2)); \
  [ "$$($(1)/bin/python -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)" = $(2) ] \
    || "$$python" -m venv --clear $(1)
@$(1)/bin/python -m pip install --quiet --disable-pip-version-check "uv==$(UV_VERSION)"
@VIRTUAL_ENV="$(CURDIR)/$(1)" $(1)/bin/uv pip install --compile-bytecode --require-hashes -r $(3)
@VIRTUAL_ENV="$(CURDIR)/$(1)" $(1)/bin/uv pip install --no-deps -e .
@touch $(1)/.locked
endef

$(STAMP): requirements.lock pyproject.toml tools/find-python
	$(call fill,$(VENV),3.10,requirements.lock,$(PYTHON))

$(CORE)/.locked: requirements-core.lock pyproject.toml tools/find-python
	$(call fill,$(CORE),$(CORE_VERSION),requirements-core.lock,$(CORE_PYTHON))

demo: venv
	@$(BIN)/rasa-privacy demo

test: venv
	$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder
	@if [ -n "$$RASA_PRIVACY_REQUIRE_DATABASES" ] || PYTHON="$(CORE_PYTHON)" tools/find-python $(CORE_VERSION) >/dev/null 2>&1; \
	  then $(MAKE) --no-print-directory core; \
	  else echo "Left out: the core on Python $(CORE_VERSION) and SQLAlchemy 2. How to run it:"; tools/find-python $(CORE_VERSION) || true; fi

core: $(CORE)/.locked
	$(CORE)/bin/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m "not rasa and not e2e and not soak" $(CORE_TESTS)

fuzz: venv
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --target .build/atheris --require-hashes -r tests/fuzz/requirements.txt
	PYTHONPATH=.build/atheris $(BIN)/python -m tests.fuzz.run $(TARGET) $(SECONDS)

check: venv
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: venv
	@for script in $(wildcard bench/*.py); do echo "== $$script"; $(BIN)/python "$$script" || exit 1; done

lock: venv
	VIRTUAL_ENV="$(CURDIR)/$(VENV)" $(BIN)/uv pip compile --universal --generate-hashes --python-version 3.10 \
	  --no-emit-index-url --no-annotate --no-header --extra rasa --extra dev --extra postgresql --extra mariadb --extra aws-kms --extra pkcs11 --extra vault --extra presidio --extra api pyproject.toml -o requirements.lock
	VIRTUAL_ENV="$(CURDIR)/$(VENV)" $(BIN)/uv pip compile --universal --generate-hashes --python-version $(CORE_VERSION) \
	  --no-emit-index-url --no-annotate --no-header --extra dev --extra postgresql --extra mariadb --extra aws-kms --extra pkcs11 --extra vault --extra presidio --extra api pyproject.toml -o requirements-core.lock
