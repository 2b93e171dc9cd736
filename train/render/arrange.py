"""Draw pieces: an instrument alone, drums alone, a small ensemble or a whole MIDI file, of scores of one fold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from train.render.compose import FORMS, Form, Note, draw_harmony, melody, tune, walking
from train.render.drum_patterns import PATTERNS, drums
from train.render.instruments import CHORDS, FAMILIES, Family, family_of, range_of
from train.render.packages import Soundfont
from train.render.perform import Part, perform
from train.render.score import (
    DRUM_CHANNEL,
    Score,
    ScoreError,
    excerpt,
    in_range,
    only,
    read_score,
    with_programmes,
)
from train.render.sources import PlacedScore

ARRANGEMENTS = ("solo", "drums", "ensemble", "full")
SHARES = (0.5, 0.15, 0.2, 0.15)
"""Share of pieces of each arrangement."""
PATTERN_SHARES = (0.6, 0.2, 0.2)
"""Share of the drum parts alone that are of each of `train.render.drum_patterns.PATTERNS`."""
OWN_SHARE = 0.6
"""Share of the pieces, without whole files, whose score the trainer writes."""
SHORTEST_S, LONGEST_S = 8.0, 28.0
SLOWEST_BPM, FASTEST_BPM = 56.0, 176.0
LEAST_NOTES = 8
"""Least number of notes of a channel that counts as a part."""
TRIES = 6
"""Excerpts of a MIDI file that are tried until one has enough notes."""
FIRST_EFFECT = 120
"""First programme of General MIDI that is no music: noises, birds, helicopters."""
OWN = "own"
OWN_LICENCE = "written by the trainer"


@dataclass(frozen=True)
class Arrangement:
    """A score for the instruments of one soundfont, with its labels.

    Attributes
    ----------
    score : Score
        Music to play.
    kind : str
        One of `ARRANGEMENTS`.
    family : str
        Family of a solo instrument, ``drums`` for drums alone, else empty.
    source, licence : str
        Origin and licence of the score.
    """

    score: Score
    kind: str
    family: str
    source: str
    licence: str

    @property
    def programmes(self) -> str:
        """Programmes in words, such as ``0 33 drums 8``."""
        found = self.score.programmes
        kit = [f"drums {found.pop(DRUM_CHANNEL)}"] if DRUM_CHANNEL in found else []
        return " ".join([*map(str, sorted(set(found.values()))), *kit])


def arrange(rng: np.random.Generator, soundfont: Soundfont, scores: Sequence[PlacedScore]) -> Arrangement:
    """Return a random piece.

    Parameters
    ----------
    rng : numpy.random.Generator
        Generator of everything random.
    soundfont : Soundfont
        Soundfont whose instruments play.
    scores : sequence of PlacedScore
        Scores of the soundfont's fold. Without any, the trainer writes all scores.

    Raises
    ------
    ScoreError
        If the excerpts of a MIDI file that were tried have too few notes.
    """
    kind = ARRANGEMENTS[rng.choice(len(ARRANGEMENTS), p=SHARES)]
    if scores and (kind == "full" or rng.random() > OWN_SHARE):
        return _of_file(rng, kind, soundfont, scores[int(rng.integers(len(scores)))])
    tempo_bpm = float(np.exp(rng.uniform(np.log(SLOWEST_BPM), np.log(FASTEST_BPM))))
    if kind == "solo":
        return _own_solo(rng, soundfont, tempo_bpm)
    if kind == "drums":
        return _own_drums(rng, soundfont, tempo_bpm)
    return _own_ensemble(rng, soundfont, tempo_bpm)


def _own_solo(rng: np.random.Generator, soundfont: Soundfont, tempo_bpm: float) -> Arrangement:
    family, programme = _instrument(rng, soundfont, FAMILIES)
    form = family.forms[rng.integers(len(family.forms))]
    harmony = draw_harmony(rng)
    notes = FORMS[form](rng, harmony, _bars(rng, tempo_bpm, harmony.beats))
    score = perform(rng, [_part(family, programme, notes)], tempo_bpm)
    return Arrangement(score, "solo", family.name, f"{OWN}/{form}", OWN_LICENCE)


def _own_drums(rng: np.random.Generator, soundfont: Soundfont, tempo_bpm: float) -> Arrangement:
    beats = 4 if rng.random() < 0.8 else 3
    pattern = PATTERNS[rng.choice(len(PATTERNS), p=PATTERN_SHARES)]
    notes = pattern(rng, _bars(rng, tempo_bpm, beats), beats)
    kit = int(rng.choice(soundfont.kits))
    score = perform(rng, [Part(kit, tuple(notes), is_drums=True)], tempo_bpm)
    return Arrangement(score, "drums", "drums", f"{OWN}/{pattern.__name__}", OWN_LICENCE)


def _own_ensemble(rng: np.random.Generator, soundfont: Soundfont, tempo_bpm: float) -> Arrangement:
    """Return two to four of melody, chords, bass and drums over one progression."""
    harmony = draw_harmony(rng)
    bars = _bars(rng, tempo_bpm, harmony.beats)
    roles = ["melody", "chords", "bass", "drums"]
    chosen = rng.permutation(roles)[: rng.integers(2, len(roles) + 1)].tolist()
    parts = []
    for role in (role for role in roles if role in chosen):
        if role == "drums":
            notes = drums(rng, bars, harmony.beats)
            parts.append(Part(int(rng.choice(soundfont.kits)), tuple(notes), is_drums=True))
            continue
        family, programme = _instrument(rng, soundfont, _families(role))
        parts.append(_part(family, programme, _form(rng, role)(rng, harmony, bars)))
    return Arrangement(perform(rng, parts, tempo_bpm), "ensemble", "", f"{OWN}/ensemble", OWN_LICENCE)


def _families(role: str) -> list[Family]:
    if role == "bass":
        return [family for family in FAMILIES if family.name == "bass"]
    if role == "chords":
        return [family for family in FAMILIES if CHORDS[0] in family.forms]
    return [family for family in FAMILIES if family.name not in ("bass", "percussive")]


def _form(rng: np.random.Generator, role: str) -> Form:
    if role == "bass":
        return walking if rng.random() < 0.5 else FORMS["ostinato"]
    if role == "chords":
        return FORMS[CHORDS[rng.integers(len(CHORDS))]]
    return melody if rng.random() < 0.7 else tune


def _of_file(rng: np.random.Generator, kind: str, soundfont: Soundfont, file: PlacedScore) -> Arrangement:
    """Return an excerpt of a MIDI file, or some of its parts."""
    whole = read_score(file.path.read_bytes())
    seconds = rng.uniform(SHORTEST_S, LONGEST_S)
    for _ in range(TRIES):
        first_s = rng.uniform(0.0, max(0.1, whole.seconds - seconds))
        part = excerpt(whole, first_s, seconds)
        busy = [channel for channel, count in part.notes.items() if count >= LEAST_NOTES]
        pitched = sorted(channel for channel in busy if channel != DRUM_CHANNEL)
        if kind == "drums" and DRUM_CHANNEL in busy:
            kit = int(rng.choice(soundfont.kits))
            score = with_programmes(only(part, [DRUM_CHANNEL]), {DRUM_CHANNEL: kit})
            return Arrangement(score, kind, "drums", file.name, file.licence)
        if kind == "solo" and pitched:
            return _solo_of(rng, part, int(rng.choice(pitched)), soundfont, file)
        if (kind == "full" and busy) or (kind == "ensemble" and len(busy) >= 2):
            count = len(part.notes) if kind == "full" else min(len(busy), int(rng.integers(2, 5)))
            chosen = list(part.notes) if kind == "full" else rng.permutation(busy)[:count].tolist()
            return Arrangement(_played(part, chosen, soundfont), kind, "", file.name, file.licence)
    raise ScoreError(f"{TRIES} excerpts of {file.name} have too few notes; expected {LEAST_NOTES} of a part")


def _solo_of(
    rng: np.random.Generator, part: Score, channel: int, soundfont: Soundfont, file: PlacedScore
) -> Arrangement:
    """Return one channel of a score, played by any instrument."""
    family, programme = _instrument(rng, soundfont, FAMILIES)
    score = with_programmes(only(part, [channel]), {channel: programme})
    score = in_range(score, channel, *range_of(family, programme))
    return Arrangement(score, "solo", family.name, file.name, file.licence)


def _played(part: Score, channels: Sequence[int], soundfont: Soundfont) -> Score:
    """Return some channels of a score with programmes that a soundfont has, without effects."""
    programmes = {channel: part.programmes[channel] for channel in channels}
    music = {c: p for c, p in programmes.items() if c == DRUM_CHANNEL or p < FIRST_EFFECT}
    if not music:
        raise ScoreError("only effects play")
    kit = music.pop(DRUM_CHANNEL, None)
    have = {channel: _nearest(programme, soundfont.programmes) for channel, programme in music.items()}
    if kit is not None:
        have[DRUM_CHANNEL] = kit if kit in soundfont.kits else soundfont.kits[0]
    return with_programmes(only(part, list(have)), have)


def _nearest(programme: int, programmes: Sequence[int]) -> int:
    """Return the programme itself, or else the nearest number, preferably of its family."""
    family = family_of(programme)
    return min(programmes, key=lambda other: (family_of(other) is not family, abs(other - programme)))


def _instrument(
    rng: np.random.Generator, soundfont: Soundfont, families: Sequence[Family]
) -> tuple[Family, int]:
    """Return a random family, and a programme of it that the soundfont has."""
    had = {family.name: [p for p in family.programmes if p in soundfont.programmes] for family in families}
    choice = [family for family in families if had[family.name]]
    family = choice[rng.integers(len(choice))]
    return family, int(rng.choice(had[family.name]))


def _part(family: Family, programme: int, notes: Sequence[Note]) -> Part:
    return Part(programme, tuple(notes), *range_of(family, programme), sustained=family.sustained)


def _bars(rng: np.random.Generator, tempo_bpm: float, beats: int) -> int:
    return max(2, round(rng.uniform(SHORTEST_S, LONGEST_S) * tempo_bpm / 60.0 / beats))
