"""Write drum parts: grooves of common styles, with fills, patterns of hand percussion, rolls and single strokes."""

from __future__ import annotations

import numpy as np

from train.render.compose import Note

KICK, STICK, SNARE, CLAP, CLOSED, OPEN, RIDE, CRASH = 36, 37, 38, 39, 42, 46, 51, 49
TOMS = (50, 48, 47, 45, 43, 41)
ROLLED = (SNARE, SNARE, SNARE, *TOMS, CRASH, RIDE, 54, 70)
"""Drums and cymbals that rolls are played on, the snare drum most often; 54 and 70 are tambourine and maracas."""
STRUCK = (KICK, STICK, SNARE, CLAP, CLOSED, OPEN, RIDE, CRASH, *TOMS, 54, 56, 60, 61, 63, 64, 76)
"""Drums and cymbals that single strokes are played on."""
STEPS = 16
"""Steps of a bar of four beats: sixteenths. A style gives the strokes of each drum as a text, ``x`` for a stroke."""
STYLES = (
    {KICK: "x.......x.......", SNARE: "....x.......x...", CLOSED: "x.x.x.x.x.x.x.x."},
    {KICK: "x.....x.x.......", SNARE: "....x.......x...", RIDE: "x.x.x.x.x.x.x.x."},
    {KICK: "x..x..x...x..x..", SNARE: "....x..x.x..x...", CLOSED: "xxxxxxxxxxxxxxxx"},
    {KICK: "x...x...x...x...", CLAP: "....x.......x...", OPEN: "..x...x...x...x."},
    {KICK: "x...x...x...x...", SNARE: "....x.......x...", CLOSED: "x.xxx.xxx.xxx.xx"},
    {KICK: "x.........x.....", SNARE: "....x.......x...", CLOSED: "x..xx..xx..xx..x"},
    {KICK: "x.......x.......", STICK: "....x.....x...x.", CLOSED: "x.x.x.x.x.x.x.x."},
    {KICK: "x.......x.......", SNARE: "..x.x.xxx.x.x.xx"},
    {SNARE: "x.xxx.xxx.xxxxxx"},
    {CLOSED: "x.x.x.x.x.x.x.x."},
    {RIDE: "x...x.xxx...x.xx", CLOSED: "....x.......x..."},
    {KICK: "x.....x...x.....", SNARE: "........x......."},
    {63: "x..x..x...x.x...", 64: "..x...xx..x...xx", 70: "xxxxxxxxxxxxxxxx"},  # congas, maracas
    {60: "x.xx..x.x.xx..x.", 61: "....x..x....x..x", 75: "x..x..x...x.x..."},  # bongos, claves
    {45: "x..x..x.x..x..x.", 41: "x.......x.......", 50: "......x.......xx"},  # toms
    {54: "x.x.x.x.x.x.x.x.", 39: "....x.......x..."},  # tambourine and claps
    {56: "x.x.x.x.x.x.x.x.", KICK: "x...x...x...x..."},  # cowbell
)


def drums(rng: np.random.Generator, bars: int, beats: int) -> list[Note]:
    """Return a groove with variations, a fill at the end of some phrases, and perhaps swing.

    Parameters
    ----------
    rng : numpy.random.Generator
        Generator of everything random.
    bars, beats : int
        Number of bars, and beats of a bar, 3 or 4.

    Returns
    -------
    list of Note
        Notes with pitches of General MIDI's drum map.
    """
    style = STYLES[rng.integers(len(STYLES))]
    swing = float(rng.choice([0.0, 0.0, rng.uniform(0.04, 0.1)]))
    phrase, fills, ghosts = int(rng.choice([2, 4, 8])), rng.random() < 0.6, rng.uniform(0.0, 0.08)
    notes = []
    for bar in range(bars):
        is_fill = fills and bar % phrase == phrase - 1
        for step in range(4 * beats):
            start = bar * beats + step / 4 + swing * (step % 2)
            if is_fill and step >= 4 * beats - 4:
                notes.append(_stroke(rng, start, int(rng.choice([SNARE, *TOMS])), step % 4 == 0))
                continue
            hit = [
                drum for drum, strokes in style.items() if (strokes[step] == "x") != (rng.random() < ghosts)
            ]
            notes += [_stroke(rng, start, drum, step % 4 == 0) for drum in hit]
        if bar % phrase == 0 and bar and fills:
            notes.append(_stroke(rng, float(bar * beats), CRASH, True))
    return notes


def rolls(rng: np.random.Generator, bars: int, beats: int) -> list[Note]:
    """Return rolls on one drum or cymbal, each of which swells, fades or keeps its level, with short pauses between.

    For parameters and the value returned see `drums`.
    """
    drum, length = int(rng.choice(ROLLED)), float(rng.choice([1 / 6, 1 / 8, 1 / 12]))
    notes, beat = [], 0.0
    while beat < bars * beats:
        count = int(rng.uniform(1.0, 2.0 * beats) / length)
        first, last = rng.uniform(25, 110, 2)
        levels = np.linspace(first, last, count) + rng.normal(0, 6, count)
        notes += [
            Note(beat + n * length, length, drum, int(level)) for n, level in enumerate(levels.clip(15, 127))
        ]
        beat += count * length + float(rng.uniform(0.0, 1.0))
    return notes


def strokes(rng: np.random.Generator, bars: int, beats: int) -> list[Note]:
    """Return single strokes on one drum or cymbal, at an even or an uneven pace, as somebody tries it out.

    For parameters and the value returned see `drums`.
    """
    drum, pace = int(rng.choice(STRUCK)), float(rng.choice([0.5, 1.0, 2.0]))
    uneven = rng.uniform(0.0, 0.5) if rng.random() < 0.4 else 0.0
    starts = pace * np.arange(int(bars * beats / pace))
    starts = starts + pace * uneven * rng.uniform(0.0, 1.0, len(starts))
    return [_stroke(rng, float(start), drum, rng.random() < 0.5) for start in starts]


PATTERNS = (drums, rolls, strokes)
"""Functions that write a drum part."""


def _stroke(rng: np.random.Generator, start: float, drum: int, strong: bool) -> Note:
    velocity = int(np.clip(rng.normal(100 if strong else 78, 12), 15, 127))
    return Note(start, 0.2, drum, velocity)
