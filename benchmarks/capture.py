"""Measure what is lost between a device and the ring while the interpreter is busy, for three kinds of callback.

    eval "$(scripts/virtual_microphone.sh start)"
    python -m benchmarks.capture --out runs/capture.json

A counter is played, one number a frame, into the sink whose monitor is the microphone, and captured at the
same rate and in the same sample format, so every lost frame is a missing number. Meanwhile a thread of the
same process does what a careless engine would do: it works in pure Python, calls `gc.collect()` over a large
graph of objects, and reads the ring in between. One more process for each core only burns time.

A sound server holds seconds of sound for a late client, so here even a callback that is called a second late
loses nothing. A device without a server holds only the latency that PortAudio asked for. What it would have
lost is reported as the time by which the gaps between calls exceeded this latency.

The callbacks: `python` (sounddevice's, in Python), `rtmixer` (python-rtmixer's Recorder, in C, with
PortAudio's ring), `compiled` (ours).
"""

from __future__ import annotations

import gc
import os
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from benchmarks import report
from benchmarks.capture_peers import BLOCK_FRAMES, CAPTURES, CHANNEL_COUNT, RATE_HZ, Capture, logging_callback

COUNTER_SCALE = 2.0**22
"""Divisor of the counter; smaller counters divided by it are exact in float32."""
MARK = np.float32(0.5)
"""Value of the second channel in frames that carry a number, which tells them from silence."""
GRAPH_OBJECTS = 300_000


@dataclass(frozen=True)
class Result:
    """Result of one run.

    Attributes
    ----------
    heard_frames, lost_frames : int
        Count of numbers that were captured, and of those missing between the first and the last one.
    overruns : int
        Number of input overflows that PortAudio reported.
    silent_frames : int
        Silent frames between numbers, when the player or the sound server was late rather than the capture.
    max_gap_ms : float or None
        Longest time between two calls of the callback; unknown for rtmixer.
    beyond_buffer_ms : float or None
        Sum of the times by which gaps exceeded the stream's latency.
    """

    heard_frames: int
    lost_frames: int
    overruns: int
    silent_frames: int
    max_gap_ms: float | None
    beyond_buffer_ms: float | None


def judge(sound: np.ndarray, overruns: int, gaps_ms: np.ndarray | None, buffer_ms: float) -> Result:
    """Count what is missing in captured counters.

    Parameters
    ----------
    sound : float32 array, shape (frames, 2)
        The captured sound.
    overruns : int
        Number of input overflows.
    gaps_ms : float array or None
        Times between calls of the callback.
    buffer_ms : float
        Length of the sound that the device holds.

    Returns
    -------
    Result
    """
    at = np.flatnonzero(sound[:, 1] == MARK)
    if len(at) < 2:
        raise SystemExit(
            "capture.py found no counter; is the virtual microphone running and its volume 100 %?"
        )
    numbers = np.rint(sound[at, 0].astype(np.float64) * COUNTER_SCALE).astype(np.int64)
    steps = np.diff(numbers)
    if (steps < 1).any():
        raise SystemExit("capture.py found that the counter went backwards; play nothing else into the sink")
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


def object_graph() -> list[Any]:
    """Make many small objects in cycles, which make a garbage collection long."""
    graph: list[Any] = []
    for number in range(GRAPH_OBJECTS):
        node = {"number": number, "last": graph[-1] if graph else None}
        node["self"] = node
        graph.append(node)
    return graph


def engine(capture: Capture, loaded: bool, stop: threading.Event, blocks: list[np.ndarray]) -> None:
    """Read until `stop` is set; if `loaded`, work and collect garbage between two reads."""
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
    """Capture the counter for some seconds, and count what is missing."""
    capacity_frames = int((seconds + 10) * RATE_HZ)
    capture: Capture = CAPTURES[kind](latency, capacity_frames)
    stop, blocks = threading.Event(), []
    worker = threading.Thread(target=engine, args=(capture, loaded, stop, blocks))
    with ExitStack() as stack:
        stack.enter_context(playing_counter(seconds + 30))
        if loaded:
            stack.enter_context(report.busy_processes(os.cpu_count() or 1))
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
    """Return medians and worst cases of runs."""
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
    """Return one case as a line of the table."""
    times = [case["max_gap_ms_median"], case["beyond_buffer_ms_median"]]
    shown = "  ".join(f"{'-' if ms is None else f'{ms:.1f}':>14}" for ms in times)
    return (
        f"{'busy' if case['loaded'] else 'idle'}  {case['latency']:7}  {case['callback']:10}  "
        f"{case['lost_frames_median']:6.0f} {case['lost_frames_max']:6d}  {case['overruns_median']:8.0f}  {shown}"
    )


def measure(loaded: bool, latency: str, seconds: float, runs: int) -> list[dict[str, Any]]:
    """Measure all callbacks in one situation, in turn, so that a slow moment of the machine meets all."""
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
    logging_callback()  # compile before anything is measured
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
