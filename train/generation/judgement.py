"""Judge clips that shall be music of a genre by the released gate and the released genre model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from streamer.arrays import Array
from streamer.config import Config
from streamer.config_sections import ModelsConfig
from streamer.inference.model_cache import ModelCache
from streamer.pipeline.build_heads import build_heads
from train.evaluate.hearing.counts import counted_mask
from train.evaluate.hearing.listeners import Decisions, HeadListener

SLOTS = ("gate", "genre")


@dataclass(frozen=True)
class Verdict:
    """Decisions about one clip.

    Attributes
    ----------
    genre : str
        Genre that was asked for.
    music : float
        Share of the audible time, past the first moments, in which the gate called it music; 0 of silence.
    named : str
        Likeliest genre at the end of the clip.
    """

    genre: str
    music: float
    named: str


class Judges:
    """The released gate and the released genre model, each of which listens all the time and by itself."""

    def __init__(self) -> None:
        names = {"sounds": "off", "taught": "off", "separation": "off", **{slot: slot for slot in SLOTS}}
        built = build_heads(Config(models=ModelsConfig(names)), ModelCache())
        heads = {head.name: HeadListener(replace(head, opened_by=None)) for head in built}
        self._gate, self._genre = (heads[slot] for slot in SLOTS)

    def judge(self, genre: str, sound: Array) -> Verdict:
        """Return the verdict on a clip, float32 at 16 kHz, that shall be of a genre."""
        scores = self._genre.decide(sound).scores
        named = "" if scores is None else self._genre.labels[int(scores[-1].argmax())]
        return Verdict(genre, music_share(self._gate.decide(sound), sound), named)


def music_share(decisions: Decisions, sound: Array) -> float:
    """Return the share of the time that counts of a sound (`counted_mask`) in which it was called music."""
    counted = counted_mask(sound)
    called = decisions.on(("music",), len(sound))
    return float(called[counted].mean()) if counted.any() else 0.0


def summarise(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Return the figures of clips: of all, and under ``genres`` of those of each genre with the names they got."""
    genres = {}
    for genre in sorted({verdict.genre for verdict in verdicts}):
        own = [verdict for verdict in verdicts if verdict.genre == genre]
        names = Counter(verdict.named or "none" for verdict in own)
        genres[genre] = {**_shares(own), "named": dict(names.most_common())}
    return {**_shares(verdicts), "genres": genres}


def judge_all(clips: Mapping[str, Iterable[Array]], judges: Judges) -> dict[str, Any]:
    """Return the figures of clips, float32 at 16 kHz, by the genre that they shall be of."""
    return summarise([judges.judge(genre, sound) for genre, sounds in clips.items() for sound in sounds])


def _shares(verdicts: Sequence[Verdict]) -> dict[str, float]:
    return {
        "clips": len(verdicts),
        "music": round(float(np.mean([verdict.music for verdict in verdicts])), 4),
        "right": round(float(np.mean([verdict.named == verdict.genre for verdict in verdicts])), 4),
    }
