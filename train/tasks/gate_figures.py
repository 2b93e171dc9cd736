"""Figures of the released gate on held-out sound, stepped as it is stepped live."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from streamer.manifest import Thresholds
from streamer.stage import Array
from train import augment
from train.data.cache import RATE_HZ, SoundCache
from train.data.recordings import Recording, Split
from train.listening import Listener
from train.metrics import auc, f1, threshold_at_fpr, tpr_at_fpr
from train.tasks.gate import recordings

SETTLED_S = 1.0
"""The steps of the first second of a clip are left out where a figure says "settled"."""
PATCH_SAMPLES = 15_600
"""A window of 96 frames, what YAMNet decides on."""
GTZAN_SETS = ("gtzan", "music_speech")
MIXED_DB = -25.0
"""Active level of what is mixed for a figure, dB re full scale."""
UNDER_SPEECH_DB = (20, 10, 5, 0, -5, -10)
LEVELS_DB = (-20, -40, -50)


@dataclass(frozen=True)
class Scored:
    """A recording, its score at each step, the steps at which it sounds, and the first that is settled."""

    recording: Recording
    scores: Array
    sounding: Array
    first_settled: int

    @property
    def settled(self) -> Array:
        """Scores while it sounds, from `first_settled` on."""
        return self.scores[self.first_settled :][self.sounding[self.first_settled :]]


class GateFigures:
    """Runs a released gate over one split.

    Parameters
    ----------
    folder : Path
        Of the released model.
    data, cache : Path
        Folders of the data sets and of decoded sound.
    split : {"train", "validation", "test"}
    """

    def __init__(self, folder: Path, data: Path, cache: Path, split: Split) -> None:
        self._listener = Listener.of(folder)
        self._sounds = SoundCache(recordings(data, split), cache)
        self._rng = np.random.default_rng(7)
        self._scored = self._score_recordings()

    @property
    def _on(self) -> float:
        return self._listener.manifest.thresholds()[0].on

    @property
    def first_settled(self) -> int:
        """The first step that is past `SETTLED_S`."""
        return round(SETTLED_S / self._listener.step_s)

    def score(self, sound: Array) -> Array:
        """Scores of music, shape (batch, steps), of sounds of one length, shape (batch, samples)."""
        return self._listener.scores(sound)[:, :, 0]

    def score_all(self, sounds: Sequence[Array]) -> list[Array]:
        """Scores of music, shape (steps,), of sounds of any lengths."""
        return [scores[:, 0] for scores in self._listener.all_scores(sounds)]

    def thresholds(self) -> Thresholds:
        """Operating point: on where 1 % of other steps are above; off where 3 % of music steps are below.

        The two stay at least 0.3 apart: a passing doubt is not the end of a piece.
        """
        music, other = self.settled("music"), self.settled("speech", "sound")
        on = float(np.clip(threshold_at_fpr(other, 0.01), 0.5, 0.95))
        off = float(np.clip(np.quantile(music, 0.03), 0.1, on - 0.3))
        return Thresholds(on=round(on, 2), off=round(off, 2))

    def all(self) -> dict[str, Any]:
        """Every figure, ready for the manifest."""
        figures: dict[str, Callable[[], dict[str, Any]]] = {
            "recordings": self.recordings,
            "steps": self.steps,
            "patches": self.patches,
            "music found": self.found,
            "false alarms": self.false_alarms,
            "worst sounds": self.worst_sounds,
            "music under speech": self.under_speech,
            "delays": self.delays,
            "levels": self.levels,
        }
        return {name: {"what": _summary(measure), **measure()} for name, measure in figures.items()}

    def recordings(self) -> dict[str, int]:
        """How many were measured on, by data set and kind."""
        return dict(sorted(Counter(f"{s.recording.source} {s.recording.kind}" for s in self._scored).items()))

    def steps(self) -> dict[str, float]:
        """Single settled steps: all music against speech and sounds."""
        music, other = self.settled("music"), self.settled("speech", "sound")
        return _rounded({"auc": auc(music, other), "tpr_at_1pc_fpr": tpr_at_fpr(music, other, 0.01)})

    def patches(self) -> dict[str, float]:
        """Last score of patches of 0.975 s from a fresh start: GTZAN sets against TSP speech and ESC-50."""
        music = self._patch_scores("music", GTZAN_SETS)
        other = np.concatenate(
            [self._patch_scores("speech", ("speech",)), self._patch_scores("sound", ("esc50",))]
        )
        return _rounded(
            {
                "auc": auc(music, other),
                "tpr_at_1pc_fpr": tpr_at_fpr(music, other, 0.01),
                "f1_at_on": f1(music, other, self._on),
                "tpr_at_on": float(np.mean(music >= self._on)),
                "fpr_at_on": float(np.mean(other >= self._on)),
            }
        )

    def found(self) -> dict[str, float]:
        """Share of settled steps at or above ``on``, by data set; MIR-1K's solo voice is for information."""
        return self._shares_by(
            lambda r: (
                f"{r.source} {r.category}" if r.source == "mir1k" else r.source if r.kind == "music" else None
            )
        )

    def false_alarms(self) -> dict[str, float]:
        """Share of settled steps at or above ``on``, by data set, and after digital silence."""
        silent = self.score(np.zeros((1, 20 * RATE_HZ), np.float32))[0]
        shares = self._shares_by(lambda r: r.source if r.kind in ("speech", "sound") else None)
        return {**shares, "silence": round(float(np.mean(silent >= self._on)), 4)}

    def worst_sounds(self, count: int = 10) -> dict[str, float]:
        """The classes of ESC-50 with the most false alarms: share of settled steps."""
        shares = self._shares_by(lambda r: r.category if r.kind == "sound" else None)
        return dict(sorted(shares.items(), key=lambda item: -item[1])[:count])

    def under_speech(self) -> dict[str, float]:
        """Share of settled steps at or above ``on`` for music mixed with speech, by dB of music re speech."""
        pieces = [self._cut(recording, 10 * RATE_HZ) for recording in self._pieces()]
        found = {}
        for ratio_db in UNDER_SPEECH_DB:
            mixes = []
            for piece in pieces:
                speech = augment.at_level(self._any_speech(len(piece)), MIXED_DB - max(ratio_db, 0))
                mixed = augment.at_level(piece, MIXED_DB + min(ratio_db, 0)) + speech
                mixes.append(augment.clip(mixed))
            scores = [s[self.first_settled :] for s in self.score_all(mixes)]
            found[f"{ratio_db} dB"] = float(np.mean(np.concatenate(scores) >= self._on))
        return _rounded(found)

    def delays(self) -> dict[str, float]:
        """Seconds from the start of music after other sound to ``on``, and from its end to below ``off``."""
        (point,) = self._listener.manifest.thresholds()
        sequences, begin, end = [], [], []
        others = self._sounds.where(lambda r: r.kind == "sound")
        for recording in self._pieces():
            other = self._sounds.samples(others[self._rng.integers(len(others))])[: 3 * RATE_HZ]
            other = augment.at_level(np.resize(other, 3 * RATE_HZ), MIXED_DB)
            music = augment.at_level(self._cut(recording, 4 * RATE_HZ), MIXED_DB)
            sequences.append(np.concatenate([other, music, other]))
        first, last = (int(s * RATE_HZ / self._listener.step_samples) for s in (3, 7))
        for scores in self.score_all(sequences):
            begin.append(_first(scores[first:last] >= point.on))
            end.append(_first(scores[last:] < point.off))
        step_s = self._listener.step_samples / RATE_HZ
        return _rounded(
            {
                "on_median_s": float(np.median(begin)) * step_s,
                "on_p90_s": float(np.quantile(begin, 0.9)) * step_s,
                "off_median_s": float(np.median(end)) * step_s,
                "off_p90_s": float(np.quantile(end, 0.9)) * step_s,
            }
        )

    def levels(self) -> dict[str, dict[str, float]]:
        """Share of patch scores at or above ``on`` with every patch at one level, dB re full scale."""
        return {
            f"{level_db} dBFS": _rounded(
                {
                    "music": float(np.mean(self._patch_scores("music", GTZAN_SETS, level_db) >= self._on)),
                    "speech": float(
                        np.mean(
                            self._patch_scores("speech", ("speech", "music_speech"), level_db) >= self._on
                        )
                    ),
                    "sound": float(np.mean(self._patch_scores("sound", ("esc50",), level_db) >= self._on)),
                }
            )
            for level_db in LEVELS_DB
        }

    def _score_recordings(self) -> list[Scored]:
        sounds = [self._sounds.samples(index) for index in range(len(self._sounds))]
        scored = []
        for recording, sound, scores in zip(
            self._sounds.recordings, sounds, self.score_all(sounds), strict=True
        ):
            heard = augment.audible(sound)[self._listener.step_samples - 1 :: self._listener.step_samples]
            scored.append(Scored(recording, scores[: len(heard)], heard[: len(scores)], self.first_settled))
        return scored

    def settled(self, *kinds: str) -> Array:
        """Settled scores of all recordings of some kinds, one after another."""
        return np.concatenate([s.settled for s in self._scored if s.recording.kind in kinds])

    def _shares_by(self, name: Callable[[Recording], str | None]) -> dict[str, float]:
        """Share of settled steps at or above ``on`` by a name of recordings; none leaves them out."""
        groups = defaultdict(list)
        for scored in self._scored:
            group = name(scored.recording)
            if group is not None:
                groups[group].append(scored.settled)
        return _rounded(
            {group: float(np.mean(np.concatenate(v) >= self._on)) for group, v in sorted(groups.items())}
        )

    def _patch_scores(self, kind: str, sources: Sequence[str], level_db: float | None = None) -> Array:
        patches = []
        for index in self._sounds.where(lambda r: r.kind == kind and r.source in sources):
            sound = self._sounds.samples(index)
            whole = sound[: len(sound) // PATCH_SAMPLES * PATCH_SAMPLES].reshape(-1, PATCH_SAMPLES)
            patches += [patch for patch in whole if np.abs(patch).max() > 0]
        if level_db is not None:
            patches = [augment.clip(augment.at_level(patch, level_db)) for patch in patches]
        return np.array([scores[-1] for scores in self.score_all(patches)])

    def _pieces(self) -> list[Recording]:
        """The music of the two GTZAN sets."""
        return [
            s.recording
            for s in self._scored
            if s.recording.kind == "music" and s.recording.source in GTZAN_SETS
        ]

    def _cut(self, recording: Recording, samples: int) -> Array:
        """The middle of a recording."""
        index = self._sounds.recordings.index(recording)
        first = max(0, (self._sounds.length(index) - samples) // 2)
        return self._sounds.samples(index, first, samples)

    def _any_speech(self, samples: int) -> Array:
        """Sentences of TSP speech one after another."""
        pool = self._sounds.where(lambda r: r.source == "speech")
        parts: list[Array] = []
        while sum(len(part) for part in parts) < samples:
            parts.append(self._sounds.samples(pool[self._rng.integers(len(pool))]))
        return np.concatenate(parts)[:samples]


def _summary(measure: Callable[[], dict[str, Any]]) -> str:
    """The first paragraph of a figure's docstring, on one line."""
    return " ".join((measure.__doc__ or "").split("\n\n")[0].split())


def _first(found: Array) -> float:
    """Steps until the first that is true, that one included; all and one more if none is."""
    return float(np.argmax(found) + 1) if found.any() else float(len(found) + 1)


def _rounded(figures: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in figures.items()}
