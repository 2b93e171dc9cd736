"""The table of the backends of inference: libraries and devices that can run the models.

A new backend is its file in `streamer.inference` and one row.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

BACKENDS: Mapping[str, str] = MappingProxyType(
    {
        "cpu": "streamer.inference.onnx:open_on_cpu",
        "cuda": "streamer.inference.onnx:open_on_cuda",
        "torch": "streamer.inference.torch_model:open_on_gpu",
    }
)
"""Backends that can run the models: the name in ``[engine] backend``, and the function that opens a model for it as
``MODULE:NAME``, so that only the libraries of the configured one are loaded."""
