"""Measurements, each a command: ``python -m benchmarks.NAME [--out FILE.json] [--smoke]``."""

import streamer  # noqa: F401 - keeps ONNX Runtime from reporting, before a library imports it
