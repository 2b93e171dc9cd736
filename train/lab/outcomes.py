"""Keep how often a row of the laboratory was right about each recording that it held out, for paired tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from streamer.arrays import Array
from streamer.errors import ConfigError
from train import npz


@dataclass(frozen=True)
class Outcomes:
    """Counts for each held-out recording.

    Attributes
    ----------
    recordings : tuple of str
        Names of the recordings, ``SOURCE/NAME``, each once.
    folds : int array, shape (recordings,)
        Fold in which each was held out.
    right, examples : int array, shape (recordings,)
        Number of its examples, such as segments, that were classified rightly, and of all of them.
    """

    recordings: tuple[str, ...]
    folds: Array
    right: Array
    examples: Array

    @classmethod
    def count(cls, recordings: Sequence[str], folds: Array, right: Array) -> Outcomes:
        """Return the counts of examples.

        Parameters
        ----------
        recordings : sequence of str
            Name of the recording of each example.
        folds : int array, shape (examples,)
            Fold in which each example was held out.
        right : bool array, shape (examples,)
            Whether each was classified rightly.
        """
        names, first, place = np.unique(np.array(recordings), return_index=True, return_inverse=True)
        return cls(
            tuple(names.tolist()),
            np.asarray(folds)[first].astype(np.int8),
            np.bincount(place, weights=right, minlength=len(names)).astype(np.int32),
            np.bincount(place, minlength=len(names)).astype(np.int32),
        )

    def save(self, path: Path) -> None:
        """Write the counts to an npz file. Its folder is created if it is absent."""
        numbers = {"folds": self.folds, "right": self.right, "examples": self.examples}
        npz.write(path, {"recordings": np.array(self.recordings, dtype=np.str_), **numbers})


def pool(parts: Sequence[Outcomes]) -> Outcomes:
    """Return the counts of several folds, at least one, joined to one."""
    return Outcomes(
        tuple(name for part in parts for name in part.recordings),
        np.concatenate([part.folds for part in parts]),
        np.concatenate([part.right for part in parts]),
        np.concatenate([part.examples for part in parts]),
    )


def load(path: Path) -> Outcomes:
    """Return the counts in a file that `Outcomes.save` wrote.

    Raises
    ------
    ConfigError
        If the file is absent or does not hold such counts.
    """
    advice = "measure the row anew: python -m train lab --only ROW"
    found = npz.read(path, "counts of right answers", advice)
    if missing := {"recordings", "folds", "right", "examples"} - set(found):
        raise ConfigError(
            f"{path} lacks {', '.join(sorted(missing))}; expected counts of right answers: {advice}"
        )
    names = tuple(found["recordings"].tolist())
    return Outcomes(names, found["folds"], found["right"], found["examples"])
