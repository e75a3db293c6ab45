# Everything a newcomer needs is `make demo`. Every step leaves a mark when it is done, so a second
# `make` does no work and one that was stopped goes on where it was.

PYTHON ?=
# Not exported by default, so that an empty one does not reach programs.
unexport PYTHON
# Without its bytecode every start would compile all modules anew.
unexport PYTHONDONTWRITEBYTECODE

BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"
WORKERS ?= 2
# What pytest is to run: make test TESTS=tests/flow
TESTS ?=

.PHONY: demo forget test check format lock assets dev chromium clean help
.DELETE_ON_ERROR:

help:
	@echo "make demo    a whole hospital system on this machine, moving (PORT, MLLP_PORT)"
	@echo "make forget  delete the demo's data, so that the next one begins anew"
	@echo "make test    all tests, browser tests included (TESTS=tests/flow for some)"
	@echo "make check   style, types, import rule, migrations"
	@echo "make format  put the style right"
	@echo "make lock    choose the newest allowed versions of everything anew"
	@echo "make clean   remove what was built or fetched; the demo's data stay"

.venv/.made: tools/venv.sh
	@echo "Making the virtual environment …"
	@sh tools/venv.sh $(PYTHON)
	@touch $@

.venv/.installed: .venv/.made requirements.txt
	@echo "Installing Python packages …"
	@$(INSTALL) -r requirements.txt
	@touch $@

.venv/.installed-dev: .venv/.installed requirements-dev.txt
	@echo "Installing the developer's Python packages …"
	@$(INSTALL) -r requirements-dev.txt
	@touch $@

static/npm/.collected: .venv/.made package-lock.json tools/collect_assets.py tools/npm.sh
	@echo "Fetching what the pages load …"
	@sh tools/npm.sh ci --no-audit --no-fund --loglevel=error
	@$(BIN)/python tools/collect_assets.py
	@touch $@

assets: static/npm/.collected

dev: .venv/.installed-dev static/npm/.collected

demo: .venv/.installed static/npm/.collected
	@exec $(BIN)/python manage.py demo

forget: .venv/.installed
	@$(BIN)/python -m flowboard.forget

chromium: dev
	@$(BIN)/python tools/chromium.py

test: dev
	@CHROMIUM=$$($(BIN)/python tools/chromium.py) && export CHROMIUM && \
	  exec $(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup $(TESTS)

check: dev
	@sh tools/check.sh

format: dev
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

lock: dev
	@$(COMPILE) --upgrade pyproject.toml -o requirements.txt
	@$(COMPILE) --upgrade --extra dev -c requirements.txt pyproject.toml -o requirements-dev.txt
	@$(COMPILE) --upgrade --group node -o requirements-node.txt
	@rm -f package-lock.json
	@sh tools/npm.sh install --package-lock-only --no-audit --no-fund

clean:
	@rm -rf .venv node_modules static/npm staticfiles test-results
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
