"""Measure a start: from `streamer listen` on the bundled recording to its first message, of one build or two.

    python -m benchmarks.first_message [REVISION] [--rounds N] [--out FILE] [--smoke]
    python -m benchmarks.first_message defada8 --rounds 15

With a revision, its build (see `benchmarks.against`) starts in turn with this one, so that a slow moment of the machine
meets both. The first message is the first line on standard output. A first start that is not counted leaves compiled
code, and what the system reads from the disk, in their caches.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

import platformdirs
import psutil

from benchmarks.against import ROOT, AgainstError, Build, make_build, ratios
from benchmarks.report import machine, parser, write

ROUNDS = 15


def start(build: Build) -> dict[str, float]:
    """Start a build once, and return what it took until its first message.

    Returns
    -------
    dict
        ``seconds`` from the command on, ``processor_s`` of all threads, and ``private_mb`` and ``memory_mb`` (with what
        it shares with other programs) at the first message.

    Raises
    ------
    AgainstError
        If it ends without a message.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{probe.getsockname()[1]}"
    recording = build.folder / "streamer" / "data" / "demo.ogg"
    command = [str(build.python), "-m", "streamer", "listen", "--device", f"file:{recording}", "--json"]
    # As users have it: one build's modules, whose bytecode Python keeps.
    left_out = {"PYTHONPATH", "VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE"}
    environment = {key: value for key, value in os.environ.items() if key not in left_out}
    before = time.monotonic()
    with subprocess.Popen(
        [*command, "--bind", address],
        cwd=build.folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        seconds = time.monotonic() - before
        if not line:
            raise AgainstError(f"{' '.join(command)} ended without a message; start it by hand and see why")
        watched = psutil.Process(process.pid)
        times, memory = watched.cpu_times(), watched.memory_info()
        process.terminate()
    return {
        "seconds": seconds,
        "processor_s": times.user + times.system,
        "private_mb": (memory.rss - memory.shared) / 1e6,
        "memory_mb": memory.rss / 1e6,
    }


def in_turn(builds: list[Build], rounds: int) -> list[list[dict[str, float]]]:
    """Start builds in turn, and return what each start took, for each build in each round."""
    for build in builds:
        start(build)
    found = []
    for number in range(rounds):
        order = builds if number % 2 == 0 else builds[::-1]
        taken = {build.name: start(build) for build in order}
        found.append([taken[build.name] for build in builds])
    return found


def main() -> None:
    asking = parser(__doc__ or "")
    asking.add_argument("revision", nargs="?", help="revision of another build")
    asking.add_argument("--rounds", type=int, default=ROUNDS, help="counted starts of each build")
    asked = asking.parse_args()
    builds = [Build("this build", ROOT, Path(sys.executable))]
    try:
        if asked.revision:
            builds.append(make_build(asked.revision, platformdirs.user_cache_path("streamer") / "builds"))
        rounds = in_turn(builds, 1 if asked.smoke else asked.rounds)
    except AgainstError as error:
        sys.exit(f"first_message: {error}")
    result: dict[str, Any] = {"machine": machine(["numba", "numpy", "onnxruntime"]), "rounds": len(rounds)}
    for n, build in enumerate(builds):
        result[build.name] = {key: median(each[n][key] for each in rounds) for key in rounds[0][n]}
        print(
            f"{build.name}: " + ", ".join(f"{key} {value:.4g}" for key, value in result[build.name].items())
        )
    if asked.revision:
        compared = ratios([(ours, other) for ours, other in rounds])
        for line in compared:
            print(f"{line.ratio:8.3f} ({line.least:.3f} to {line.most:.3f})  {line.figure}")
        result["ratios"] = [asdict(line) for line in compared]
    write(result, asked.out)


if __name__ == "__main__":
    main()
