"""Families of the instruments of General MIDI, with their ranges and what they play alone."""

from __future__ import annotations

from dataclasses import dataclass

LINES = ("melody", "tune", "scale", "arpeggio", "ostinato")
CHORDS = ("chords", "broken_chords")


@dataclass(frozen=True)
class Family:
    """A family of instruments.

    Attributes
    ----------
    name : str
        Name of the family.
    programmes : tuple of int
        Programmes of General MIDI, counted from 0.
    low, high : int
        Usual range, as MIDI pitches; see `RANGES` for single programmes.
    forms : tuple of str
        Forms of `train.render.compose` that it plays alone.
    sustained : bool
        Whether a tone lasts as long as it is played, so that it can swell.
    """

    name: str
    programmes: tuple[int, ...]
    low: int
    high: int
    forms: tuple[str, ...]
    sustained: bool = False


# Single long tones of organs, whistles and synthesisers are left out: nothing in them tells music from a test tone.
FAMILIES = (
    Family("piano", (0, 1, 2, 3, 4, 5, 6, 7), 36, 90, (*LINES, *CHORDS, *CHORDS, "long_tones")),
    Family("chromatic_percussion", (8, 9, 10, 11, 12, 13, 14, 15), 55, 96, (*LINES, *CHORDS, "long_tones")),
    Family("organ", (16, 17, 18, 19, 20, 21, 22, 23), 40, 84, (*LINES, *CHORDS), sustained=True),
    Family("guitar", (24, 25, 26, 27, 28, 29, 30), 40, 79, (*LINES, *CHORDS, *CHORDS, "long_tones")),
    Family(
        "bass",
        (32, 33, 34, 35, 36, 37, 38, 39),
        28,
        52,
        ("walking", "ostinato", "arpeggio", "scale", "long_tones"),
    ),
    Family("strings", (40, 41, 42, 43, 44, 45, 46, 47), 43, 90, (*LINES, "long_tones"), sustained=True),
    Family("orchestra", (48, 49, 50, 51, 55), 40, 84, (*LINES, *CHORDS, "long_tones"), sustained=True),
    Family("choir", (52, 53, 54), 45, 79, (*LINES, *CHORDS, "long_tones"), sustained=True),
    Family("brass", (56, 57, 58, 59, 60, 61, 62, 63), 46, 79, (*LINES, "long_tones"), sustained=True),
    Family("reed", (64, 65, 66, 67, 68, 69, 70, 71), 49, 84, (*LINES, "long_tones"), sustained=True),
    Family("pipe", (72, 73, 74, 75, 76, 77), 60, 96, (*LINES, "long_tones"), sustained=True),
    Family("whistle", (78, 79), 67, 98, LINES, sustained=True),
    Family("synth_lead", (80, 81, 82, 83, 84, 85, 86, 87), 48, 91, LINES, sustained=True),
    Family("synth_pad", (88, 89, 90, 91, 92, 93, 94, 95), 43, 84, (*LINES, *CHORDS), sustained=True),
    Family("ethnic", (104, 105, 106, 107, 108, 109, 110, 111), 48, 84, (*LINES, "long_tones")),
    Family(
        "percussive", (112, 113, 114, 115, 116, 117, 118), 48, 84, ("melody", "tune", "scale", "ostinato")
    ),
)
RANGES = {
    40: (55, 93),  # violin
    41: (48, 81),
    42: (36, 69),
    43: (28, 52),  # contrabass
    47: (38, 55),  # timpani
    56: (54, 82),  # trumpet
    57: (40, 70),
    58: (28, 55),  # tuba
    60: (41, 74),
    64: (56, 87),  # soprano saxophone
    66: (44, 75),
    67: (37, 68),
    68: (58, 90),  # oboe
    70: (34, 68),  # bassoon
    71: (50, 89),
    72: (74, 103),  # piccolo
}
"""Range of programmes that differ from their family's, as MIDI pitches."""


def family_of(programme: int) -> Family | None:
    """Return the family of a programme, or None for effects (96 to 103, 119 to 127) and guitar harmonics."""
    return next((family for family in FAMILIES if programme in family.programmes), None)


def range_of(family: Family, programme: int) -> tuple[int, int]:
    """Return the lowest and the highest usual pitch of a programme, as MIDI pitches."""
    return RANGES.get(programme, (family.low, family.high))
