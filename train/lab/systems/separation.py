"""A separation of voice and accompaniment as a system of the laboratory, measured on clips of MIR-1K."""

from __future__ import annotations

import resource
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import torch

from train.data.recordings import FOLDS
from train.data.songs import Song, read_stems
from train.lab.measured import Measured, check_folds, peak_memory_mb
from train.loop.run import CACHE, data_folder
from train.tasks.separation.compare import draw_songs
from train.tasks.separation.config import SeparationRunConfig
from train.tasks.separation.figures import SongSeparator, figures, measure_songs
from train.tasks.separation.release import usable_songs

DATA = "mir1k"
FOLD = 5
"""Fold of MIR-1K that is held out unless another one is asked for: that of the released separation."""
STEMS: Mapping[str, str] = MappingProxyType({"voice": "voice", "accompaniment": "music"})
"""Stems by the name that they have on the page."""
DECIBELS = ("GNSDR", "GSDR", "GSIR", "GSAR")
BINS = ("precision", "recall")
CLIPS, SEED = 24, 0
"""Clips of a fold that are measured, and the seed by which they are drawn, as `python -m train compare` does."""
TIMED = 4
"""Number of clips that are timed, the first of which does not count."""


@dataclass(frozen=True)
class Made:
    """A separator that is ready to be measured, and what is known of its cost.

    Attributes
    ----------
    separator : SongSeparator
        The separator.
    parameters : int or None
        Number of learnt numbers; None if it cannot be counted.
    mmacs_per_s : float or None
        Millions of multiply-accumulates for a second of sound; None if they cannot be counted, or are none.
    minutes : float or None
        Minutes of training; None if it was not trained here.
    """

    separator: SongSeparator
    parameters: int | None = None
    mmacs_per_s: float | None = None
    minutes: float | None = None


Maker = Callable[[str, int], Made]
"""``maker(name, fold)`` makes the separator of the row `name`, which has not learnt from a fold of MIR-1K."""


@dataclass(frozen=True)
class SongSeparation:
    """A separation; see `train.lab.measured.System`.

    Attributes
    ----------
    maker : callable
        Function that makes the separator.
    causal : bool
        Whether it gives out sound while the clip goes on; otherwise it hears the whole clip first.
    """

    maker: Maker
    causal: bool = False

    def measure(self, name: str, folds: Sequence[int]) -> tuple[Measured, None]:
        """Make the separator for each of some folds, by default for `FOLD`, and measure it on the clips of the fold.

        Raises
        ------
        AbsentError
            If something is absent that the separator needs.
        ConfigError
            If there is no such fold, or the separator has learnt from it.
        """
        check_folds(name, folds, FOLDS)
        found: dict[str, dict[str, float]] = {}
        minutes = []
        for fold in folds or (FOLD,):
            made = self.maker(name, fold)
            songs = clips_of(fold)
            for figure, value in figures_of_page(songs, made.separator).items():
                found.setdefault(figure, {})[str(fold)] = value
            minutes.append(made.minutes)
        known = [each for each in minutes if each is not None]
        return Measured(
            found,
            made.parameters,
            made.mmacs_per_s,
            _ms_per_s(songs[:TIMED], made.separator),
            peak_memory_mb(),
            round(statistics.fmean(known), 1) if known else None,
        ), None


def figures_of_page(songs: Sequence[Song], separator: SongSeparator) -> dict[str, float]:
    """Return the figures of a separator on some songs, by the names that the page has: `DECIBELS` and `BINS`."""
    found = figures(measure_songs(songs, separator))
    by_name: dict[str, float] = {}
    for title, stem in STEMS.items():
        by_name |= {f"{title} {figure}": found[stem][figure] for figure in DECIBELS}
        by_name |= {f"{title} {figure}": found[stem][f"bin {figure}"] for figure in BINS}
    return by_name


def clips_of(fold: int) -> Sequence[Song]:
    """Return the clips of a fold of MIR-1K that every row is measured on."""
    return draw_songs(
        usable_songs(SeparationRunConfig(data=(DATA,)), data_folder(), CACHE, fold), CLIPS, SEED
    )


def _ms_per_s(songs: Sequence[Song], separator: SongSeparator) -> float:
    """Return the milliseconds of processor time for a second of song, median over songs; the first does not count."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    times = []
    try:
        for song in songs:
            truth = read_stems(song)
            mixture = truth.voice + truth.music
            begun = _processor_s()
            separator(mixture, truth.rate_hz)
            times.append((_processor_s() - begun) * truth.rate_hz / len(mixture))
    finally:
        torch.set_num_threads(threads)
    return round(1e3 * statistics.median(times[1:] or times), 3)


def _processor_s() -> float:
    """Return the processor time of this process and of those that it has waited for, in seconds."""
    # os.times() counts in steps of 10 ms.
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)
