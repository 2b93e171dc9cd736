"""Compare resampling to 16 kHz in 10 ms blocks with soxr's own stream: lateness and cost.

python -m benchmarks.resample [--out FILE] [--smoke]
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import soxr

from benchmarks.report import arguments, machine, write
from streamer.arrays import Array
from streamer.dsp.resample import Resample

OUT_HZ = 16_000
QUALITY = "MQ"
"""Quality of soxr with a like filter: 0.5 dB down at 15/16 of the new Nyquist frequency, and 100 dB above it."""


def measure(step: Callable[[Array], int], rate_hz: int, seconds: float) -> dict[str, float]:
    """Return the largest lateness of the next output sample, and milliseconds of a core for a second of sound."""
    block = np.zeros(rate_hz // 100, np.float32)
    taken = given = 0
    latest_s, before = 0.0, time.process_time()
    while taken < seconds * rate_hz:
        taken += len(block)
        latest_s = max(latest_s, taken / rate_hz - given / OUT_HZ)
        given += step(block)
    cost_s = (time.process_time() - before) / seconds
    return {"late_ms": round(1e3 * latest_s, 1), "core_ms_per_s": round(1e3 * cost_s, 2)}


def ours(rate_hz: int) -> Callable[[Array], int]:
    stage = Resample(rate_hz, OUT_HZ)
    state = stage.init()

    def step(block: Array) -> int:
        return int(stage.step(block[None], state)[0].shape[1])

    return step


def soxr_stream(rate_hz: int) -> Callable[[Array], int]:
    stream = soxr.ResampleStream(rate_hz, OUT_HZ, 1, "float32", QUALITY)
    return lambda block: len(stream.resample_chunk(block))


def main() -> None:
    asked = arguments(__doc__ or "")
    seconds = 1.0 if asked.smoke else 20.0
    result: dict[str, Any] = {"machine": machine(["numpy", "soxr"])}
    for rate_hz in (32_000, 44_100, 48_000):
        for name, make in (("streamer", ours), ("soxr stream", soxr_stream)):
            make(rate_hz)(np.zeros(rate_hz, np.float32))  # a first call, which also compiles
            figures = measure(make(rate_hz), rate_hz, seconds)
            result.setdefault(str(rate_hz), {})[name] = figures
            print(
                f"{rate_hz} Hz  {name:<12} {figures['late_ms']:5.1f} ms late, {figures['core_ms_per_s']} ms a second"
            )
    write(result, asked.out)


if __name__ == "__main__":
    main()
