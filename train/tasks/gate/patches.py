"""Figures of a gate on patches: windows of 0.975 s, side by side, of the length that YAMNet decides on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from types import MappingProxyType

import numpy as np

from streamer.arrays import Array
from streamer.yamnet.weights import WINDOW_SAMPLES
from train import augment
from train.data.cache import SoundCache
from train.evaluate.metrics.detection import DetectorScores
from train.evaluate.stepped_scores import SteppedScorer
from train.tasks.gate.mixtures import GTZAN_SETS, rounded

PATCH_SETS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"music": GTZAN_SETS, "speech": ("speech",), "sound": ("esc50",)}
)
"""Data sets of each kind whose patches are measured."""
LEVELS_DB = (-20, -40, -50)
"""Levels of the patches in dB re full scale for the figure `levels`."""


class Patches:
    """Measures a gate on patches of music, speech and everyday sounds, each from a fresh start.

    Methods that return figures have noun phrases as docstrings, which are their descriptions in the manifest.

    Parameters
    ----------
    scorer : SteppedScorer
        Runs the gate.
    sounds : SoundCache
        Recordings of one fold, which are cut into patches.
    """

    def __init__(self, scorer: SteppedScorer, sounds: SoundCache) -> None:
        self._scorer, self._sounds = scorer, sounds

    @property
    def _on(self) -> float:
        return self._scorer.manifest.thresholds()[0].on

    def ranking(self) -> dict[str, float]:
        """Last score of patches of 0.975 s from a fresh start: GTZAN sets against TSP speech and ESC-50.

        Returns
        -------
        dict
            ``auc``, the area under the ROC curve; ``tpr_at_1pc_fpr``, the share of patches of music that score above 99
            % of the other patches.
        """
        patches = self._at_own_level
        return rounded({"auc": patches.auc(), "tpr_at_1pc_fpr": patches.tpr_at_fpr(0.01)})

    def at_on(self) -> dict[str, float]:
        """The same patches at the threshold ``on``: F1, and shares of music and of other sound that reach it.

        Returns
        -------
        dict
            ``f1``; ``tpr``, the share of patches of music with a last score of at least ``on``; ``fpr``, that of other
            sound. The patches are those of `ranking`.
        """
        patches = self._at_own_level
        return rounded(
            {
                "f1": patches.f1(self._on),
                "tpr": float(np.mean(patches.positive >= self._on)),
                "fpr": float(np.mean(patches.negative >= self._on)),
            }
        )

    @cached_property
    def _at_own_level(self) -> DetectorScores:
        """Scores of patches of music, and of patches of other sound."""
        music, speech, sound = (self._patch_scores(kind, sources) for kind, sources in PATCH_SETS.items())
        return DetectorScores(music, np.concatenate([speech, sound]))

    def levels(self) -> dict[str, dict[str, float]]:
        """Share of patch scores at or above ``on`` with every patch at one level, dB re full scale.

        Returns
        -------
        dict
            For each level, such as ``-20 dBFS``, the share by kind of sound: ``music``, ``speech`` and ``sound``.
        """
        sets = {**PATCH_SETS, "speech": ("speech", "music_speech")}
        shares = {
            level_db: {
                kind: float(np.mean(self._patch_scores(kind, sources, level_db) >= self._on))
                for kind, sources in sets.items()
            }
            for level_db in LEVELS_DB
        }
        return {f"{level_db} dBFS": rounded(share) for level_db, share in shares.items()}

    def _patch_scores(self, kind: str, sources: Sequence[str], level_db: float | None = None) -> Array:
        """Return the last score of each patch of the recordings of a kind in some data sets, shape (patches,)."""
        patches = []
        for index in self._sounds.where(lambda r: r.kind == kind and r.source in sources):
            sound = self._sounds.samples(index)
            whole = sound[: len(sound) // WINDOW_SAMPLES * WINDOW_SAMPLES].reshape(-1, WINDOW_SAMPLES)
            patches += [patch for patch in whole if np.abs(patch).max() > 0]
        if level_db is not None:
            patches = [augment.clip(augment.set_level(patch, level_db)) for patch in patches]
        return np.array([scores[-1, 0] for scores in self._scorer.all_scores(patches)])
