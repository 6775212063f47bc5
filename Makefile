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
	$(RUN) -m pytest --numprocesses=2 --dist=loadfile --no-loadscope-reorder

lint: install
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

DEMO_STEPS ?= 4000
DEMO ?= demo

demo: install
	$(RUN) train.py --model=bicyclegan --dataset=shapes --workdir=$(DEMO)/run --steps=$(DEMO_STEPS) --sample_every=1000
	$(RUN) -m datasets.shapes $(DEMO)/drawings
	$(RUN) translate.py --workdir=$(DEMO)/run --input=$(DEMO)/drawings --output=$(DEMO)/translations \
	  --num_samples=6 --sync --interpolate=12
	rm -rf $(DEMO)/run/export
	$(RUN) export.py --workdir=$(DEMO)/run
	@echo
	@echo "While it learnt:      $(DEMO)/run/samples"
	@echo "New drawings:         $(DEMO)/translations/contact_sheet.png"
	@echo "For TF Serving:       $(DEMO)/run/export"

bench: install
	$(RUN) benchmarks/train_step.py
	$(RUN) benchmarks/inference.py
	$(RUN) benchmarks/pipeline.py
	$(RUN) benchmarks/evaluation.py
