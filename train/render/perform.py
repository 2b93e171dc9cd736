"""Perform written notes: turn beats into seconds, with uneven timing, swells, vibrato and slides into notes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import mido
import numpy as np

from train.render.compose import Note
from train.render.score import DRUM_CHANNEL, Score, in_range

MODULATION, EXPRESSION = 1, 11
"""Controllers: depth of vibrato, and loudness while a tone lasts."""
STEP_S = 0.1
"""Time between two values of a swell."""
SLIDE_STEPS = 5
LOWEST_BEND = -8_192
"""Pitch wheel at its lowest, two semitones below."""


@dataclass(frozen=True)
class Part:
    """Notes that one instrument plays.

    Attributes
    ----------
    programme : int
        Programme of General MIDI, from 0; for drums the kit.
    notes : tuple of Note
        Notes with times in beats.
    low, high : int
        Range of the instrument, as MIDI pitches; not used for drums.
    sustained : bool
        Whether its tones can swell.
    is_drums : bool
        Whether pitches name drums.
    """

    programme: int
    notes: tuple[Note, ...]
    low: int = 0
    high: int = 127
    sustained: bool = False
    is_drums: bool = False


def perform(rng: np.random.Generator, parts: Sequence[Part], tempo_bpm: float) -> Score:
    """Return a score in which parts are played together.

    Parameters
    ----------
    rng : numpy.random.Generator
        Generator of everything random.
    parts : sequence of Part
        At most nine pitched parts, and one of drums.
    tempo_bpm : float
        Beats a minute.
    """
    beat_s = 60.0 / tempo_bpm
    unevenness_s = float(rng.choice([0.0, rng.uniform(0.004, 0.02)]))
    messages: list[Any] = []
    channels = []
    for place, part in enumerate(parts):
        channel = DRUM_CHANNEL if part.is_drums else place
        messages.append(mido.Message("program_change", channel=channel, program=part.programme))
        played = _timed(rng, part.notes, beat_s, unevenness_s)
        for on_s, off_s, note in played:
            messages.append(_note("note_on", channel, note.pitch, note.velocity, on_s))
            messages.append(_note("note_off", channel, note.pitch, 0, off_s))
        if part.sustained:
            messages += _swells(rng, channel, played[-1][1])
            messages += _slides(rng, channel, [on_s for on_s, _, _ in played])
        if not part.is_drums:
            channels.append((channel, part))
    # Notes end before others begin at the same time, or a repeated note would end at once.
    messages.sort(key=lambda m: (m.time, m.type == "note_on"))
    score = Score(tuple(messages), ((0.0, round(tempo_bpm, 2)),))
    for channel, part in channels:
        score = in_range(score, channel, part.low, part.high)
    return score


def _timed(
    rng: np.random.Generator, notes: Sequence[Note], beat_s: float, unevenness_s: float
) -> list[tuple[float, float, Note]]:
    """Return start and end of each note in seconds, with the note."""
    connected = float(rng.choice([1.0, 0.95, rng.uniform(0.5, 0.9)]))
    found = []
    for note in notes:
        on_s = max(0.0, note.start * beat_s + rng.normal(0.0, 1.0) * unevenness_s)
        found.append((on_s, on_s + max(0.05, note.length * beat_s * connected), note))
    return found


def _note(kind: str, channel: int, pitch: int, velocity: int, time_s: float) -> Any:
    pitch = min(127, max(0, pitch))
    return mido.Message(kind, channel=channel, note=pitch, velocity=velocity, time=time_s)


def _swells(rng: np.random.Generator, channel: int, until_s: float) -> Iterator[Any]:
    """Yield vibrato of a constant depth, and slow changes of loudness, each in half of the parts."""
    if rng.random() < 0.5:
        yield _control(channel, MODULATION, int(rng.integers(10, 80)), 0.0)
    if rng.random() < 0.5:
        period_s, depth = rng.uniform(1.5, 6.0), rng.uniform(10, 35)
        for time_s in np.arange(0.0, until_s, STEP_S):
            value = 105 - depth * (1 - np.cos(2 * np.pi * time_s / period_s))
            yield _control(channel, EXPRESSION, int(value), float(time_s))


def _slides(rng: np.random.Generator, channel: int, starts_s: Sequence[float]) -> Iterator[Any]:
    """Yield bends of the pitch up into notes, in a third of the parts."""
    if rng.random() > 0.33:
        return
    share, slide_s = rng.uniform(0.2, 1.0), rng.uniform(0.03, 0.15)
    for start_s in starts_s:
        if rng.random() < share:
            depth = rng.uniform(0.2, 1.0)
            for step in range(SLIDE_STEPS + 1):
                bend = int(LOWEST_BEND * depth * (1 - step / SLIDE_STEPS))
                at_s = start_s + slide_s * step / SLIDE_STEPS
                yield mido.Message("pitchwheel", channel=channel, pitch=bend, time=at_s)


def _control(channel: int, control: int, value: int, time_s: float) -> Any:
    return mido.Message("control_change", channel=channel, control=control, value=value, time=time_s)
