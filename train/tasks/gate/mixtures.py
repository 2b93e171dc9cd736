"""Figures of a gate on synthetic mixtures: music under speech, and music that begins and ends."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from streamer.arrays import Array
from streamer.config import Config
from streamer.heads.head import Head
from streamer.heads.hysteresis import Change
from train import augment
from train.data.cache import SoundCache
from train.data.decode import RATE_HZ
from train.evaluate.hearing.listeners import head_results
from train.evaluate.metrics.detection import threshold_at_fpr
from train.evaluate.stepped_scores import SteppedScorer

SETTLED_S = 1.0
"""Time from the start of a clip, in seconds, after which its steps count as settled: the state is no longer fresh."""
GTZAN_SETS = ("gtzan", "music_speech")
MIXED_DB = -25.0
"""Active level of the louder sound of a mixture, dB re full scale."""
UNDER_SPEECH_DB = (20, 10, 5, 0, -5, -10)
PIECE_S = 10
OTHER_S, MUSIC_S = 3, 4
"""Lengths of the sound before and after the music, and of the music, where delays are measured."""


class Mixtures:
    """Measures a gate on mixtures of music (GTZAN, GTZAN music/speech) with speech and everyday sounds.

    Parameters
    ----------
    scorer : SteppedScorer
        Runs the gate.
    sounds : SoundCache
        Recordings of one fold, from which mixtures are made.
    """

    def __init__(self, scorer: SteppedScorer, sounds: SoundCache) -> None:
        self._scorer, self._sounds = scorer, sounds
        self._rng = np.random.default_rng(7)
        self._pieces = sounds.where(lambda r: r.kind == "music" and r.source in GTZAN_SETS)
        self._speech = [self._any_speech(PIECE_S * RATE_HZ) for _ in self._pieces]

    def under_speech(self) -> dict[str, float]:
        """Share of settled steps at or above ``on`` for music mixed with speech, by dB of music re speech.

        Returns
        -------
        dict
            Share, 0 to 1, by text such as ``-5 dB``.
        """
        return self._under_speech(self._scorer.manifest.thresholds()[0].on)

    def under_speech_at_equal_alarms(self) -> dict[str, float]:
        """Share of settled steps of music mixed with speech that score above 99 % of the steps of that speech alone.

        Returns
        -------
        dict
            Share, 0 to 1, by the level of music re speech in a text such as ``-5 dB``.
        """
        speech = self._settled([augment.set_level(speech, MIXED_DB) for speech in self._speech])
        return self._under_speech(np.nextafter(threshold_at_fpr(speech, 0.01), 2.0))

    def delays(self) -> dict[str, float]:
        """Seconds from the start of music after other sound to the live decision ``on``, from its end to ``off``.

        Returns
        -------
        dict
            Median and 90th percentile over pieces of music, ``on_median_s``, ``on_p90_s``, ``off_median_s`` and
            ``off_p90_s``. If a decision does not come, the whole length of the music, or of the sound after it, counts.
        """
        begin, end = [], []
        others = self._sounds.where(lambda r: r.kind == "sound")
        for piece in self._pieces:
            other = self._sounds.samples(others[self._rng.integers(len(others))])[: OTHER_S * RATE_HZ]
            other = augment.set_level(np.resize(other, OTHER_S * RATE_HZ), MIXED_DB)
            music = augment.set_level(self._middle(piece, MUSIC_S * RATE_HZ), MIXED_DB)
            changes = self._live_changes(np.concatenate([other, music, other]))
            begin.append(_delay_s(changes, "on", OTHER_S, OTHER_S + MUSIC_S))
            end.append(_delay_s(changes, "off", OTHER_S + MUSIC_S, 2 * OTHER_S + MUSIC_S))
        return rounded(
            {
                "on_median_s": float(np.median(begin)),
                "on_p90_s": float(np.quantile(begin, 0.9)),
                "off_median_s": float(np.median(end)),
                "off_p90_s": float(np.quantile(end, 0.9)),
            }
        )

    def _live_changes(self, sound: Array) -> list[Change]:
        """Return the decisions of live listening on music, the first label, which has hold times too."""
        scorer = self._scorer
        head = Head(
            "gate",
            "gate",
            scorer.model,
            Config().decisions["gate"],
            ear=scorer.ear,
            choice=scorer.choice,
        )
        changes = [change for result in head_results(head, sound) for change in result.changes]
        return [change for change in changes if change.label == scorer.manifest.labels[0]]

    def _under_speech(self, threshold: float) -> dict[str, float]:
        return rounded(
            {f"{db} dB": float(np.mean(scores >= threshold)) for db, scores in self._mixed.items()}
        )

    @cached_property
    def _mixed(self) -> dict[int, Array]:
        """Settled scores of music mixed with speech, by dB of music re speech."""
        found = {}
        for ratio_db in UNDER_SPEECH_DB:
            mixes = []
            for piece, speech in zip(self._pieces, self._speech, strict=True):
                music = augment.set_level(self._middle(piece, len(speech)), MIXED_DB + min(ratio_db, 0))
                over_it = augment.set_level(speech[: len(music)], MIXED_DB - max(ratio_db, 0))
                mixes.append(augment.clip(music + over_it))
            found[ratio_db] = self._settled(mixes)
        return found

    def _settled(self, sounds: list[Array]) -> Array:
        """Return the settled scores of all sounds, concatenated."""
        first = round(SETTLED_S / self._scorer.step_s)
        return np.concatenate([scores[first:, 0] for scores in self._scorer.all_scores(sounds)])

    def _middle(self, index: int, samples: int) -> Array:
        first = max(0, (self._sounds.length(index) - samples) // 2)
        return self._sounds.samples(index, first, samples)

    def _any_speech(self, samples: int) -> Array:
        """Return random sentences of TSP speech, one after another."""
        pool = self._sounds.where(lambda r: r.source == "speech")
        parts: list[Array] = []
        while sum(len(part) for part in parts) < samples:
            parts.append(self._sounds.samples(pool[self._rng.integers(len(pool))]))
        return np.concatenate(parts)[:samples]


def rounded(figures: dict[str, float]) -> dict[str, float]:
    """Return the figures, by the same names, rounded to four places."""
    return {name: round(value, 4) for name, value in figures.items()}


def _delay_s(changes: list[Change], state: str, after_s: int, until_s: int) -> float:
    """Return the seconds from `after_s` to the first change to a state; if there is none, those to `until_s`."""
    at = [change.at / RATE_HZ for change in changes if change.state == state]
    return min((second for second in at if after_s < second <= until_s), default=until_s) - after_s
