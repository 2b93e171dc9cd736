"""Run four log-mel front ends with the same constants, for whole files and hop by hop.

Each is used as a careful user would: filters and windows are made once, not for every call. Those without a
streaming interface get the last window again at each hop.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import kaldi_native_fbank
import librosa
import numpy as np
import torch

from models import torchaudio_cpu
from streamer.arrays import Array
from streamer.dsp.log_mel import LogMel, LogMelConfig
from streamer.dsp.stage import offline


class Peer(Protocol):
    """A front end to compare."""

    packages: tuple[str, ...]

    def prepare(self, x: Array) -> Any:
        """Convert float32 samples to the type that it takes; this is not timed."""

    def whole(self, x: Any) -> Array:
        """Return the log-mel frames of a whole sound."""

    def stream(self) -> Callable[[Any], object]:
        """Start a stream: return a function that takes one hop and returns the frames that are ready."""


class Streamer:
    """The front end of `streamer.dsp.log_mel`."""

    packages = ("numpy", "numba", "rocket-fft")

    def __init__(self, config: LogMelConfig) -> None:
        self._front_end = LogMel(config)

    def prepare(self, x: Array) -> Array:
        return x[None]

    def whole(self, x: Array) -> Array:
        return offline(self._front_end, x)[0]

    def stream(self) -> Callable[[Array], object]:
        state = self._front_end.init()

        def step(block: Array) -> Array:
            nonlocal state
            y, state = self._front_end.step(block, state)
            return y

        return step


class Librosa:
    """The front end of ``librosa.stft`` and its mel filters; the window lies in the middle of the FFT."""

    packages = ("librosa", "scipy")

    def __init__(self, config: LogMelConfig) -> None:
        self._config = config
        self._mel = librosa.filters.mel(
            sr=config.sample_rate_hz,
            n_fft=config.fft_samples,
            n_mels=config.mel_bands,
            fmin=config.mel_low_hz,
            fmax=config.mel_high_hz,
            htk=True,
            norm=None,
        )

    def prepare(self, x: Array) -> Array:
        return x

    def whole(self, x: Array) -> Array:
        c = self._config
        spectrum = librosa.stft(
            x, n_fft=c.fft_samples, hop_length=c.hop_samples, win_length=c.window_samples, center=False
        )
        return np.log(self._mel @ np.abs(spectrum) + np.float32(c.log_offset)).T

    def stream(self) -> Callable[[Array], object]:
        hop = self._config.hop_samples
        window = np.zeros(self._config.fft_samples, np.float32)

        def step(block: Array) -> Array:
            window[:-hop] = window[hop:]
            window[-hop:] = block
            return self.whole(window)

        return step


class Torchaudio:
    """The front end of ``torchaudio.transforms.MelSpectrogram``; the window lies in the middle of the FFT."""

    packages = ("torchaudio", "torch")

    def __init__(self, config: LogMelConfig) -> None:
        self._config = config
        self._mel = torchaudio_cpu.load().transforms.MelSpectrogram(
            sample_rate=config.sample_rate_hz,
            n_fft=config.fft_samples,
            win_length=config.window_samples,
            hop_length=config.hop_samples,
            f_min=config.mel_low_hz,
            f_max=config.mel_high_hz,
            n_mels=config.mel_bands,
            power=float(config.power),
            center=False,
            mel_scale="htk",
        )

    def prepare(self, x: Array) -> torch.Tensor:
        return torch.from_numpy(x)

    @torch.inference_mode()
    def whole(self, x: torch.Tensor) -> Array:
        log_mel: Array = torch.log(self._mel(x) + self._config.log_offset).numpy().T
        return log_mel

    def stream(self) -> Callable[[torch.Tensor], object]:
        hop = self._config.hop_samples
        window = torch.zeros(self._config.fft_samples)

        def step(block: torch.Tensor) -> Array:
            window[:-hop] = window[hop:].clone()
            window[-hop:] = block
            return self.whole(window)

        return step


class Kaldi:
    """The front end of ``kaldi_native_fbank``; its Hann window is symmetric and its logarithm has no offset."""

    packages = ("kaldi-native-fbank",)

    def __init__(self, config: LogMelConfig) -> None:
        options = kaldi_native_fbank.FbankOptions()
        options.frame_opts.samp_freq = config.sample_rate_hz
        options.frame_opts.frame_length_ms = 1e3 * config.window_samples / config.sample_rate_hz
        options.frame_opts.frame_shift_ms = 1e3 * config.hop_samples / config.sample_rate_hz
        options.frame_opts.window_type = "hanning"
        options.frame_opts.dither = 0.0
        options.frame_opts.preemph_coeff = 0.0
        options.frame_opts.remove_dc_offset = False
        options.mel_opts.num_bins = config.mel_bands
        options.mel_opts.low_freq = config.mel_low_hz
        options.mel_opts.high_freq = config.mel_high_hz
        options.use_power = config.power == 2
        self._options = options
        self._rate_hz = config.sample_rate_hz

    def prepare(self, x: Array) -> list[float]:
        return x.tolist()  # it takes a sequence of Python numbers

    def whole(self, x: list[float]) -> Array:
        fbank = kaldi_native_fbank.OnlineFbank(self._options)
        fbank.accept_waveform(self._rate_hz, x)
        fbank.input_finished()
        return np.stack([fbank.get_frame(k) for k in range(fbank.num_frames_ready)])

    def stream(self) -> Callable[[list[float]], object]:
        fbank = kaldi_native_fbank.OnlineFbank(self._options)
        given = 0

        def step(block: list[float]) -> list[Array]:
            nonlocal given
            fbank.accept_waveform(self._rate_hz, block)
            frames = [fbank.get_frame(k) for k in range(given, fbank.num_frames_ready)]
            given += len(frames)
            return frames

        return step
