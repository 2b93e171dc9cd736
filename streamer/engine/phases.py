"""The phases of a stream's life: waiting, opening, running, recovering, ended."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from streamer.errors import StreamerError, fault_of
from streamer.pipeline.pipeline import Pipeline
from streamer.sources.source import Block, Source

if TYPE_CHECKING:
    from streamer.engine.stream import Stream

GIVE_UP_S = 2.0
"""Longest wait, at the end, for an opening that has been told to give up."""


class Waiting:
    """The phase of a stream that an engine has not begun to open."""


class Opening:
    """The phase of a stream whose source is being opened: at once, or on a thread if that may take long.

    Parameters
    ----------
    source : Source
        Not open.
    on_thread : bool
        Whether the opening may take long for another reason than the source's own (`Source.opens_slowly`).

    Attributes
    ----------
    error : StreamerError or None
        Error of the opening; None if it did not fail. Valid once `finished`.
    """

    def __init__(self, source: Source, on_thread: bool = False) -> None:
        self._source = source
        self._thread = threading.Thread(target=self._open, name="opening", daemon=True)
        self.error: StreamerError | None = None
        if source.opens_slowly or on_thread:
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
    said_cancelled : bool
        Whether it was published that the channels cancel each other.
    said_clock : tuple of str and float
        What its times came from when that was last looked at, and how many seconds they were behind the arrival.
    reopened_at : float
        Time at which its source was last opened.
    tries : int
        Number of times that it was tried to open the source again, since it last ran for some time.
    outage : Outage or None
        The outage that has just ended, until the first block after it is read.
    overruns : int
        Overruns of the device since it was last opened that have been published.
    untold_losses, untold_samples : int
        Number and length of the losses that have not been published.
    losses_due_at : float
        Time from which losses are published again.
    rate_hz : int
        Sample rate of the pipeline.
    """

    stream: Stream
    pipeline: Pipeline
    opened_at: float
    last_block: Block | None = None
    read_at: float = 0.0
    backlog_frames: int = 0
    shed: bool = False
    said_cancelled: bool = False
    said_clock: tuple[str, float] = ("", 0.0)
    reopened_at: float = 0.0
    tries: int = 0
    outage: Outage | None = None
    overruns: int = 0
    untold_losses: int = 0
    untold_samples: int = 0
    losses_due_at: float = 0.0
    _origin: int = 0

    def __post_init__(self) -> None:
        self.rate_hz = self.source.rate_hz
        self.reopened_at = self.opened_at

    @property
    def source(self) -> Source:
        """The open source."""
        return self.stream.source

    @property
    def position_samples(self) -> int:
        """Samples since the source was opened, lost ones included."""
        return self.pipeline.position

    @property
    def position_s(self) -> float:
        """Seconds of sound since the source was opened, lost ones included."""
        return self.pipeline.position / self.rate_hz

    @property
    def is_live(self) -> bool:
        """Whether sound comes at its own pace (live); False until the first block shows it."""
        return self.last_block is not None and self.last_block.captured_at is not None

    @property
    def is_timed_by_sender(self) -> bool:
        """Whether its times come from its sender's clock."""
        block = self.last_block
        return (
            block is not None and block.sent_at is not None and self.stream.config.stream[0].clock == "sender"
        )

    @property
    def clock(self) -> str:
        """Name of what gives the times of its live sound, as in a `Status`."""
        return "sender" if self.is_timed_by_sender else self.source.timed_by

    def outage_from(self, reason: StreamerError) -> Outage:
        """Return the outage that begins after the last block, or goes on if there was none since the last one."""
        if self.outage is not None:
            return replace(self.outage, reason=reason)
        block = self.last_block
        heard_until = self.opened_at if block is None else block.captured_at or self.read_at
        return Outage(reason, self.position_s, heard_until)

    def placed(self, block: Block, now: float) -> Block | None:
        """Return a block of the source with its place in the stream, which counts on over outages.

        A station may begin with the last seconds that it has sent. What of them was heard before the outage is left
        out, or the index would run ahead of the clock by as much at each outage.

        Parameters
        ----------
        block : Block
            Its index counts from the last opening of the source.
        now : float
            Time at which it was read.

        Returns
        -------
        Block or None
            The block, or what of it is new; None if nothing is.
        """
        if self.outage is not None:
            stop_at = now if block.captured_at is None else block.captured_at
            away_s = stop_at - len(block.samples) / self.rate_hz - self.outage.heard_until
            start = round((self.outage.heard_s + away_s) * self.rate_hz)
            repeated = max(0, self.position_samples - start)
            if repeated >= len(block.samples):
                return None
            block = replace(block, start=block.start + repeated, samples=block.samples[repeated:])
            self._origin = start + repeated - block.start
        return replace(block, start=block.start + self._origin) if self._origin else block


@dataclass(frozen=True)
class Outage:
    """A time in which a live source was away.

    Attributes
    ----------
    reason : StreamerError
        Why it broke off, or could not be opened.
    heard_s : float
        Length of the stream before it, in seconds, with the sound that was lost by then.
    heard_until : float
        Capture time of the last sound before it, in seconds on the engine's clock.
    """

    reason: StreamerError
    heard_s: float
    heard_until: float


@dataclass(eq=False)
class Recovering:
    """The phase of a live stream whose source broke off, or is waited for, until it is open.

    Attributes
    ----------
    outage : Outage
    tries : int
        Number of tries so far.
    due_at : float
        Time of the next try, on the engine's clock.
    running : Running or None
        The phase before this one; None if the source never opened.
    opening : Opening or None
        The try that is being made.
    """

    outage: Outage
    tries: int
    due_at: float
    running: Running | None = None
    opening: Opening | None = None


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


Phase: TypeAlias = Waiting | Opening | Running | Recovering | Ended
