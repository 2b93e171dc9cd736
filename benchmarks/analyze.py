"""Measure how fast `streamer analyze` processes a file, as a command in a process of its own.

    python -m benchmarks.analyze [--seconds S] [--out FILE] [--smoke]

The file is the bundled recording, repeated: at 16 kHz, at its own 32 kHz, and at 44.1 kHz in stereo. All released
classifiers run, and the messages are discarded. "Times real time" is the length of the file divided by the time that
the command took, its start included, and by the processor time that it used.
"""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import soundfile

from benchmarks.listening import STREAMER
from benchmarks.report import machine, parser, write
from streamer.bench.recording import recording

FORMS = ((16_000, 1), (32_000, 1), (44_100, 2))
"""Sample rates in Hz and channels of the files."""
ROUNDS = 3


def measure(path: Path) -> dict[str, float]:
    """Run the command on a file once, and return its times."""
    before, began = os.times(), time.monotonic()
    subprocess.run([STREAMER, "analyze", str(path)], stdout=subprocess.DEVNULL, check=True)
    after, took_s = os.times(), time.monotonic() - began
    core_s = after.children_user + after.children_system - before.children_user - before.children_system
    length_s = soundfile.info(path).duration
    return {
        "took_s": round(took_s, 3),
        "core_s": round(core_s, 3),
        "times_real_time": round(length_s / took_s, 1),
        "times_real_time_of_a_core": round(length_s / core_s, 1),
    }


def main() -> None:
    asking = parser(__doc__ or "")
    asking.add_argument("--seconds", type=float, default=1_800.0, help="length of each file in seconds")
    asked = asking.parse_args()
    forms, rounds, seconds = (FORMS[:1], 1, 10.0) if asked.smoke else (FORMS, ROUNDS, asked.seconds)
    result: dict[str, Any] = {
        "machine": machine(["numba", "numpy", "onnxruntime"]),
        "seconds": seconds,
        "files": {},
    }
    with TemporaryDirectory() as folder:
        for rate_hz, channels in forms:
            path = Path(folder) / f"{rate_hz}.wav"
            samples = np.resize(recording(rate_hz)[0], round(seconds * rate_hz))
            soundfile.write(path, np.stack([samples] * channels, axis=1), rate_hz)
            measure(path)  # fills the caches: compiled code on disk, and the file in memory
            found = sorted((measure(path) for _ in range(rounds)), key=lambda one: one["core_s"])[rounds // 2]
            result["files"][f"{rate_hz} Hz, {channels} channels"] = found
            print(
                f"{rate_hz} Hz, {channels} channels, {seconds:g} s: {found['times_real_time']} times real time, "
                f"{found['times_real_time_of_a_core']} of a core"
            )
    write(result, asked.out)


if __name__ == "__main__":
    main()
