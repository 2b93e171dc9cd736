"""Inception v3 (Szegedy et al. 2016) on spectrogram images, the architecture of torchvision."""

from __future__ import annotations

import importlib
import pickle
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import nn

from models.reference.block_network import BlockNetwork, PooledHead
from streamer.errors import ConfigError

LEAST = 75
"""Smallest height and width of an image of which something is left after the last block."""
CHANNELS = 2_048
"""Output channels of the last block."""


@dataclass(frozen=True)
class SoundInceptionConfig:
    """Sizes of `SoundInception`.

    Attributes
    ----------
    height, width : int
        Size of the image that the network takes; `LEAST` or more.
    dropout : float
        Dropout before the last layer.
    """

    height: int = 299
    width: int = 299
    dropout: float = 0.5

    def __post_init__(self) -> None:
        if min(self.height, self.width) < LEAST:
            raise ConfigError(
                f"model.height is {self.height}, model.width {self.width}; expected {LEAST} or more of both"
            )


class SoundInception(BlockNetwork):
    """Modules of parallel convolutions, a mean over the image, and a dense layer, without the auxiliary classifier.

    The blocks are the convolutions and poolings before the modules, and the modules.

    Parameters
    ----------
    config : SoundInceptionConfig
        Sizes of the network.
    bands : int
        Bands of a spectrogram; any number, since images are resized.
    labels : int
        Number of classes.
    """

    def __init__(self, config: SoundInceptionConfig, bands: int, labels: int) -> None:
        del bands
        head = PooledHead(CHANNELS, labels, config.dropout)
        super().__init__(_blocks(_untrained()), head, (config.height, config.width), channels=3)

    @classmethod
    def check_library(cls) -> None:
        _torchvision_models()

    def pretrained_blocks(self, folder: Path) -> list[nn.Module]:
        expected = (
            "expected one file *.pth with the weights of torchvision's inception_v3: download them again"
        )
        files, model = sorted(folder.glob("*.pth")), _untrained()
        if len(files) != 1:
            raise ConfigError(f"{folder} has {len(files)} files *.pth; {expected}")
        try:
            weights = torch.load(files[0], map_location="cpu", weights_only=True)
            ours = {name: value for name, value in weights.items() if not name.startswith("fc.")}
            missing = model.load_state_dict(ours, strict=False).missing_keys
        except (OSError, EOFError, RuntimeError, AttributeError, pickle.UnpicklingError) as error:
            raise ConfigError(f"{files[0]} cannot be read ({type(error).__name__}); {expected}") from error
        if lacking := [name for name in missing if not name.startswith("fc.")]:
            raise ConfigError(
                f"{files[0]} lacks {lacking[0]} and {len(lacking) - 1} more weights; {expected}"
            )
        return _blocks(model)


def _torchvision_models() -> ModuleType:
    """Return torchvision's models.

    Raises
    ------
    ConfigError
        If torchvision cannot be imported: it is absent, or compiled for another build of torch.
    """
    try:
        return importlib.import_module("torchvision.models")
    except (ImportError, OSError, RuntimeError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise ConfigError(
            f"torchvision cannot be imported ({reason}); expected the release and the build that fit this torch. "
            "PyPI's fits PyPI's torch: pip install torchvision. A CPU build of torch needs: pip install torchvision "
            "--index-url https://download.pytorch.org/whl/cpu"
        ) from error


def _untrained() -> Any:
    return _torchvision_models().inception_v3(weights=None, aux_logits=False, init_weights=True)


def _blocks(model: Any) -> list[nn.Module]:
    last = ("avgpool", "dropout", "fc")
    return [part for name, part in model.named_children() if name not in last]
