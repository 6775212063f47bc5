# Runs on a machine with Python 3.11 to 3.13 alone: the virtual environment is made on first use.
PYTHON ?= python3
VENV ?= .venv
RUN := $(VENV)/bin/python
EXTRAS := $(shell command -v nvidia-smi >/dev/null 2>&1 && nvidia-smi >/dev/null 2>&1 && echo dev,gpu || echo dev)

.PHONY: install demo test lint bench

install: $(VENV)/installed

$(VENV)/installed: setup.cfg constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --constraint constraints.txt --editable ".[$(EXTRAS)]"
	touch $@

test: install
	$(RUN) -m pytest

lint: install
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
