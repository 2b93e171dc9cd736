"""What tasks that learn a head on the ear have in common."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from models.heads import ClassifierHead, HeadConfig
from streamer.errors import ConfigError
from streamer.inference.onnx import OnnxModel

WARM_UP_STEPS = 6
"""Half a second after the ear's own warm-up: what the first logits are averaged over."""


def load_ear(folder: str) -> OnnxModel:
    """The ear of an exported or released folder.

    Raises
    ------
    ModelError
        If there is no model that this program runs.
    ConfigError
        If it is no ear.
    """
    ear = OnnxModel(Path(folder))
    if not ear.manifest.is_ear:
        raise ConfigError(
            f"ear={folder!r} decides {ear.manifest.task}; expected the folder of an ear: python -m train "
            "export ear --out FOLDER"
        )
    return ear


def check_ear_holds_out(ear: OnnxModel, folder: str, fold: int, validation_fold: int) -> None:
    """Refuse an ear that has heard what a head on it is to be measured on.

    Raises
    ------
    ConfigError
    """
    asked = {"fold": fold, "validation_fold": validation_fold}
    held_out = ear.manifest.results.get("held out")
    if held_out != asked:
        raise ConfigError(
            f"ear={folder!r} holds out {held_out}; expected {asked}, or it has heard what this head is to "
            "be measured on: train an ear on the same folds"
        )


def make_head(config: HeadConfig, labels: Sequence[str], embeddings: Tensor) -> ClassifierHead:
    """A head of random weights that normalises as some embeddings ask for, shape (clips, steps, embedding)."""
    flat = embeddings.flatten(0, 1)
    model = ClassifierHead(config, flat.shape[1], tuple(labels))
    model.set_normalisation(flat.mean(0), flat.std(0))
    return model
