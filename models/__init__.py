"""Torch definitions of the networks, one file each, built from the layers of `models.layers`."""

import streamer  # noqa: F401 - keeps ONNX Runtime from reporting, before a library imports it
