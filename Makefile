# Everything a checkout needs is set up by scripts/set_up.py; a second call takes seconds.
PYTHON ?= python3
BIN := .venv/bin
.DEFAULT_GOAL := help
.PHONY: help preview test test-argocd test-sidecar golden generated bench bench-argocd site lint lock clean

help:
	@echo 'make preview   set up, then print what the laptop cluster kind.local gets'
	@echo 'make test      set up, then run all tests (PYTEST_ARGS=... for some); with CI=true a missing program fails them'
	@echo 'make test-argocd  run the plugin in real Argo CD; builds it once, about half an hour'
	@echo 'make test-sidecar  build the image of the sidecar and run it; as root, on Debian'
	@echo 'make golden    write the expected output of the golden cases anew'
	@echo 'make generated  write the schemas, references and tables that are made from code'
	@echo 'make bench     measure, and write the table in benchmarks/README.md'
	@echo 'make bench-argocd  the same for one Application in real Argo CD'
	@echo 'make site      the documentation as a site, in build/site'
	@echo 'make lint      ruff, mypy, and whether generated files are up to date'
	@echo 'make clean     remove .venv and what was built here'
	@echo 'make lock      resolve the locked packages anew'

preview:
	@$(PYTHON) scripts/set_up.py
	@$(BIN)/cmp-plugin preview kind.local

# worksteal gives each worker a run of the tests, so that what a module sets up is set up once. The limits, in
# seconds, are for what hangs: on an idle machine no test takes a tenth of them.
test:
	@$(PYTHON) scripts/set_up.py --tests
	@$(BIN)/python -m pytest -n auto --dist worksteal --timeout 300 $(PYTEST_ARGS)

test-argocd:
	@$(PYTHON) scripts/set_up.py --argocd
	@$(PYTHON) tests/real_argocd/build.py
	@$(PYTHON) tests/real_argocd/function_pythonic.py
	@$(BIN)/python -m pytest tests/real_argocd --timeout 1800 -m argocd -n 2 --dist loadfile $(PYTEST_ARGS)

test-sidecar:
	@$(PYTHON) scripts/set_up.py --sidecar
	@$(PYTHON) tests/real_argocd/build.py
	@$(BIN)/python -m pytest tests/real_argocd --timeout 1800 -m sidecar $(PYTEST_ARGS)

golden:
	@$(PYTHON) scripts/set_up.py --dev
	@$(BIN)/python -m pytest -q tests/repository/test_golden.py --regenerate $(PYTEST_ARGS)

generated:
	@$(PYTHON) scripts/set_up.py --dev
	@$(BIN)/python scripts/generate.py

bench:
	@$(PYTHON) scripts/set_up.py --dev
	@PYTHONPATH=scripts:tests/support $(BIN)/python benchmarks/run.py

bench-argocd:
	@$(PYTHON) scripts/set_up.py --argocd
	@$(PYTHON) tests/real_argocd/build.py
	@$(BIN)/python benchmarks/argocd.py

site:
	@$(PYTHON) scripts/set_up.py --dev
	@$(BIN)/zensical build --strict --clean

lint:
	@$(PYTHON) scripts/set_up.py --dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/python scripts/generate.py --check

COMPILE := build/uv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate
lock:
	@$(PYTHON) -m venv build/uv && build/uv/bin/python -m pip install --quiet uv
	@$(COMPILE) --upgrade pyproject.toml --extra cli --group build --group dev --output-file requirements/test.txt
	@$(COMPILE) pyproject.toml --extra cli --group build --constraints requirements/test.txt --output-file requirements/run.txt
	@$(COMPILE) pyproject.toml --group build --constraints requirements/test.txt --output-file requirements/sidecar.txt
	@$(COMPILE) --group go --output-file cmp_plugin/tools/go.txt
	@$(COMPILE:3.11=3.12) requirements/function.in --output-file requirements/function.txt

clean:
	rm -rf .venv build .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis
