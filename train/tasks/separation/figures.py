"""Figures of a separation on held-out songs: BSS Eval, SI-SDR, bins given to the right stem, voice activity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from sklearn.metrics import precision_score, recall_score

from streamer.arrays import Array
from streamer.config_sections import STEMS
from streamer.inference.onnx import OnnxModel
from streamer.separation.separator import Separator, Stems
from train.data.songs import Song, SongStems, read_stems
from train.evaluate.metrics.stems import bss_eval, count_bins, precision_and_recall, si_sdr_db
from train.loop.run import write_json
from train.tasks.separation.task import VOICED_DB, voiced_frames

WORKERS = 2
"""Processes that measure songs; each runs the model on one thread."""


@dataclass(frozen=True)
class VoiceScores:
    """Estimated and true voice activity of a song, hop by hop.

    Attributes
    ----------
    scores : float32 array, shape (hops,)
        Probability that a voice sounds, 0 to 1, as the model estimates it.
    truth : bool array, shape (hops,)
        Whether a voice sounds in the true stem.
    """

    scores: Array
    truth: Array


@dataclass(frozen=True)
class SongFigures:
    """Figures of the separation of one song.

    Attributes
    ----------
    name, artist, source : str
        Title, artist and data set of the song.
    seconds : float
        Length of the song.
    decibels : dict
        Figures in dB by stem and name, such as ``voice/sdr``. In ``voice/si_sdr of mixture`` the mixture is taken for
        the estimate.
    voice : VoiceScores
        Voice activity.
    bins : int array, shape (2, 2)
        Numbers of bins of the spectrum, see `train.evaluate.metrics.stems.count_bins`.
    """

    name: str
    artist: str
    source: str
    seconds: float
    decibels: dict[str, float]
    voice: VoiceScores
    bins: Array


class SongSeparator(Protocol):
    """Interface of a separator of whole songs. It is pickled for other processes, so it holds a path, no model."""

    def __call__(self, mixture: Array, rate_hz: int) -> tuple[Stems, int]:
        """Separate a mixture, (samples, channels); return the stems, a batch of one, and the samples of a hop."""


@dataclass(frozen=True)
class SteppedSongSeparator:
    """Separates songs by an exported model that steps as in live listening; see `SongSeparator`.

    Attributes
    ----------
    folder : Path
        Folder of the model.
    """

    folder: Path

    def __call__(self, mixture: Array, rate_hz: int) -> tuple[Stems, int]:
        separator = Separator(OnnxModel(self.folder), rate_hz, mixture.shape[1])
        return separator.whole(mixture[None]), separator.stft.hop_samples


def measure_songs(songs: Sequence[Song], separator: SongSeparator) -> list[SongFigures]:
    """Separate songs, and return the figures of each against its true stems, at the stems' original level.

    Parameters
    ----------
    songs : sequence of Song
        Songs to separate, whose true stems are known.
    separator : SongSeparator
        Separator to measure.

    Returns
    -------
    list of SongFigures
        In the order of `songs`.
    """
    with _pool() as pool:
        return list(pool.map(partial(_measure_song, separator=separator), songs, chunksize=4))


def save(clips: Sequence[SongFigures], command: str, path: Path) -> None:
    """Write the figures of every song to the JSON file `path`, with the command that gives them, for a report."""
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


def measure_voice_activity(songs: Sequence[Song], separator: SongSeparator) -> list[VoiceScores]:
    """Separate songs, and return the estimated and true voice activity of each, in the order of `songs`."""
    with _pool() as pool:
        return list(pool.map(partial(_voice_scores_of_song, separator=separator), songs, chunksize=4))


def figures(clips: Sequence[SongFigures], on: float = 0.5) -> dict[str, Any]:
    """Return means over songs, weighted by length like the G* figures of MIR-1K, and voice activity over all hops.

    NSDR is SDR minus that of the mixture (Huang et al. 2014, equations 11 to 13). A song with a silent stem has no SDR
    and is left out of the mean.

    Parameters
    ----------
    clips : sequence of SongFigures
        Figures of each song.
    on : float
        Probability from which a hop counts as voice.

    Returns
    -------
    dict
        ``clips`` and ``seconds``: number and length of the songs. ``voice`` and ``music``: figures of each stem in dB,
        such as ``GNSDR``, and precision and recall of the bins that the stem gets, over all songs together; None
        where no song has the figure. ``voice activity``: precision and recall.
    """
    weights = np.array([clip.seconds for clip in clips])
    found: dict[str, Any] = {"clips": len(clips), "seconds": round(float(weights.sum()), 1)}
    of_bins = precision_and_recall(np.sum([clip.bins for clip in clips], axis=0))
    for stem, (precision, recall) in zip(STEMS, of_bins, strict=True):
        found[stem] = {
            **_mean_figures(stem, clips, weights),
            "bin precision": precision,
            "bin recall": recall,
        }
    scores, truth = concatenate_scores([clip.voice for clip in clips])
    found["voice activity"] = {
        "what": f"hops in which the voice is within {-VOICED_DB:g} dB of its level in the clip",
        "precision": _rounded(precision_score(truth, scores >= on, zero_division=0.0)),
        "recall": _rounded(recall_score(truth, scores >= on, zero_division=0.0)),
    }
    return found


def concatenate_scores(clips: Sequence[VoiceScores]) -> tuple[Array, Array]:
    """Return the estimated probabilities and the truth of all hops of some songs, end to end, shape (hops,) each."""
    return np.concatenate([clip.scores for clip in clips]), np.concatenate([clip.truth for clip in clips])


def figures_by_source(clips: Sequence[SongFigures], on: float = 0.5) -> dict[str, dict[str, Any]]:
    """Return, for the name of each data set, the `figures` of its songs."""
    return {
        source: figures([clip for clip in clips if clip.source == source], on)
        for source in sorted({clip.source for clip in clips})
    }


def gnsdr_by_artist(clips: Sequence[SongFigures]) -> dict[str, float | None]:
    """Return, by the name of each artist, the GNSDR of the voice in dB over that artist's songs.

    It is None if none of these songs has an NSDR of the voice, as where the voice is silent.
    """
    return {
        artist: figures([clip for clip in clips if clip.artist == artist])["voice"]["GNSDR"]
        for artist in sorted({clip.artist for clip in clips})
    }


def _pool() -> ProcessPoolExecutor:
    # Spawned, since a process that is forked off a program with threads may hang.
    return ProcessPoolExecutor(WORKERS, get_context("spawn"), torch.set_num_threads, (1,))


def _mean_figures(stem: str, clips: Sequence[SongFigures], weights: Array) -> Mapping[str, float | None]:
    def mean(key: str) -> float | None:
        values = np.array([clip.decibels[f"{stem}/{key}"] for clip in clips])
        finite = np.isfinite(values)
        return _rounded(np.average(values[finite], weights=weights[finite])) if finite.any() else None

    return {
        "GNSDR": mean("nsdr"),
        "GSDR": mean("sdr"),
        "GSIR": mean("sir"),
        "GSAR": mean("sar"),
        "SI-SDR": mean("si_sdr"),
        "SI-SDR of the mixture": mean("si_sdr of mixture"),
    }


def _measure_song(song: Song, separator: SongSeparator) -> SongFigures:
    truth = read_stems(song)
    mixture = truth.voice + truth.music
    found, hop_samples = separator(mixture, truth.rate_hz)
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
        _voice_scores(truth, found.voiced[0], hop_samples),
        count_bins(true, estimated, truth.rate_hz),
    )


def _voice_scores_of_song(song: Song, separator: SongSeparator) -> VoiceScores:
    truth = read_stems(song)
    found, hop_samples = separator(truth.voice + truth.music, truth.rate_hz)
    return _voice_scores(truth, found.voiced[0], hop_samples)


def _voice_scores(truth: SongStems, scores: Array, hop_samples: int) -> VoiceScores:
    voiced = voiced_frames(truth.voice.mean(axis=1), hop_samples, truth.rate_hz)
    return VoiceScores(scores, voiced > 0.5)


def _rounded(value: float) -> float:
    return round(float(value), 4)
