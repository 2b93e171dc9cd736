"""The kinds of events that Streamer reports about a stream, and their fields.

`streamer.events.make_events` fills them, and `streamer.events.serialization` makes messages of them, whatever their
fields are. ``docs/wire.md`` specifies the messages, for every language.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Literal, Self, TypeAlias

from streamer.arrays import Array
from streamer.head_slots import HEAD_SLOTS

DECISION_KINDS = tuple(kind for slot in HEAD_SLOTS for kind in slot.kinds)
"""Kinds of messages that report that something began, goes on or ended: ``gate``, ``sound``, ``genre``, ..."""

RUNNING_KINDS = ("scores", "level", "spectrum")
"""Kinds of messages that come at a regular rate, whatever happens; they are made only while a sink wants them."""

DecisionState: TypeAlias = Literal["listening", "on", "update", "off"]
"""States of a label in a decision."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """The fields of every message.

    Attributes
    ----------
    kind, stream : str
        Together the topic, ``KIND/STREAM``.
    epoch : int
        Number of fresh starts of the stream so far: every model starts anew after a loss of sound.
    start, stop : int
        Samples that the message is about, first and one past the last, counted from 0 at `rate` since the stream was
        opened. Lost samples count.
    rate : int
        Samples per second of the stream as captured; 1 where it could not be opened.
    time : datetime or None
        UTC of `stop` as best known; None for a file that is read as fast as possible and does not tell when it began.
        In a `Status` it is the time of the report, never None.
    latency_ms : float or None
        Milliseconds from the capture of `stop` to the making of the message; None where `time` is, and in a `Status`.
    seq : int
        Number of the message in its topic, from 0, so that a subscriber sees a loss.
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
        """Return a copy of the event with its number and its times."""
        # Every message of every stream passes here: `dataclasses.replace` takes ten times as long.
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__, seq=seq, time=time, latency_ms=latency_ms)
        return other


@dataclass(frozen=True, kw_only=True)
class Decision(Event):
    """A report that something began, goes on or ended: its kind is one of `DECISION_KINDS`.

    Attributes
    ----------
    state : {"listening", "on", "update", "off"}
        State of the label from `start` to `stop`: `start` is where the sound began (on, update) or where it ended
        (off). A model with one label reports its state in its first message of an epoch, which may be an ``off``
        with nothing before it. ``listening`` says that the gate has opened and the model, which takes sound since
        `start`, cannot decide yet.
    label : str
        The label; empty if the event says that the model itself has started or stopped.
    score : float
        Probability, 0 to 1, at `stop`.
    model : str
        Name of the model that decided.
    """

    state: DecisionState
    label: str
    score: float
    model: str


@dataclass(frozen=True, kw_only=True)
class Scores(Event):
    """Probabilities (0 to 1) by head and label, the highest first: kind ``scores``."""

    heads: Mapping[str, Mapping[str, float]] = field(hash=False)


@dataclass(frozen=True, kw_only=True)
class Level(Event):
    """Loudness of the downmix between `start` and `stop`: kind ``level``.

    Attributes
    ----------
    rms_dbfs, peak_dbfs : float
        Level relative to full scale, which is 0; levels below -120 are reported as -120.
    """

    rms_dbfs: float
    peak_dbfs: float


@dataclass(frozen=True, kw_only=True)
class Spectrum(Event):
    """Log-mel frames between `start` and `stop`: kind ``spectrum``.

    Attributes
    ----------
    front_end : str
        Fingerprint of the front end's constants.
    frames : float32 array, shape (frames, mel_bands)
        The payload; ``==`` compares all fields but this.
    """

    front_end: str
    frames: Array = field(compare=False)
    payload_field: ClassVar[str | None] = "frames"


@dataclass(frozen=True, kw_only=True)
class Stem(Event):
    """A piece of voice or music: kind ``stem``.

    Pieces of one label follow one another without a gap from where they begin (a gate opened, a stream began or went
    on after a loss) to where they end. They fade in and out there. Voice and music add up to the sound.

    Attributes
    ----------
    label : {"voice", "music"}
    samples : float32 array, shape (stop - start, channels)
        The payload; its rate and channels are the capture's, and full scale is -1 to 1. ``==`` compares all fields but
        this.
    """

    label: str
    samples: Array = field(compare=False)
    payload_field: ClassVar[str | None] = "samples"


@dataclass(frozen=True, kw_only=True)
class Status(Event):
    """The state of the stream itself: kind ``status``, at least once in every heartbeat interval.

    Attributes
    ----------
    state : {"opening", "running", "recovering", "ended", "failed"}
        ``opening`` is said only if that takes longer than a heartbeat. The last two are the stream's last message.
    message : str
        Reason of a failure, sound that was lost, or the result of a configuration that was read again; else empty.
    lag_ms : float
        Length of the captured sound that is not processed yet.
    dropped_samples : int
        Samples that were never processed because this machine or its sound system did not keep up; `stop` counts
        them.
    overruns : int
        Number of times that the device lost sound, as its driver or the clock shows.
    muted_samples : int
        NaN, infinite or absurdly large samples, which were processed as silence.
    uptime_s : float
        Seconds since the stream was opened.
    shed : bool
        Whether the stream is skipped at present, because the machine cannot carry all streams.
    pid : int
        Number of the process that runs the stream, on its machine; 0 if it is not known.
    versions : Mapping[str, str]
        Version of ``streamer``, and name and first 12 digits of the SHA-256 of each model.
    source : str
        Device that the stream reads, as it was named: ``file:PATH``, a URL without its secrets, and so on.
    clock : {"capture", "arrival", "sender", "playback", "option", "tag", "name", ""}
        What the `time` of its other events comes from: the driver of a microphone, the arrival on this machine, the
        sender's clock, the moment at which a file is played, or what was said of the beginning of a file, by the user,
        a tag or its name. Empty where they have none, or before the first sound.
    """

    state: Literal["opening", "running", "recovering", "ended", "failed"]
    message: str = ""
    lag_ms: float = 0.0
    dropped_samples: int = 0
    overruns: int = 0
    muted_samples: int = 0
    uptime_s: float = 0.0
    shed: bool = False
    pid: int = 0
    versions: Mapping[str, str] = field(default_factory=dict, hash=False)
    source: str = ""
    clock: str = ""
