"""A released separation at any sample rate and number of channels: sound in, voice and accompaniment out."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from streamer.arrays import Array, State
from streamer.dsp.downmix import SAMPLE_LIMIT
from streamer.dsp.model_calls import Calls, run_alone
from streamer.dsp.stft import InverseStft, Stft, StftConfig
from streamer.inference.model import Model
from streamer.separation.masks import for_network, full_mask, heard_share, without_offset


@dataclass(frozen=True)
class Stems:
    """What is apart now.

    Attributes
    ----------
    voice, music : float32 array, shape (batch, samples, channels)
        They add up to the sound, sample for sample.
    voiced : float32 array, shape (batch, hops)
        Probability of a voice in each hop, 0 to 1; a hop is told before its samples are.
    """

    voice: Array
    music: Array
    voiced: Array


class Separator:
    """Steps a separation over the sound of streams.

    The network hears the mean of the channels up to the half of its own sample rate; its mask is applied to every
    channel, so that stereo stays stereo, and goes on above as what it let through at its upper end.

    Parameters
    ----------
    model : Model
        Whose manifest is of the task ``separation``.
    rate_hz : int
        Of the sound.
    channels : int

    Attributes
    ----------
    stft : StftConfig
        The transform at this rate: the model's, to a rounding of its hop.
    """

    def __init__(self, model: Model, rate_hz: int, channels: int) -> None:
        self._model = model
        self.stft = at_rate(model.manifest.stft, rate_hz)
        self._analysis, self._synthesis = Stft(self.stft, channels), InverseStft(self.stft, channels)
        self._channels = channels

    @property
    def latency(self) -> Fraction:
        """Samples that must have come in before the first one is given out; the others follow as they come."""
        return Fraction(self.stft.latency_samples)

    def init(self, batch: int = 1) -> State:
        """State of streams that have heard nothing."""
        waiting = np.zeros(
            (batch, self.stft.latency_samples + self.stft.hop_samples, self._channels), np.float32
        )
        return (
            waiting,
            np.zeros(batch, np.int64),
            *self._analysis.init(batch),
            *self._synthesis.init(batch),
            *self._model.init(batch),
        )

    def step(self, x: Array, state: State) -> Calls[tuple[Stems, State]]:
        """Take samples, give those that are apart.

        Parameters
        ----------
        x : float32 array, shape (batch, samples, channels)
            Finite, full scale -1 to 1.
        state : State
            Samples not yet given out and how many they are; the states of the stages and of the model.

        Returns
        -------
        generator
            Of what it asks for; gives stems and a state.
        """
        waiting, count, *rest = state
        spectra, heard = self._analysis.step(x, (rest[0], rest[1]))
        return (yield from self._given(x, spectra, (waiting, count, *heard, *rest[2:])))

    def waiting(self, state: State) -> int:
        """How many samples came in that were not yet given out."""
        return int(state[1][0])

    def flush(self, state: State) -> Stems:
        """Give what the end of the sound completes: together as many samples as came in."""
        spectra = self._analysis.flush(state[2:4])
        none = np.zeros((len(state[0]), 0, self._channels), np.float32)
        return run_alone(self._given(none, spectra, state))[0]

    def whole(self, sound: Array) -> Stems:
        """All of a sound, apart.

        Parameters
        ----------
        sound : float32 array, shape (batch, samples, channels)

        Returns
        -------
        Stems
            Of as many samples, and one probability of a voice for each hop that was begun.
        """
        first, state = run_alone(self.step(sound, self.init(len(sound))))
        last = self.flush(state)
        voice, music, voiced = (
            np.concatenate([getattr(part, name) for part in (first, last)], axis=1)
            for name in ("voice", "music", "voiced")
        )
        return Stems(voice, music, voiced[:, : -(-sound.shape[1] // self.stft.hop_samples)])

    def _given(self, x: Array, spectra: Array, state: State) -> Calls[tuple[Stems, State]]:
        waiting, count, window, ahead, *rest = state
        spectra = without_offset(spectra, self.stft)
        mono = for_network(spectra, self._model.manifest.stft)
        y, model_state = yield from self._model.step_calls(mono, tuple(rest[2:]))
        mask = full_mask(y[..., :-1], spectra, self._model.manifest.stft)
        voiced = y[..., -1]
        if self._channels > 1:
            share = heard_share(mono, spectra, self._model.manifest.stft)
            mask, voiced = mask * share[..., None], voiced * share
        voice, overlap = self._synthesis.step(spectra * mask[:, :, None], (rest[0], rest[1]))
        held = int(count[0])
        sound = np.concatenate([waiting[:, :held], x], axis=1)
        voice = voice[:, : sound.shape[1]]  # at the end the last hop is longer than the sound
        given = voice.shape[1]
        left = sound.shape[1] - given
        waiting[:, :left] = sound[:, given:]
        count[:] = left
        stems = Stems(voice, sound[:, :given] - voice, voiced)
        return stems, (waiting, count, window, ahead, *overlap, *model_state)


def cleaned(sound: Array) -> tuple[Array, int]:
    """Sound in which what is none (NaN, infinite, beyond `SAMPLE_LIMIT`) is silent, and how many samples that was.

    Parameters
    ----------
    sound : float32 array, any shape
        Given back as it is where all of it is sound.
    """
    good = np.abs(sound) <= SAMPLE_LIMIT  # false for NaN
    bad = good.size - int(np.count_nonzero(good))
    return (np.where(good, sound, np.float32(0.0)), bad) if bad else (sound, 0)


def at_rate(config: StftConfig, rate_hz: int) -> StftConfig:
    """A transform of the same hop and window in time, to a rounding of the hop, and so of the same bins in hertz.

    Parameters
    ----------
    config : StftConfig
        Its window is a whole number of hops.
    rate_hz : int
    """
    hop = max(1, round(config.hop_samples * rate_hz / config.sample_rate_hz))
    hop += hop * (config.window_samples // config.hop_samples) % 2  # windows are even
    window = hop * config.window_samples // config.hop_samples
    return StftConfig(rate_hz, hop, window, config.synthesis_hops)
