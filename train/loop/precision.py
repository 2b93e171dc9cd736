"""Number format of the forward pass: which one a run uses, and whether the device computes the model in it."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import nn

from streamer.errors import ConfigError

PRECISIONS = {"bf16": torch.bfloat16, "fp16": torch.float16}


def chosen_precision(precision: str, model: nn.Module, device: torch.device) -> torch.dtype | None:
    """Return the number format that the forward pass is computed in; None for float32.

    Parameters
    ----------
    precision : {"auto", "float32", "bf16", "fp16"}
        Value of ``loop.precision``.
    model : Module
        Model on the device of training.
    device : torch.device
        Device that the model is on.

    Raises
    ------
    ConfigError
        If the model has an LSTM that the device does not compute in that precision. Everything else in a model
        is computed in half precision on every device, if slowly.
    """
    if precision == "auto" and device.type == "cuda":
        dtype = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
        precision = next(name for name, own in PRECISIONS.items() if own is dtype)
    elif precision not in PRECISIONS:
        return None
    dtype = PRECISIONS[precision]
    if any(isinstance(module, nn.LSTM) for module in model.modules()):
        reason = why_no_lstm(dtype, device)
        if reason:
            raise ConfigError(
                f"loop.precision is '{precision}', in which {device} computes no LSTM here ({reason}); expected "
                "a device that does, on a CPU by avx512_bf16 or amx_bf16 in `lscpu`, or float32: "
                "--set loop.precision=float32"
            )
    return dtype


def why_no_lstm(dtype: torch.dtype, device: torch.device) -> str | None:
    """Return torch's error text about an LSTM in a number format on a device; None if it can compute one.

    Torch does not report this capability, and which processors have it differs between releases of oneDNN and cuDNN. So
    a tiny LSTM is run, forward and backward.
    """
    probe = nn.LSTM(1, 1, device=device)
    try:
        with torch.autocast(device.type, dtype):
            output, _ = probe(torch.zeros(1, 1, 1, device=device))
        output.float().sum().backward()
    except RuntimeError as error:
        return str(error).partition(". ")[0].splitlines()[0]
    return None


def autocast(dtype: torch.dtype | None, device: torch.device) -> AbstractContextManager[None]:
    """Return the context manager in which a forward pass is computed in `dtype`; with None it changes nothing."""
    return torch.autocast(device.type, dtype) if dtype else nullcontext()
