# make demo    a small bilingual dataset in outputs/demo, from nothing but this directory
# make test    the everyday tests
# make slow    servers, faults, browser
# make lint    format, lint, types, layers
# make bench   speed, as ratios in one run
# make pyannote   trains a tiny diarization model on a run of our own and tests the one-channel path with it;
#                 minutes, in an environment of its own (.venv-pyannote)
#
# Every target makes its own environment in .venv from constraints.txt; PYTHON chooses the interpreter (3.11-3.13).

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do $$p -c "import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))" >/dev/null 2>&1 && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test slow lint bench pyannote clean

demo: $(VENV)/.run
	$(BIN)/humdial run demo --out outputs/demo

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n auto -m "not slow"

slow: $(VENV)/.dev
	$(BIN)/python -m pytest -m slow

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --strict
	$(BIN)/lint-imports

bench: $(VENV)/.dev
	$(BIN)/python -m tests.bench

pyannote: $(VENV)-pyannote/.dev
	OMP_WAIT_POLICY=PASSIVE HF_HUB_OFFLINE=1 PYANNOTE_METRICS_ENABLED=0 $(VENV)-pyannote/bin/python -m pytest -m pyannote -s tests/pyannote

clean:
	rm -rf $(VENV) $(VENV)-pyannote .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "make: wanted Python 3.11, 3.12 or 3.13 on the path, found none; install one or set PYTHON=" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[flow,espeak]"
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[flow,espeak,openai,speech,align,similarity,dev]"
	@touch $@

# torchaudio is linked to CUDA: beside a torch without it, its extension cannot be loaded, but may be missing.
$(VENV)-pyannote/.dev: pyproject.toml constraints-pyannote.txt
	@test -n "$(PYTHON)" || { echo "make: wanted Python 3.11, 3.12 or 3.13 on the path, found none; install one or set PYTHON=" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)-pyannote
	$(VENV)-pyannote/bin/python -m pip install --quiet --disable-pip-version-check -c constraints-pyannote.txt -e ".[pyannote,espeak]" pytest hypothesis
	$(VENV)-pyannote/bin/python -c "import torch; raise SystemExit(torch.version.cuda is None)" || rm -f $(VENV)-pyannote/lib/python*/site-packages/torchaudio/lib/*.so
	@touch $@
