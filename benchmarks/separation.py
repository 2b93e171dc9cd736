"""Measure a separation hop by hop on one core: the time of a step, and missed deadlines beside a busy core.

python -m benchmarks.separation [--model NAME_OR_FOLDER] [--out FILE] [--smoke]
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from benchmarks.report import each, machine, one_thread, other_core_busy, parser, percentiles, write
from streamer.dsp.model_calls import run_alone
from streamer.pipeline.build_separation import load_separation
from streamer.separation.separator import Separator

FORMS = ((16_000, 1), (48_000, 2))
"""Measured sample rates in Hz and channels."""
WARM_UP_HOPS = 100


class Stepped:
    """A separator that gets one hop of noise at a time.

    Parameters
    ----------
    separator : Separator
    channels : int
    """

    def __init__(self, separator: Separator, channels: int) -> None:
        self._separator = separator
        self._state = separator.init()
        hop = separator.stft.hop_samples
        rng = np.random.default_rng(0)
        self._sound = (0.1 * rng.standard_normal((50, 1, hop, channels))).astype(np.float32)
        self.hop_s = hop / separator.stft.sample_rate_hz
        for n in range(WARM_UP_HOPS):
            self.step(n)

    def step(self, n: int) -> None:
        _, self._state = run_alone(self._separator.step(self._sound[n % len(self._sound)], self._state))


def steps(stepped: Stepped, seconds: float) -> dict[str, Any]:
    """Measure milliseconds of a step, without rest between hops, and the real-time factor."""
    hops = range(round(seconds / stepped.hop_s))
    before = time.process_time()
    took_s = each(stepped.step, hops)
    return {
        "hop_ms": round(1e3 * stepped.hop_s, 3),
        "step_ms": percentiles(took_s, unit=1e-3),
        "p99_share_of_hop": round(float(np.percentile(took_s, 99)) / stepped.hop_s, 3),
        "real_time_factor": round((time.process_time() - before) / (len(hops) * stepped.hop_s), 4),
    }


def deadlines(stepped: Stepped, seconds: float) -> dict[str, Any]:
    """Measure in real time how long after a hop's last sample its step is done; later than one hop is a miss.

    It also measures how long after that sample the machine woke this process, and the processor time of the step. Other
    lateness is time in which the process waited for the processor in the middle of a step.
    """
    hops = round(seconds / stepped.hop_s)
    woken_s, computed_s, done_s = np.empty((3, hops))
    begun = time.monotonic()
    for n in range(hops):
        due = begun + (n + 1) * stepped.hop_s
        time.sleep(max(0.0, due - time.monotonic()))
        woken_s[n], before = time.monotonic() - due, time.thread_time()
        stepped.step(n)
        computed_s[n], done_s[n] = time.thread_time() - before, time.monotonic() - due
    return {
        "seconds": seconds,
        "woken_after_ms": percentiles(woken_s, unit=1e-3),
        "computed_ms": percentiles(computed_s, unit=1e-3),
        "done_after_ms": percentiles(done_s, unit=1e-3),
        "missed": int(np.count_nonzero(done_s > stepped.hop_s)),
        "computed_longer_than_a_hop": int(np.count_nonzero(computed_s > stepped.hop_s)),
        "hops": hops,
    }


def main() -> None:
    asking = parser(__doc__ or "")
    asking.add_argument("--model", default="separation", help="name or folder of a separation model")
    asked = asking.parse_args()
    model = load_separation(asked.model)
    result: dict[str, Any] = {
        "machine": machine(["numba", "numpy", "onnxruntime"]),
        "model": f"{model.manifest.name}@{model.manifest.sha256[:12]}",
    }
    with one_thread():
        for rate_hz, channels in FORMS:
            stepped = Stepped(Separator(model, rate_hz, channels), channels)
            measured = steps(stepped, 1.0 if asked.smoke else 60.0)
            with other_core_busy():
                measured["beside a busy core"] = deadlines(stepped, 0.5 if asked.smoke else 600.0)
            result[f"{rate_hz} Hz, {channels} channels"] = measured
            _print_figures(f"{rate_hz} Hz, {channels} channels", measured)
    write(result, asked.out)


def _print_figures(form: str, measured: dict[str, Any]) -> None:
    step, paced = measured["step_ms"], measured["beside a busy core"]
    print(
        f"{form}: real-time factor {measured['real_time_factor']}, a step {step['p50']} ms (median), "
        f"{step['p99']} ms (p99) of {measured['hop_ms']} ms"
    )
    print(
        f"  beside a busy core for {paced['seconds']:g} s: {paced['missed']} of {paced['hops']} hops late, done "
        f"{paced['done_after_ms']['p50']} ms (median), {paced['done_after_ms']['p99']} ms (p99) after their end"
    )
    print(
        f"  woken {paced['woken_after_ms']['p99']} ms (p99), {paced['woken_after_ms']['max']} ms (most) after it; "
        f"computed {paced['computed_ms']['p99']} ms (p99), {paced['computed_ms']['max']} ms (most)"
    )


if __name__ == "__main__":
    main()
