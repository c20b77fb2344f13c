# Every target sets up what it needs: a .venv with pachsim in it, from a bare Python 3.11 or newer.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt
PRODUCT := .venv/.product
READY := .venv/.ready
PYTEST_ARGS ?= -n auto --dist worksteal

.PHONY: setup test test-slow lint check format demo bench evidence clean

# pachsim and what it runs on, no more; ``setup`` adds what its development takes to the same .venv.
$(PRODUCT): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "pachsim needs Python 3.11 or newer; set PYTHON=")'
	@echo "Installing pachsim into .venv (about a minute)"
	$(PYTHON) -m venv .venv
	$(INSTALL) -e .
	touch $(PRODUCT)

setup: $(READY)

$(READY): $(PRODUCT)
	@echo "Installing the tools of development into .venv (a few minutes)"
	$(INSTALL) -e '.[dev]'
	touch $(READY)

test: setup
	$(BIN)/pytest $(PYTEST_ARGS) -m "not slow"

# What takes longer: notebooks, the README's commands, killed studies, the long properties.
test-slow: setup
	$(BIN)/pytest $(PYTEST_ARGS) -m slow

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --strict sim tests

check: lint test test-slow

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# The same commits on three clusters, side by side; pictures and tables in out/.
demo: $(PRODUCT)
	$(BIN)/pachsim run scenarios/edges-static.yaml scenarios/edges-autoscaled.yaml scenarios/edges-fargate.yaml \
		--seed 1 --out out

# What the statistics promise, tried out: about twenty minutes on two cores. EVIDENCE_ARGS=--quick takes a look.
evidence: setup
	$(BIN)/python -m evidence $(EVIDENCE_ARGS)

bench: setup
	$(BIN)/python -m benchmarks

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis out
