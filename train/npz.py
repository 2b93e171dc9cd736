"""Npz files: written whole or not at all, and read without unpickling."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from streamer.arrays import Array
from streamer.errors import ConfigError


def read(path: Path, what: str, advice: str) -> dict[str, Array]:
    """Return all arrays of an npz file by name; pickled objects are refused.

    Parameters
    ----------
    path : Path
        File to read.
    what : str
        Description of the expected content, for the error's text.
    advice : str
        What the user should do if the file is absent or is not an npz file; ends the error's text.

    Raises
    ------
    ConfigError
    """
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            return dict(file)
    except FileNotFoundError as error:
        raise ConfigError(f"{path} does not exist; expected {what}: {advice}") from error
    except (OSError, ValueError, EOFError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise ConfigError(f"{path} is not an npz file ({error}); expected {what}: {advice}") from error


def write(path: Path, content: Mapping[str, Array]) -> None:
    """Write arrays by name to a compressed npz file. Its folder is created if it is absent."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    with partial.open("wb") as raw:
        np.savez_compressed(raw, allow_pickle=False, **content)
    partial.replace(path)
