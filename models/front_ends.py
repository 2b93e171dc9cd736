"""The fine log-mel front end of the gate and of the genre network."""

from __future__ import annotations

import math

import numpy as np

from streamer.dsp.log_mel import LogMelConfig, mel_to_hz

DB = 10.0 / math.log(10.0)
"""Decibels per unit of a natural logarithm of power."""
DEVIATION_DB = 15.5
"""Standard deviation of a track's decibels, mean over GTZAN. GTZAN's mel file is divided by each track's own."""


def music_front_end(bands: int = 112) -> LogMelConfig:
    """Return a front end with windows of 93 ms, a frame every 23 ms, and the lowest of 128 Slaney bands to 11,025 Hz.

    At 16 kHz it gives what librosa's defaults give at 22,050 Hz, up to 7.4 kHz and to 0.1 % in time. The bands have
    the same edges, so that features computed from sound agree with GTZAN's mel file.
    """
    top = 15.0 + 27.0 * math.log(11_025 / 1_000) / math.log(6.4)
    edge_hz = float(mel_to_hz(np.array(top * (bands + 1) / 129), "slaney"))
    return LogMelConfig(
        window_samples=1_486,
        hop_samples=372,
        fft_samples=2_048,
        mel_bands=bands,
        mel_low_hz=0.0,
        mel_high_hz=edge_hz,
        mel_scale="slaney",
        mel_triangles="hz",
        mel_norm="area",
        power=2,
        log_offset=1e-10,
    )
