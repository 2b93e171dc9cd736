"""What a released model is, and the check that it is whole and fits this program."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field, fields
from importlib.resources import files
from pathlib import Path
from typing import Any

from streamer.errors import ConfigError, ModelError
from streamer.frontend import FrontEndConfig

MANIFEST_SCHEMA = 1
"""Raised whenever a field of `Manifest` changes its meaning."""


@dataclass(frozen=True)
class StateSpec:
    """One state array of a model: graph input ``state.N`` and output ``next_state.N``.

    Attributes
    ----------
    shape : tuple of int
        Without the batch axis, which comes first.
    dtype : str
        NumPy's name of it.
    """

    shape: tuple[int, ...]
    dtype: str = "float32"


@dataclass(frozen=True)
class Thresholds:
    """An operating point (probabilities, 0 to 1)."""

    on: float = 0.6
    off: float = 0.4

    def __post_init__(self) -> None:
        if not 0 <= self.off <= self.on <= 1:
            raise ValueError(f"thresholds are on = {self.on}, off = {self.off}; expected 0 <= off <= on <= 1")


@dataclass(frozen=True)
class Manifest:
    """Description of a released model, the content of its ``manifest.json``.

    The graph takes ``x`` (batch, frames, mel_bands) float32 and ``state.N``, and gives ``y`` (batch, steps,
    labels), probabilities from 0 to 1, and ``next_state.N``. Frames come in multiples of `hop_frames`.

    Attributes
    ----------
    name, task : str
        Folder name, and what it decides (``gate``).
    labels : tuple of str
        Names of the outputs, in order.
    front_end : FrontEndConfig
        What the model hears.
    hop_frames, latency_frames : int
        Output ``k`` is given once ``k * hop_frames + latency_frames`` frames are in.
    warm_up_frames : int
        Frames after a start from ``init()`` during which outputs are not to be decided on.
    states : tuple of StateSpec
        The state arrays, in order.
    thresholds : Thresholds
        Default operating point.
    sha256 : str
        Of ``model.onnx``.
    commit : str
        The commit that it was trained at.
    trained_on : tuple of dict
        Data sets, each with ``name`` and ``licence``.
    results : dict
        Measured figures, each with the command that gives it.
    """

    name: str
    task: str
    labels: tuple[str, ...]
    front_end: FrontEndConfig
    hop_frames: int
    latency_frames: int
    warm_up_frames: int
    states: tuple[StateSpec, ...]
    sha256: str
    commit: str
    thresholds: Thresholds = Thresholds()
    trained_on: tuple[dict[str, str], ...] = ()
    results: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """The text of ``manifest.json``."""
        content = {
            "schema": MANIFEST_SCHEMA,
            **asdict(self),
            "front_end_fingerprint": self.front_end.fingerprint,
        }
        return json.dumps(content, indent=2) + "\n"


def read_manifest(folder: Path) -> Manifest:
    """Read ``manifest.json`` and check that this program can run its model.

    Parameters
    ----------
    folder : Path
        A released-model folder with ``manifest.json`` and ``model.onnx``.

    Returns
    -------
    Manifest

    Raises
    ------
    ModelError
        If it is absent, cannot be read or is damaged, or the model was made for another front end.
    """
    path = folder / "manifest.json"
    try:
        text = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ModelError(
            f"{folder} has no manifest.json; expected a released-model folder, see `streamer models`"
        ) from error
    except OSError as error:
        raise _unreadable(path, error) from error
    try:
        content = json.loads(text.decode("utf-8"))
        if content.get("schema") != MANIFEST_SCHEMA:
            raise ModelError(
                f"{path} has schema {content.get('schema')!r}; expected {MANIFEST_SCHEMA}: export the model anew, "
                "or install the streamer version that it was made for"
            )
        manifest = _parse(content)
    except (ValueError, TypeError, KeyError, AttributeError, ConfigError) as error:
        raise ModelError(f"{path} is no manifest ({error!r}); export the model anew") from error
    expected = manifest.front_end.fingerprint
    if content.get("front_end_fingerprint") != expected:
        raise ModelError(
            f"model {manifest.name} in {folder} was made for front end "
            f"{str(content.get('front_end_fingerprint'))[:12]}; this program computes {expected[:12]} from the same "
            "constants: retrain and export it, or install the streamer version that it was made for"
        )
    return manifest


def verify_file(folder: Path, manifest: Manifest) -> Path:
    """Check that ``model.onnx`` is the file that the manifest speaks of.

    Returns
    -------
    Path
        Of the model file.

    Raises
    ------
    ModelError
        If it is absent or cannot be read, or its SHA-256 differs.
    """
    path = folder / "model.onnx"
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError as error:
        raise ModelError(
            f"{folder} has no model.onnx; install streamer again or export the model anew"
        ) from error
    except OSError as error:
        raise _unreadable(path, error) from error
    if found != manifest.sha256:
        raise ModelError(
            f"{path} has SHA-256 {found[:12]}, the manifest says {manifest.sha256[:12]}: the file was altered or "
            "cut short; install streamer again or export the model anew"
        )
    return path


def released_folder() -> Path:
    """The folder of the models that come with this program, one folder each."""
    return Path(str(files("streamer.released")))


def released_folders() -> list[Path]:
    """The released models' folders, by name."""
    return sorted(path.parent for path in released_folder().glob("*/manifest.json"))


def find_model(name: str) -> Path:
    """Folder of a model, by the name of a released one or by path.

    Raises
    ------
    ModelError
        If there is neither.
    """
    for folder in (released_folder() / name, Path(name)):
        if os.path.isfile(folder / "manifest.json"):  # noqa: PTH113 - Path's raises where a folder is forbidden
            return folder
    released = ", ".join(folder.name for folder in released_folders())
    raise ModelError(
        f"no model {name!r}; expected a folder with manifest.json or one of the released: {released}"
    )


def _unreadable(path: Path, error: OSError) -> ModelError:
    return ModelError(
        f"{path} cannot be read ({error.strerror}); expected a file that may be read: check its permissions"
    )


def _parse(content: dict[str, Any]) -> Manifest:
    known = {f.name for f in fields(Manifest)}
    values = {key: value for key, value in content.items() if key in known}
    values["front_end"] = FrontEndConfig(**values["front_end"])
    values["thresholds"] = Thresholds(**values["thresholds"])
    values["states"] = tuple(StateSpec(tuple(s["shape"]), s["dtype"]) for s in values["states"])
    values["labels"] = tuple(values["labels"])
    values["trained_on"] = tuple(values["trained_on"])
    return Manifest(**values)
