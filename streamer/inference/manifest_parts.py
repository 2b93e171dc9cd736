"""The parts of a manifest: states, thresholds, the ear that a model hears, and labels for other head slots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class StateSpec:
    """One state array of a model: graph input ``state.N`` and output ``next_state.N``.

    Attributes
    ----------
    shape : tuple of int
        Lengths of the axes after the batch axis, which comes first.
    dtype : str
        NumPy's name of the number format.
    """

    shape: tuple[int, ...]
    dtype: str = "float32"


@dataclass(frozen=True)
class Thresholds:
    """Hysteresis thresholds of one label, probabilities from 0 to 1.

    Attributes
    ----------
    on : float
        A label begins at this score or above it.
    off : float
        A label ends below this score; at most `on`.
    """

    on: float
    off: float

    def __post_init__(self) -> None:
        if not 0 <= self.off <= self.on <= 1:
            raise ValueError(f"thresholds are on = {self.on}, off = {self.off}; expected 0 <= off <= on <= 1")


@dataclass(frozen=True)
class EarSpec:
    """The embedding model ("ear") whose output a model takes as input, instead of the front end's frames.

    Attributes
    ----------
    name : str
        Name of the released embedding model.
    sha256 : str
        SHA-256 of its ``model.onnx``: the embeddings of any other one mean something else.
    embedding_size : int
        Number of values in an embedding.
    hop_frames : int
        Number of frames of the front end from one embedding to the next.
    """

    name: str
    sha256: str
    embedding_size: int
    hop_frames: int


@dataclass(frozen=True)
class SlotLabels:
    """Labels that a model offers in a head slot other than that of its task.

    Attributes
    ----------
    labels : Mapping of str to str
        Label of the model, such as ``Music``, by its name in the slot, such as ``music``.
    operating_points : Mapping of str to tuple of Thresholds
        As in `Manifest`, for these labels in their order.
    """

    labels: Mapping[str, str]
    operating_points: Mapping[str, tuple[Thresholds, ...]]
