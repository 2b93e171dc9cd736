"""Capture sound from a source of a PulseAudio or PipeWire sound server, at the source's own rate."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

import numpy as np

from streamer.audio.devices import DEFAULT_CHANNELS
from streamer.audio.pulse import (
    DUMMY,
    PREFIX,
    PulseInput,
    default_pulse_input,
    find_pulse_input,
    pulse_inputs,
)
from streamer.errors import DeviceError, StreamError
from streamer.sources.devices.parec import Parec
from streamer.sources.source import (
    HIGHEST_RATE_HZ,
    LOCAL_WAIT_S,
    LOWEST_RATE_HZ,
    OPEN_POLL_S,
    Block,
    Source,
    SourceCounts,
    given_up,
)
from streamer.sources.timing.arrival import ArrivalClock
from streamer.sources.timing.loss_watch import LossWatch

LATE_POLL_S = 0.005
"""Interval between two looks at a source whose next sound is overdue."""

CONNECT_S = 5.0
"""Longest time in which the server connects a stream."""

SETTLE_S, LOOK_S = 0.3, 0.2
"""Time after a move for which sound waits, and its last part, in which it is seen how late the sound comes."""

TOLERANCE_S = 0.005
"""Largest delay after a move that counts as the unsteadiness of pieces; what is later was lost."""

SAMPLE_BYTES = 4


class PulseSource(Source):
    """A source of the sound server, or whichever is the default.

    `parec` captures it (`Parec`). The server may move a stream to another source: that of the default follows the
    default, and any stream is moved when its source goes away, or by hand. The default is followed, and the first
    block from there says so (`Block.change`). A named source that is left fails, so that it is opened again: there,
    if it is back, or where the user moved the stream while the source was there.

    Parameters
    ----------
    name : str or None
        Name of the source, or part of its name or description; None for the default.
    rate_hz : int or None
        Sample rate; None for the source's own.
    channels : int or None
        Number of channels; None for all that the source has, at most `DEFAULT_CHANNELS` or `least_channels`.
    least_channels : int
        Number of channels that are wanted at least, if `channels` is None and the source has as many.
    stall_s : float
        Longest time without sound before the source counts as failed.
    inputs : callable
        Returns the sources of the server; `pulse_inputs` except in tests.
    """

    lost_by = "this machine or its sound system did not keep up, or the sound server moved the stream"
    opens_slowly = True
    timed_by = "arrival"
    longest_wait_s = LOCAL_WAIT_S

    def __init__(
        self,
        name: str | None,
        *,
        rate_hz: int | None = None,
        channels: int | None = None,
        least_channels: int = 0,
        stall_s: float = 5.0,
        inputs: Callable[[], Sequence[PulseInput]] = pulse_inputs,
    ) -> None:
        self._wanted = name
        self._asked_rate_hz, self._asked_channels = rate_hz, channels
        self._most_channels = max(DEFAULT_CHANNELS, least_channels)
        self._stall_s, self._inputs = stall_s, inputs
        self._parec: Parec | None = None
        self._given_up = threading.Event()
        self._name = "the default source" if name is None else f"{PREFIX}{name}"
        self._heard, self._heard_index, self._moved_to = "", -1, ""
        self._change = ""
        self._settled_at: float | None = None
        self._lost_frames = self._losses = self._position = 0

    @property
    def is_live(self) -> bool:
        return True

    def give_up_opening(self) -> None:
        self._given_up.set()

    def open(self) -> None:
        self._lost_frames = self._losses = self._position = 0
        self._settled_at = None
        source = self._choose()
        self._set_format(source)
        device = None if self._wanted is None else source.name
        self._parec = Parec(device, self.rate_hz, self._channel_map, self._remix)
        self._heard = self._heard or source.name
        try:
            self._connect(self._parec)
            self._note_heard(self._parec)
        except StreamError:
            self.close()
            raise
        self._loss_watch = LossWatch(self.rate_hz)
        self._arrival = ArrivalClock(self.rate_hz)
        self._received_at = time.monotonic()

    def _choose(self) -> PulseInput:
        """Return the source to open: the default, the named one, or the one to which the user moved the stream."""
        inputs = self._inputs()
        if self._wanted is None:
            return default_pulse_input(inputs)
        # The server itself moves a stream whose source goes away; one that comes back has another index.
        if (self._heard, self._heard_index) in [(source.name, source.index) for source in inputs]:
            for source in inputs:
                if source.name == self._moved_to:
                    return source
        named = find_pulse_input(self._wanted, inputs)
        self._wanted, self._moved_to = named.name, ""
        return named

    def _set_format(self, source: PulseInput) -> None:
        """Choose rate and channels, and refuse what the server would make of nothing."""
        own = source.channels
        self.rate_hz = self._asked_rate_hz or source.rate_hz
        self.channels = self._asked_channels or min(own, self._most_channels)
        if not 0 < self.channels <= own:
            raise DeviceError(f"{source} cannot do {self.channels} channels; expected 1 to {own}")
        if not LOWEST_RATE_HZ <= self.rate_hz <= HIGHEST_RATE_HZ:
            raise DeviceError(
                f"{source} cannot do {self.rate_hz} Hz; ask for its own rate, {source.rate_hz} Hz"
            )
        # One channel of several is their mean; otherwise the first ones are taken as they are.
        self._channel_map = ("mono",) if 1 == self.channels < own else source.channel_map[: self.channels]
        self._remix = self.channels in (1, own)

    def _connect(self, parec: Parec) -> None:
        """Wait until the server has connected the stream."""
        deadline = time.monotonic() + CONNECT_S
        while not parec.device:
            parec.look(OPEN_POLL_S)
            if parec.has_ended and not parec.device:
                raise StreamError(
                    f"{self._name} cannot be opened ({parec.error or 'parec ended'}); check that it is there "
                    "(streamer devices) and that the sound server runs"
                )
            if self._given_up.is_set():
                raise given_up(self._name)
            if time.monotonic() > deadline:
                raise StreamError(
                    f"{self._name} was not connected within {CONNECT_S:g} s; expected an answer at once: look at the "
                    "sound server (pactl info), and start it again"
                )

    def read(self, max_frames: int) -> Block | None:
        if self._parec is None:
            return None
        try:
            return self._read(max_frames, self._parec)
        except StreamError:
            self.close()
            raise

    def _read(self, max_frames: int, parec: Parec) -> Block | None:
        now, before = time.monotonic(), self._heard
        parec.look()
        self._note_heard(parec)
        if self._heard != before:
            self._begin_to_settle(now)
        arrived = self._position + parec.sound.waiting_items()
        missing = self._loss_watch.missing(arrived, now)
        self._losses += missing > 0
        self._jump(missing)
        self._arrival.note(arrived + missing, now)
        data = b"" if self._settles(now) else parec.sound.read(max_frames)
        if not data:
            self._check_alive(parec, now)
            return None
        self._received_at = now
        samples = np.frombuffer(data, "<f4").astype(np.float32).reshape(-1, self.channels)
        start, self._position = self._position, self._position + len(samples)
        change, self._change = self._change, ""
        return Block(start, samples, self._arrival.captured_at(self._position), change=change)

    def _note_heard(self, parec: Parec) -> None:
        """Take note of the source that is heard, and of a change of it.

        Raises
        ------
        StreamError
            If a named source is heard no longer, or the server has no device left.
        """
        before, now = self._heard, parec.device
        if now == DUMMY and self._wanted is None:
            raise StreamError(
                f"{PREFIX}{before} was unplugged, and the sound server has no other device; plug it in"
            )
        if now != before and self._wanted is not None and now != self._moved_to:
            self._moved_to = now
            raise StreamError(
                f"{PREFIX}{before} is heard no longer: it was unplugged, or the stream was moved to {PREFIX}{now}"
            )
        self._heard, self._heard_index = now, parec.device_index
        if now != before:
            self._change = (
                f"{PREFIX}{now} is heard from here on instead of {PREFIX}{before}: the default source changed, or "
                "the stream was moved"
            )

    def _begin_to_settle(self, now: float) -> None:
        """Let the sound of another source wait: the server loses some while it moves a stream, and does not say so."""
        if self._settled_at is None:
            self._zero_before = self._arrival.captured_at(0)
        self._arrival = ArrivalClock(self.rate_hz)
        self._settled_at = now + SETTLE_S

    def _settles(self, now: float) -> bool:
        """Return whether sound still waits after a move; once it need not, let the index jump over what was lost."""
        if self._settled_at is None:
            return False
        if now < self._settled_at - LOOK_S:
            self._arrival = ArrivalClock(self.rate_hz)  # what comes first was captured before the move
        if now < self._settled_at:
            return True
        late = round((self._arrival.captured_at(0) - self._zero_before) * self.rate_hz)
        self._settled_at = None
        if late > TOLERANCE_S * self.rate_hz:
            self._jump(late)
            self._arrival = ArrivalClock(self.rate_hz)
            self._arrival.note(self._position + self.backlog_frames(), now)
        return False

    def _jump(self, frames: int) -> None:
        """Let the index jump over lost frames."""
        self._position += frames
        self._lost_frames += frames

    def _check_alive(self, parec: Parec, now: float) -> None:
        if parec.has_ended:
            raise StreamError(
                f"{self._name} stopped: the sound server ended ({parec.error or 'parec ended'}); start it again"
            )
        if now - self._received_at > self._stall_s:
            raise StreamError(
                f"{self._name} delivered nothing for {now - self._received_at:.1f} s; check that it is not suspended, "
                "and that the sound server answers (pactl info)"
            )

    def wait_s(self, turn_s: float) -> float:
        if self._settled_at is not None:
            return LATE_POLL_S
        return max(LATE_POLL_S, self._received_at + turn_s - time.monotonic())

    def backlog_frames(self) -> int:
        return 0 if self._parec is None else self._parec.sound.waiting_items()

    def skip(self, frames: int) -> int:
        """Drop the oldest waiting frames: what is read is not returned."""
        if self._parec is None:
            return 0
        skipped = len(self._parec.sound.read(frames)) // (SAMPLE_BYTES * self.channels)
        self._position += skipped
        return skipped

    @property
    def ended(self) -> bool:
        """Whether the source was closed or has failed; it does not end by itself."""
        return self._parec is None

    @property
    def counts(self) -> SourceCounts:
        return SourceCounts(overruns=self._losses, lost_frames=self._lost_frames)

    def close(self) -> None:
        parec, self._parec = self._parec, None
        if parec is not None:
            parec.close()
