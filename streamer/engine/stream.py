"""One stream of an engine: its source, what is heard in it, and what it came to."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from streamer.config import Config
from streamer.dsp.model_calls import Calls
from streamer.errors import StreamerError, fault_of
from streamer.events import Event
from streamer.pipeline.pipeline import Pipeline
from streamer.pipeline.stream_models import StreamModels
from streamer.sinks.sink import Sink
from streamer.sources.source import Block, Source

GIVE_UP_S = 2.0
"""Longest wait, at the end, for an opening that has been told to give up."""


class Opening:
    """The opening of a source: done at once, or on a thread of its own where it may wait for a network.

    Parameters
    ----------
    source : Source
        Not yet open.

    Attributes
    ----------
    error : StreamerError or None
        Why it failed; valid once finished.
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
        """Whether it was opened or has failed."""
        return not self._thread.is_alive()

    def give_up(self) -> None:
        """Wait no longer."""
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
class Stream:
    """A source, what is heard in it, and what it came to.

    Attributes
    ----------
    name : str
    source : Source
    listener : StreamModels
    duration_s : float
        How much sound is heard at most.
    config : Config
        What it was made of, of which it is the one stream.
    sinks : sequence of Sink
        What takes its events alone; stems go to others only where they are to be published.
    error : StreamerError or None
        Why it failed.
    dropped_samples : int
        Never heard, because this machine or its sound system did not keep up.
    shed : bool
        Whether it is left out at present, because the machine does not carry all.
    """

    name: str
    source: Source
    listener: StreamModels = field(default_factory=StreamModels)
    duration_s: float = math.inf
    config: Config = field(default_factory=Config)
    sinks: Sequence[Sink] = ()
    opening: Opening | None = None
    pipeline: Pipeline | None = None
    opened_at: float = 0.0
    read_at: float = 0.0
    last: Block | None = None
    error: StreamerError | None = None
    done: bool = False
    backlog_frames: int = 0
    dropped_samples: int = 0
    shed: bool = False
    overruns: int = 0
    status_due_at: float = 0.0

    @property
    def priority(self) -> int:
        """The higher, the longer it is heard where the machine cannot carry all."""
        return self.config.stream[0].priority

    @property
    def heard_s(self) -> float:
        """Seconds of sound since it was opened, lost ones included."""
        return self.last.stop / self.source.rate_hz if self.last else 0.0

    @property
    def muted_samples(self) -> int:
        """Samples that were no sound, heard as silence."""
        return self.pipeline.muted_samples if self.pipeline else 0


@dataclass(frozen=True)
class Chunk:
    """What was read of a stream at one turn.

    Attributes
    ----------
    stream : Stream
    work : generator
        Hears it; gives what it says.
    lost : int
        Samples that were lost before it.
    more : bool
        Whether there may be more at once.
    """

    stream: Stream
    work: Calls[list[Event]]
    lost: int
    more: bool
