"""Measure where the memory of listening goes: the private memory of this process after each step of its start.

python -m benchmarks.memory [--out FILE] [--smoke]

Memory that is mapped from files and may be shared is left out; only Linux reports it. `--smoke` changes nothing,
because it takes only a moment.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from streamer.engine.stream import Stream


def private_mb() -> float:
    """Return the private memory of this process in megabytes."""
    memory = psutil.Process().memory_info()
    return float(memory.rss - memory.shared) / 1e6


def steps() -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield the name of each step and its function; each needs those before it."""
    yield "Python", lambda: None
    for name in ("numpy", "llvmlite.binding", "onnxruntime"):
        yield name, partial(importlib.import_module, name)
    yield "streamer, and what else it imports", _import
    made: list[Stream] = []
    yield "models", lambda: made.append(_stream())
    yield "everything run once", lambda: _run_once(made[0])


def _import() -> None:
    for name in ("streamer.engine.engine", "streamer.engine.build_streams", "streamer.sinks.publisher"):
        importlib.import_module(name)


def _stream() -> Stream:
    from streamer.config import Config, StreamConfig
    from streamer.demo_recording import DEMO_PATH
    from streamer.engine.build_streams import build_streams
    from streamer.inference.model_cache import ModelCache

    config = Config(stream=(StreamConfig(f"file:{DEMO_PATH}"),))
    [stream] = build_streams(config, realtime=True, duration_s=1.0, models=ModelCache(config.engine))
    return stream


def _run_once(stream: Stream) -> None:
    from streamer.config_sections import PublishConfig
    from streamer.engine.warm_up import get_ready

    get_ready([stream], PublishConfig())


def main() -> None:
    after_mb = {}
    for name, do in steps():
        do()
        after_mb[name] = private_mb()
    from benchmarks.report import machine, parser, write  # imported late, because it imports much itself

    asked = parser(__doc__ or "").parse_args()
    before_mb = 0.0
    for name, mb in after_mb.items():
        print(f"{name}: {mb - before_mb:.0f} MB more, {mb:.0f} MB together")
        before_mb = mb
    write(
        {"machine": machine(["numba", "numpy", "onnxruntime"]), "private_mb": after_mb},
        asked.out,
    )


if __name__ == "__main__":
    main()
