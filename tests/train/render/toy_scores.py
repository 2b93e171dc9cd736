"""MIDI files of a few notes."""

from __future__ import annotations

import io

import mido


def midi(
    *notes: tuple[int, int, float], programmes: dict[int, int] | None = None, tempo_bpm: float = 120.0
) -> bytes:
    """Notes as channel, pitch and length in beats, one after the other; 480 ticks a beat."""
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(tempo_bpm))])
    for channel, programme in (programmes or {}).items():
        track.append(mido.Message("program_change", channel=channel, program=programme))
    for channel, pitch, beats in notes:
        track.append(mido.Message("note_on", channel=channel, note=pitch, velocity=100))
        track.append(mido.Message("note_off", channel=channel, note=pitch, time=round(480 * beats)))
    written = mido.MidiFile(type=0)
    written.tracks.append(track)
    out = io.BytesIO()
    written.save(file=out)
    return out.getvalue()


TWO_NOTES = midi((0, 60, 1.0), (0, 67, 1.0), programmes={0: 73})
UNNAMED = midi((0, 60, 1.0), (1, 67, 1.0))
LONG = midi(
    *[(n % 3, 60 + n % 12, 0.5) for n in range(90)], *[(9, 36 + n % 5, 0.25) for n in range(90)],
    programmes={0: 0, 1: 33, 2: 73, 9: 0},
)  # fmt: skip
SHORT = midi(*[(n % 2, 50 + n % 9, 0.5) for n in range(60)], *[(9, 38, 0.5)] * 20, programmes={0: 24, 1: 40})
