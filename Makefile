# Needs only Python >= 3.11 and make: whatever a target uses is installed into .venv first.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
SEQRNN := $(BIN)/seqrnn
DEMO := build/demo

# Two test processes for two cores: more threads than that only get into each other's way.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/pytest -n 2
SOURCES := seqrnn tests sample_data .ci

.PHONY: help demo test check fast format lint types layers docs docs-site docs-current tests slow answering recipes faults bench bench-gpu clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-9s %s\n", $$1, $$2}' Makefile

demo: $(READY) ## Train two small models, then evaluate, generate and classify (under two minutes)
	@printf '\n== A text to model: the log of a lighthouse ==\n\n'
	$(SEQRNN) train -c sample_data/lighthouse.yaml -o $(DEMO)/lighthouse --overwrite
	$(SEQRNN) generate -m $(DEMO)/lighthouse --prompt "Monday, 1 May 1871" --max-len 600 --sample --temperature 0.6
	@printf '\n== Texts to classify: mails to a bicycle shop ==\n\n'
	$(SEQRNN) train -c sample_data/mails.yaml -o $(DEMO)/mails --overwrite
	$(SEQRNN) evaluate -m $(DEMO)/mails sample_data/mails.test.tsv
	printf '%s\n' \
	    'Hello, where is the lamp I ordered last week?' \
	    'My chain broke yesterday, can you mend it? Thanks, Ann' \
	    'please send me the bill for the tandem' \
	| $(SEQRNN) classify -m $(DEMO)/mails --jsonl

test: check ## Check everything, as continuous integration does

check: format lint types layers docs-current tests

fast: $(READY) format lint types ## Check what takes seconds: for a pre-commit hook
	$(PYTEST) --ignore=tests/cli --ignore=tests/faults --ignore=tests/learning

format: $(READY)
	$(BIN)/ruff format --check $(SOURCES)

lint: $(READY)
	$(BIN)/ruff check $(SOURCES)

types: $(READY)
	$(BIN)/mypy
	$(BIN)/mypy .ci sample_data

layers: $(READY) ## Check which module imports which
	$(BIN)/lint-imports --no-logo

docs: $(READY) ## Write docs/cli.md from the commands' --help
	$(BIN)/python .ci/cli_docs.py

docs-site: $(READY) ## Build the documentation into build/site, and run its commands as they are typed (half an hour)
	$(BIN)/pip install --quiet --disable-pip-version-check -c .ci/constraints.txt -e '.[docs]'
	$(BIN)/python .ci/pictures.py
	$(BIN)/mkdocs build --quiet --clean -f .ci/mkdocs.yml
	$(BIN)/pytest -m slow tests/test_guides.py

docs-current: $(READY)
	$(BIN)/python .ci/cli_docs.py --check

tests: $(READY)
	$(PYTEST)

slow: $(READY) ## Run the tests that take minutes
	$(BIN)/pytest -m slow

answering: $(READY) ## Install seqrnn-answering, which has no PyTorch, into an empty environment, and ask a model
	$(BIN)/python .ci/answering_installed.py

recipes: $(READY) ## Install Ray, Spark and trackers; run the recipes of docs/deploying.md, and trainings that tell trackers
	$(BIN)/python .ci/install_extras.py ray spark mlflow wandb
	$(BIN)/pytest -m recipes -rs tests/recipes

faults: $(READY) ## Change model directories at random and ask them, for SECONDS (1200) from SEED (1)
	$(BIN)/python tests/faults/fuzz.py --seconds $(or $(SECONDS),1200) --seed $(or $(SEED),1) --processes 2 \
	    --replay tests/faults/corpus.jsonl --findings build/faults

bench: $(READY) ## Measure speed: run each script in tests/benchmarks; trainings against the checkout BEFORE, if given
	@for script in tests/benchmarks/bench_*.py; do \
	    case "$$script" in */bench_training.py) given="$(or $(DATA),../shared/data) $(BEFORE)";; *) given=;; esac; \
	    if [ -e "$$script" ]; then echo "== $$script"; $(BIN)/python "$$script" $$given || exit; fi; \
	done

bench-gpu: $(READY) ## Measure training on a GPU, with the data in DATA and against the checkout BEFORE, if given
	$(BIN)/python tests/benchmarks/bench_gpu.py $(or $(DATA),../shared/data) $(BEFORE)

clean: ## Remove what was built, .venv included
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

$(READY): pyproject.toml .ci/constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
	    "seqrnn needs Python 3.11 or newer; name one: make PYTHON=python3.11")'
	@echo 'Installing into .venv (some minutes the first time)'
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check -c .ci/constraints.txt -e '.[dev]'
	@$(BIN)/python -m compileall -q seqrnn  # for machines whose Python keeps no bytecode: commands start faster
	@touch $@
