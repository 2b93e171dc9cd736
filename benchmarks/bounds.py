"""Measure what bounds the speed: matrix products against the limits of a core, and everything else.

python -m benchmarks.bounds [--out FILE] [--smoke]

A core's limits are those that its BLAS reaches on one thread: multiply-accumulates of a matrix product, and bytes read
by a product of vectors that fit into the cache or do not. Each model is called with noise. Then all released models
process the bundled recording at 16 kHz, and the processor time is divided into models, front ends (spectra included)
and the rest, Python and NumPy; the share of the operating system is measured too. Each measured part takes longer by
two readings of the clock. ONNX Runtime's profile tells how much of a call goes into products.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from typing import Any
from unittest.mock import patch

from benchmarks.bounds_of_calls import limits, measure_call
from benchmarks.report import machine, one_thread, parser, write
from benchmarks.streams import running_streams
from streamer.arrays import Array, State
from streamer.bench.recording import recording
from streamer.bench.throughput import Streams
from streamer.config import Config
from streamer.config_sections import ModelsConfig, StemsConfig
from streamer.dsp.log_mel import LogMel
from streamer.dsp.model_calls import StepResult
from streamer.dsp.stft import InverseStft, Stft
from streamer.engine.build_streams import build_models
from streamer.engine.scheduler import FILE_CHUNK_S, LIVE_CHUNK_S
from streamer.inference.model_cache import ModelCache
from streamer.inference.model_folders import released_folder
from streamer.inference.onnx import OnnxModel
from streamer.pipeline.stream_models import StreamModels

RATE_HZ = 16_000
NAMED = Config(models=ModelsConfig({"taught": "off"}))
STEMS = replace(NAMED, stems=StemsConfig(publish=True))
"""Configuration that also separates voice and accompaniment; no `Publisher` takes part."""


class Parts:
    """Processor time of models and front ends, while `watched` is entered.

    Parameters
    ----------
    macs : mapping of str to float
        Multiply-accumulates of a step of each model.
    """

    def __init__(self, macs: Mapping[str, float]) -> None:
        self._macs = macs
        self.begin()

    def begin(self) -> None:
        """Start to count."""
        self._seconds = {"models": 0.0, "front_ends": 0.0}
        self._multiplied = 0.0
        self._before = os.times()

    def found(self, sound_s: float, core: Mapping[str, Any]) -> dict[str, float]:
        """Return milliseconds of a core for each second of sound, after `sound_s` seconds were processed."""
        after = os.times()
        system_s = after.system - self._before.system
        all_s = after.user - self._before.user + system_s
        parts_s = {
            "all": all_s,
            **self._seconds,
            "rest": all_s - sum(self._seconds.values()),
            "system": system_s,
            "products_alone": self._multiplied / 1e9 / core["gmac_per_s"],
        }
        return {name: round(1e3 * part_s / sound_s, 3) for name, part_s in parts_s.items()}

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Count the time of models and front ends inside a `with` block."""
        with ExitStack() as patches:
            patches.enter_context(patch.object(OnnxModel, "run", self._run_by(OnnxModel.run)))
            for stage in (LogMel, Stft, InverseStft):
                patches.enter_context(patch.object(stage, "step", self._step_by(stage.step)))
            yield

    def _run_by(self, run: Any) -> Any:
        def watched(model: OnnxModel, x: Array, state: State) -> StepResult:
            steps = len(x) * x.shape[1] // model.manifest.hop_frames
            self._multiplied += steps * self._macs[model.manifest.name]
            before = time.thread_time()
            answer: StepResult = run(model, x, state)
            self._seconds["models"] += time.thread_time() - before
            return answer

        return watched

    def _step_by(self, step: Any) -> Any:
        def watched(stage: object, x: Array, state: State) -> tuple[Array, State]:
            before = time.thread_time()
            y, after = step(stage, x, state)
            self._seconds["front_ends"] += time.thread_time() - before
            return y, after

        return watched


def run_together(count: int, block_s: float, listener: StreamModels, parts: Parts, seconds: float) -> float:
    """Process streams without rest; return how many seconds of sound were processed."""
    streams = Streams([listener], count, recording(RATE_HZ)[0], RATE_HZ, block_s, NAMED.publish)
    turns = max(1, round(seconds / block_s / count))
    parts.begin()
    for _ in range(turns):
        streams.turn()
    return turns * block_s * count


def run_live(count: int, listener: StreamModels, config: Config, parts: Parts, seconds: float) -> float:
    """Process streams in real time; return how many seconds of sound were processed."""
    with running_streams(count, listener, config, [], RATE_HZ):
        parts.begin()
        time.sleep(seconds)
        return count * seconds


def measure_cases(
    listeners: tuple[StreamModels, StreamModels], parts: Parts, core: Mapping[str, Any], seconds: float
) -> dict[str, Any]:
    """Measure the parts of processor time in each case; the second listener also separates."""
    classifiers, with_separation = listeners
    cases: dict[str, Callable[[], float]] = {
        "a file": partial(run_together, 1, FILE_CHUNK_S, classifiers, parts, 20 * seconds),
        "64 streams together": partial(run_together, 64, LIVE_CHUNK_S, classifiers, parts, 20 * seconds),
        "1 stream, live": partial(run_live, 1, classifiers, NAMED, parts, seconds),
        "50 streams, live": partial(run_live, 50, classifiers, NAMED, parts, seconds),
        "1 stream with separation, live": partial(run_live, 1, with_separation, STEMS, parts, seconds),
    }
    found = {}
    with parts.watched():
        for name, run in cases.items():
            found[name] = parts.found(run(), core)
            shown = ", ".join(f"{part} {ms:g}" for part, ms in found[name].items())
            print(f"{name}: {shown} ms of a core for a second")
    return found


def main() -> None:
    asked = parser(__doc__ or "").parse_args()
    loaded = ModelCache()
    listeners = build_models(NAMED, loaded), build_models(STEMS, loaded).ungated()
    with one_thread():
        core = limits(0.0 if asked.smoke else 0.2)
        print(
            f"a core: {core['gmac_per_s']} G multiply-accumulates a second, reads {core['read_gb_per_s']} GB/s"
        )
        models = {}
        for model in listeners[1].in_call_order:
            name = model.manifest.name
            models[name] = measure_call(released_folder() / name, model, core)
            print(f"{name}: {models[name]}")
        parts = Parts({name: model["macs_per_step"] for name, model in models.items()})
        found = measure_cases(listeners, parts, core, 1.0 if asked.smoke else 20.0)
    versions = machine(["numba", "numpy", "onnxruntime"])
    write({"machine": versions, "core": core, "models": models, "core_ms_per_stream_s": found}, asked.out)


if __name__ == "__main__":
    main()
