"""The table of head slots: the places in the configuration where a head can run.

The keys of ``[models]``, the sections with settings of decisions, the kinds of messages and the building of heads
all follow from it. A new released head is its model folder and one row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from streamer.errors import ConfigError
from streamer.setting_types import check_types

LOWEST_DBFS = -120.0
"""Lowest `DecisionConfig.floor_dbfs`, which is none at all: it is below the noise of any converter."""


@dataclass(frozen=True)
class LabelThresholds:
    """Thresholds of the score of a single label, 0 <= off <= on <= 1, which precede those for all labels.

    Attributes
    ----------
    on, off : float or None
        The label begins at a score of `on` or more and ends below `off`. None takes that of the `DecisionConfig`, or
        without one the model's own.
    """

    on: float | None = None
    off: float | None = None

    def __post_init__(self) -> None:
        check_types(self)
        _check_thresholds(self.on, self.off)


@dataclass(frozen=True)
class DecisionConfig:
    """Settings that turn scores into decisions.

    Attributes
    ----------
    on, off : float or None
        Thresholds of the score, 0 <= off <= on <= 1. A label begins at a score of `on` or more and ends below `off`.
        None takes that of the model's own operating point.
    min_on_ms, min_off_ms : float
        How long a score must stay past a threshold before the change is reported.
    warm_up_ms : float or None
        Time after the model's start in which no decision is made. None takes the model's own warm-up.
    update_ms : float
        Time between two ``update`` messages while a label is on.
    floor_dbfs : float
        Level, -120 to 0, that some 0.1 s of the last second must have: below it the head takes every score for 0, so
        nothing begins and what is on ends. -120 lets all scores count.
    labels : tuple of str
        Labels of the model that are used, by their names or by the identifiers of their ontology; none uses all.
    thresholds : mapping of str to LabelThresholds
        Thresholds of single labels, which precede `on` and `off`.
    """

    on: float | None = None
    off: float | None = None
    min_on_ms: float = 180.0
    min_off_ms: float = 600.0
    warm_up_ms: float | None = None
    update_ms: float = 1_000.0
    floor_dbfs: float = -80.0
    labels: tuple[str, ...] = ()
    thresholds: Mapping[str, LabelThresholds] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        check_types(self)
        _check_thresholds(self.on, self.off)
        for name in ("min_on_ms", "min_off_ms", "warm_up_ms", "update_ms"):
            if (getattr(self, name) or 0.0) < 0:
                raise ConfigError(f"{_setting(name, getattr(self, name))}; expected 0 or more")
        if not LOWEST_DBFS <= self.floor_dbfs <= 0:
            raise ConfigError(f"floor_dbfs = {self.floor_dbfs}; expected {LOWEST_DBFS:g} to 0")

    @property
    def floor_power(self) -> float:
        """Power of `floor_dbfs`, where 1 is full scale; 0 if all scores count."""
        return 0.0 if self.floor_dbfs == LOWEST_DBFS else float(10 ** (self.floor_dbfs / 10))


def _check_thresholds(on: float | None, off: float | None) -> None:
    if not 0.0 <= (0.0 if off is None else off) <= (1.0 if on is None else on) <= 1.0:
        raise ConfigError(
            f"thresholds are {_setting('on', on)}, {_setting('off', off)}; expected 0 <= off <= on <= 1"
        )


def _setting(name: str, value: float | None) -> str:
    """Return a setting as errors show it."""
    return f"{name} not set" if value is None else f"{name} = {value}"


@dataclass(frozen=True)
class HeadSlot:
    """A place in the configuration where one head can run.

    Attributes
    ----------
    name : str
        The slot's key in ``[models]`` and in ``--model NAME=MODEL``. Models for the slot have this task, and the
        released one has this name.
    section : str
        Section of the configuration with the settings of its decisions; also the head's name in ``scores``.
    kind : str
        Kind of the messages that report its decisions.
    decisions : DecisionConfig
        Settings where the section is absent.
    own_kinds : tuple of str
        Labels whose decisions have a kind of their own, named like the label. They open no other slot: with speech the
        gate of music stays closed.
    opened_by : str or None
        Name of the slot whose head is the gate: the head in this slot runs only while a label of the gate is on that
        is not in `own_kinds`. It runs always if this is None, or if the slot of the gate is empty.
    default_model : str or None
        Model that runs where the configuration names none. None takes the released model, if there is one.
    built_from : {"model", "recordings", "separation"}
        ``model`` is a model folder whose model scores log-mel frames or embeddings. ``recordings`` is a folder of
        taught sounds, from which a model is computed. ``separation`` is a model folder whose model masks the spectra
        of the captured sound and scores the voice; it runs where it is named or stems are asked for.
    """

    name: str
    section: str
    kind: str
    decisions: DecisionConfig
    own_kinds: tuple[str, ...] = ()
    opened_by: str | None = None
    default_model: str | None = None
    built_from: Literal["model", "recordings", "separation"] = "model"

    @property
    def kinds(self) -> tuple[str, ...]:
        """All kinds of the messages that report decisions of this slot."""
        return (self.kind, *self.own_kinds)


HEAD_SLOTS = (
    HeadSlot(
        "gate",
        section="gate",
        kind="gate",
        own_kinds=("speech", "singing"),
        decisions=DecisionConfig(),
        default_model="gate",
    ),
    # A knock on a door is short.
    HeadSlot(
        "sounds", section="sounds", kind="sound", decisions=DecisionConfig(min_on_ms=80.0, min_off_ms=500.0)
    ),
    # The genre does not change with every bar.
    HeadSlot(
        "genre",
        section="genre",
        kind="genre",
        decisions=DecisionConfig(min_on_ms=500.0, min_off_ms=1_500.0),
        opened_by="gate",
    ),
    HeadSlot(
        "taught",
        section="taught",
        kind="taught",
        decisions=DecisionConfig(min_on_ms=160.0, min_off_ms=500.0),
        built_from="recordings",
    ),
    HeadSlot(
        "separation",
        section="voice",
        kind="voice",
        decisions=DecisionConfig(min_on_ms=100.0, min_off_ms=500.0),
        opened_by="gate",
        built_from="separation",
    ),
)
"""All slots, in the order in which their heads are reported."""


def head_slot(name: str) -> HeadSlot:
    """Return the head slot of this name, which must be one of `HEAD_SLOTS`."""
    return next(slot for slot in HEAD_SLOTS if slot.name == name)
