#!/usr/bin/env bash
# torch's FlopCounterMode counts no product of an LSTM and of attention on a CPU, but those of a GRU, and says nothing of it.
#
# Versions: torch 2.13.0 (the build for CPUs, numpy 2.4.6), Linux x86-64. PIP_ARGS is passed to pip: with
#   "--extra-index-url https://download.pytorch.org/whl/cpu" it installs that build, otherwise the one with CUDA.
# Expected: the counter registers matrix products, convolutions and attention, and every recurrent layer is made of matrix products. So
#   an LSTM of 56 inputs and 64 units has (56 + 64) x 4 x 64 multiply-accumulates a step, and a GRU three quarters of that.
# Seen: an LSTM counts 0, with and without gradients; a GRU and a plain RNN count fully. `scaled_dot_product_attention` counts 0 where
#   the kernel for CPUs computes it. `MultiheadAttention` and `TransformerEncoderLayer` lose that share with gradients, and count 0 as a
#   whole without, where their fused kernels run. Without oneDNN, by the plain attention and with gradients all counts are right.
# Output (counted of expected):
#   LSTM 0 of 491520
#   GRU 368640 of 368640
#   RNN 122880 of 122880
#   attention 0 of 12800
#   MultiheadAttention, no gradients 0 of 176640
#   MultiheadAttention, gradients 163840 of 176640
#   TransformerEncoderLayer, no gradients 0 of 340480
#   TransformerEncoderLayer, gradients 327680 of 340480
#   plain ways: LSTM 491520, MultiheadAttention 176640, TransformerEncoderLayer 340480
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
# shellcheck disable=SC2086
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check ${PIP_ARGS:-} torch==2.13.0 numpy==2.4.6
cd "$folder"
cat > show.py <<'PYTHON'
import warnings

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

warnings.simplefilter("ignore")


def count(call, gradients=False):
    with torch.set_grad_enabled(gradients), FlopCounterMode(display=False) as counter:
        call()
    return counter.get_total_flops() // 2  # a multiply-accumulate is two operations


def plain(call):
    with torch.backends.mkldnn.flags(enabled=False), sdpa_kernel(SDPBackend.MATH):
        return count(call, gradients=True)


steps, tokens, heads = torch.randn(1, 16, 56), torch.randn(1, 10, 64), torch.randn(1, 4, 10, 16)
for kind, gates in ((nn.LSTM, 4), (nn.GRU, 3), (nn.RNN, 1)):
    layer = kind(56, 64, batch_first=True).eval()
    counts = {count(lambda: layer(steps), gradients) for gradients in (False, True)}
    print(kind.__name__, *counts, "of", (56 + 64) * gates * 64 * 16)
attention = 2 * 10 * 10 * 64
print("attention", count(lambda: nn.functional.scaled_dot_product_attention(heads, heads, heads)), "of", attention)
lstm = nn.LSTM(56, 64, batch_first=True).eval()
many = nn.MultiheadAttention(64, 4, batch_first=True).eval()
encoder = nn.TransformerEncoderLayer(64, 4, 128, batch_first=True).eval()
calls = {
    "MultiheadAttention": (lambda: many(tokens, tokens, tokens, need_weights=False), 4 * 64 * 64 * 10 + attention),
    "TransformerEncoderLayer": (lambda: encoder(tokens), (4 * 64 * 64 + 2 * 64 * 128) * 10 + attention),
}
for name, (call, expected) in calls.items():
    for gradients, words in ((False, "no gradients"), (True, "gradients")):
        print(f"{name}, {words}", count(call, gradients), "of", expected)
ways = {"LSTM": lambda: lstm(steps), **{name: call for name, (call, _) in calls.items()}}
print("plain ways:", ", ".join(f"{name} {plain(call)}" for name, call in ways.items()))
PYTHON
"$folder/venv/bin/python" show.py | tee seen
diff seen - <<'SEEN'
LSTM 0 of 491520
GRU 368640 of 368640
RNN 122880 of 122880
attention 0 of 12800
MultiheadAttention, no gradients 0 of 176640
MultiheadAttention, gradients 163840 of 176640
TransformerEncoderLayer, no gradients 0 of 340480
TransformerEncoderLayer, gradients 327680 of 340480
plain ways: LSTM 491520, MultiheadAttention 176640, TransformerEncoderLayer 340480
SEEN
