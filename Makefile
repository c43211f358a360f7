# `make run` shows the portal with a sandbox Altegio; `make test` runs the whole suite; `make bench` measures.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

# Minutes of the bench's soak, and examples of the fuzzing.
SOAK ?= 10
EXAMPLES ?= 1000
AUDIT := $(VENV)/audit
UV := $(VENV)/uv

.PHONY: run ports test test-thorough pictures lint format lock migrations-check translations bench fuzz chaos audit

run: ports $(STAMP)
	@$(BIN)/python -m demo

test: $(STAMP)
	$(BIN)/python -m pytest -n auto --dist loadgroup $(ARGS)

# The generated tests with many examples, each time others; for a quiet hour, or before a release.
test-thorough: $(STAMP)
	THOROUGH=1 FUZZ_EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest -n auto --dist loadgroup $(ARGS)

ports:
	@$(PYTHON) -m demo.ports

pictures: $(STAMP)
	PICTURES=docs/pictures $(BIN)/python -m pytest -q tests/browser/test_pictures.py

bench: $(STAMP)
	$(BIN)/python -m bench --soak $(SOAK) $(ARGS)

# Generated attacks on the addresses and the API: `make fuzz EXAMPLES=100000`.
fuzz: $(STAMP)
	FUZZ_EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest tests/security/test_addresses.py tests/security/test_api_schema.py $(ARGS)

# Random faults over a living marketplace: `make chaos ARGS="--seed 7"` replays one (docs/chaos.md).
chaos: $(STAMP)
	$(BIN)/python -m chaos $(ARGS)

# Known weaknesses of every locked package; asks the advisory service of the Python packages, so it needs the internet.
audit: $(STAMP)
	@$(BIN)/python -m pip check
	@test -x $(AUDIT)/bin/pip-audit || { $(PYTHON) -m venv $(AUDIT) && $(AUDIT)/bin/python -m pip install --quiet pip-audit==2.10.1; }
	@$(AUDIT)/bin/pip-audit --strict --require-hashes --disable-pip -r requirements.lock || { echo \
	    "Not clean, or the advisory service was out of reach: see above."; exit 1; }

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports --no-logo

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# After a change of requirements*.txt: every package that they lead to, with its version and its hashes.
lock: $(STAMP)
	@test -x $(UV)/bin/uv || { $(PYTHON) -m venv $(UV) && $(UV)/bin/python -m pip install --quiet uv==0.13.9; }
	for name in requirements requirements-dev; do \
	    $(UV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	        --custom-compile-command "make lock" $$name.txt --output-file $$name.lock || exit 1; done

migrations-check: $(STAMP)
	DJANGO_SETTINGS_MODULE=tests.settings $(BIN)/python manage.py makemigrations --check --dry-run

# After a change of words: the catalogues in locale/ follow the source, and are compiled.
translations: $(STAMP)
	DJANGO_SETTINGS_MODULE=tests.settings $(BIN)/python manage.py update_translations

$(STAMP): requirements-dev.lock
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing packages: a minute or two, the first time."
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $(STAMP)
