# make lab       open the course in JupyterLab (builds .venv the first time)
# make test      everything: style, unit tests, every notebook cell, a real browser
# make notebooks run the notebooks and store their outputs (NOTEBOOKS="notebooks/03*.ipynb" for some)
# make studio    only the studio, as a page without code
# make samples   write data_samples/ again
# make lock      resolve requirements.lock again after pyproject.toml changed
# make clean     remove caches and runs; make distclean: .venv as well
#
# Arguments for the programs behind: make lab LAB_ARGS="--no-browser --port=8899"

LAB_ARGS ?=
STUDIO_ARGS ?=
PYTEST_ARGS ?=
LOCK_ARGS ?=
NOTEBOOKS ?= $(sort $(wildcard notebooks/*.ipynb))
# The first Python on this machine that the locked packages support.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python3.14 python; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null && echo $$p && break; done)

BIN := .venv/bin
STAMP := .venv/installed
# In a container one is root, and Jupyter wants to be told that this is meant.
ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)

.DEFAULT_GOAL := lab
.DELETE_ON_ERROR:
.PHONY: lab test unit unit-other notebooks studio samples lock clean distclean venv

lab: $(STAMP)
	$(BIN)/python -m jupyterlab --ServerApp.root_dir="$(CURDIR)" $(ROOT) \
		--LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb $(LAB_ARGS)

# First the quick half in two processes, on this processor and on an older one, then the notebooks and the browser one after the other: a notebook's cells
# belong together, and both want the whole machine.
test: unit unit-other
	$(BIN)/python -m pytest tests/browser $(NOTEBOOKS) --durations 10 --nbval --nbval-current-env \
		--nbval-sanitize-with tests/nbval_sanitize.cfg --nbval-cell-timeout=600 $(PYTEST_ARGS)

# The quick half, while you work: no notebook is run and no browser is started.
unit: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/python -m pytest tests --ignore tests/browser -n 2 --dist loadgroup $(PYTEST_ARGS)

# The same tests once more as on a processor without the newer vector instructions, whose last digits differ.
unit-other: $(STAMP)
	$(BIN)/python tests/other_processor.py tests --ignore tests/browser -n 2 --dist loadgroup $(PYTEST_ARGS)

notebooks: $(STAMP)
	$(BIN)/python -m tad_course.notebook_runner --measured tests/nbval_sanitize.cfg $(NOTEBOOKS)

studio: $(STAMP)
	$(BIN)/python -m voila notebooks/Inference.ipynb --VoilaExecutor.iopub_timeout=60 $(STUDIO_ARGS)

samples: $(STAMP)
	$(BIN)/python -m tad_course.drums.folder data_samples --count 32 --seed 805 --labels kick snare hihat percussion

venv: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "No Python 3.11 to 3.14 found. Install one, or name yours: make PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || \
		{ rm -rf .venv; echo "This Python cannot make a virtual environment. On Debian or Ubuntu: sudo apt install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --disable-pip-version-check -r requirements.lock -e .
	@touch $@

lock: $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip compile pyproject.toml --extra test --universal --python-version 3.11 \
		--no-emit-index-url --no-header --no-annotate --output-file requirements.lock $(LOCK_ARGS)

clean:
	rm -rf build dist runs .pytest_cache .ruff_cache
	find . -path ./.venv -prune -o \( -name __pycache__ -o -name .ipynb_checkpoints \) -type d -exec rm -rf {} +

distclean: clean
	rm -rf .venv
