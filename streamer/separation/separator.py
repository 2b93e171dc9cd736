"""Run a separation model at any sample rate and number of channels: sound in, voice and music out."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from streamer.arrays import Array, State
from streamer.dsp.downmix import SAMPLE_LIMIT, Downmix
from streamer.dsp.model_calls import Calls, run_alone
from streamer.dsp.stft import InverseStft, Stft, StftConfig
from streamer.inference.model import Model
from streamer.separation.masks import full_mask, network_input, trusted_share, without_offset


@dataclass(frozen=True)
class Stems:
    """Samples of voice and music that a step completed.

    Attributes
    ----------
    voice, music : float32 array, shape (batch, samples, channels)
        Samples of the stems. They add up to the sound, sample for sample.
    voiced : float32 array, shape (batch, hops)
        Probability of a voice in each hop, 0 to 1. It is given before the samples of that hop.
    """

    voice: Array
    music: Array
    voiced: Array


class Separator:
    """Separates the sound of streams, step by step.

    The network takes the downmix that all heads take, up to half of its own sample rate: the mean of the channels, or
    one of them where they cancel each other (`streamer.dsp.downmix`). Its mask is applied to every channel, so that
    stereo stays stereo, and is extended to the frequencies above (`streamer.separation.masks.full_mask`).

    Parameters
    ----------
    model : Model
        Model of the task ``separation``.
    rate_hz : int
        Sample rate of the sound.
    channels : int
        Number of channels of the sound.

    Attributes
    ----------
    stft : StftConfig
        The model's transform at `rate_hz`: the same hop in time, rounded to whole samples.
    """

    def __init__(self, model: Model, rate_hz: int, channels: int) -> None:
        self._model = model
        self.stft = at_rate(model.manifest.stft, rate_hz)
        # Beside the channels, what the downmix adds to their mean is transformed: it is 0 unless they cancel.
        self._analysis = Stft(self.stft, channels + 1 if channels > 1 else 1)
        self._synthesis = InverseStft(self.stft, channels)
        self._downmix = Downmix(rate_hz, channels)
        self._channels = channels

    @property
    def latency(self) -> Fraction:
        """Number of samples that must come in before the first one is given out; no later sample waits longer."""
        return Fraction(self.stft.latency_samples)

    def init(self, batch: int = 1) -> State:
        """Return the state of `batch` streams before their first sample."""
        waiting = np.zeros(
            (batch, self.stft.latency_samples + self.stft.hop_samples, self._channels), np.float32
        )
        return (
            waiting,
            np.zeros(batch, np.int64),
            *self._downmix.init(batch),
            *self._analysis.init(batch),
            *self._synthesis.init(batch),
            *self._model.init(batch),
        )

    def step(self, x: Array, state: State) -> Calls[tuple[Stems, State]]:
        """Return a generator that processes samples, and returns the stems that they complete and the next state.

        Parameters
        ----------
        x : float32 array, shape (batch, samples, channels)
            Finite samples, full scale -1 to 1.
        state : State
            Samples that were not given out yet, and their number; the states of downmix, transforms and model.

        Returns
        -------
        generator
            Generator that yields model calls and returns (stems, state).
        """
        waiting, count, *rest = state
        added, mix = self._added(x, (rest[0], rest[1]))
        spectra, analysis = self._analysis.step(added, (rest[2], rest[3]))
        return (yield from self._separate(x, spectra, (waiting, count, *mix, *analysis, *rest[4:])))

    def waiting(self, state: State) -> int:
        """Return the number of samples that have come in and were not given out yet."""
        return int(state[1][0])

    def flush(self, state: State) -> Stems:
        """Return the stems that the end of the sound completes: all samples that were not given out yet."""
        spectra = self._analysis.flush(state[4:6])
        none = np.zeros((len(state[0]), 0, self._channels), np.float32)
        return run_alone(self._separate(none, spectra, state))[0]

    def whole(self, sound: Array) -> Stems:
        """Return the stems of a whole sound.

        Parameters
        ----------
        sound : float32 array, shape (batch, samples, channels)

        Returns
        -------
        Stems
            As many samples as `sound` has, and a probability of a voice for each hop, the last incomplete one too.
        """
        first, state = run_alone(self.step(sound, self.init(len(sound))))
        last = self.flush(state)
        voice, music, voiced = (
            np.concatenate([getattr(part, name) for part in (first, last)], axis=1)
            for name in ("voice", "music", "voiced")
        )
        return Stems(voice, music, voiced[:, : -(-sound.shape[1] // self.stft.hop_samples)])

    def _added(self, x: Array, mix: State) -> tuple[Array, State]:
        """Return samples with one more channel, which is what the downmix adds to their mean, and its next state."""
        if self._channels == 1:
            return x, mix
        mono, mix = self._downmix.step(np.ascontiguousarray(x), mix)
        mean = x.sum(axis=2) * np.float32(1.0 / self._channels)  # as in the downmix, bit by bit
        return np.concatenate([x, (mono - mean)[..., None]], axis=2), mix

    def _separate(self, x: Array, spectra: Array, state: State) -> Calls[tuple[Stems, State]]:
        """Mask new spectra of the sound that ends with `x`, and give the stems that they complete."""
        waiting, count, *kept = state[:6]
        overlap, model_state = state[6:8], state[8:]
        spectra = without_offset(spectra, self.stft)
        mixed = spectra[:, :, : self._channels].mean(axis=2)
        if self._channels > 1:
            mixed += spectra[:, :, -1]
        spectra = spectra[:, :, : self._channels]
        mono = network_input(mixed, self._model.manifest.stft)
        y, model_state = yield from self._model.step_calls(mono, model_state)
        mask = full_mask(y[..., :-1], spectra, self._model.manifest.stft)
        voiced = y[..., -1]
        if self._channels > 1:
            share = trusted_share(mono, spectra, self._model.manifest.stft)
            mask, voiced = mask * share[..., None], voiced * share
        voice, overlap = self._synthesis.step(spectra * mask[:, :, None], overlap)
        held = int(count[0])
        sound = np.concatenate([waiting[:, :held], x], axis=1)
        voice = voice[:, : sound.shape[1]]  # at the end the last hop is longer than the sound
        given = voice.shape[1]
        left = sound.shape[1] - given
        waiting[:, :left] = sound[:, given:]
        count[:] = left
        stems = Stems(voice, sound[:, :given] - voice, voiced)
        return stems, (waiting, count, *kept, *overlap, *model_state)


def mute_invalid(sound: Array) -> tuple[Array, int]:
    """Return sound in which samples that are NaN, infinite or beyond `SAMPLE_LIMIT` are 0.

    Parameters
    ----------
    sound : float32 array, any shape

    Returns
    -------
    sound : float32 array
        `sound` itself if all samples are valid, else a copy.
    muted_samples : int
        Number of samples that were replaced.
    """
    good = np.abs(sound) <= SAMPLE_LIMIT  # false for NaN
    bad = good.size - int(np.count_nonzero(good))
    return (np.where(good, sound, np.float32(0.0)), bad) if bad else (sound, 0)


def at_rate(config: StftConfig, rate_hz: int) -> StftConfig:
    """Return a transform for another rate, with the same hop and window in time and so the same bins in hertz.

    Parameters
    ----------
    config : StftConfig
        Transform whose window is a whole number of hops.
    rate_hz : int
        Sample rate of the transform that is returned.
    """
    hop = max(1, round(config.hop_samples * rate_hz / config.sample_rate_hz))
    hop += hop * (config.window_samples // config.hop_samples) % 2  # windows are even
    window = hop * config.window_samples // config.hop_samples
    return StftConfig(rate_hz, hop, window, config.synthesis_hops)
