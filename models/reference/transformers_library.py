"""The library transformers, imported where a network is made from it, and pretrained weights in its format."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

from models import torchaudio_cpu
from streamer.errors import ConfigError


def transformers() -> ModuleType:
    """Return the module transformers.

    It imports torchaudio where that is installed, so this is done first, without the compiled extension that a CPU
    build of torch refuses.

    Raises
    ------
    ConfigError
        If transformers cannot be imported.
    """
    torchaudio_cpu.load()
    try:
        return importlib.import_module("transformers")
    except ImportError as error:
        raise ConfigError(
            f"transformers cannot be imported ({error}); expected the extra lab: pip install 'streamer[lab]'"
        ) from error


def pretrained(kind: Any, folder: Path) -> Any:
    """Return a model of the library with the weights in a folder; nothing is downloaded.

    Parameters
    ----------
    kind : type
        Class of transformers, such as ``ResNetModel``, whose `from_pretrained` reads the folder.
    folder : Path
        Folder with ``config.json`` and ``model.safetensors``, such as ``save_pretrained`` writes.

    Raises
    ------
    ConfigError
        If the folder cannot be read, is of another architecture, or lacks weights.
    """
    expected = (
        f"expected config.json and model.safetensors of a {kind.__name__}, complete: download them again"
    )
    try:
        settings, _ = kind.config_class.get_config_dict(folder, local_files_only=True)
        found = settings.get("model_type")
        if found != kind.config_class.model_type:
            raise ConfigError(f"{folder} has weights of {found!r}; {expected}")
        model, report = kind.from_pretrained(folder, local_files_only=True, output_loading_info=True)
    except (OSError, ValueError, RuntimeError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ConfigError(f"{folder} cannot be read ({reason}); {expected}") from error
    if missing := sorted(report["missing_keys"]):
        raise ConfigError(f"{folder} lacks {missing[0]} and {len(missing) - 1} more weights; {expected}")
    return model
