"""A stream and the phases of its life: waiting, opening, running, ended."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from streamer.config import Config
from streamer.errors import StreamerError, fault_of
from streamer.pipeline.pipeline import Pipeline
from streamer.pipeline.stream_models import StreamModels
from streamer.sinks.sink import Sink
from streamer.sources.source import Block, Source

GIVE_UP_S = 2.0
"""Longest wait, at the end, for an opening that has been told to give up."""


class Waiting:
    """The phase of a stream that an engine has not begun to open."""


class Opening:
    """The phase of a stream whose source is being opened: at once, or on a thread if that may wait for a network.

    Parameters
    ----------
    source : Source
        Source that is not open yet.

    Attributes
    ----------
    error : StreamerError or None
        Error of the opening; None if it did not fail. Valid once `finished`.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._thread = threading.Thread(target=self._open, name="opening", daemon=True)
        self.error: StreamerError | None = None
        if source.opens_slowly:
            self._thread.start()
        else:
            self._open()

    @property
    def finished(self) -> bool:
        """Whether the opening is over: the source is open or has failed."""
        return not self._thread.is_alive()

    def give_up(self) -> None:
        """Make the opening fail soon, and wait a little until it has."""
        if not self.finished:
            self._source.give_up_opening()
            self._thread.join(GIVE_UP_S)

    def _open(self) -> None:
        try:
            self._source.open()
        except StreamerError as error:
            self.error = error
        except Exception as fault:  # noqa: BLE001 - a fault in one stream must not end the others
            self.error = fault_of(fault)


@dataclass(eq=False)
class Running:
    """The phase of a stream whose source is open.

    Attributes
    ----------
    stream : Stream
        The stream that this is the phase of.
    pipeline : Pipeline
        Pipeline that turns the stream's blocks into events.
    opened_at : float
        Time of the opening, in seconds on the engine's clock. All times here are on this clock.
    last_block : Block or None
        The newest block that was read.
    read_at : float
        Time of the last read.
    backlog_frames : int
        Frames that waited in the source at the last look.
    shed : bool
        Whether the stream is skipped at present, because the machine does not carry all streams.
    status_due_at : float
        Time of the next heartbeat.
    said_cancelled : bool
        Whether it was published that the channels cancel each other.
    """

    stream: Stream
    pipeline: Pipeline
    opened_at: float
    last_block: Block | None = None
    read_at: float = 0.0
    backlog_frames: int = 0
    shed: bool = False
    status_due_at: float = 0.0
    said_cancelled: bool = False

    @property
    def source(self) -> Source:
        """The open source."""
        return self.stream.source

    @property
    def position_samples(self) -> int:
        """Number of samples that were read since the source was opened, lost ones included."""
        return self.last_block.stop if self.last_block else 0

    @property
    def position_s(self) -> float:
        """Seconds of sound that were read since the source was opened, lost ones included."""
        return self.position_samples / self.stream.source.rate_hz

    @property
    def is_live(self) -> bool:
        """Whether sound comes at its own pace (live); False until the first block shows it."""
        return self.last_block is not None and self.last_block.captured_at is not None


@dataclass(frozen=True, eq=False)
class Ended:
    """The phase of a stream that has ended.

    Attributes
    ----------
    error : StreamerError or None
        Error that ended the stream; None if it did not fail.
    running : Running or None
        The phase before this one; None if the source never opened.
    """

    error: StreamerError | None
    running: Running | None


Phase: TypeAlias = Waiting | Opening | Running | Ended


@dataclass(eq=False)
class Stream:
    """A source, the models that process its sound, and the phase that it is in.

    Attributes
    ----------
    name : str
    source : Source
    models : StreamModels
        Models that process the stream; other streams may share them.
    duration_s : float
        Seconds of sound after which the stream ends.
    config : Config
        Configuration of this stream alone: the result of `Config.of`, with this stream as its only one.
    sinks : sequence of Sink
        Sinks that get only the events of this stream. Sinks of all streams get its stems only if these are published.
    phase : Waiting, Opening, Running or Ended
    dropped_samples : int
        Samples that were never processed, because this machine or its sound system did not keep up.
    overruns : int
        Overruns of the device that have been published in a status.
    """

    name: str
    source: Source
    models: StreamModels = field(default_factory=StreamModels)
    duration_s: float = math.inf
    config: Config = field(default_factory=Config)
    sinks: Sequence[Sink] = ()
    phase: Phase = field(default_factory=Waiting)
    dropped_samples: int = 0
    overruns: int = 0

    @property
    def priority(self) -> int:
        """Priority of the stream. If the machine cannot carry all streams, those of the lowest priority are skipped."""
        return self.config.stream[0].priority

    @property
    def progress(self) -> Running | None:
        """The running phase, also after it has ended; None if the source was never open."""
        phase = self.phase.running if isinstance(self.phase, Ended) else self.phase
        return phase if isinstance(phase, Running) else None

    @property
    def error(self) -> StreamerError | None:
        """Error that ended the stream; None if it runs or did not fail."""
        return self.phase.error if isinstance(self.phase, Ended) else None

    @property
    def position_samples(self) -> int:
        """Number of samples that were read since the source was opened, lost ones included."""
        progress = self.progress
        return progress.position_samples if progress else 0

    @property
    def position_s(self) -> float:
        """Seconds of sound that were read since the source was opened, lost ones included."""
        progress = self.progress
        return progress.position_s if progress else 0.0

    @property
    def sound_warnings(self) -> list[str]:
        """Sentences about its sound that a listener should know; none if all is well."""
        progress = self.progress
        muted = (
            [f"{self.muted_samples} samples were no sound (NaN, infinite) and muted"]
            if self.muted_samples
            else []
        )
        cancelled = [progress.pipeline.cancelled] if progress and progress.pipeline.cancelled else []
        return [*muted, *cancelled]

    @property
    def muted_samples(self) -> int:
        """Number of samples that were no valid sound, and were processed as silence."""
        progress = self.progress
        return progress.pipeline.muted_samples if progress else 0
