"""What gets lost between a device and the ring while the interpreter is busy, for three kinds of callback.

    eval "$(scripts/virtual_microphone.sh start)"
    python -m benchmarks.capture --out runs/capture.json

A counter is played, one number a frame, into the sink whose monitor is the microphone, and captured at the
same rate and in the same sample format, so every lost frame is a missing number. Meanwhile a thread of the
same process does what a careless engine would: pure Python work and `gc.collect()` over a large graph of
objects, and reads the ring in between; and one process per core does nothing but burn time.

A sound server holds seconds for a client that is late, so here even a callback that is called a second late
loses nothing. A device without a server holds only the latency that PortAudio asked it for; what it would have
lost is reported as the time by which gaps between calls exceeded that.

The callbacks: `python` (sounddevice's, in Python), `rtmixer` (python-rtmixer's Recorder, in C, with
PortAudio's ring), `compiled` (ours).
"""

from __future__ import annotations

import gc
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, Protocol

import numpy as np
from cffi import FFI
from numba import carray, cfunc, from_dtype, types

from benchmarks import report
from streamer.devices import portaudio
from streamer.ring import RingBuffer
from streamer.ring_kernels import (
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
COUNTER_SCALE = 2.0**22
"""A counter below it, over it, is exact in float32."""
MARK = np.float32(0.5)
"""On the second channel: this frame carries a number, and is not silence."""
GRAPH_OBJECTS = 300_000
LOG_CALLS = 20_000


@dataclass(frozen=True)
class Result:
    """One run.

    Attributes
    ----------
    heard_frames, lost_frames : int
        Numbers that came, and numbers that are missing between the first and the last one.
    overruns : int
        Input overflows that PortAudio reported.
    silent_frames : int
        Silence between numbers: the player or the sound server was late, not the capture.
    max_gap_ms : float or None
        Longest time between two calls of the callback; rtmixer does not say.
    beyond_buffer_ms : float or None
        Time by which gaps exceeded the stream's latency, summed.
    """

    heard_frames: int
    lost_frames: int
    overruns: int
    silent_frames: int
    max_gap_ms: float | None
    beyond_buffer_ms: float | None


class Capture(Protocol):
    """A way to capture: a stream, and what it brought."""

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
    """Our compiled callback; here it also notes, behind the ring's memory, when it was called."""

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
    """python-rtmixer's Recorder, with PortAudio's own ring."""

    def __init__(self, latency: str, capacity_frames: int) -> None:
        import rtmixer

        size = 1 << capacity_frames.bit_length()  # it wants a power of two
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
    """`streamer.ring_kernels.capture_callback` with the log."""
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


def judge(sound: np.ndarray, overruns: int, gaps_ms: np.ndarray | None, buffer_ms: float) -> Result:
    """Count what is missing in captured counters.

    Parameters
    ----------
    sound : float32 array, shape (frames, 2)
        What was captured.
    overruns : int
    gaps_ms : float array or None
        Between calls of the callback.
    buffer_ms : float
        What the device holds.

    Returns
    -------
    Result
    """
    at = np.flatnonzero(sound[:, 1] == MARK)
    if len(at) < 2:
        raise SystemExit(
            "capture.py heard no counter; is the virtual microphone running and its volume 100 %?"
        )
    numbers = np.rint(sound[at, 0].astype(np.float64) * COUNTER_SCALE).astype(np.int64)
    steps = np.diff(numbers)
    if (steps < 1).any():
        raise SystemExit("capture.py heard the counter go backwards; play nothing else into the sink")
    return Result(
        heard_frames=len(at),
        lost_frames=int((steps - 1).sum()),
        overruns=overruns,
        silent_frames=int(at[-1] - at[0] + 1 - len(at)),
        max_gap_ms=None if gaps_ms is None else float(gaps_ms.max()),
        beyond_buffer_ms=None if gaps_ms is None else float((gaps_ms - buffer_ms).clip(min=0).sum()),
    )


@contextmanager
def playing_counter(seconds: float) -> Iterator[None]:
    """Play the counter into the sink."""
    frames = int(seconds * RATE_HZ)
    sound = np.empty((frames, CHANNEL_COUNT), "<f4")
    sound[:, 0] = np.arange(1, frames + 1) / COUNTER_SCALE
    sound[:, 1] = MARK
    with tempfile.NamedTemporaryFile(suffix=".raw") as file:
        sound.tofile(file)
        file.flush()
        command = ["pacat", "--playback", "--raw", "--format=float32le", f"--rate={RATE_HZ}"]
        command += [f"--channels={CHANNEL_COUNT}", "--latency-msec=1000", file.name]
        player = subprocess.Popen(command)
        try:
            yield
        finally:
            player.kill()
            player.wait()


@contextmanager
def hogs(count: int) -> Iterator[None]:
    """Processes that burn a core each."""
    running = [subprocess.Popen([sys.executable, "-S", "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


def object_graph() -> list[Any]:
    """Many small objects in cycles: what makes a collection long."""
    graph: list[Any] = []
    for number in range(GRAPH_OBJECTS):
        node = {"number": number, "last": graph[-1] if graph else None}
        node["self"] = node
        graph.append(node)
    return graph


def engine(capture: Capture, loaded: bool, stop: threading.Event, blocks: list[np.ndarray]) -> None:
    """Read until told to stop; when loaded, work and collect garbage between two reads."""
    graph = object_graph() if loaded else []
    while not stop.is_set():
        blocks.append(capture.read())
        if loaded:
            sum(node["number"] % 7 for node in graph)
            gc.collect()
        else:
            stop.wait(0.01)
    graph.clear()


def run(kind: str, latency: str, loaded: bool, seconds: float) -> Result:
    """Capture the counter for some seconds, and say what is missing."""
    capacity_frames = int((seconds + 10) * RATE_HZ)
    capture: Capture = CAPTURES[kind](latency, capacity_frames)
    stop, blocks = threading.Event(), []
    worker = threading.Thread(target=engine, args=(capture, loaded, stop, blocks))
    with ExitStack() as stack:
        stack.enter_context(playing_counter(seconds + 30))
        if loaded:
            stack.enter_context(hogs(os.cpu_count() or 1))
        worker.start()
        capture.stream.start()
        time.sleep(seconds)
        capture.stream.stop()
        stop.set()
        worker.join()
    blocks.append(capture.read())
    buffer_ms = capture.stream.latency * 1_000
    result = judge(np.concatenate(blocks), capture.overruns(), capture.gaps_ms(), buffer_ms)
    capture.stream.close()
    return result


def summary(results: list[Result]) -> dict[str, Any]:
    """Medians and worst cases of runs."""
    gaps = [r.max_gap_ms for r in results if r.max_gap_ms is not None]
    beyond = [r.beyond_buffer_ms for r in results if r.beyond_buffer_ms is not None]
    return {
        "runs": [asdict(r) for r in results],
        "lost_frames_median": statistics.median(r.lost_frames for r in results),
        "lost_frames_max": max(r.lost_frames for r in results),
        "lost_percent": 100
        * sum(r.lost_frames for r in results)
        / sum(r.heard_frames + r.lost_frames for r in results),
        "overruns_median": statistics.median(r.overruns for r in results),
        "max_gap_ms_median": statistics.median(gaps) if gaps else None,
        "max_gap_ms_max": max(gaps, default=None),
        "beyond_buffer_ms_median": statistics.median(beyond) if beyond else None,
    }


def line(case: dict[str, Any]) -> str:
    """One case as a line of the table."""
    times = [case["max_gap_ms_median"], case["beyond_buffer_ms_median"]]
    shown = "  ".join(f"{'-' if ms is None else f'{ms:.1f}':>14}" for ms in times)
    return (
        f"{'busy' if case['loaded'] else 'idle'}  {case['latency']:7}  {case['callback']:10}  "
        f"{case['lost_frames_median']:6.0f} {case['lost_frames_max']:6d}  {case['overruns_median']:8.0f}  {shown}"
    )


def measure(loaded: bool, latency: str, seconds: float, runs: int) -> list[dict[str, Any]]:
    """All callbacks in one situation, turn by turn: the machine's mood is shared by all."""
    results: dict[str, list[Result]] = {kind: [] for kind in CAPTURES}
    for _ in range(runs):
        for kind, found in results.items():
            found.append(run(kind, latency, loaded, seconds))
    return [
        {"loaded": loaded, "latency": latency, "callback": kind, **summary(found)}
        for kind, found in results.items()
    ]


def main() -> None:
    """Measure and report."""
    given = report.arguments(__doc__ or "")
    if "STREAMER_VIRTUAL_MICROPHONE" not in os.environ:
        raise SystemExit('no virtual microphone; type: eval "$(scripts/virtual_microphone.sh start)"')
    seconds, runs = (1.5, 1) if given.smoke else (8.0, 3)
    logging_callback()  # compiled before anything is measured
    cases = []
    print("load  latency  callback    lost: median, max  overruns  longest gap ms  beyond buffer ms")
    for loaded in (False, True):
        for latency in ("low", "high"):
            for case in measure(loaded, latency, seconds, runs):
                cases.append(case)
                print(line(case), flush=True)
    settings = {"rate_hz": RATE_HZ, "block_frames": BLOCK_FRAMES, "seconds": seconds, "runs": runs}
    machine = report.machine(["numba", "rtmixer", "sounddevice"])
    result = {"benchmark": "capture", **settings, "graph_objects": GRAPH_OBJECTS, "machine": machine}
    report.write({**result, "cases": cases}, given.out)


if __name__ == "__main__":
    main()
