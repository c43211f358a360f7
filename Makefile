# `make run` shows the portal with a sandbox Altegio; `make test` runs the whole suite; `make bench` measures.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

# Minutes of the bench's soak, and examples of the fuzzing.
SOAK ?= 10
EXAMPLES ?= 1000
AUDIT := $(VENV)/audit

.PHONY: run test pictures lint format migrations-check messages bench fuzz chaos audit

run: $(STAMP)
	@$(BIN)/python -m demo

test: $(STAMP)
	$(BIN)/python -m pytest -n auto --dist loadgroup $(ARGS)

pictures: $(STAMP)
	PICTURES=docs/pictures $(BIN)/python -m pytest -q tests/browser/test_pictures.py

bench: $(STAMP)
	$(BIN)/python -m bench --soak $(SOAK) $(ARGS)

# Generated attacks on the addresses and the API: `make fuzz EXAMPLES=100000`.
fuzz: $(STAMP)
	FUZZ_EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest tests/attacks/test_addresses.py tests/attacks/test_api_schema.py $(ARGS)

# Random faults over a living marketplace: `make chaos ARGS="--seed 7"` replays one (docs/chaos.md).
chaos: $(STAMP)
	$(BIN)/python -m chaos $(ARGS)

# Known weaknesses of the pinned packages; asks the advisory service of the Python packages, so it needs the internet.
audit: $(STAMP)
	@$(BIN)/python -m pip check
	@test -x $(AUDIT)/bin/pip-audit || { $(PYTHON) -m venv $(AUDIT) && $(AUDIT)/bin/python -m pip install --quiet pip-audit==2.10.1; }
	@$(AUDIT)/bin/pip-audit --strict --no-deps --disable-pip -r requirements.txt || { echo \
	    "Not clean, or the advisory service was out of reach: see above."; exit 1; }

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

migrations-check: $(STAMP)
	DJANGO_SETTINGS_MODULE=tests.settings $(BIN)/python manage.py makemigrations --check --dry-run

# After a change of words: the catalogues in locale/ follow the source, and are compiled.
messages: $(STAMP)
	DJANGO_SETTINGS_MODULE=tests.settings $(BIN)/python manage.py messages

$(STAMP): requirements.txt requirements-dev.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $(STAMP)
