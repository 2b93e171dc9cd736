"""Write scores: melodies, tunes, scales, bass lines and chords over progressions; everything is drawn from a seed.

Every function of `FORMS` takes a generator, a `Harmony` and a length in bars, and returns notes with times in quarter
notes (beats). Their pitches lie around middle C; who plays them moves them into the instrument's range.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

SCALES = (
    (0, 2, 4, 5, 7, 9, 11),  # major
    (0, 2, 4, 5, 7, 9, 11),
    (0, 2, 3, 5, 7, 8, 10),  # minor
    (0, 2, 3, 5, 7, 8, 11),  # harmonic minor
    (0, 2, 3, 5, 7, 9, 10),  # Dorian
    (0, 2, 4, 5, 7, 9, 10),  # Mixolydian
    (0, 2, 4, 7, 9),  # pentatonic
    (0, 3, 5, 7, 10),
    (0, 3, 5, 6, 7, 10),  # blues
)
PROGRESSIONS = (
    (0, 3, 4, 0),
    (0, 4, 5, 3),
    (0, 5, 3, 4),
    (1, 4, 0, 0),
    (0, 5, 1, 4),
    (0, 6, 5, 6),
    (0, 0, 3, 3, 0, 0, 4, 3, 0, 0, 4, 4),
    (0, 2, 3, 4),
    (5, 3, 0, 4),
    (0, 3),
    (0,),
)
"""Degrees of the chords, a bar each."""
RHYTHMS = (
    (1.0, 1.0, 1.0, 1.0),
    (1.0, 1.0, 2.0),
    (0.5, 0.5, 1.0, 0.5, 0.5, 1.0),
    (1.5, 0.5, 1.0, 1.0),
    (0.5,) * 8,
    (1.0, 0.5, 0.5, 2.0),
    (3.0, 1.0),
    (0.75, 0.25, 1.0, 0.75, 0.25, 1.0),
    (0.25, 0.25, 0.5, 1.0, 0.5, 0.5, 1.0),
    (0.5, 1.0, 0.5, 0.5, 1.0, 0.5),
)
"""Lengths of the notes of a bar of four beats."""


@dataclass(frozen=True)
class Note:
    """A note, with times in beats.

    Attributes
    ----------
    start, length : float
        Start and length in beats.
    pitch : int
        MIDI pitch.
    velocity : int
        Loudness, 1 to 127.
    """

    start: float
    length: float
    pitch: int
    velocity: int


@dataclass(frozen=True)
class Harmony:
    """Key, scale and chords that the parts of a score have in common.

    Attributes
    ----------
    tonic : int
        MIDI pitch of the tonic nearest to middle C.
    scale : tuple of int
        Semitones of the scale above the tonic.
    chords : tuple of int
        Degree of the scale, from 0, on which the chord of each bar is built; repeated as long as needed.
    beats : int
        Beats of a bar, 3 or 4.
    """

    tonic: int
    scale: tuple[int, ...]
    chords: tuple[int, ...]
    beats: int

    def pitch(self, degree: int) -> int:
        """Return the pitch of a degree of the scale, counted from 0 at the tonic; below it degrees are negative."""
        octave, place = divmod(degree, len(self.scale))
        return self.tonic + 12 * octave + self.scale[place]

    def chord(self, bar: int, size: int = 3) -> list[int]:
        """Return the degrees of the chord of a bar: every second degree of the scale from its root on."""
        root = self.chords[bar % len(self.chords)] % len(self.scale)
        return [root + 2 * third for third in range(size)]


Form = Callable[[np.random.Generator, Harmony, int], list[Note]]


def draw_harmony(rng: np.random.Generator) -> Harmony:
    """Return a random key, scale and progression, three times of four in common time."""
    scale = SCALES[rng.integers(len(SCALES))]
    chords = PROGRESSIONS[rng.integers(len(PROGRESSIONS))]
    return Harmony(int(rng.integers(54, 66)), scale, chords, 4 if rng.random() < 0.75 else 3)


def melody(rng: np.random.Generator, harmony: Harmony, bars: int) -> list[Note]:
    """Return a melody of phrases of two bars that share their rhythms; strong beats have notes of the chord."""
    patterns = [_rhythm(rng, harmony), _rhythm(rng, harmony)]
    degree, notes = int(rng.choice(harmony.chord(0))), []
    for bar in range(bars):
        rhythm = patterns[bar % 2] if rng.random() < 0.8 else _rhythm(rng, harmony)
        start = float(bar * harmony.beats)
        for place, length in enumerate(rhythm):
            step = int(rng.choice([-2, -1, -1, 0, 1, 1, 2, int(rng.integers(-4, 5))]))
            degree = int(np.clip(degree + step, -7, 14))
            if place == 0:
                degree = _nearest(degree, harmony.chord(bar), len(harmony.scale))
            if rng.random() > 0.07:  # else a rest
                notes.append(Note(start, length, harmony.pitch(degree), _accent(rng, place == 0)))
            start += length
    return notes


def tune(rng: np.random.Generator, harmony: Harmony, bars: int) -> list[Note]:
    """Return a tune like a nursery song: phrases A A B A of two bars, within an octave, ending on the tonic."""
    plain = Harmony(harmony.tonic, SCALES[0], (0, 4, 0, 4, 3, 4, 4, 0), harmony.beats)
    phrases = [_phrase(rng, plain), _phrase(rng, plain)]
    notes, bar = [], 0
    while bar < bars:
        phrase = phrases[1] if (bar // 2) % 4 == 2 else phrases[0]
        ends = bar + 2 >= bars or (bar // 2) % 4 == 3
        last = len(phrase) - 1
        for place, (beat, length, degree) in enumerate(phrase):
            pitch = plain.pitch(0 if ends and place == last else degree)
            notes.append(Note(bar * plain.beats + beat, length, pitch, _accent(rng, place == 0)))
        bar += 2
    return notes


def scale(rng: np.random.Generator, harmony: Harmony, bars: int) -> list[Note]:
    """Return scales up and down over one or two octaves, in steps or in broken thirds."""
    length = float(rng.choice([0.25, 0.5, 0.5, 1.0]))
    top = int(rng.integers(1, 3)) * len(harmony.scale)
    way = [*range(top), *range(top, 0, -1)]
    if rng.random() < 0.3:
        way = [degree for step in way for degree in (step, step + 2)]
    count = int(bars * harmony.beats / length)
    return [
        Note(n * length, length, harmony.pitch(way[n % len(way)]), _accent(rng, n % 4 == 0))
        for n in range(count)
    ]


def arpeggio(rng: np.random.Generator, harmony: Harmony, bars: int) -> list[Note]:
    """Return the chords of the progression note by note: up, down, or up and down."""
    length = float(rng.choice([0.25, 0.5, 0.5, 1.0]))
    size = int(rng.integers(3, 7))
    up = list(range(size))
    way = [up, up[::-1], up + up[-2:0:-1]][rng.integers(3)]
    notes = []
    for n in range(int(bars * harmony.beats / length)):
        chord = harmony.chord(int(n * length) // harmony.beats, 3)
        place = way[n % len(way)]
        degree = chord[place % 3] + len(harmony.scale) * (place // 3)
        notes.append(Note(n * length, length, harmony.pitch(degree), _accent(rng, n % len(way) == 0)))
    return notes


def walking(rng: np.random.Generator, harmony: Harmony, bars: int) -> list[Note]:
    """Return a walking bass: the root on the first beat, then notes of chord and scale towards the next root."""
    notes = []
    for bar in range(bars):
        root, target = harmony.chord(bar)[0], harmony.chord(bar + 1)[0]
        between = [int(rng.choice(harmony.chord(bar))) for _ in range(harmony.beats - 2)]
        approach = target + int(rng.choice([-1, 1]))
        for beat, degree in enumerate([root, *between, approach]):
            start, swing = float(bar * harmony.beats + beat), rng.random() < 0.1
            pitch = harmony.pitch(degree) - 24
            notes.append(Note(start, 0.6 if swing else 0.95, pitch, _accent(rng, beat % 2 == 1)))
            if swing:
                notes.append(Note(start + 0.67, 0.3, pitch, _accent(rng, False)))
    return notes


def ostinato(rng: np.random.Generator, harmony: Harmony, bars: int) -> list[Note]:
    """Return a figure of a bar that is repeated, on the tonic or moved with the chords."""
    lengths = _rhythm(rng, harmony)
    steps = [int(rng.choice([0, 0, 2, 4, len(harmony.scale), int(rng.integers(-2, 6))])) for _ in lengths]
    moves, staccato = rng.random() < 0.6, rng.choice([0.5, 0.95])
    notes = []
    for bar in range(bars):
        root = harmony.chord(bar)[0] if moves else 0
        start = float(bar * harmony.beats)
        for place, (length, step) in enumerate(zip(lengths, steps, strict=True)):
            notes.append(Note(start, length * staccato, harmony.pitch(root + step), _accent(rng, place == 0)))
            start += length
    return notes


def chords(rng: np.random.Generator, harmony: Harmony, bars: int) -> list[Note]:
    """Return the chords of the progression: held, repeated or strummed."""
    size = int(rng.integers(3, 5))
    strum = rng.choice([0.0, 0.0, rng.uniform(0.01, 0.06)])
    rhythm = [(float(harmony.beats),), _rhythm(rng, harmony)][rng.integers(2)]
    notes = []
    for bar in range(bars):
        degrees = [
            degree - len(harmony.scale) * (degree > len(harmony.scale)) for degree in harmony.chord(bar, size)
        ]
        start = float(bar * harmony.beats)
        for place, length in enumerate(rhythm):
            velocity = _accent(rng, place == 0)
            for n, degree in enumerate(sorted(degrees)):
                notes.append(Note(start + n * strum, length * 0.95, harmony.pitch(degree), velocity))
            start += length
    return notes


def broken_chords(rng: np.random.Generator, harmony: Harmony, bars: int) -> list[Note]:
    """Return a low root and broken chords above it, in eighths or sixteenths, as pianos and guitars accompany."""
    length = float(rng.choice([0.5, 0.5, 0.25]))
    way = [(0, 2, 1, 2), (0, 1, 2, 1), (0, 1, 2, 3)][rng.integers(3)]
    notes = []
    for bar in range(bars):
        chord = harmony.chord(bar, 4)
        notes.append(
            Note(bar * harmony.beats, harmony.beats * 0.95, harmony.pitch(chord[0]) - 12, _accent(rng, True))
        )
        for n in range(int(harmony.beats / length)):
            start = bar * harmony.beats + n * length
            notes.append(Note(start, length, harmony.pitch(chord[way[n % 4]]), _accent(rng, False)))
    return notes


def long_tones(rng: np.random.Generator, harmony: Harmony, bars: int) -> list[Note]:
    """Return single long notes of the scale with pauses between them."""
    notes, beat = [], 0.0
    while beat < bars * harmony.beats - 1:
        length = float(rng.uniform(2.0, 8.0))
        notes.append(Note(beat, length, harmony.pitch(int(rng.integers(-5, 10))), int(rng.integers(50, 120))))
        beat += length + float(rng.uniform(0.2, 2.0))
    return notes


FORMS: Mapping[str, Form] = MappingProxyType(
    {
        form.__name__: form
        for form in (melody, tune, scale, arpeggio, walking, ostinato, chords, broken_chords, long_tones)
    }
)


def _rhythm(rng: np.random.Generator, harmony: Harmony) -> tuple[float, ...]:
    """Return lengths of notes that fill a bar."""
    rhythm = RHYTHMS[rng.integers(len(RHYTHMS))]
    filled, lengths = 0.0, []
    for length in rhythm:
        if filled < harmony.beats:
            lengths.append(min(length, harmony.beats - filled))
            filled += length
    return tuple(lengths)


def _phrase(rng: np.random.Generator, harmony: Harmony) -> list[tuple[float, float, int]]:
    """Return two bars of a simple tune as beat, length and degree; the last note is long."""
    lengths = [*_rhythm(rng, harmony), float(harmony.beats)]
    lengths[-1:] = [1.0] * (harmony.beats - 2) + [2.0]
    degree, beat, notes = int(rng.choice([0, 2, 4])), 0.0, []
    for length in lengths:
        notes.append((beat, length, degree))
        beat += length
        degree = int(np.clip(degree + rng.choice([-2, -1, -1, 0, 0, 1, 1, 2]), -1, 7))
    return notes


def _nearest(degree: int, chord: list[int], size: int) -> int:
    """Return the degree, of those that belong to a chord in any octave, that is nearest to `degree`."""
    anywhere = [each + size * octave for each in chord for octave in (-2, -1, 0, 1, 2)]
    return min(anywhere, key=lambda each: (abs(each - degree), each))


def _accent(rng: np.random.Generator, strong: bool) -> int:
    return int(np.clip(rng.normal(96 if strong else 80, 8), 20, 127))
