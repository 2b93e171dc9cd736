"""Write drum parts: grooves of common styles, with fills, and patterns of hand percussion."""

from __future__ import annotations

import numpy as np

from train.render.compose import Note

KICK, STICK, SNARE, CLAP, CLOSED, OPEN, RIDE, CRASH = 36, 37, 38, 39, 42, 46, 51, 49
TOMS = (50, 48, 47, 45, 43, 41)
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


def _stroke(rng: np.random.Generator, start: float, drum: int, strong: bool) -> Note:
    velocity = int(np.clip(rng.normal(100 if strong else 78, 12), 15, 127))
    return Note(start, 0.2, drum, velocity)
