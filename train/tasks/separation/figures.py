"""Figures of a separation on held-out songs, by the exported model, stepping: BSS Eval, SI-SDR, voice activity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Protocol

import museval.metrics
import numpy as np
from sklearn.metrics import precision_score, recall_score

from streamer.arrays import Array
from streamer.config import STEMS
from streamer.inference.onnx import OnnxModel
from streamer.separation.separator import Separator, Stems
from train.data.songs import Song, SongStems, read_stems
from train.loop.run import write_json
from train.tasks.separation.task import VOICED_DB, voiced_frames

WORKERS = 2
"""Processes that measure; each runs the model on one thread."""
WHOLE_CLIPS = ("mir1k", "speech")
"""Sources that are measured as the literature does, clip by clip by BSS Eval v3; others by v4, second by second."""


@dataclass(frozen=True)
class VoiceScores:
    """Where there is a voice, hop by hop.

    Attributes
    ----------
    scores : float32 array, shape (hops,)
        Probabilities, 0 to 1.
    truth : bool array, shape (hops,)
    """

    scores: Array
    truth: Array


@dataclass(frozen=True)
class SongFigures:
    """What was measured of one song.

    Attributes
    ----------
    name, artist, source : str
        Of the song.
    seconds : float
    decibels : dict
        By stem and figure, as ``voice/sdr``; ``mixture/...`` are of the mixture taken for the stem.
    voice : VoiceScores
    """

    name: str
    artist: str
    source: str
    seconds: float
    decibels: dict[str, float]
    voice: VoiceScores


class SongSeparator(Protocol):
    """Takes whole mixtures apart. It goes to other processes, so it holds a path rather than a model."""

    def __call__(self, mixture: Array, rate_hz: int) -> tuple[Stems, int]:
        """Stems of a mixture of shape (samples, channels), a batch of one, and the samples of a hop."""


@dataclass(frozen=True)
class SteppedSongSeparator:
    """By an exported model, as it runs live.

    Attributes
    ----------
    folder : Path
    """

    folder: Path

    def __call__(self, mixture: Array, rate_hz: int) -> tuple[Stems, int]:
        separator = Separator(OnnxModel(self.folder), rate_hz, mixture.shape[1])
        return separator.whole(mixture[None]), separator.stft.hop_samples


def measure_songs(songs: Sequence[Song], apart: SongSeparator) -> list[SongFigures]:
    """Separate and measure songs, at the level at which their stems are.

    Parameters
    ----------
    songs : sequence of Song
    apart : SongSeparator

    Returns
    -------
    list of SongFigures
        In the order of `songs`.
    """
    with _pool() as pool:
        return list(pool.map(partial(_of_song, apart=apart), songs, chunksize=4))


def save(clips: Sequence[SongFigures], command: str, path: Path) -> None:
    """Note the figures of every song, for a report, as JSON."""
    songs = [
        {
            "name": clip.name,
            "artist": clip.artist,
            "source": clip.source,
            "seconds": clip.seconds,
            "decibels": {k: _rounded(v) if np.isfinite(v) else None for k, v in clip.decibels.items()},
        }
        for clip in clips
    ]
    write_json(path, {"command": command, "songs": songs})


def measure_voice_activity(songs: Sequence[Song], apart: SongSeparator) -> list[VoiceScores]:
    """As `measured`, but for what is said of the voice alone."""
    with _pool() as pool:
        return list(pool.map(partial(_voice_of_song, apart=apart), songs, chunksize=4))


def figures(clips: Sequence[SongFigures], on: float = 0.5) -> dict[str, Any]:
    """Means over clips, weighted by their length as MIR-1K's G* figures are, and voice activity over all hops.

    NSDR is SDR less that of the mixture (Huang et al. 2014, equations 11 to 13). A clip in which one stem is silent has
    no SDR, and counts in no mean of it; None where that is every clip.

    Parameters
    ----------
    clips : sequence of SongFigures
    on : float
        Probability from which on there is a voice.
    """
    weights = np.array([clip.seconds for clip in clips])
    said: dict[str, Any] = {"clips": len(clips), "seconds": round(float(weights.sum()), 1)}
    for stem in STEMS:
        said[stem] = _of_stem(stem, clips, weights)
    scores, truth = concatenate_scores([clip.voice for clip in clips])
    said["voice activity"] = {
        "what": f"hops in which the voice is within {-VOICED_DB:g} dB of its level in the clip",
        "precision": _rounded(precision_score(truth, scores >= on, zero_division=0.0)),
        "recall": _rounded(recall_score(truth, scores >= on, zero_division=0.0)),
    }
    return said


def concatenate_scores(found: Sequence[VoiceScores]) -> tuple[Array, Array]:
    """Scores and truth of all hops of some clips, shape (hops,) each."""
    return np.concatenate([one.scores for one in found]), np.concatenate([one.truth for one in found])


def figures_by_source(clips: Sequence[SongFigures], on: float = 0.5) -> dict[str, dict[str, Any]]:
    """`figures` for each data set."""
    return {
        source: figures([clip for clip in clips if clip.source == source], on)
        for source in sorted({clip.source for clip in clips})
    }


def gnsdr_by_artist(clips: Sequence[SongFigures]) -> dict[str, float | None]:
    """The voice's GNSDR for each artist."""
    return {
        artist: figures([clip for clip in clips if clip.artist == artist])["voice"]["GNSDR"]
        for artist in sorted({clip.artist for clip in clips})
    }


