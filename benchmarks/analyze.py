"""How fast `streamer analyze` hears a file: the command as its user types it, in a process of its own.

    python -m benchmarks.analyze [--seconds S] [--out FILE] [--smoke]

The bundled recording, again and again, as a WAV file: at 16 kHz, at its own 32 kHz, and at 44.1 kHz in stereo. All the
released classifiers hear it; the messages go to nowhere. Times real time are the length of the file over the seconds
that the command took, its start included, and over the processor time that it used.
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
"""Rates in Hz, and channels."""
ROUNDS = 3


def measured(path: Path) -> dict[str, float]:
    """The command on a file, once."""
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
    asking.add_argument("--seconds", type=float, default=1_800.0, help="length of each file")
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
            measured(path)  # what is compiled once is on disk after this, and the file in memory
            found = sorted((measured(path) for _ in range(rounds)), key=lambda one: one["core_s"])[
                rounds // 2
            ]
            result["files"][f"{rate_hz} Hz, {channels} channels"] = found
            print(
                f"{rate_hz} Hz, {channels} channels, {seconds:g} s: {found['times_real_time']} times real time, "
                f"{found['times_real_time_of_a_core']} of a core"
            )
    write(result, asked.out)


if __name__ == "__main__":
    main()
