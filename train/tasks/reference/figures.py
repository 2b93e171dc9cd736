"""Figures of a reference network on whole held-out clips."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import torch
from torch import nn

from streamer.errors import ConfigError
from train.evaluate.predictions import Predictions, stacked
from train.loop.checkpoint import Identity, load_weights
from train.loop.registry import Evaluation, Plugin
from train.tasks.reference.config import ImageRunConfig
from train.tasks.reference.task import ImageTask, classify, truth_of
from train.tasks.reference.transfer import TransferRunConfig, TransferTask

COMMAND = "python -m train lab"


def read_labels(run: Path) -> tuple[str, ...]:
    """Return the classes that a run learnt, in the order of its network's outputs."""
    environment = json.loads((run / "environment.json").read_text(encoding="utf-8"))
    return tuple(environment["data"]["labels"])


def load_network(run: Path, config: ImageRunConfig) -> nn.Module:
    """Return the network of a run with its best weights, ready to classify.

    Raises
    ------
    ModelError
        If the run has no weights, or those of another network.
    """
    model = config.network(config.model, config.image.bands, len(read_labels(run)))
    load_weights(model, run / "best.pt", Identity(config.task, None))
    return model.eval()


def predict(evaluation: Evaluation) -> Predictions:
    """Return the probabilities that a run's network gives the clips of one fold; each image of a clip is a step."""
    config: ImageRunConfig = evaluation.config
    images = config.images([config.fold_of(evaluation.split)], evaluation.data, evaluation.cache)
    labels = read_labels(evaluation.model)
    scores = torch.softmax(classify(load_network(evaluation.model, config), images), 1).numpy()
    names = images.names
    starts = [place for place in range(len(names)) if place == 0 or names[place] != names[place - 1]]
    return Predictions(
        task=config.task,
        model=config.task,
        labels=labels,
        clips=tuple(names[place] for place in starts),
        truth=truth_of(images, labels)[starts],
        folds=np.array(images.folds)[starts],
        step_s=config.clip_s,
        scores=stacked(np.split(scores, starts[1:])),
        command=COMMAND,
        rule="mean_probability",
    )


def evaluate(evaluation: Evaluation) -> dict[str, Any]:
    """Return the figures of a run on one fold; its predictions are written where the evaluation asks for them."""
    predictions = predict(evaluation)
    if evaluation.predictions:
        predictions.save(evaluation.predictions / f"{evaluation.split}.npz")
    config: ImageRunConfig = evaluation.config
    return config.figures(predictions)


def plugin(kind: type[ImageRunConfig]) -> Plugin:
    """Return the plug-in of a reference network, given the class of its runs' configuration."""

    def refuse(*_: Path) -> NoReturn:
        raise ConfigError(
            f"{kind.task} sees whole clips and does not step, so it is not released; expected a task whose model runs "
            f"live: measure this one by {COMMAND}"
        )

    task = TransferTask if issubclass(kind, TransferRunConfig) else ImageTask
    return Plugin(name=kind.task, config=kind, task=task, release=refuse, evaluate=evaluate, steps=False)
