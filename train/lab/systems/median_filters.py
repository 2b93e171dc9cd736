"""Separations without weights, by librosa's median filters: HPSS with two windows, and REPET-SIM."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import librosa
import numpy as np

from streamer.arrays import Array
from streamer.separation.separator import Stems
from train.teachers.voice_share import voice_share

Masking = Callable[[Array, int], Array]
"""``voice = mask(sound, rate_hz)`` returns the voice of the sound of one channel, both of shape (samples,)."""
LONG_WINDOW_S, SHORT_WINDOW_S = 0.512, 0.064
"""Windows of HPSS in seconds. A voice is percussive in the long one, in which its pitch moves, and harmonic in the
short one. Of a few windows, and of REPET-SIM's windows and exponents, these did best on 6 clips of MIR-1K's fold 4."""
WINDOW_S = 0.128
"""Window of REPET-SIM in seconds."""
APART_S = 2.0
"""Least time between a frame and one that repeats it, in seconds."""
POWER = 1
"""Exponent of the magnitudes in REPET-SIM's soft mask."""


@dataclass(frozen=True)
class FilterSongSeparator:
    """Separates songs by a filter that needs no weights; see `train.tasks.separation.figures.SongSeparator`.

    Attributes
    ----------
    voice_of : callable
        Function of this file that returns the voice; the accompaniment is the rest.
    """

    voice_of: Masking

    def __call__(self, mixture: Array, rate_hz: int) -> tuple[Stems, int]:
        """Separate a mixture of shape (samples, channels), each channel by itself.

        Returns
        -------
        stems : Stems
            Voice and music, a batch of one; `voiced` is the share of the voice in the power of both stems.
        hop_samples : int
            Samples of a hop, for each of which there is such a share.
        """
        voice = np.stack([self.voice_of(channel, rate_hz) for channel in mixture.T], axis=1)
        music = mixture - voice
        share, hop_samples = voice_share(voice, music, rate_hz)
        return Stems(voice[None], music[None], share[None]), hop_samples


def hpss_voice(sound: Array, rate_hz: int) -> Array:
    """Return what is percussive in a long window and harmonic in a short one (FitzGerald and Gainza 2010)."""
    long, short = (_window_samples(seconds, rate_hz) for seconds in (LONG_WINDOW_S, SHORT_WINDOW_S))
    _, percussive = librosa.decompose.hpss(librosa.stft(sound, n_fft=long))
    moving = librosa.istft(percussive, n_fft=long, length=len(sound))
    harmonic, _ = librosa.decompose.hpss(librosa.stft(moving, n_fft=short))
    voice: Array = librosa.istft(harmonic, n_fft=short, length=len(sound))
    return voice


def repet_sim_voice(sound: Array, rate_hz: int) -> Array:
    """Return what does not repeat: REPET-SIM (Rafii and Pardo 2012), as librosa's documentation writes it.

    The mask has no margin, unlike there, so that both stems add up to the mixture.
    """
    window = _window_samples(WINDOW_S, rate_hz)
    spectrum = librosa.stft(sound, n_fft=window)
    magnitudes = np.abs(spectrum)
    apart = int(librosa.time_to_frames(APART_S, sr=rate_hz, hop_length=window // 4))
    apart = max(1, min(apart, (magnitudes.shape[1] - 1) // 4))  # a short sound has no frames as far apart
    repeated = librosa.decompose.nn_filter(magnitudes, aggregate=np.median, metric="cosine", width=apart)
    repeated = np.minimum(magnitudes, repeated)
    mask = librosa.util.softmask(magnitudes - repeated, repeated, power=POWER)
    voice: Array = librosa.istft(mask * spectrum, n_fft=window, length=len(sound))
    return voice


def _window_samples(seconds: float, rate_hz: int) -> int:
    """Return the power of two that is nearest to a window."""
    return int(2 ** np.round(np.log2(seconds * rate_hz)))
