"""The golden file of the front end: what its default configuration gave for one stored sound.

``python -m tests.golden.log_mel`` renews it, once `LOG_MEL_VERSION` is raised.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from streamer.arrays import Array
from streamer.dsp.log_mel import LogMel, LogMelConfig
from streamer.dsp.stage import offline

PATH = Path(__file__).with_name("log_mel.npz")
TOLERANCE = 2e-5
"""Of log-mel values, between processors: logarithm, square root and FFT differ in their last bits."""


def sound() -> Array:
    """Half a second of noise at -30 dBFS under a chirp from 50 Hz to 8 kHz that grows to half scale."""
    rate_hz, samples = 16_000, 8_000
    time_s = np.arange(samples) / rate_hz
    phase = 2 * np.pi * (50.0 * time_s + (8_000.0 - 50.0) * time_s**2)  # reaches 8 kHz after half a second
    chirp = np.linspace(0.0, 0.5, samples) * np.sin(phase)
    noise = 10 ** (-30 / 20) * np.random.default_rng(0).standard_normal(samples)
    return np.round(32_767 * np.clip(chirp + noise, -1, 1)).astype(np.int16)


def log_mel(samples: Array) -> Array:
    """Frames of the default front end, shape (frames, mel_bands)."""
    return offline(LogMel(), (samples / np.float32(32_768)).astype(np.float32)[None])[0]


def renew() -> None:
    """Write the golden file anew.

    Raises
    ------
    SystemExit
        If the numbers changed and `LOG_MEL_VERSION` did not.
    """
    fingerprint = LogMelConfig().fingerprint
    if PATH.exists():
        with np.load(PATH) as old:
            found = log_mel(old["sound"])
            moved = found.shape != old["log_mel"].shape or np.abs(found - old["log_mel"]).max() > TOLERANCE
            if moved and str(old["fingerprint"]) == fingerprint:
                sys.exit(
                    "the front end gives other numbers; raise LOG_MEL_VERSION in streamer/dsp/log_mel.py first"
                )
    samples = sound()
    np.savez_compressed(PATH, sound=samples, log_mel=log_mel(samples), fingerprint=fingerprint)


if __name__ == "__main__":
    renew()
