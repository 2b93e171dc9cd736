"""Name the Fourier transforms that kernels call: rocket-fft's."""

from __future__ import annotations

from typing import Any

from streamer.kernels.kernel import Foreign

_LIBRARY = "rocket_fft._native:LIBRARY_PATH"

r2c: Any = Foreign("rocket_fft.lowlevel", "r2c", _LIBRARY)
"""Spectrum of real sound."""

c2r: Any = Foreign("rocket_fft.lowlevel", "c2r", _LIBRARY)
"""Real sound of a spectrum."""
