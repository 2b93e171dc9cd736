"""Compute the log-mel spectrogram that models take as input: live, from files and in training."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Hashable
from dataclasses import asdict, dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import Literal

import numpy as np

from streamer.arrays import Array, State
from streamer.dsp.log_mel_kernels import log_mel_step
from streamer.dsp.ragged import Ragged, allocated, filled
from streamer.dsp.stage import Stage, step_by_rows
from streamer.errors import ConfigError

LOG_MEL_VERSION = 1
"""Version of the algorithm, part of the fingerprint; raise it when the same configuration gives other numbers."""


@dataclass(frozen=True)
class LogMelConfig:
    """Constants of a log-mel spectrogram. The defaults are YAMNet's.

    Attributes
    ----------
    sample_rate_hz : int
        Sample rate of the input.
    window_samples, hop_samples, fft_samples : int
        Length of the periodic Hann window, step between frames, and FFT length, to which a frame is zero-padded.
    mel_bands : int
        Number of triangular bands.
    mel_low_hz, mel_high_hz : float
        Lower edge of the first and upper edge of the last band.
    mel_scale : {"htk", "slaney"}
        Spacing of the band centres: O'Shaughnessy's formula, as in HTK, or that of Slaney's Auditory Toolbox.
    mel_triangles : {"mel", "hz"}
        Scale over which the flanks are straight: mel (TensorFlow, HTK) or hertz (librosa, torchaudio).
    mel_norm : {"peak", "area"}
        Scale of the triangles: height one, or area one over hertz (Slaney).
    power : {1, 2}
        Exponent of the magnitude spectrum: 1 for magnitude, 2 for power.
    log_offset : float
        Number added before the natural logarithm; above 0.
    """

    sample_rate_hz: int = 16_000
    window_samples: int = 400
    hop_samples: int = 160
    fft_samples: int = 512
    mel_bands: int = 64
    mel_low_hz: float = 125.0
    mel_high_hz: float = 7_500.0
    mel_scale: Literal["htk", "slaney"] = "htk"
    mel_triangles: Literal["mel", "hz"] = "mel"
    mel_norm: Literal["peak", "area"] = "peak"
    power: Literal[1, 2] = 1
    log_offset: float = 0.001

    def __post_init__(self) -> None:
        if not 0 < self.hop_samples <= self.window_samples <= self.fft_samples:
            raise ConfigError(
                f"front end has hop {self.hop_samples}, window {self.window_samples}, FFT {self.fft_samples} "
                "samples; expected 0 < hop <= window <= FFT"
            )
        if not 0 <= self.mel_low_hz < self.mel_high_hz <= self.sample_rate_hz / 2:
            raise ConfigError(
                f"front end has mel bands from {self.mel_low_hz} to {self.mel_high_hz} Hz at "
                f"{self.sample_rate_hz} Hz; expected 0 <= low < high <= half the sample rate"
            )
        if self.mel_bands < 1 or self.log_offset <= 0:
            raise ConfigError(
                f"front end has {self.mel_bands} mel bands and log offset {self.log_offset}; "
                "expected at least 1 band and an offset above 0"
            )

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of the version and all constants, which ties a model to its front end."""
        described = {"version": LOG_MEL_VERSION, **asdict(self)}
        return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class LogMel(Stage):
    """Stage that turns samples into log-mel frames.

    Frame ``k`` covers samples ``k * hop_samples`` to ``k * hop_samples + window_samples``. Nothing is padded:
    the first frame needs a whole window, and a tail shorter than a window gives no frame.

    Parameters
    ----------
    config : LogMelConfig
        The constants of the spectrogram.
    """

    config: LogMelConfig = LogMelConfig()

    @property
    def key(self) -> Hashable:
        return LogMel, self.config

    @property
    def hop(self) -> Fraction:
        return Fraction(self.config.hop_samples)

    @property
    def latency(self) -> Fraction:
        return Fraction(self.config.window_samples)

    @cached_property
    def _tables(self) -> tuple[Array, Array, Array, Array]:
        return _tables(self.config)

    def init(self, batch: int = 1) -> State:
        return np.zeros((batch, self.config.window_samples), np.float32), np.zeros(batch, np.int64)

    def step(self, x: Array, state: State) -> tuple[Array, State]:
        """Return the frames that `x` completes.

        Parameters
        ----------
        x : float32 array, shape (batch, samples)
            The next samples; full scale is -1 to 1. An array that is not contiguous, writable and float32 is copied.
        state : State
            State from `init` or the last `step`.

        Returns
        -------
        y : float32 array, shape (batch, frames, mel_bands)
            The frames.
        state : State
            State for the next `step`.
        """
        return step_by_rows(self, x, state)

    def step_rows(self, x: Ragged, state: State, rows: Array) -> Ragged:
        values = x.values
        if values.dtype != np.float32:
            values = values.astype(np.float32)
        bins = self.config.fft_samples // 2 + 1
        spectrum, scratch = np.empty(bins, np.complex64), np.zeros(bins + self.config.fft_samples, np.float32)
        y, counts = allocated(len(rows), x.most // self.config.hop_samples + 1, self.config.mel_bands)
        log_mel_step(values, x.counts, rows, *state, *self._tables, spectrum, scratch, y, counts)
        return filled(y, counts)

    def flush(self, state: State) -> Array:
        return np.zeros((len(state[0]), 0, self.config.mel_bands), np.float32)


@lru_cache(maxsize=16)
def _tables(config: LogMelConfig) -> tuple[Array, Array, Array, Array]:
    """Return the constant arrays that `log_mel_step` reads, shared by all streams."""
    bands, weights = _packed(mel_matrix(config))
    scalars = [config.hop_samples, config.fft_samples, config.power, config.log_offset]
    return hann(config.window_samples), bands, weights, np.array(scalars, np.float32)


def hann(samples: int) -> Array:
    """Return the periodic Hann window ``0.5 - 0.5 cos(2 pi n / samples)`` as a float32 array."""
    n = np.arange(samples)
    return (0.5 - 0.5 * np.cos(2 * np.pi * n / samples)).astype(np.float32)


def hz_to_mel(hz: Array, scale: Literal["htk", "slaney"]) -> Array:
    """Return frequencies in mel.

    Parameters
    ----------
    hz : Array
        Frequencies in hertz, 0 or more.
    scale : {"htk", "slaney"}
        Formula: ``1127 ln(1 + f / 700)`` (O'Shaughnessy 1987, natural-log form of the HTK book), or the scale of
        Slaney (1998), which is linear below 1,000 Hz (15 mel) and logarithmic above, with 27 steps for each factor
        of 6.4.

    Returns
    -------
    Array
        Mel values, in the shape of `hz`.
    """
    hz = np.asarray(hz, np.float64)
    if scale == "htk":
        return 1127.0 * np.log1p(hz / 700.0)
    above = 15.0 + 27.0 * np.log(np.maximum(hz, 1_000.0) / 1_000.0) / np.log(6.4)
    return np.where(hz < 1_000.0, hz * 15.0 / 1_000.0, above)


def mel_to_hz(mel: Array, scale: Literal["htk", "slaney"]) -> Array:
    """Return frequencies in hertz, in the shape of `mel`; the inverse of `hz_to_mel`."""
    mel = np.asarray(mel, np.float64)
    if scale == "htk":
        return 700.0 * np.expm1(mel / 1127.0)
    above = 1_000.0 * np.exp((np.maximum(mel, 15.0) - 15.0) * np.log(6.4) / 27.0)
    return np.where(mel < 15.0, mel * 1_000.0 / 15.0, above)


def mel_matrix(config: LogMelConfig) -> Array:
    """Return the triangular mel filters of a configuration.

    Returns
    -------
    float32 array, shape (mel_bands, fft_samples // 2 + 1)
        Weights of the bins for each band. Bin 0 (the mean of the sound) has the weight 0 in all bands.
    """
    bins_hz = np.linspace(0.0, config.sample_rate_hz / 2, config.fft_samples // 2 + 1)
    low, high = hz_to_mel(np.array([config.mel_low_hz, config.mel_high_hz]), config.mel_scale)
    edges_mel = np.linspace(low, high, config.mel_bands + 2)
    edges_hz = mel_to_hz(edges_mel, config.mel_scale)
    if config.mel_triangles == "mel":
        at, edges = hz_to_mel(bins_hz, config.mel_scale), edges_mel
    else:
        at, edges = bins_hz, edges_hz
    left, centre, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising, falling = (at - left) / (centre - left), (right - at) / (right - centre)
    matrix: Array = np.maximum(0.0, np.minimum(rising, falling))
    if config.mel_norm == "area":
        matrix *= 2.0 / (edges_hz[2:] - edges_hz[:-2])[:, None]
    matrix[:, 0] = 0.0
    return matrix.astype(np.float32)


def _packed(matrix: Array) -> tuple[Array, Array]:
    """Pack a banded matrix: (first, stop, offset) of each row, and the weights of all rows one after the other."""
    bands = np.zeros((len(matrix), 3), np.int64)
    rows = []
    offset = 0
    for m, row in enumerate(matrix):
        used = np.flatnonzero(row)
        first, stop = (used[0], used[-1] + 1) if len(used) else (0, 0)
        bands[m] = first, stop, offset
        rows.append(row[first:stop])
        offset += stop - first
    return bands, np.concatenate(rows).astype(np.float32)
