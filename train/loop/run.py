"""A run: its folder, ``runs/TASK/TIME-HASH`` or ``runs/TASK/NAME``, and the files that describe it."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from streamer.errors import ConfigError


def current_commit() -> str:
    """Return the hash of the checked-out commit, with ``+`` if files have changed since; ``unknown`` outside git."""
    try:
        commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
        # Released models are left out, because a release itself rewrites them.
        changed = subprocess.run(
            ["git", "status", "--porcelain", "--", ".", ":!models/released"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return commit.stdout.strip() + ("+" if changed.stdout.strip() else "")


if TYPE_CHECKING:
    from train.data.cache import Skipped

RUNS = Path("runs")
CACHE = RUNS / "cache"
METRICS = "metrics.jsonl"


@dataclass(frozen=True)
class DataUsed:
    """Description of the data that a run learns from and is validated on, for ``environment.json``.

    Attributes
    ----------
    sha256 : str
        Hash of the contents of all files and of the settings of the features that are computed from them.
    recordings : int
        Number of recordings that are used.
    skipped : tuple of str
        Recordings that were left out, each with the reason.
    labels : tuple of str
        Names of the model's outputs, where the data determine them.
    """

    sha256: str
    recordings: int
    skipped: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


class UsedData(Protocol):
    """Interface of recordings that a run learns from or is validated on, such as a `train.data.cache.Cache`."""

    @property
    def digest(self) -> str: ...

    @property
    def skipped(self) -> Sequence[Skipped]: ...

    def __len__(self) -> int: ...


def data_used(*caches: UsedData) -> DataUsed:
    """Return the description of the data of several caches together, such as those of training and of validation."""
    digest = hashlib.sha256("\n".join(cache.digest for cache in caches).encode()).hexdigest()
    skipped = tuple(f"{s.source}/{s.name}: {s.reason}" for cache in caches for s in cache.skipped)
    return DataUsed(digest, sum(len(cache) for cache in caches), skipped)


def data_folder() -> Path:
    """Return the folder of the data sets: ``$STREAMER_DATA``, or ``../shared/data``.

    Raises
    ------
    ConfigError
        If it is not a folder.
    """
    folder = Path(os.environ.get("STREAMER_DATA", "../shared/data"))
    if not folder.is_dir():
        raise ConfigError(
            f"{folder} is not a folder; set STREAMER_DATA to the folder that holds the data sets"
        )
    return folder


def new_run(task: str, config: Any, name: str = "") -> Path:
    """Create the folder of a new run, ``runs/TASK/NAME``, and return it.

    Parameters
    ----------
    task : str
        Name of the task.
    config : dataclass
        Configuration of the run.
    name : str
        Name of the folder; if empty, the name is the time and a hash of `config`.

    Raises
    ------
    ConfigError
        If the folder exists already, or `name` is not a valid name of a folder.
    """
    if name in (".", "..") or Path(name).name != name:
        raise ConfigError(f"the run's name is {name!r}; expected that of one folder in {RUNS / task}")
    folder = RUNS / task / (name or f"{time.strftime('%Y%m%d-%H%M%S')}-{_digest(config)}")
    try:
        folder.mkdir(parents=True)
    except FileExistsError as error:
        raise ConfigError(
            f"{folder} exists; go on with it by --resume, or give the new run another name"
        ) from error
    return folder


def find_same(task: str, config: Any) -> Path | None:
    """Return the folder of the last run of a task with exactly this configuration; None if there is no such run."""
    same = sorted((RUNS / task).glob(f"*-{_digest(config)}/config.json"))
    return same[-1].parent if same else None


def _digest(config: Any) -> str:
    return hashlib.sha256(json.dumps(asdict(config)).encode()).hexdigest()[:8]


def find_run(task: str, name: str = "") -> Path:
    """Return the folder of a run of a task.

    Parameters
    ----------
    task : str
        Name of the task.
    name : str
        Path of the run, or its name in ``runs/TASK``; if empty, the run with a ``best.pt`` that was started or resumed
        last is taken.

    Raises
    ------
    ConfigError
        If there is no such run; the text lists the runs that exist.
    """
    # config.json is written at the start and at each resumption, so its time says which run was used last.
    written = sorted((RUNS / task).glob("*/config.json"), key=lambda path: (path.stat().st_mtime_ns, path))
    known = [path.parent for path in written]
    if not name:
        finished = [folder for folder in known if (folder / "best.pt").is_file()]
        if finished:
            return finished[-1]
        raise ConfigError(f"{RUNS / task} has no run with best.pt; train one: python -m train {task}")
    for folder in (RUNS / task / name, Path(name)):
        if (folder / "config.json").is_file():
            return folder
    names = ", ".join(folder.name for folder in known) or f"none; train one: python -m train {task}"
    raise ConfigError(f"no run {name!r} of task {task}; there are {names}")


def write_config(folder: Path, config: Any) -> None:
    """Write the configuration of a run to ``config.json`` in the run's folder."""
    write_json(folder / "config.json", asdict(config))


