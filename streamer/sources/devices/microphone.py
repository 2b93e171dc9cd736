"""Capture sound from an input device by PortAudio."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from streamer.audio.capture import AudioSystem, CaptureStream, PortAudio
from streamer.audio.devices import DEFAULT_CHANNELS, AudioDevice, find_input
from streamer.errors import DeviceError, StreamError
from streamer.sources.source import HIGHEST_RATE_HZ, LOCAL_WAIT_S, Block, Source, SourceCounts
from streamer.sources.timing.loss_watch import LossWatch

if TYPE_CHECKING:
    from streamer.audio.ring import RingBuffer

LATE_POLL_S = 0.005
"""Interval between two looks at a device whose next block is overdue; blocks are of about 10 ms."""


class MicrophoneSource(Source):
    """An input device that writes into a ring, so that neither the device nor the reader ever waits.

    PortAudio lists devices once. So from its second opening on a microphone has them listed anew, which is possible
    only while no other device of this process is open (`streamer.audio.portaudio.list_anew`).

    Parameters
    ----------
    spec : str
        "mic" for the default device, an index, or a name or part of a name.
    rate_hz : int or None
        Sample rate; None for the device's own.
    channels : int or None
        Number of channels; None for all that the device has, at most `DEFAULT_CHANNELS` or `least_channels`.
    least_channels : int
        Number of channels that are wanted at least, if `channels` is None and the device has as many.
    block_ms : float
        Length of the blocks in which PortAudio delivers sound.
    ring_s : float
        Length of the sound that is held for a late reader; beyond it the oldest is lost and counted.
    stall_s : float
        Longest time without sound before the device counts as failed.
    audio : AudioSystem or None
        Interface to the devices; None for PortAudio.
    """

    timed_by = "capture"
    longest_wait_s = LOCAL_WAIT_S

    def __init__(
        self,
        spec: str = "mic",
        *,
        rate_hz: int | None = None,
        channels: int | None = None,
        least_channels: int = 0,
        block_ms: float = 10.0,
        ring_s: float = 10.0,
        stall_s: float = 5.0,
        audio: AudioSystem | None = None,
    ) -> None:
        self._spec = spec
        self._asked_rate_hz, self._asked_channels = rate_hz, channels
        self._most_channels = max(DEFAULT_CHANNELS, least_channels)
        self._block_ms, self._ring_s, self._stall_s = block_ms, ring_s, stall_s
        self._audio: AudioSystem = audio or PortAudio()
        self._ring: RingBuffer | None = None
        self._stream: CaptureStream | None = None
        self._device_name = spec
        self._received_at = 0.0
        self._unreported_losses, self._unreported_frames = 0, 0
        self._was_tried = False

    @property
    def is_live(self) -> bool:
        return True

    @property
    def opens_slowly(self) -> bool:
        return True  # a sound server that hangs lets PortAudio wait

    def open(self) -> None:
        self._ring = None
        self._unreported_losses, self._unreported_frames = 0, 0
        if self._was_tried:  # it was unplugged, or was not there: it may be a new device by now
            self._audio.list_anew()
        self._was_tried = True
        device = find_input(self._spec, self._audio.inputs())
        self.rate_hz = self._asked_rate_hz or device.default_rate_hz
        self.channels = self._asked_channels or min(device.max_channels, self._most_channels)
        self._device_name = str(device)
        self._check(device)
        # Here, since it loads numba, which the microphone of a sound server does without.
        from streamer.audio.ring import RingBuffer
        from streamer.audio.ring_kernels import capture_callback

        ring = RingBuffer(max(1, round(self._ring_s * self.rate_hz)), self.channels, self.rate_hz)
        # Compile now: a compilation while the device runs would make the reader late.
        ring.compile()
        capture_callback()
        block_frames = max(1, round(self._block_ms * self.rate_hz / 1_000))
        self._loss_watch = LossWatch(self.rate_hz)
        self._stream = self._audio.open(device, block_frames, ring)
        self._ring = ring
        self._received_at = time.monotonic()

    def _check(self, device: AudioDevice) -> None:
        """Refuse formats for which PortAudio has no clear error, or none at all."""
        if not 0 < self.channels <= device.max_channels:
            raise DeviceError(
                f"{self._device_name} cannot do {self.channels} channels; expected 1 to {device.max_channels}"
            )
        if not 1 <= self.rate_hz <= HIGHEST_RATE_HZ:  # a ring for such a rate would fill the memory
            raise DeviceError(
                f"{self._device_name} cannot do {self.rate_hz} Hz; ask for its own rate, "
                f"{device.default_rate_hz} Hz"
            )

    def read(self, max_frames: int) -> Block | None:
        if self._ring is None or self._stream is None:
            return None
        try:
            return self._read(max_frames, self._ring, self._stream)
        except StreamError:
            self.close()
            raise

    def _read(self, max_frames: int, ring: RingBuffer, stream: CaptureStream) -> Block | None:
        now = time.monotonic()
        was_active = (
            stream.active
        )  # asked before reading, so that what was written before the stop is still read
        self._count_unreported_losses(ring, now)
        taken = ring.read(max_frames)
        if taken is None:
            self._check_alive(was_active, now)
            return None
        self._received_at = now
        start, samples = taken
        captured_at = ring.time_of(start + len(samples))
        if captured_at is not None:
            # On Linux, PortAudio's clock is the system's wall clock, which may be set at any time. So the offset
            # between the two clocks is measured at each read.
            captured_at += time.monotonic() - stream.time_s
        return Block(start + self._unreported_frames, samples, captured_at)

    def _count_unreported_losses(self, ring: RingBuffer, now: float) -> None:
        """Let the index jump by the frames that the sound server dropped without reporting it."""
        missing = self._loss_watch.missing(ring.written_frames + self._unreported_frames, now)
        self._unreported_losses += missing > 0
        self._unreported_frames += missing

    def _check_alive(self, was_active: bool, now: float) -> None:
        if not was_active:
            raise StreamError(
                f"{self._device_name} stopped: it was unplugged or the sound system ended; "
                "plug it in and start again"
            )
        if now - self._received_at > self._stall_s:
            raise StreamError(
                f"{self._device_name} delivered nothing for {now - self._received_at:.1f} s; "
                "check the sound system and start again"
            )

    def wait_s(self, turn_s: float) -> float:
        # Overdue blocks are polled for: a sound server may deliver several at once, and late.
        return max(LATE_POLL_S, self._received_at + turn_s - time.monotonic())

    def backlog_frames(self) -> int:
        return 0 if self._ring is None or self.ended else self._ring.backlog_frames

    def skip(self, frames: int) -> int:
        return 0 if self._ring is None or self.ended else self._ring.skip(frames)

    @property
    def ended(self) -> bool:
        """Whether the source was closed or has failed; a microphone does not end by itself."""
        return self._stream is None

    @property
    def counts(self) -> SourceCounts:
        if self._ring is None:
            return SourceCounts()
        return SourceCounts(
            overruns=self._ring.overruns + self._unreported_losses,
            lost_frames=self._ring.lost_frames + self._unreported_frames,
        )

    def close(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()
