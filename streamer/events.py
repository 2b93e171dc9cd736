"""What Streamer says, as typed events, and how an event travels: encode and decode.

The format is specified for every language in ``docs/wire.md``; this module is that specification in Python.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Literal, Self, TypeAlias

from streamer.arrays import Array
from streamer.head_slots import HEAD_SLOTS

DECISION_KINDS = tuple(slot.kind for slot in HEAD_SLOTS)
"""Kinds of messages that report that something began, goes on or ended: ``gate``, ``sound``, ``genre``, ..."""

DecisionState: TypeAlias = Literal["listening", "on", "update", "off"]
"""How things stand in a decision."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """What every message says.

    Attributes
    ----------
    kind, stream : str
        Together the topic, ``KIND/STREAM``.
    epoch : int
        Counts the fresh starts of the stream: after lost sound every model starts anew and this grows.
    start, stop : int
        The samples that the message speaks of, first and one past the last, counted from 0 at `rate` since
        the stream was opened. Lost samples count.
    rate : int
        Samples per second of the stream as captured; 1 where it could not be opened.
    time : datetime or None
        UTC of `stop` as best known; None for a file that is read as fast as possible. In a `Status`: when it
        was said, never None.
    latency_ms : float or None
        From the capture of `stop` to the making of the message; None where `time` is, and in a `Status`.
    seq : int
        Counts the messages of one topic from 0, so that a subscriber sees a loss.
    replay : bool
        Whether this repeats the last message of its topic, or of its label there, for a late subscriber.
    """

    kind: str
    stream: str
    epoch: int
    start: int
    stop: int
    rate: int
    time: datetime | None = None
    latency_ms: float | None = None
    seq: int = 0
    replay: bool = False

    payload_field: ClassVar[str | None] = None

    @property
    def topic(self) -> str:
        """``KIND/STREAM``."""
        return f"{self.kind}/{self.stream}"

    def stamped(self, seq: int, time: datetime | None, latency_ms: float | None) -> Self:
        """The same with its number and its time."""
        # Every message of every stream comes by: `dataclasses.replace` takes ten times as long.
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__, seq=seq, time=time, latency_ms=latency_ms)
        return other


@dataclass(frozen=True, kw_only=True)
class Decision(Event):
    """Something began, went on or ended: kinds ``gate``, ``sound``, ``genre``, ``taught``, ``voice``.

    Attributes
    ----------
    state : {"listening", "on", "update", "off"}
        From `start` to `stop` things have stood so: `start` is where the sound set in (on, update) or where
        it had ended (off). A model with one label tells how things stand in its first message of an epoch,
        which may be an ``off`` with nothing before it. ``listening``: a model that a gate opens hears since
        `start`, and cannot say yet what it is.
    label : str
        What it is; empty where the model itself has begun to listen or has stopped.
    score : float
        Probability, 0 to 1, at `stop`.
    model : str
        Name of the model that says so.
    """

    state: DecisionState
    label: str
    score: float
    model: str


@dataclass(frozen=True, kw_only=True)
class Scores(Event):
    """Raw probabilities (0 to 1) by head and label, the highest first: kind ``scores``."""

    heads: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, kw_only=True)
class Level(Event):
    """Loudness of the downmix between `start` and `stop`: kind ``level``.

    Attributes
    ----------
    rms_dbfs, peak_dbfs : float
        0 is full scale; -120 or less is said as -120.
    """

    rms_dbfs: float
    peak_dbfs: float


@dataclass(frozen=True, kw_only=True)
class Spectrum(Event):
    """Log-mel frames between `start` and `stop`: kind ``spectrum``.

    Attributes
    ----------
    front_end : str
        Fingerprint of the front end.
    frames : float32 array, shape (frames, mel_bands)
        The payload.
    """

    front_end: str
    frames: Array
    payload_field: ClassVar[str | None] = "frames"


@dataclass(frozen=True, kw_only=True)
class Stem(Event):
    """A piece of sound, apart: kind ``stem``.

    Stems of one label follow one another without a gap from where they begin (a gate opened, a stream began or went on
    after a loss) to where they end; there they fade in and out. Voice and music add up to the sound.

    Attributes
    ----------
    label : {"voice", "music"}
    samples : float32 array, shape (stop - start, channels)
        The payload: `rate` and channels are the capture's, full scale is -1 to 1.
    """

    label: str
    samples: Array
    payload_field: ClassVar[str | None] = "samples"


@dataclass(frozen=True, kw_only=True)
class Status(Event):
    """How the stream itself is: kind ``status``, at least once in every heartbeat interval.

    Attributes
    ----------
    state : {"running", "ended", "failed"}
        The last two are the stream's last message.
    message : str
        Why it failed, what was lost, or what came of a configuration that was read again; else empty.
    lag_ms : float
        Sound captured and not yet heard.
    dropped_samples : int
        Never heard, because this machine or its sound system did not keep up; `stop` counts them.
    overruns : int
        Losses of the device, by its driver's word or by the clock.
    muted_samples : int
        NaN, infinite or absurdly large samples, heard as silence.
    uptime_s : float
        Since the stream was opened.
    shed : bool
        Whether it is not heard at present, because the machine does not carry all streams.
    pid : int
        Of the process that listens, on its machine; 0 if it does not say.
    versions : Mapping[str, str]
        Of ``streamer`` and of each model (name and first 12 digits of its SHA-256).
    """

    state: Literal["running", "ended", "failed"]
    message: str = ""
    lag_ms: float = 0.0
    dropped_samples: int = 0
    overruns: int = 0
    muted_samples: int = 0
    uptime_s: float = 0.0
    shed: bool = False
    pid: int = 0
    versions: Mapping[str, str] = field(default_factory=dict)
