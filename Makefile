PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PINNED := setup.cfg pyproject.toml requirements.lock
PINNED_DEV := requirements-dev.lock
# Nothing is installed whose hash is not in a lock, and nothing runs code of its own to be built.
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check
LOCKED := --require-hashes --only-binary :all: --requirement
CODE := benchmarks deploy scripts shared simulators tests workers

.DEFAULT_GOAL := help
SEED ?= 1
MINUTES ?= 3

.PHONY: help install audit lock up down status logs test check bench format alerts oracle oracle-bugs soak

help:
	@echo "make up       start everything in the background and wait for fresh data"
	@echo "make down     stop everything: workers, simulators, Redis"
	@echo "make status   programs, source and Redis"
	@echo "make logs     follow the logs; W=ibkr_depth for one"
	@echo "make test     all tests        make check   format, lint, types, unit tests"
	@echo "make audit    packages, their files and licences; known vulnerabilities where they can be asked for"
	@echo "make lock     resolve the pinned packages anew, with the hashes of all their files"
	@echo "make bench    the headline figures        make format   rewrite the formatting"
	@echo "make alerts   a real Prometheus over real workers (Debian: prometheus)"
	@echo "make oracle   faults under load, everything checked; SEED=1 MINUTES=3, or SEEDS=\"1 2\""
	@echo "make soak     the same without faults, and how memory grows; MINUTES=60"

# Runtime and development dependencies have a stamp each: `make up` needs no test tools.
$(VENV)/.installed: $(PINNED)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "python 3.11 needed, was %d.%d" % sys.version_info[:2])'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) $(LOCKED) requirements.lock
	$(PIP) --no-deps --no-index --no-build-isolation --config-settings editable_mode=compat --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed $(PINNED_DEV)
	$(PIP) $(LOCKED) requirements-dev.lock
	@touch $@

install: $(VENV)/.installed-dev

# Exit 3: right as far as can be seen here, but nobody answered about known vulnerabilities.
audit: $(VENV)/.installed-dev $(if $(OFFLINE),,$(VENV)-audit/.installed)
	$(BIN)/python -m scripts.audit $(if $(OFFLINE),--offline,$(VENV)-audit/bin/pip-audit)

# Not beside the product: it brings some thirty packages of its own.
$(VENV)-audit/.installed: requirements-audit.lock
	@test -x $(VENV)-audit/bin/python || $(PYTHON) -m venv $(VENV)-audit
	$(VENV)-audit/bin/python -m pip install --quiet --disable-pip-version-check $(LOCKED) requirements-audit.lock
	@touch $@

lock:
	$(PYTHON) -m scripts.lock_requirements

up: $(VENV)/.installed
	@$(BIN)/python -m deploy.launch up

# Without a virtual environment nothing of ours can be running.
down:
	@test ! -x $(BIN)/python || $(BIN)/python -m deploy.launch down

status: $(VENV)/.installed
	@$(BIN)/python -m deploy.launch status

logs:
	@tail -n 50 -F $(if $(W),var/log/$(W).log,var/log/*.log)

# Three files at a time: most tests wait for processes. A Redis of the user's own serves one.
test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n $(if $(findstring redis:,$(TEST_REDIS)),0,3) --dist loadfile -m "not prometheus"

check: $(VENV)/.installed-dev
	$(BIN)/ruff format --check $(wildcard $(CODE))
	$(BIN)/ruff check $(wildcard $(CODE))
	$(BIN)/mypy $(wildcard $(CODE))
	$(BIN)/python -m pytest tests/unit

bench: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks.run

# What Prometheus makes of the exporter, and that every panel of the Grafana dashboard has data.
alerts: $(VENV)/.installed-dev
	$(BIN)/python -m pytest tests/processes/test_prometheus.py tests/unit/exporter

# In a directory of its own; exit 1 with the list of what was found wrong. SEEDS="1 2 3" for a run
# of each; what each showed stays in var/oracle, for `python -m tests.oracle.table FILES`.
oracle: $(VENV)/.installed-dev
	$(BIN)/python -m tests.oracle --seed $(or $(SEEDS),$(SEED)) --minutes $(MINUTES) --into var/oracle

# The same without faults: how memory, files and streams grow.
soak: $(VENV)/.installed-dev
	$(BIN)/python -m tests.oracle --calm --seed $(SEED) --minutes $(MINUTES)

# Each deliberate bug in a copy of its own; exit 1 when one goes unnoticed. About 45 minutes.
oracle-bugs: $(VENV)/.installed-dev
	$(BIN)/python -m tests.oracle.bugs

format: $(VENV)/.installed-dev
	$(BIN)/ruff format $(wildcard $(CODE))
	$(BIN)/ruff check --fix $(wildcard $(CODE))
