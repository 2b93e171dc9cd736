"""Transform sound to short-time spectra and back, exactly, as two stages with asymmetric windows.

A long analysis window resolves harmonics; a short synthesis window at its end keeps the latency short (Mauler and
Martin 2007, "A low delay, variable resolution, perfect reconstruction spectral analysis-synthesis system for speech
enhancement", EUSIPCO, equations 6 to 8).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from streamer.arrays import Array, State
from streamer.dsp.stage import Stage
from streamer.dsp.stft_kernels import analyse, synthesise
from streamer.errors import ConfigError

STFT_VERSION = 1
"""Version of the algorithm, part of the fingerprint; raise it when the same configuration gives other numbers."""


@dataclass(frozen=True)
class StftConfig:
    """Constants of a short-time Fourier transform.

    Attributes
    ----------
    sample_rate_hz : int
        Sample rate of the sound.
    hop_samples : int
        Step from frame to frame.
    window_samples : int
        Length of the analysis window and of the transform; even.
    synthesis_hops : int
        Length of the synthesis window in hops, 2 or more. It is the latency of analysis and synthesis together.
    """

    sample_rate_hz: int = 16_000
    hop_samples: int = 160
    window_samples: int = 640
    synthesis_hops: int = 2

    def __post_init__(self) -> None:
        if self.hop_samples < 1 or self.synthesis_hops < 2 or self.latency_samples > self.window_samples:
            raise ConfigError(
                f"STFT has hop {self.hop_samples}, window {self.window_samples} samples, a synthesis window of "
                f"{self.synthesis_hops} hops; expected a hop of 1 or more and 2 hops or more within the window"
            )
        if self.window_samples % 2 or self.latency_samples % 2:
            raise ConfigError(
                f"STFT has windows of {self.window_samples} and {self.latency_samples} samples; expected even numbers"
            )

    @property
    def latency_samples(self) -> int:
        """Length of the synthesis window in samples: the input needed before the first sample can be returned."""
        return self.synthesis_hops * self.hop_samples

    @property
    def latency_ms(self) -> float:
        """Length of the synthesis window in milliseconds."""
        return 1_000 * self.latency_samples / self.sample_rate_hz

    @property
    def bins(self) -> int:
        """Number of frequencies in a frame, from 0 Hz to half the sample rate."""
        return self.window_samples // 2 + 1

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of the version and all constants, which ties a model to its transform."""
        described = {"version": STFT_VERSION, **asdict(self)}
        return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()

    @cached_property
    def windows(self) -> tuple[Array, Array]:
        """Analysis and synthesis window: float32 arrays of shape (window_samples,) and (latency_samples,).

        Their product over the synthesis window is a Hann window whose copies, `hop_samples` apart, add up to one.
        """
        falling = self.latency_samples // 2
        rising = self.window_samples - falling
        short = _root_hann(self.latency_samples)
        analysis = np.concatenate([_root_hann(2 * rising)[:rising], short[falling:]])
        synthesis = short**2 * (2.0 / self.synthesis_hops) / analysis[-self.latency_samples :]
        return analysis.astype(np.float32), synthesis.astype(np.float32)

    @cached_property
    def constant(self) -> Array:
        """Spectrum of a constant sound, scaled so that bin 0 is 1: complex64 array of shape (bins,)."""
        spectrum = np.fft.rfft(self.windows[0].astype(np.float64))
        constant: Array = (spectrum / spectrum[0]).astype(np.complex64)
        return constant


@dataclass(frozen=True)
class Stft(Stage):
    """Stage that turns samples into spectra; the newest hop of frame ``k`` begins at sample ``k * hop_samples``.

    The sound before the first sample is silence. `flush` adds silence until there are all frames that the
    resynthesis of the whole sound needs.

    Parameters
    ----------
    config : StftConfig
        Constants of the transform.
    channels : int
        Number of channels; each has spectra of its own.
    """

    config: StftConfig = StftConfig()
    channels: int = 1

    @property
    def hop(self) -> Fraction:
        return Fraction(self.config.hop_samples)

    @property
    def latency(self) -> Fraction:
        return Fraction(self.config.hop_samples)

    def init(self, batch: int = 1) -> State:
        held = np.zeros((batch, self.channels, self.config.window_samples), np.float32)
        return held, np.zeros(batch, np.int64)

    def step(self, x: Array, state: State) -> tuple[Array, State]:
        """Return the frames that `x` completes.

        Parameters
        ----------
        x : float32 array, shape (batch, samples, channels)
            The next samples.
        state : State
            The last `window_samples` samples, and how many of them belong to no frame yet.

        Returns
        -------
        y : complex64 array, shape (batch, frames, channels, bins)
            The spectra.
        state : State
            State for the next `step`.
        """
        if not x.flags.carray or x.dtype != np.float32:
            x = np.array(x, np.float32, order="C")
        config, window = self.config, self.config.windows[0]
        frames = (int(state[1][0]) + x.shape[1]) // config.hop_samples
        y = np.empty((len(x), frames, x.shape[2], config.bins), np.complex64)
        analyse(x, *state, window, config.hop_samples, np.empty_like(window), y)
        return y, state

    def flush(self, state: State) -> Array:
        waiting = int(state[1][0])
        hops = self.config.synthesis_hops - 1 + bool(waiting)
        silence = np.zeros(
            (len(state[0]), hops * self.config.hop_samples - waiting, self.channels), np.float32
        )
        return self.step(silence, state)[0]


@dataclass(frozen=True)
class InverseStft(Stage):
    """Stage that turns spectra into samples, the exact inverse of `Stft`.

    Parameters
    ----------
    config : StftConfig
        Constants of the transform.
    channels : int
        Number of channels.
    """

    config: StftConfig = StftConfig()
    channels: int = 1

    @property
    def hop(self) -> Fraction:
        return Fraction(1, self.config.hop_samples)

    @property
    def latency(self) -> Fraction:
        return Fraction(self.config.synthesis_hops)

    def init(self, batch: int = 1) -> State:
        overlap = np.zeros((batch, self.channels, self.config.latency_samples), np.float32)
        return overlap, np.zeros(batch, np.int64)

    def step(self, x: Array, state: State) -> tuple[Array, State]:
        """Return the samples to which no later spectrum adds.

        Parameters
        ----------
        x : complex64 array, shape (batch, frames, channels, bins)
            The next spectra.
        state : State
            The sum of past frames over the next samples, and the number of frames so far that completed no sample.

        Returns
        -------
        y : float32 array, shape (batch, samples, channels)
            The samples.
        state : State
            State for the next `step`.
        """
        if not x.flags.carray or x.dtype != np.complex64:
            x = np.array(x, np.complex64, order="C")
        config, (batch, frames, channels, bins) = self.config, x.shape
        silent = min(config.synthesis_hops - 1 - int(state[1][0]), frames)
        y = np.empty((batch, (frames - silent) * config.hop_samples, channels), np.float32)
        sound = np.empty(2 * (bins - 1), np.float32)
        synthesise(x, *state, config.windows[1], config.hop_samples, sound, y)
        return y, state

    def flush(self, state: State) -> Array:
        return np.zeros((len(state[0]), 0, self.channels), np.float32)


def _root_hann(samples: int) -> Array:
    """Return the square root of the symmetric Hann window that is sampled between its zeros, as a float64 array."""
    root: Array = np.sin(np.pi * (np.arange(samples) + 0.5) / samples)
    return root
