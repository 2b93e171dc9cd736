"""Run a benchmark of this build and of another one in turn, and print the ratios of their figures.

    python -m benchmarks.against REVISION BENCHMARK [ARGUMENT ...]
    python -m benchmarks.against --rounds 5 --only core_ms defada8 streams --streams 1 50 --seconds 6

The other build is that of a revision of this repository, in an environment of its own with the versions that it pins,
under the user's cache; it is made once. Each build runs its own benchmark of that name in a process of its own, so
the arguments must be known to both. Rounds begin with either build in turn, so that a machine that gets slower favours
neither. A ratio is that of this build to the other in one round: below 1, this build has the smaller figure.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import platformdirs

from benchmarks.report import machine, write

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 3


class AgainstError(Exception):
    """A build that cannot be made, or a benchmark that fails."""


@dataclass(frozen=True)
class Build:
    """A build whose benchmarks can be run.

    Attributes
    ----------
    name : str
        Name for messages.
    folder : Path
        Folder of the repository.
    python : Path
        Interpreter of the environment that it is installed in.
    """

    name: str
    folder: Path
    python: Path


@dataclass(frozen=True)
class Ratio:
    """A figure of both builds over all rounds.

    Attributes
    ----------
    figure : str
        Path of the figure in the result, such as ``streams.32.core_ms_per_stream_s``.
    ours, other : float
        Median of the figure of this build, and of the other one.
    ratio, least, most : float
        Median, smallest and largest ratio of this build to the other in a round.
    """

    figure: str
    ours: float
    other: float
    ratio: float
    least: float
    most: float


def make_build(revision: str, builds: Path, root: Path = ROOT) -> Build:
    """Return the build of a revision; make it if it is not there.

    Parameters
    ----------
    revision : str
        Revision of the repository in `root`, as git names it.
    builds : Path
        Folder for builds, each in a folder named by its commit.
    root : Path
        Folder of the repository.

    Raises
    ------
    AgainstError
        If there is no such revision, or its environment cannot be made.
    """
    found = _run(["git", "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}"], root)
    if found.returncode:
        raise AgainstError(
            f"{revision!r} is no revision of {root}; expected a commit, branch or tag: git log"
        )
    commit = found.stdout.strip()
    folder = builds / commit[:12]
    if not (folder / ".git").is_dir():
        builds.mkdir(parents=True, exist_ok=True)
        _checked(["git", "clone", "--quiet", "--no-checkout", str(root), str(folder)], root)
    _checked(["git", "checkout", "--quiet", commit], folder)
    _checked(["scripts/setup.sh", "bench"], folder)
    return Build(revision, folder, folder / ".venv" / "bin" / "python")


def run_benchmark(build: Build, benchmark: str, arguments: Sequence[str]) -> dict[str, float]:
    """Run a benchmark of a build, and return its figures by their path.

    Raises
    ------
    AgainstError
        If it fails, or writes no result.
    """
    with TemporaryDirectory() as place:
        out = Path(place) / "result.json"
        command = [str(build.python), "-m", f"benchmarks.{benchmark}", *arguments, "--out", str(out)]
        done = _run(command, build.folder)
        if done.returncode or not out.is_file():
            said = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["nothing"]
            raise AgainstError(
                f"benchmark {benchmark} of {build.name} ended with status {done.returncode} and said {said[0]!r}; "
                "expected a benchmark and arguments that both builds have"
            )
        return figures_of(json.loads(out.read_text(encoding="utf-8")))


def figures_of(result: Mapping[str, Any], within: str = "") -> dict[str, float]:
    """Return all numbers of a result by their path, without those that describe the machine."""
    found: dict[str, float] = {}
    for key, value in result.items():
        path = f"{within}.{key}" if within else key
        if isinstance(value, Mapping):
            found |= {} if path == "machine" else figures_of(value, path)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found[path] = float(value)
    return found


def ratios(rounds: Sequence[tuple[Mapping[str, float], Mapping[str, float]]], only: str = "") -> list[Ratio]:
    """Return the ratios of all figures that both builds gave in every round, except where the other's is 0.

    Parameters
    ----------
    rounds : sequence of (mapping, mapping)
        Figures of this build and of the other one in each round.
    only : str
        Text that the path of a figure must contain.
    """
    shared = [path for path in rounds[0][0] if all(path in each for pair in rounds for each in pair)]
    found = []
    for path in shared:
        pairs = [(ours[path], other[path]) for ours, other in rounds]
        if only not in path or not all(other for _, other in pairs):
            continue
        each = [ours / other for ours, other in pairs]
        ours, other = (median(side) for side in zip(*pairs, strict=True))
        found.append(Ratio(path, ours, other, median(each), min(each), max(each)))
    return found


def main() -> None:
    asked = _asked()
    ours = Build("this build", ROOT, Path(sys.executable))
    try:
        other = make_build(asked.revision, asked.builds)
        rounds = []
        for number in range(asked.rounds):
            pair = [ours, other] if number % 2 == 0 else [other, ours]
            found = {build.name: run_benchmark(build, asked.benchmark, asked.arguments) for build in pair}
            rounds.append((found[ours.name], found[other.name]))
            print(f"round {number + 1} of {asked.rounds} is done", file=sys.stderr)
    except AgainstError as error:
        sys.exit(f"against: {error}")
    compared = ratios(rounds, asked.only)
    for line in compared:
        print(
            f"{line.ratio:8.3f} ({line.least:.3f} to {line.most:.3f})  {line.figure}  "
            f"{line.ours:g} against {line.other:g}"
        )
    described = {"revision": asked.revision, "benchmark": asked.benchmark, "arguments": asked.arguments}
    result = {"machine": machine(["numba", "numpy", "onnxruntime"]), **described, "rounds": asked.rounds}
    write({**result, "ratios": [asdict(line) for line in compared]}, asked.out)


def _asked() -> argparse.Namespace:
    asking = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    asking.add_argument("--rounds", type=int, default=ROUNDS, help="rounds, in each of which both builds run")
    asking.add_argument("--only", default="", metavar="TEXT", help="only figures whose path contains this")
    asking.add_argument("--out", type=Path, help="write the ratios to this JSON file")
    asking.add_argument(
        "--builds",
        type=Path,
        default=platformdirs.user_cache_path("streamer") / "builds",
        help="folder of other builds",
    )
    asking.add_argument("revision", help="revision of the other build")
    asking.add_argument("benchmark", help="name of a module in benchmarks, such as streams")
    asking.add_argument("arguments", nargs=argparse.REMAINDER, help="arguments of the benchmark")
    asked = asking.parse_args()
    if asked.rounds < 1:
        asking.error(f"--rounds is {asked.rounds}; expected 1 or more")
    return asked


def _run(command: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    # Another environment's paths would make a build import the other one's modules.
    environment = {
        key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")
    }
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def _checked(command: Sequence[str], folder: Path) -> None:
    done = _run(command, folder)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["nothing"]
        raise AgainstError(
            f"{' '.join(command)} in {folder} failed and said {said[0]!r}; see its messages by hand"
        )


if __name__ == "__main__":
    main()
