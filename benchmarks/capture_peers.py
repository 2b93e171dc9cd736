"""Capture sound by three kinds of callback, for `benchmarks.capture` to compare."""

from __future__ import annotations

import time
from functools import cache
from typing import Any, Protocol

import numpy as np
from cffi import FFI
from numba import carray, cfunc, from_dtype, types

from streamer.audio.devices import portaudio
from streamer.audio.ring import RingBuffer
from streamer.audio.ring_kernels import (
    CAPACITY,
    CHANNELS,
    HEADER_WORDS,
    INPUT_OVERFLOW,
    PA_CONTINUE,
    note_and_write,
)

RATE_HZ = 48_000
CHANNEL_COUNT = 2
BLOCK_FRAMES = 480
FORMAT = {"samplerate": RATE_HZ, "blocksize": BLOCK_FRAMES, "channels": CHANNEL_COUNT, "dtype": "float32"}
LOG_CALLS = 20_000
"""Number of calls of the compiled callback whose times are kept."""


class Capture(Protocol):
    """A way to capture sound, with what it captured."""

    stream: Any

    def read(self) -> np.ndarray: ...

    def overruns(self) -> int: ...

    def gaps_ms(self) -> np.ndarray | None: ...


class PythonCapture:
    """`sounddevice.InputStream`, with a callback in Python that writes into our ring."""

    def __init__(self, latency: str, capacity_frames: int) -> None:
        self._ring = RingBuffer(capacity_frames, CHANNEL_COUNT, RATE_HZ)
        self._ring.compile()
        self._called_at: list[float] = []
        self._overruns = 0
        self.stream = portaudio().InputStream(**FORMAT, latency=latency, callback=self._call)

    def _call(self, block: np.ndarray, _frames: int, _times: Any, status: Any) -> None:
        self._called_at.append(time.monotonic())
        self._overruns += bool(status.input_overflow)
        self._ring.write(block)

    def read(self) -> np.ndarray:
        return read_ring(self._ring)

    def overruns(self) -> int:
        return self._overruns

    def gaps_ms(self) -> np.ndarray:
        return np.diff(self._called_at) * 1_000


class CompiledCapture:
    """Our compiled callback, extended to note the times of its calls behind the ring's memory."""

    def __init__(self, latency: str, capacity_frames: int) -> None:
        self._ring = RingBuffer(capacity_frames, CHANNEL_COUNT, RATE_HZ)
        self._ring.compile()
        self._ring._memory = np.concatenate([self._ring._memory, np.zeros(1 + LOG_CALLS, np.int64)])
        self._callback = logging_callback()
        ffi = FFI()
        self.stream = portaudio()._StreamBase(
            kind="input",
            **FORMAT,
            latency=latency,
            callback=ffi.cast("void *", self._callback.address),
            userdata=ffi.cast("void *", self._ring.address),
        )

    def read(self) -> np.ndarray:
        return read_ring(self._ring)

    def overruns(self) -> int:
        return self._ring.overruns

    def gaps_ms(self) -> np.ndarray:
        log = self._ring._memory[-1 - LOG_CALLS :]
        return np.diff(log[1 : 1 + log[0]].view(np.float64)) * 1_000


class RtmixerCapture:
    """The Recorder of python-rtmixer, with PortAudio's own ring."""

    def __init__(self, latency: str, capacity_frames: int) -> None:
        import rtmixer

        size = 1 << capacity_frames.bit_length()  # it requires a power of two
        self._frame_bytes = 4 * CHANNEL_COUNT
        self._ring = rtmixer.RingBuffer(self._frame_bytes, size)
        self.stream = rtmixer.Recorder(**{k: v for k, v in FORMAT.items() if k != "dtype"}, latency=latency)
        self._action = self.stream.record_ringbuffer(self._ring)

    def read(self) -> np.ndarray:
        taken = np.frombuffer(self._ring.read(RATE_HZ), np.float32)
        return taken.reshape(-1, CHANNEL_COUNT).copy()

    def overruns(self) -> int:
        return int(self.stream.stats.input_overflows)

    def gaps_ms(self) -> None:
        return None


CAPTURES = {"python": PythonCapture, "rtmixer": RtmixerCapture, "compiled": CompiledCapture}


def _log_and_capture(samples: Any, _output: Any, frames: int, times: Any, flags: int, ring: Any) -> int:
    header = carray(ring, (HEADER_WORDS,))
    channels = header[CHANNELS]
    ring_words = HEADER_WORDS + (header[CAPACITY] * channels + 1) // 2
    memory = carray(ring, (ring_words + 1 + LOG_CALLS,))
    clock = carray(times, (3,))
    call = memory[ring_words]
    if call < LOG_CALLS:
        memory[ring_words + 1 + call : ring_words + 2 + call].view(np.float64)[0] = clock[1]
        memory[ring_words] = call + 1
    block = carray(samples, (np.int64(frames), channels))
    note_and_write(memory, block, clock[0], clock[1], (flags & INPUT_OVERFLOW) != 0)
    return PA_CONTINUE


@cache
def logging_callback() -> Any:
    """Compile `streamer.audio.ring_kernels.capture_callback` with the log of its calls."""
    pointer, unsigned_long = types.CPointer, from_dtype(np.dtype("L"))
    signature = types.intc(
        pointer(types.float32),
        types.voidptr,
        unsigned_long,
        pointer(types.float64),
        unsigned_long,
        pointer(types.int64),
    )
    return cfunc(signature, nopython=True)(_log_and_capture)


def read_ring(ring: RingBuffer) -> np.ndarray:
    taken = ring.read(ring.capacity_frames)
    return np.zeros((0, CHANNEL_COUNT), np.float32) if taken is None else taken[1]
