"""A stream: a source, the models that process its sound, and the phase that it is in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from streamer.config import Config
from streamer.engine.phases import Ended, Phase, Recovering, Running, Waiting
from streamer.errors import StreamerError
from streamer.pipeline.stream_models import StreamModels
from streamer.sinks.sink import Sink
from streamer.sources.source import Source
from streamer.sources.url_address import without_secrets
from streamer.start_time import OFF, Beginning, beginning


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
        Sinks for its events alone; its stems go to other sinks only if they are to be published.
    phase : Waiting, Opening, Running, Recovering or Ended
    dropped_samples : int
        Samples that were never processed, because they did not come, or this machine did not keep up.
    overruns : int
        Overruns of its device that have been published.
    status_due_at : float
        Time of the next heartbeat, on the engine's clock.
    start_time : str
        How it is found out when its recording began: as `streamer.start_time.beginning` takes it.
    beginning : Beginning or None
        When the recording began, if that is known.
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
    status_due_at: float = 0.0
    start_time: str = OFF
    beginning: Beginning | None = None

    @cached_property
    def address(self) -> str:
        """Device that it reads, as it was named, without secrets."""
        return without_secrets(self.config.stream[0].device)

    def find_beginning(self) -> None:
        """Find out when its recording began, once its source is open.

        Raises
        ------
        ConfigError
            If the file does not tell, and it was said that it must.
        """
        if self.beginning is None:
            name = Path(self.config.stream[0].device.removeprefix("file:")).name
            self.beginning = beginning(self.start_time, name, self.source.tags, self.source.rate_hz)

    @property
    def clock(self) -> str:
        """Name of what gives the times of its events, as in a `Status`; empty if nothing does."""
        if self.beginning is not None:
            return self.beginning.told_by
        progress = self.progress
        if progress is None or not progress.is_live:
            return ""
        return progress.clock

    @property
    def priority(self) -> int:
        """Priority of the stream. If the machine cannot carry all streams, those of the lowest priority are skipped."""
        return self.config.stream[0].priority

    @property
    def progress(self) -> Running | None:
        """The running phase, if the stream is in it or has been; None if its source has not opened."""
        phase = self.phase
        if isinstance(phase, Running):
            return phase
        return phase.running if isinstance(phase, Ended | Recovering) else None

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
