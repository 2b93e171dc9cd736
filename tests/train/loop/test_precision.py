"""Half precision is used where the device computes the model in it, and refused in one line where it does not."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys

import pytest
import torch
from torch import nn

from streamer.errors import ConfigError
from tests.conftest import DEADLINE_S, ROOT
from train.loop.precision import autocast, chosen_precision, why_no_lstm

CPU = torch.device("cpu")
REFUSED = (
    r"loop\.precision is 'bf16', in which cpu computes no LSTM here \(could not create a primitive descriptor "
    r"for the LSTM .*\); expected a device that does, .* or float32: --set loop\.precision=float32"
)


def with_lstm() -> nn.Module:
    return nn.Sequential(nn.Linear(2, 2), nn.LSTM(2, 2))


@pytest.fixture
def no_lstm_in_half(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let torch refuse LSTMs in half precision, in the words of a processor without bf16."""
    forward = nn.LSTM.forward

    def refuse(self, x, state=None):
        if torch.is_autocast_enabled("cpu"):
            raise RuntimeError(
                "could not create a primitive descriptor for the LSTM forward propagation primitive. "
                "Run workload with environment variable ONEDNN_VERBOSE=all"
            )
        return forward(self, x, state)

    monkeypatch.setattr(nn.LSTM, "forward", refuse)


@pytest.mark.parametrize("precision", ["auto", "float32"])
def test_a_cpu_computes_in_float32_unless_it_is_asked_for_less(precision: str) -> None:
    assert chosen_precision(precision, with_lstm(), CPU) is None


def test_an_lstm_where_the_processor_computes_none_is_refused_in_one_line(no_lstm_in_half: None) -> None:
    with pytest.raises(ConfigError, match=REFUSED) as error:
        chosen_precision("bf16", with_lstm(), CPU)
    assert "\n" not in str(error.value)
    assert "ONEDNN_VERBOSE" not in str(error.value)


def test_models_without_an_lstm_are_not_refused(no_lstm_in_half: None) -> None:
    model = nn.Linear(2, 2)
    assert chosen_precision("bf16", model, CPU) is torch.bfloat16
    assert chosen_precision("fp16", model, CPU) is torch.float16
    with autocast(torch.bfloat16, CPU):
        assert model(torch.ones(1, 2)).dtype is torch.bfloat16


@pytest.mark.parametrize(("precision", "dtype"), [("bf16", torch.bfloat16), ("fp16", torch.float16)])
def test_what_is_chosen_is_computed(precision: str, dtype: torch.dtype) -> None:
    if reason := why_no_lstm(dtype, CPU):
        pytest.skip(f"this processor computes no LSTM in {precision}: {reason}")
    model = nn.LSTM(2, 2)
    assert chosen_precision(precision, model, CPU) is dtype
    with autocast(dtype, CPU):
        assert model(torch.ones(1, 1, 2))[0].dtype is dtype


PROGRAM = """
import torch
from torch import nn
from streamer.errors import ConfigError
from train.loop.precision import autocast, chosen_precision
cpu = torch.device("cpu")
dtype = chosen_precision("bf16", nn.Linear(2, 2), cpu)
with autocast(dtype, cpu):
    print(nn.Linear(2, 2)(torch.ones(1, 2)).dtype)
try:
    chosen_precision("bf16", nn.LSTM(2, 2), cpu)
except ConfigError as error:
    print(error)
"""


@pytest.mark.skipif(platform.machine() != "x86_64", reason="oneDNN's instruction sets are those of x86")
def test_a_processor_with_avx2_alone_is_asked_itself() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        env={**os.environ, "ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"},
        capture_output=True,
        text=True,
        check=True,
        timeout=DEADLINE_S,
    )
    computed, refused = done.stdout.splitlines()
    assert computed == "torch.bfloat16"
    assert re.fullmatch(REFUSED, refused)
