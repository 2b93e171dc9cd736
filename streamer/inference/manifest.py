"""Describe a released model: what it hears and decides, its thresholds and its figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from streamer.config_sections import PREFERENCES
from streamer.dsp.log_mel import LogMelConfig
from streamer.dsp.stft import StftConfig
from streamer.errors import ModelError
from streamer.inference.manifest_parts import EarSpec, SlotLabels, StateSpec, Thresholds

PRECISIONS = ("float32", "int8")
"""Number formats that a model's weights may have."""


@dataclass(frozen=True)
class Manifest:
    """Description of a released model, the content of its ``manifest.json``.

    The graph takes ``x`` (batch, frames, input_size) float32 and ``state.N``, and returns ``y`` (batch, steps,
    output_size) and ``next_state.N``. Frames come in multiples of `hop_frames`. A frame here is one item of the
    model's input: a log-mel frame of the front end, or an embedding if there is an `ear`. The ``y`` of an embedding
    model are embeddings; those of any other model are probabilities from 0 to 1, one for each label. A separation
    takes spectra, real parts before imaginary ones, and returns a mask for every bin in the same form, and after it
    the probability of a voice.

    Attributes
    ----------
    name, task : str
        Name of the model's folder; and its task: ``ear``, or the name of a head slot, such as ``gate``.
    labels : tuple of str
        Names of the outputs, in order; none for an embedding model.
    front_end : LogMelConfig or StftConfig
        Front end of the model, or of the embedding model under it; a `StftConfig` for a separation.
    hop_frames, latency_frames : int
        Output ``k`` is returned once ``k * hop_frames + latency_frames`` frames have come in.
    warm_up_frames : int
        Number of frames after a start from ``init()`` whose outputs are not used for decisions.
    states : tuple of StateSpec
        The state arrays, in order.
    sha256 : str
        SHA-256 of ``model.onnx``.
    commit : str
        The commit of the code that trained the model.
    ear : EarSpec or None
        Embedding model whose output the model takes; None for a model that takes the front end's frames.
    embedding_size : int or None
        Number of values in an output of an embedding model; None for any other model.
    exclusive : bool
        Whether at most one label is on at a time: the probabilities are those of a softmax and add up to 1. If False,
        each label has a sigmoid, and is on or off whatever the others are.
    temperature : float
        Divisor of the logits before they become probabilities, inside the graph (calibration as in
        Guo et al. 2017).
    bias : float
        Number that is added to every logit after that, inside the graph (Platt 1999); 0 if labels exclude each other.
    operating_points : Mapping of str to tuple of Thresholds
        Thresholds by preference (a key of `PREFERENCES`): one for all labels, or one for each.
    trained_on : tuple of dict
        Data sets, each with ``name`` and ``licence``.
    results : dict
        Measured figures, each with the command that measures it.
    precision : {"float32", "int8"}
        Number format of the weights, and of what is multiplied by them.
    label_ids : tuple of str
        Identifiers of the labels in their ontology (AudioSet: ``/m/09x0r``), in order; none where there is no ontology.
    other_slots : Mapping of str to SlotLabels
        Labels that the model offers in other head slots than that of its task, by the slot's name.
    """

    name: str
    task: str
    labels: tuple[str, ...]
    front_end: LogMelConfig | StftConfig
    hop_frames: int
    latency_frames: int
    warm_up_frames: int
    states: tuple[StateSpec, ...]
    sha256: str
    commit: str
    ear: EarSpec | None = None
    embedding_size: int | None = None
    exclusive: bool = False
    temperature: float = 1.0
    bias: float = 0.0
    operating_points: Mapping[str, tuple[Thresholds, ...]] = field(default_factory=dict)
    trained_on: tuple[dict[str, str], ...] = ()
    results: dict[str, Any] = field(default_factory=dict)
    precision: str = "float32"
    label_ids: tuple[str, ...] = ()
    other_slots: Mapping[str, SlotLabels] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Return the model in short: some have hundreds of labels, each with its thresholds."""
        plural = "" if len(self.labels) == 1 else "s"
        return f"<Manifest {self.name}: {self.task}, {len(self.labels)} label{plural}, SHA-256 {self.sha256[:12]}>"

    def __post_init__(self) -> None:
        self._check_task()
        self._check_numbers()
        self._check_operating_points()
        self._check_labels()

    def _check_task(self) -> None:
        if self.is_ear != (self.embedding_size is not None) or self.is_ear == bool(self.labels):
            raise ValueError(
                f"task {self.task!r} has labels {self.labels} and embedding size {self.embedding_size}; expected "
                "labels, or, of the task 'ear' alone, an embedding size"
            )
        if self.is_separation != isinstance(self.front_end, StftConfig):
            raise ValueError(
                f"task {self.task!r} hears a {type(self.front_end).__name__}; expected spectra for the task "
                "'separation' alone, and log-mel frames for any other"
            )
        if (
            isinstance(self.front_end, StftConfig)
            and self.front_end.window_samples % self.front_end.hop_samples
        ):
            raise ValueError(
                f"spectra have windows of {self.front_end.window_samples} and hops of {self.front_end.hop_samples} "
                "samples; expected a window of whole hops, so that both last as long at every sample rate"
            )
        if self.is_ear and self.ear:
            raise ValueError("an ear hears another ear; expected it to hear the front end")

    def _check_numbers(self) -> None:
        if self.precision not in PRECISIONS:
            raise ValueError(f"precision is {self.precision!r}; expected one of {', '.join(PRECISIONS)}")
        if (
            min(self.hop_frames, self.latency_frames) < 1
            or self.warm_up_frames < 0
            or not self.temperature > 0
        ):
            raise ValueError(
                f"hop {self.hop_frames}, latency {self.latency_frames}, warm-up {self.warm_up_frames} frames, "
                f"temperature {self.temperature}; expected 1 or more, 1 or more, 0 or more, above 0"
            )

    def _check_operating_points(self) -> None:
        for preference, points in self.operating_points.items():
            if preference not in PREFERENCES or len(points) not in {1, len(self.labels)}:
                raise ValueError(
                    f"operating point {preference!r} has {len(points)} thresholds for {len(self.labels)} labels; "
                    f"expected one of {', '.join(PREFERENCES)} with one for all labels or one for each"
                )

    def _check_labels(self) -> None:
        if len(self.label_ids) not in {0, len(self.labels)}:
            raise ValueError(
                f"{len(self.label_ids)} label_ids for {len(self.labels)} labels; expected one for each, or none"
            )
        for slot, offered in self.other_slots.items():
            unknown = [label for label in offered.labels.values() if label not in self.labels]
            if unknown:
                raise ValueError(
                    f"slot {slot!r} is offered the label {unknown[0]!r}; expected one of the model's"
                )

    @property
    def is_ear(self) -> bool:
        """Whether this is an embedding model, whose outputs are the input of other models."""
        return self.task == "ear"

    @property
    def is_separation(self) -> bool:
        """Whether this is a separation model, whose outputs are masks."""
        return self.task == "separation"

    @property
    def log_mel(self) -> LogMelConfig:
        """Front end of a model that takes log-mel frames, or embeddings computed from these.

        Raises
        ------
        ModelError
            If the model takes spectra.
        """
        if not isinstance(self.front_end, LogMelConfig):
            raise ModelError(
                f"model {self.name} does {self.task!r} on spectra; expected one that hears log-mel frames"
            )
        return self.front_end

    @property
    def stft(self) -> StftConfig:
        """Transform of a model that takes spectra.

        Raises
        ------
        ModelError
            If the model takes log-mel frames.
        """
        if not isinstance(self.front_end, StftConfig):
            raise ModelError(
                f"model {self.name} does {self.task!r} on log-mel frames; expected a model whose task is 'separation'"
            )
        return self.front_end

    @property
    def input_size(self) -> int:
        """Number of values in a frame of ``x``."""
        if self.is_separation:
            return 2 * self.stft.bins
        return self.ear.embedding_size if self.ear else self.log_mel.mel_bands

    @cached_property
    def output_size(self) -> int:
        """Number of values in a step of ``y``."""
        if self.embedding_size is not None:
            return self.embedding_size
        return len(self.labels) + (2 * self.stft.bins if self.is_separation else 0)

    @property
    def frame_ms(self) -> float:
        """Milliseconds from one frame of the model's input to the next."""
        ear_frames = self.ear.hop_frames if self.ear else 1
        return 1_000 * ear_frames * self.front_end.hop_samples / self.front_end.sample_rate_hz

    def thresholds(self, prefer: str = "balanced") -> tuple[Thresholds, ...]:
        """Return the thresholds of an operating point, for each label.

        Raises
        ------
        ModelError
            If the model has no such operating point.
        """
        if prefer not in self.operating_points:
            if known := ", ".join(self.operating_points):
                raise ModelError(
                    f"model {self.name} has no operating point {prefer!r}, it has {known}; prefer one of these, or "
                    "release it anew"
                )
            raise ModelError(
                f"model {self.name} was exported without thresholds; expected one that was released, as by python -m "
                "train release"
            )
        points = self.operating_points[prefer]
        return points * len(self.labels) if len(points) == 1 else points

    def for_slot(self, slot: str) -> Manifest:
        """Return the manifest with the labels and operating points that the model has for a head slot.

        Raises
        ------
        ModelError
            If the model is not for this slot.
        """
        if slot == self.task:
            return self
        if slot not in self.other_slots:
            tasks = " and ".join(map(repr, (self.task, *self.other_slots)))
            raise ModelError(
                f"model {self.name} decides {tasks}; expected a model whose task is {slot!r}: `streamer models list` "
                f"has those there are, --model and [models] {slot} name one"
            )
        offered = self.other_slots[slot]
        return replace(
            self,
            task=slot,
            labels=tuple(offered.labels),
            label_ids=(),
            operating_points=offered.operating_points,
            other_slots={},
        )

    def as_ear(self) -> EarSpec:
        """Return the description by which the manifests of heads name this embedding model.

        Raises
        ------
        ModelError
            If this is no embedding model.
        """
        if self.embedding_size is None:
            raise ModelError(f"model {self.name} does {self.task!r}; expected a model whose task is 'ear'")
        return EarSpec(self.name, self.sha256, self.embedding_size, self.hop_frames)
