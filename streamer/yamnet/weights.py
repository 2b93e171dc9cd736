"""Define the names and shapes of YAMNet's weights, and check them, wherever they were read from."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from streamer.arrays import Array
from streamer.errors import ModelError

CHANNELS = (32, 64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024)
"""Output channels of layers 1 to 14: one convolution, then pairs of depthwise and pointwise ones (MobileNet v1)."""
STRIDED = frozenset({1, 3, 5, 7, 13})
"""Layers that halve time and frequency."""
PATCH_FRAMES, MEL_BANDS = 96, 64
"""Input of the network: 0.96 s of log-mel frames."""
WINDOW_SAMPLES = 15_600
"""Samples at 16 kHz that a patch covers: 95 hops of 160 and a window of 400."""
EMBEDDING_SIZE, CLASSES = CHANNELS[-1], 521
LICENCE = "Apache-2.0 (Google), trained on AudioSet (YouTube)"


@dataclass(frozen=True)
class Weights:
    """Weights of one training of the network, with batch norms folded in.

    Attributes
    ----------
    arrays : mapping of str to float32 array
        Arrays with the names and shapes of `SHAPES`; kernels are (out, in per group, height, width).
    relu_max : float
        Upper limit of activations: infinity for ReLU, 6 for ReLU6.
    class_names : sequence of str
        AudioSet's names of the 521 outputs, in order.
    source : str
        Description of the file or handle that they were read from.
    class_ids : sequence of str
        AudioSet's identifiers of the outputs (``/m/09x0r``), in order; none if the source does not have them.

    Raises
    ------
    ModelError
        If an array is missing, unknown, of another shape or not finite, or there are not 521 names.
    """

    arrays: Mapping[str, Array]
    relu_max: float
    class_names: Sequence[str]
    source: str
    class_ids: Sequence[str] = ()

    def __post_init__(self) -> None:
        missing = [name for name in SHAPES if name not in self.arrays]
        unknown = [name for name in self.arrays if name not in SHAPES]
        if missing or unknown:
            raise ModelError(
                f"{self.source} lacks {_some(missing)} and has {_some(unknown)} besides; expected YAMNet's "
                f"{len(SHAPES)} arrays, {next(iter(SHAPES))} to logits/bias: is this YAMNet?"
            )
        for name, shape in SHAPES.items():
            if self.arrays[name].shape != shape:
                raise ModelError(
                    f"{name} of {self.source} has shape {self.arrays[name].shape}; expected {shape}: is this YAMNet?"
                )
            if not np.isfinite(self.arrays[name]).all():
                raise ModelError(
                    f"{name} of {self.source} is not finite; the file is damaged: fetch it again"
                )
        if not self.relu_max > 0:
            raise ModelError(f"{self.source} cuts activations at {self.relu_max}; expected a number above 0")
        if len(self.class_names) != CLASSES:
            raise ModelError(
                f"{self.source} comes with {len(self.class_names)} class names; expected {CLASSES}: give YAMNet's "
                "own class map"
            )

    def class_index(self, name: str) -> int:
        """Return the index of an AudioSet class among the outputs.

        Raises
        ------
        ModelError
            If there is no class of that name.
        """
        if name not in self.class_names:
            raise ModelError(
                f"{self.source} has no class {name!r}; expected AudioSet's names, such as 'Music'"
            )
        return list(self.class_names).index(name)


def _shapes() -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {"layer01/conv/kernel": (CHANNELS[0], 1, 3, 3)}
    shapes["layer01/conv/bias"] = (CHANNELS[0],)
    for number, (before, after) in enumerate(pairwise(CHANNELS), 2):
        shapes[f"layer{number:02d}/depthwise/kernel"] = (before, 1, 3, 3)
        shapes[f"layer{number:02d}/depthwise/bias"] = (before,)
        shapes[f"layer{number:02d}/pointwise/kernel"] = (after, before, 1, 1)
        shapes[f"layer{number:02d}/pointwise/bias"] = (after,)
    shapes["logits/kernel"] = (CLASSES, EMBEDDING_SIZE)
    shapes["logits/bias"] = (CLASSES,)
    return shapes


SHAPES = _shapes()
"""Shape of every array of the network, in the order of its layers."""


def read_class_map(path: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the class names and AudioSet's identifiers in a ``yamnet_class_map.csv``, in the order of its ``index``.

    Raises
    ------
    ModelError
        If the file is absent, or not such a table.
    """
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines))
        by_index = {int(row["index"]): (row["display_name"], row["mid"]) for row in rows}
        classes = [by_index[index] for index in range(len(rows))]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"{path} is no class map ({error!r}); expected YAMNet's yamnet_class_map.csv with the columns index, "
            "mid and display_name"
        ) from error
    return tuple(name for name, _ in classes), tuple(mid for _, mid in classes)


def _some(names: Sequence[str]) -> str:
    """Name the first few of some names, and count the others."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "") or "nothing"
