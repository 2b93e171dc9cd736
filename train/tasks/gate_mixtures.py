"""Figures of a gate on made-up mixtures: music under speech, and music that begins and ends."""

from __future__ import annotations

import numpy as np

from streamer.stage import Array
from train import augment
from train.data.cache import SoundCache
from train.data.decode import RATE_HZ
from train.listening import Listener
from train.metrics import threshold_at_fpr

SETTLED_S = 1.0
"""The steps of the first second of a clip are left out where a figure says "settled"."""
GTZAN_SETS = ("gtzan", "music_speech")
MIXED_DB = -25.0
"""Active level of what is mixed for a figure, dB re full scale."""
UNDER_SPEECH_DB = (20, 10, 5, 0, -5, -10)
PIECE_S = 10


class Mixtures:
    """Mixes music of the two GTZAN sets with speech and everyday sounds, and asks a gate.

    Parameters
    ----------
    listener : Listener
    sounds : SoundCache
        The recordings that are mixed: a fold's.
    """

    def __init__(self, listener: Listener, sounds: SoundCache) -> None:
        self._listener, self._sounds = listener, sounds
        self._rng = np.random.default_rng(7)
        self._point = listener.manifest.thresholds()[0]
        self._pieces = sounds.where(lambda r: r.kind == "music" and r.source in GTZAN_SETS)
        self._speech = [self._any_speech(PIECE_S * RATE_HZ) for _ in self._pieces]

    def under_speech(self) -> dict[str, float]:
        """Share of settled steps at or above ``on`` for music mixed with speech, by dB of music re speech."""
        return self._under_speech(self._point.on)

    def under_speech_at_equal_alarms(self) -> dict[str, float]:
        """The same, above the score that 1 % of the steps of the speech alone exceed: for gates side by side."""
        alone = self._settled([augment.at_level(speech, MIXED_DB) for speech in self._speech])
        return self._under_speech(np.nextafter(threshold_at_fpr(alone, 0.01), 2.0))

    def delays(self) -> dict[str, float]:
        """Seconds from the start of music after other sound to ``on``, and from its end to below ``off``."""
        sequences, begin, end = [], [], []
        others = self._sounds.where(lambda r: r.kind == "sound")
        for piece in self._pieces:
            other = self._sounds.samples(others[self._rng.integers(len(others))])[: 3 * RATE_HZ]
            other = augment.at_level(np.resize(other, 3 * RATE_HZ), MIXED_DB)
            music = augment.at_level(self._middle(piece, 4 * RATE_HZ), MIXED_DB)
            sequences.append(np.concatenate([other, music, other]))
        first, last = (int(s * RATE_HZ / self._listener.step_samples) for s in (3, 7))
        for scores in self._listener.all_scores(sequences):
            begin.append(_first(scores[first:last, 0] >= self._point.on))
            end.append(_first(scores[last:, 0] < self._point.off))
        step_s = self._listener.step_s
        return rounded(
            {
                "on_median_s": float(np.median(begin)) * step_s,
                "on_p90_s": float(np.quantile(begin, 0.9)) * step_s,
                "off_median_s": float(np.median(end)) * step_s,
                "off_p90_s": float(np.quantile(end, 0.9)) * step_s,
            }
        )

    def _under_speech(self, threshold: float) -> dict[str, float]:
        found = {}
        for ratio_db in UNDER_SPEECH_DB:
            mixes = []
            for piece, speech in zip(self._pieces, self._speech, strict=True):
                music = augment.at_level(self._middle(piece, len(speech)), MIXED_DB + min(ratio_db, 0))
                over_it = augment.at_level(speech[: len(music)], MIXED_DB - max(ratio_db, 0))
                mixes.append(augment.clip(music + over_it))
            found[f"{ratio_db} dB"] = float(np.mean(self._settled(mixes) >= threshold))
        return rounded(found)

    def _settled(self, sounds: list[Array]) -> Array:
        """Scores past the first second, of all sounds."""
        first = round(SETTLED_S / self._listener.step_s)
        return np.concatenate([scores[first:, 0] for scores in self._listener.all_scores(sounds)])

    def _middle(self, index: int, samples: int) -> Array:
        first = max(0, (self._sounds.length(index) - samples) // 2)
        return self._sounds.samples(index, first, samples)

    def _any_speech(self, samples: int) -> Array:
        """Sentences of TSP speech one after another."""
        pool = self._sounds.where(lambda r: r.source == "speech")
        parts: list[Array] = []
        while sum(len(part) for part in parts) < samples:
            parts.append(self._sounds.samples(pool[self._rng.integers(len(pool))]))
        return np.concatenate(parts)[:samples]


def rounded(figures: dict[str, float]) -> dict[str, float]:
    """To four places, as they are written down."""
    return {name: round(value, 4) for name, value in figures.items()}


def _first(found: Array) -> float:
    """Steps until the first that is true, that one included; all and one more if none is."""
    return float(np.argmax(found) + 1) if found.any() else float(len(found) + 1)
