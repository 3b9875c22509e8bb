# Two commands matter: `make demo` and `make test`. `make help` lists the rest.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.NOTPARALLEL:
RUN := scripts/run.sh

.PHONY: help setup demo demo-down test unit integration sanity lint check molecule build offline-check clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z -]+:.*## / { sub(/ setup$$/, "", $$1); printf "  \033[1m%-15s\033[0m %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "  bench-NAME      a benchmark: $(patsubst tests/benchmarks/bench_%.py,%,$(wildcard tests/benchmarks/bench_*.py))"

setup: ## Debian packages, Python environments, Windows collections (all that the others need)
	@scripts/setup.sh

demo: ## lab + eight Windows doubles of two firms, edefter_ready.yml on them (ARGS="--check --diff")
	@scripts/setup.sh demo
	@$(RUN) --root scripts/demo.sh up $(ARGS)

demo-down: ## take the demo's lab down
	@$(RUN) --root scripts/demo.sh down

test: setup ## everything that .ci/run runs
	@$(RUN) --root .venv/bin/python scripts/gates.py

unit integration sanity lint check molecule: setup ## one gate (or group of gates) of `make test`
	@$(RUN) --root .venv/bin/python scripts/gates.py $@

build: setup ## dist/edefter-ready-VERSION.tar.gz
	@$(RUN) .venv/bin/ansible-galaxy collection build --force --output-path dist

offline-check: ## edefter-kontrol.exe, the check for a firm that Ansible cannot reach
	@scripts/setup.sh demo
	@$(RUN) .venv/bin/python scripts/offline_check.py $(ARGS)

bench-%: setup
	@$(RUN) --root .venv/bin/python tests/benchmarks/bench_$*.py

clean: ## all that set-up, tests and runs left behind, environments too
	@$(RUN) --root rm -rf .venv .venv-* .collections .cache .build .ansible run reports dist edefter-kontrol.exe .coverage* \
	  .pytest_cache .mypy_cache .ruff_cache .hypothesis