def _pool() -> ProcessPoolExecutor:
    """Processes that start afresh: one that is forked off a program with threads may hang."""
    return ProcessPoolExecutor(WORKERS, get_context("spawn"))


def _of_stem(stem: str, clips: Sequence[SongFigures], weights: Array) -> Mapping[str, float | None]:
    def mean(key: str) -> float | None:
        values = np.array([clip.decibels[f"{stem}/{key}"] for clip in clips])
        there = np.isfinite(values)
        return _rounded(np.average(values[there], weights=weights[there])) if there.any() else None

    return {
        "GNSDR": mean("nsdr"),
        "GSDR": mean("sdr"),
        "GSIR": mean("sir"),
        "GSAR": mean("sar"),
        "SI-SDR": mean("si_sdr"),
        "SI-SDR of the mixture": mean("si_sdr of mixture"),
    }


def _of_song(song: Song, apart: SongSeparator) -> SongFigures:
    truth = read_stems(song)
    mixture = truth.voice + truth.music
    found, hop_samples = apart(mixture, truth.rate_hz)
    estimated = np.concatenate([found.voice, found.music])
    true = np.stack([truth.voice, truth.music])
    scores = bss_eval(true, estimated, song.source, truth.rate_hz)
    before = bss_eval(true, np.stack([mixture, mixture]), song.source, truth.rate_hz)
    decibels: dict[str, float] = {}
    for n, (stem, estimate) in enumerate(zip(STEMS, estimated, strict=True)):
        decibels |= {f"{stem}/{key}": float(values[n]) for key, values in scores.items()}
        decibels[f"{stem}/nsdr"] = float(scores["sdr"][n] - before["sdr"][n])
        decibels[f"{stem}/si_sdr"] = si_sdr_db(estimate, true[n])
        decibels[f"{stem}/si_sdr of mixture"] = si_sdr_db(mixture, true[n])
    return SongFigures(
        song.name,
        song.artist,
        song.source,
        len(mixture) / truth.rate_hz,
        decibels,
        _voice(truth, found.voiced[0], hop_samples),
    )


def _voice_of_song(song: Song, apart: SongSeparator) -> VoiceScores:
    truth = read_stems(song)
    found, hop_samples = apart(truth.voice + truth.music, truth.rate_hz)
    return _voice(truth, found.voiced[0], hop_samples)


def _voice(truth: SongStems, voiced: Array, hop_samples: int) -> VoiceScores:
    there = voiced_frames(truth.voice.mean(axis=1), hop_samples, truth.rate_hz)
    return VoiceScores(voiced, there > 0.5)


def bss_eval(true: Array, estimated: Array, source: str, rate_hz: int) -> dict[str, Array]:
    """SDR, SIR and SAR in dB of both stems: v3 over the whole clip, or the median of v4 over seconds (museval).

    Parameters
    ----------
    true, estimated : float32 array, shape (stems, samples, channels)
    source : str
        The set of songs, which decides.
    rate_hz : int

    Returns
    -------
    dict
        ``sdr``, ``sir``, ``sar``, each of shape (stems,).
    """
    whole = source in WHOLE_CLIPS
    window = np.inf if whole else rate_hz
    sdr, _, sir, sar, _ = museval.metrics.bss_eval(
        true.astype(np.float64),
        estimated.astype(np.float64),
        window=window,
        hop=window,
        bsseval_sources_version=whole,
    )
    return {
        "sdr": np.nanmedian(sdr, axis=1),
        "sir": np.nanmedian(sir, axis=1),
        "sar": np.nanmedian(sar, axis=1),
    }


def si_sdr_db(estimate: Array, true: Array) -> float:
    """Scale-invariant SDR (Le Roux et al. 2019, equation 5), of all channels together."""
    estimate, true = estimate.astype(np.float64).ravel(), true.astype(np.float64).ravel()
    wanted = true * (estimate @ true) / max(true @ true, 1e-12)
    error = estimate - wanted
    return float(10 * np.log10(max(wanted @ wanted, 1e-12) / max(error @ error, 1e-12)))


def _rounded(value: float) -> float:
    return round(float(value), 4)
