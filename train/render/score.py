"""Scores: MIDI messages on a clock in seconds, read from files, cut, changed and written."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import mido

from streamer.errors import StreamError

DRUM_CHANNEL = 9
TAIL_S = 1.0
"""Time after the last note, in which it may fade away."""
TICKS_PER_BEAT, BEAT_US = 480, 500_000
"""Clock of the files that are written: 960 ticks a second, whatever the tempo of the music."""
_KEPT = ("note_on", "note_off", "control_change", "program_change", "pitchwheel", "aftertouch", "polytouch")
_BANK_SELECT = (0, 32)
_BROKEN = (OSError, EOFError, ValueError, LookupError, TypeError, mido.KeySignatureError)
"""Errors that mido raises for broken files."""


class ScoreError(StreamError):
    """Raised for a MIDI file that is broken, has no notes or names no instrument."""


@dataclass(frozen=True)
class Score:
    """Music as MIDI messages.

    Attributes
    ----------
    messages : tuple of mido.Message
        Messages of channels in the order of time; ``message.time`` is in seconds from the start of the score. Bank
        selections are left out, so that programmes are those of General MIDI.
    tempos : tuple of (float, float)
        Each change of tempo: its time in seconds, and the tempo in quarter notes a minute.
    """

    messages: tuple[Any, ...]
    tempos: tuple[tuple[float, float], ...] = ((0.0, 120.0),)

    @property
    def seconds(self) -> float:
        """Time of the last message, in seconds."""
        return float(self.messages[-1].time) if self.messages else 0.0

    @property
    def notes(self) -> Counter[int]:
        """Number of notes of each channel that has any."""
        return Counter(m.channel for m in self.messages if is_note(m))

    @property
    def programmes(self) -> dict[int, int]:
        """First programme of each channel with notes, 0 where none is named; of the drum channel, the kit."""
        first = {m.channel: m.program for m in reversed(self.messages) if m.type == "program_change"}
        return {channel: first.get(channel, 0) for channel in sorted(self.notes)}


def is_note(message: Any) -> bool:
    """Return whether a message begins a note."""
    return bool(message.type == "note_on" and message.velocity > 0)


def read_score(content: bytes) -> Score:
    """Read a MIDI file.

    Parameters
    ----------
    content : bytes
        Content of the file.

    Raises
    ------
    ScoreError
        If it is broken, has no notes, or has notes and names no instrument for any of them.
    """
    try:
        parsed = mido.MidiFile(file=io.BytesIO(content), clip=True)
        messages, tempos, time_s = [], [], 0.0
        for message in parsed:
            time_s += message.time
            if message.type == "set_tempo":
                tempos.append((time_s, round(mido.tempo2bpm(message.tempo), 2)))
            elif message.type in _KEPT and not _selects_bank(message):
                messages.append(message.copy(skip_checks=True, time=time_s))
    except _BROKEN as error:
        reason = str(error) or type(error).__name__
        raise ScoreError(f"it is no MIDI file that can be read: {reason}") from None
    score = Score(tuple(messages), tuple(tempos) or Score.tempos)
    if not score.notes:
        raise ScoreError("it has no notes")
    if set(score.notes) != {DRUM_CHANNEL} and not any(m.type == "program_change" for m in messages):
        raise ScoreError("it names no instrument; expected a programme for at least one channel")
    return score


def excerpt(score: Score, first_s: float, seconds: float) -> Score:
    """Return a part of a score, with the programmes and controls that are in force where it begins.

    Notes that began earlier are left out, and those that last longer end with the part.
    """
    state, part, sounding = {}, [], {}
    for message in score.messages:
        if message.time < first_s:
            if message.type in ("control_change", "program_change", "pitchwheel"):
                state[message.type, message.channel, getattr(message, "control", 0)] = message.copy(
                    skip_checks=True, time=0.0
                )
        elif message.time < first_s + seconds:
            part.append(message.copy(skip_checks=True, time=message.time - first_s))
            if message.type in ("note_on", "note_off"):
                sounding[message.channel, message.note] = is_note(message)
    ends = [
        mido.Message("note_off", channel=channel, note=note, time=seconds)
        for (channel, note), on in sounding.items()
        if on
    ]
    tempo_bpm = [tempo for at, tempo in score.tempos if at <= first_s]
    return Score((*state.values(), *part, *ends), ((0.0, (tempo_bpm or [score.tempos[0][1]])[-1]),))


def only(score: Score, channels: Collection[int]) -> Score:
    """Return a score with the messages of some channels alone."""
    return replace(score, messages=tuple(m for m in score.messages if m.channel in channels))


def with_programmes(score: Score, programmes: Mapping[int, int]) -> Score:
    """Return a score whose channels have other programmes, each one throughout.

    Parameters
    ----------
    score : Score
        Score to change.
    programmes : mapping of int to int
        New programme of each channel that changes.
    """
    kept = [m for m in score.messages if not (m.type == "program_change" and m.channel in programmes)]
    named = [
        mido.Message("program_change", channel=channel, program=program, time=0.0)
        for channel, program in programmes.items()
    ]
    return replace(score, messages=(*named, *kept))


def in_range(score: Score, channel: int, low: int, high: int) -> Score:
    """Return a score in which a channel is moved by octaves into a range of pitches.

    All notes move together, so that most of them are in the range; those that are still outside move alone.
    """
    pitches = sorted(m.note for m in score.messages if is_note(m) and m.channel == channel)
    middle = pitches[len(pitches) // 2]
    together = 12 * round(((low + high) / 2 - middle) / 12)

    def moved(message: Any) -> Any:
        if message.type not in ("note_on", "note_off", "polytouch") or message.channel != channel:
            return message
        pitch = message.note + together
        pitch += 12 * -(-(low - pitch) // 12) if pitch < low else 0
        pitch -= 12 * -(-(pitch - high) // 12) if pitch > high else 0
        return message.copy(note=min(127, max(0, pitch)))

    return replace(score, messages=tuple(moved(m) for m in score.messages))


def write_midi(score: Score, path: Path) -> None:
    """Write a score as a MIDI file of one track that ends `TAIL_S` after the last message."""
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=BEAT_US, time=0)])
    ticks_per_s = TICKS_PER_BEAT * 1_000_000 / BEAT_US
    at = 0
    for message in sorted(score.messages, key=lambda m: m.time):
        ticks = round(message.time * ticks_per_s)
        track.append(message.copy(skip_checks=True, time=ticks - at))
        at = ticks
    track.append(mido.MetaMessage("end_of_track", time=round(TAIL_S * ticks_per_s)))
    written = mido.MidiFile(type=0, ticks_per_beat=TICKS_PER_BEAT)
    written.tracks.append(track)
    written.save(path)


def _selects_bank(message: Any) -> bool:
    return bool(message.type == "control_change" and message.control in _BANK_SELECT)
