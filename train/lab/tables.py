"""Tables of the laboratory's page, and the figures of each."""

from __future__ import annotations

from dataclasses import dataclass

from train.lab.systems.classifier import DECISIONS, PROBABILITIES, SHARES
from train.lab.systems.separation import BINS, DECIBELS, FOLD, STEMS


@dataclass(frozen=True)
class Table:
    """A table of the laboratory's page.

    Attributes
    ----------
    place : str
        Name of its place on the page.
    figures : tuple of str
        Names of the figures that its rows have.
    of : str
        Place of the table whose rows it has, with other figures and without their cost; by default its own.
    fold : int
        The only fold that its rows hold out, if the page says so; 0 if they hold out each.
    decimals : int
        Digits behind the point of a figure of the only fold.
    """

    place: str
    figures: tuple[str, ...]
    of: str = ""
    fold: int = 0
    decimals: int = 3


MUSIC = Table("music", DECISIONS)
CERTAINTY = Table("certainty", (*SHARES, *PROBABILITIES), of="music")
SEQUENCES = Table("sequences", ("PR-AUC", "F1", "precision", "recall"))
SOUNDS = Table("sounds", ("accuracy",))
GENRES = Table("genres", ("accuracy",))
GENRES_OF_CUT_OUTS = Table("genres_of_cut_outs", ("accuracy",))
FMA = Table("fma", ("accuracy", "top-3 accuracy", "cross entropy"))
FMA_SUB_GENRES = Table("fma_sub_genres", FMA.figures)
SEPARATION = Table("separation", tuple(f"voice {name}" for name in DECIBELS), fold=FOLD, decimals=2)
ACCOMPANIMENT = Table(
    "accompaniment",
    tuple(f"accompaniment {name}" for name in DECIBELS),
    of="separation",
    fold=FOLD,
    decimals=2,
)
LOUDER_STEM = Table(
    "louder_stem", tuple(f"{stem} {name}" for stem in STEMS for name in BINS), of="separation", fold=FOLD
)
TABLES = (
    MUSIC,
    CERTAINTY,
    SEQUENCES,
    SOUNDS,
    GENRES,
    GENRES_OF_CUT_OUTS,
    FMA,
    FMA_SUB_GENRES,
    SEPARATION,
    ACCOMPANIMENT,
    LOUDER_STEM,
)
"""Tables, in the order of the page."""