def write_environment(folder: Path, commit: str, computing: Mapping[str, Any], data: DataUsed) -> None:
    """Write ``environment.json``: commit, machine, packages and data of a run.

    When a run is resumed, the entries that differ from those of its start are added under ``resumed``.

    Parameters
    ----------
    folder : Path
        Folder of the run.
    commit : str
        Commit that is checked out; see `current_commit`.
    computing : mapping
        Device, number of processes, and threads of each process.
    data : DataUsed
        Description of the data of the run.
    """
    now = {
        "time": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "command": shlex.join(["python", "-m", "train", *sys.argv[1:]]),
        "commit": commit,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": os.cpu_count(),
        **computing,
        "data": asdict(data),
        "packages": {
            d.name: d.version for d in sorted(metadata.distributions(), key=lambda d: d.name.lower())
        },
    }
    path = folder / "environment.json"
    if not path.is_file():
        write_json(path, {**now, "resumed": []})
        return
    begun = json.loads(path.read_text(encoding="utf-8"))
    now = json.loads(json.dumps(now))  # tuples become lists, as in the file that was read
    changed = {key: value for key, value in now.items() if value != begun.get(key)}
    write_json(path, {**begun, "resumed": [*begun["resumed"], changed]})


def note_evaluation(folder: Path, split: str, figures: Mapping[str, Any]) -> None:
    """Write figures into a run's ``evaluation.json`` under the name of the split; those of other splits stay."""
    path = folder / "evaluation.json"
    noted = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    write_json(path, {**noted, split: figures})


def read_metrics(folder: Path) -> list[dict[str, float]]:
    """Return the lines of a run's ``metrics.jsonl``, each as values by name, the oldest first.

    A last line that a kill cut short is left out; without the file the list is empty.
    """
    path = folder / METRICS
    if not path.is_file():
        return []
    whole = [
        line for line in path.read_text(encoding="utf-8").splitlines(keepends=True) if line.endswith("\n")
    ]
    return [json.loads(line) for line in whole]


def summaries(tasks: Sequence[str]) -> list[str]:
    """Return a line of text for each run of some tasks: its folder, last step and best score."""
    lines = []
    for task in tasks:
        for folder in sorted(path.parent for path in (RUNS / task).glob("*/config.json")):
            noted = read_metrics(folder)
            best = max(noted, key=lambda line: line["score"], default=None)
            figures = (
                f"step {noted[-1]['step']}, best score {best['score']:.4f} at {best['step']}"
                if best
                else "no figures"
            )
            lines.append(f"{folder}  {figures}")
    return lines


def write_json(path: Path, content: Any) -> None:
    """Write `content` as JSON to `path`, so that a reader sees the whole file or the old one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}")
    partial.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    partial.replace(path)
