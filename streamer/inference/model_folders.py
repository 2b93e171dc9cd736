"""Find the folders of released models, and check that one is whole and fits this program."""

from __future__ import annotations

import hashlib
import json
import os
from importlib.resources import files
from pathlib import Path

from platformdirs import user_data_path

from streamer.errors import ConfigError, ModelError
from streamer.inference.manifest import Manifest
from streamer.inference.manifest_json import MANIFEST_SCHEMA, manifest_from_content


def ear_folder(manifest: Manifest, folder: Path) -> Path:
    """Return the folder of a model's embedding model: beside `folder`, the model's own, or else by its name.

    Raises
    ------
    ModelError
        If there is none in either place.
    """
    assert manifest.ear is not None  # callers ask for models that have one
    beside = folder.parent / manifest.ear.name
    is_there = os.path.isfile(beside / "manifest.json")  # noqa: PTH113 - Path's raises where a folder is forbidden
    return beside if is_there else find_model(manifest.ear.name)


def released_folder() -> Path:
    """Return the folder that holds a folder for each model that comes with Streamer."""
    return Path(str(files("streamer.released")))


def released_folders() -> list[Path]:
    """Return the folders of the released models, sorted by name."""
    return _folders_in(released_folder())


def user_folder() -> Path:
    """Return the folder that holds a folder for each model that the user fetched or made; it need not exist."""
    return user_data_path("streamer", appauthor=False) / "models"


def known_folders() -> list[Path]:
    """Return the folders of all models that have a name: the released ones, then the user's."""
    return released_folders() + _folders_in(user_folder())


def find_model(name: str) -> Path:
    """Return the folder of a model; `name` is that of a released or a user's model, or a path.

    Raises
    ------
    ModelError
        If there is no such model.
    """
    for folder in (released_folder() / name, user_folder() / name, Path(name)):
        if os.path.isfile(folder / "manifest.json"):  # noqa: PTH113 - Path's raises where a folder is forbidden
            return folder
    released = ", ".join(folder.name for folder in released_folders())
    raise ModelError(
        f"no model {name!r}; expected a folder with manifest.json or one of the released: {released}, or of those in "
        f"{user_folder()}, where `streamer models pull yamnet` puts one"
    )


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of a model folder, after a check that this version can run the model.

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
        If the manifest is absent, cannot be read or is damaged, or the model was made for another front end.
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
        manifest = manifest_from_content(content)
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
    """Check that a model folder's ``model.onnx`` is the file that its manifest describes, before it is loaded.

    Parameters
    ----------
    folder : Path
        Model folder.
    manifest : Manifest
        Manifest of the folder, with the SHA-256 of the file.

    Returns
    -------
    Path
        Path of ``model.onnx``.

    Raises
    ------
    ModelError
        If the file is absent or cannot be read, or its SHA-256 differs.
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


def _folders_in(parent: Path) -> list[Path]:
    return sorted(path.parent for path in parent.glob("*/manifest.json"))


def _unreadable(path: Path, error: OSError) -> ModelError:
    return ModelError(
        f"{path} cannot be read ({error.strerror}); expected a file that may be read: check its permissions"
    )
