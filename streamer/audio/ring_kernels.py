"""Write and read a ring buffer in compiled code, and compile the callback that PortAudio calls.

A ring is one int64 array, its *memory*: a header, a table of holes, and the samples (float32, frame by frame).
So a C callback needs only one address. The writer never waits; it overwrites the oldest frames. It announces
how far it is going to write (`RESERVED`) and then how far it has written (`WRITTEN`), each behind a memory
fence. So a reader that has copied frames can tell which of them were overwritten meanwhile: this is a seqlock
(Boehm, "Can seqlocks get along with programming language memory models?", 2012).

All kernels are in this one file because numba's cache on disk checks only the file of the function that it
compiles: a callback in another file would go on using an old memory layout.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba import carray, cfunc, from_dtype, njit, types
from numba.extending import intrinsic

from streamer.arrays import Array

CAPACITY, CHANNELS, RATE_HZ, RESERVED, WRITTEN, OVERRUNS, HOLES, NEWEST_TIME = range(8)
"""Words of the header. `NEWEST_TIME` is a float64: the capture time of the last written frame."""

HOLE_TABLE = 8
"""First word of the table of holes: pairs (start, stop) of frames that the device lost."""
HOLE_RECORDS = 64
HEADER_WORDS = HOLE_TABLE + 2 * HOLE_RECORDS

INPUT_OVERFLOW = 2
"""`paInputOverflow` of portaudio.h: input was discarded just before the first frame of this buffer."""
PA_CONTINUE = 0
OLDEST_ADC_S = 10.0
"""Oldest credible capture time: a driver that says that a buffer took longer to arrive is not believed."""


@intrinsic
def _fence_release(_typing: Any) -> Any:
    """Emit a release fence: no later store becomes visible before earlier loads and stores."""
    return types.none(), _emit_fence("release")


@intrinsic
def _fence_acquire(_typing: Any) -> Any:
    """Emit an acquire fence: no later load is done before earlier loads."""
    return types.none(), _emit_fence("acquire")


def _emit_fence(ordering: str) -> Any:
    def emit(context: Any, builder: Any, _signature: Any, _arguments: Any) -> Any:
        builder.fence(ordering)
        return context.get_dummy_value()

    return emit


@njit(nogil=True, cache=True)
def write_frames(memory: Array, block: Array, captured_at: float, lost_frames: int) -> None:
    """Append frames to the ring; overwrite its oldest ones if it is full. Only one thread may write.

    Parameters
    ----------
    memory : int64 array
        Memory of the ring.
    block : float32 array, shape (frames, channels)
        The frames; of more than the ring's capacity only the last ones are kept.
    captured_at : float
        Time at which the last frame was captured, in seconds on the writer's clock; NaN if unknown.
    lost_frames : int
        Number of frames that the device lost just before these; the index jumps by it.
    """
    capacity, channels = memory[CAPACITY], memory[CHANNELS]
    frames = block.shape[0]
    hole = memory[WRITTEN]
    start = hole + lost_frames
    memory[RESERVED] = start + frames
    _fence_release()
    if lost_frames > 0:
        record = HOLE_TABLE + 2 * (memory[HOLES] % HOLE_RECORDS)
        memory[record] = hole
        memory[record + 1] = start
        _fence_release()
        memory[HOLES] += 1
    memory[NEWEST_TIME : NEWEST_TIME + 1].view(np.float64)[0] = captured_at
    samples = memory[HEADER_WORDS:].view(np.float32)
    first = max(0, frames - capacity)
    at = (start + first) % capacity
    for i in range(first, frames):
        for c in range(channels):
            samples[at * channels + c] = block[i, c]
        at += 1
        if at == capacity:
            at = 0
    _fence_release()
    memory[WRITTEN] = start + frames


@njit(nogil=True, cache=True)
def read_frames(memory: Array, position: int, out: Array) -> tuple[int, int, int, int, float]:
    """Copy into `out` the oldest frames from `position` on, up to the next hole.

    Only one thread may read. It never waits: frames that are overwritten during the copy are left out, which
    may leave none.

    Parameters
    ----------
    memory : int64 array
        Memory of the ring.
    position : int
        Absolute index of the next frame to read.
    out : float32 array, shape (max_frames, channels)
        Filled with the frames.

    Returns
    -------
    start : int
        Absolute index of the first frame; above `position` if frames were lost.
    offset, frames : int
        The frames are ``out[offset : offset + frames]``.
    newest : int
        Absolute index of the frame after the last written one.
    newest_time : float
        Capture time of the last written frame; NaN if unknown, or if the writer was writing.
    """
    capacity, channels = memory[CAPACITY], memory[CHANNELS]
    written, holes = memory[WRITTEN], memory[HOLES]
    _fence_acquire()
    newest_time = memory[NEWEST_TIME : NEWEST_TIME + 1].view(np.float64)[0]
    first, stop = _whole_run(memory, max(position, written - capacity), written, holes)
    stop = min(stop, first + out.shape[0])
    samples = memory[HEADER_WORDS:].view(np.float32)
    at = first % capacity
    for i in range(stop - first):
        for c in range(channels):
            out[i, c] = samples[at * channels + c]
        at += 1
        if at == capacity:
            at = 0
    _fence_acquire()
    reserved = memory[RESERVED]
    if memory[HOLES] != holes:  # the table changed during the copy
        return position, 0, 0, written, np.nan
    intact = min(max(first, reserved - capacity), stop)
    if reserved != written:
        newest_time = np.nan
    return intact, intact - first, stop - intact, written, newest_time


@njit(nogil=True, cache=True)
def _whole_run(memory: Array, first: int, written: int, holes: int) -> tuple[int, int]:
    """Return the first run of frames without a hole between `first` and `written`, as (start, stop)."""
    # The oldest record of a full table is skipped: the writer may be overwriting it.
    oldest_record = max(0, holes - HOLE_RECORDS + 1)
    stop = written
    for record in range(oldest_record, holes):
        entry = HOLE_TABLE + 2 * (record % HOLE_RECORDS)
        hole_start, hole_stop = memory[entry], memory[entry + 1]
        # Holes before the oldest record are forgotten, so any frame before it may be a hole.
        if hole_start <= first < hole_stop or (record == oldest_record > 0 and first < hole_start):
            first = hole_stop
        elif first < hole_start:
            stop = min(stop, hole_start)
    return min(first, written), max(min(first, written), stop)


@njit(nogil=True, cache=True)
def note_and_write(
    memory: Array, block: Array, adc_time: float, current_time: float, overflowed: bool
) -> None:
    """Write one buffer of the capture callback into the ring, with its time and losses.

    Parameters
    ----------
    memory : int64 array
        Memory of the ring.
    block : float32 array, shape (frames, channels)
        The captured frames.
    adc_time : float
        Capture time of the first frame according to the driver, in seconds on the stream's clock.
    current_time : float
        Time at which the callback was called, on the same clock.
    overflowed : bool
        Whether PortAudio reports that sound was lost before this block.
    """
    rate_hz = float(memory[RATE_HZ])
    duration_s = block.shape[0] / rate_hz
    # Some drivers give no ADC time (0), one of another clock, or one that puts the last frame into the future
    # (ALSA's PulseAudio plug-in, by up to a period). No frame is captured after it has arrived.
    captured_at = adc_time + duration_s
    believed = adc_time > 0 and current_time - OLDEST_ADC_S <= captured_at <= current_time
    if not believed:
        captured_at = current_time
    lost_frames = 0
    if overflowed:
        memory[OVERRUNS] += 1
        # PortAudio does not report how much was lost; the clock shows it, to within its jitter.
        last_time = memory[NEWEST_TIME : NEWEST_TIME + 1].view(np.float64)[0]
        elapsed_s = captured_at - duration_s - last_time
        if memory[WRITTEN] > 0:
            lost_frames = max(1, int(elapsed_s * rate_hz)) if elapsed_s > 0 else 1
    write_frames(memory, block, captured_at, lost_frames)


def _capture(
    samples: Any, _output: Any, frames: int, times: Any, flags: int, ring: Any
) -> int:  # pragma: no cover - compiled
    """Copy a buffer into the ring, with its flags and time (a `PaStreamCallback`)."""
    header = carray(ring, (HEADER_WORDS,))
    channels = header[CHANNELS]
    sample_words = (header[CAPACITY] * channels + 1) // 2
    memory = carray(ring, (HEADER_WORDS + sample_words,))
    block = carray(samples, (np.int64(frames), channels))
    # PaStreamCallbackTimeInfo: inputBufferAdcTime, currentTime, outputBufferDacTime.
    clock = carray(times, (3,))
    note_and_write(memory, block, clock[0], clock[1], (flags & INPUT_OVERFLOW) != 0)
    return PA_CONTINUE


@cache
def capture_callback() -> Any:
    """Return the PortAudio callback, compiled or loaded from the cache on disk.

    Its `address` is a C function that runs without the GIL, so neither Python code nor garbage collection
    delays it. Its user data is the address of a ring's memory.

    Returns
    -------
    numba.core.ccallback.CFunc
        Keep a reference for as long as PortAudio may call it.
    """
    unsigned_long = from_dtype(np.dtype("L"))
    signature = types.intc(
        types.CPointer(types.float32),
        types.voidptr,
        unsigned_long,
        types.CPointer(types.float64),
        unsigned_long,
        types.CPointer(types.int64),
    )
    return cfunc(signature, nopython=True, cache=True)(_capture)
