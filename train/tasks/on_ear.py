"""Functions shared by the tasks that train a head on the ear."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from models.heads import ClassifierHead, HeadConfig
from streamer.errors import ConfigError
from streamer.inference.onnx import OnnxModel

WARM_UP_STEPS = 6
"""Steps before the first decision, in addition to the ear's own warm-up: half a second of logits to average over."""


def load_ear(folder: str) -> OnnxModel:
    """Return the ear, as a model of ONNX Runtime, from an exported or released folder.

    Raises
    ------
    ModelError
        If there is no model that this program can run.
    ConfigError
        If the model is not an ear.
    """
    ear = OnnxModel(Path(folder))
    if not ear.manifest.is_ear:
        raise ConfigError(
            f"ear={folder!r} decides {ear.manifest.task}; expected the folder of an ear: python -m train "
            "export ear --out FOLDER"
        )
    return ear


def check_ear_holds_out(ear: OnnxModel, folder: str, fold: int, validation_fold: int) -> None:
    """Refuse an ear that was trained on the folds that a head on this ear holds out.

    The ear may hold out more than the head.

    Raises
    ------
    ConfigError
        If the head holds out a fold that the ear does not hold out in the same way.

    Parameters
    ----------
    ear : OnnxModel
        Exported ear.
    folder : str
        Folder of the ear, for the error's text.
    fold, validation_fold : int
        Folds that the head is tested and validated on; 0 if there is none.
    """
    expected = {"fold": fold, "validation_fold": validation_fold}
    held_out = ear.manifest.results.get("held out", {})
    # The test fold must be the ear's test fold, since the ear's weights were chosen on its validation fold.
    if any(used and held_out.get(name) != used for name, used in expected.items()):
        raise ConfigError(
            f"ear={folder!r} holds out {held_out}; expected {expected}, since an ear must not be "
            "trained on what its head is measured on: train an ear on the same folds"
        )


def make_head(config: HeadConfig, labels: Sequence[str], embeddings: Tensor) -> ClassifierHead:
    """Return a head with random weights that normalises its input by the mean and deviation of `embeddings`.

    Parameters
    ----------
    config : HeadConfig
        Sizes of the head.
    labels : sequence of str
        Names of the classes.
    embeddings : Tensor, shape (clips, steps, embedding)
        Some embeddings that the head will be trained on.
    """
    flat = embeddings.flatten(0, 1)
    model = ClassifierHead(config, flat.shape[1], tuple(labels))
    model.set_normalisation(flat.mean(0), flat.std(0))
    return model
