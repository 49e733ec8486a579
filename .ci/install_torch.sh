#!/bin/sh
# Installs torch by pip: the CUDA build where an NVIDIA GPU is found, else the CPU build (a tenth of
# the download). Usage: .ci/install_torch.sh PYTHON
set -eu
python=$1
version=$(sed -n 's/^torch==//p' constraints.txt)
install() { "$python" -m pip install -q -c constraints.txt "$@"; }

if "$python" -c 'import torch' 2>/dev/null; then exit 0; fi
if [ "$(uname -s)" != Linux ] || nvidia-smi -L >/dev/null 2>&1; then
    install "torch==$version"
    exit
fi
# A configured index that has the CPU build is preferred to PyTorch's own, for closed networks.
install "torch==$version+cpu" 2>/dev/null ||
    install --extra-index-url "${TORCH_CPU_INDEX:-https://download.pytorch.org/whl/cpu}" "torch==$version+cpu" 2>/dev/null ||
    install "torch==$version"
