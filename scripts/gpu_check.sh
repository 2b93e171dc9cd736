#!/usr/bin/env bash
# Check and measure what runs on a GPU, on a machine that has one, and write docs/results/gpu.json.
# It takes about ten minutes. `scripts/gpu_check.sh cpu` tries the script itself on a machine without a GPU.
set -euo pipefail
cd "$(dirname "$0")/.."
device=${1:-cuda}
out=docs/results/gpu.json
python=.venv/bin/python

if [ "$device" = cuda ]; then
    "$python" -c 'import torch, sys; sys.exit(0 if torch.cuda.is_available() else "torch finds no GPU here")'
    # Equality of backends and precisions, recorded graphs, and training; these tests skip without a GPU.
    "$python" -m pytest -q tests/train/export/test_torch_program.py tests/train/loop/test_train_loop.py \
        tests/train/loop/test_precision.py tests/inference/test_open_model.py
    "$python" -m benchmarks.gpu --device cuda --out "$out"
else
    out=$(mktemp)
    "$python" -m benchmarks.gpu --device "$device" --smoke --models gate sounds --rows 1 3 --out "$out"
fi
echo "figures are in $out"
