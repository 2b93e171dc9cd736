"""Choose held-out clips for pictures: what a network took for something else, and what it knew."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from streamer.arrays import Array
from train.evaluate.metrics.clip_scores import by_clip
from train.evaluate.predictions import Predictions, load
from train.lab.pictures.drawings import ShownClip
from train.loop.config import read_config
from train.loop.run import CACHE, data_folder
from train.mixing.mel_images import ImageSet
from train.report.spectra import Spectra
from train.tasks.reference.config import ImageRunConfig
from train.tasks.reference.figures import load_network

SHOWN = 8
"""Largest number of clips whose spectrograms are shown."""
WITH_ATTENTION = 2
"""Largest number of clips whose attention is shown, of mistakes and of right answers each."""


def shown_clips(run: Path, kind: type[ImageRunConfig]) -> list[ShownClip]:
    """Return clips of a measured run: the surest mistakes, at most half of `SHOWN`, then the surest right answers.

    Of the right answers there is one of each class as far as possible. Clips without a spectrogram are left out.

    Parameters
    ----------
    run : Path
        Folder of the run.
    kind : type
        Class of its configuration.
    """
    config = read_config(kind, run / "config.json")
    predictions, spectra = load(run / "predictions" / "test.npz"), Spectra(data_folder())
    images, model = config.images([config.fold], data_folder(), CACHE), load_network(run, config)
    mistakes, right = _chosen(predictions, config)
    predicted = by_clip(predictions).argmax(axis=1)
    explained = {*mistakes[:WITH_ATTENTION], *right[:WITH_ATTENTION]}
    shown = []
    for place in (*mistakes, *right):
        clip = predictions.clips[place]
        found = spectra.find(config.recording_of(clip))
        if found is None:
            continue
        frames = found.frames[: round(config.clip_s / found.frame_s)]
        shown.append(
            ShownClip(
                name=config.recording_of(clip),
                truth=predictions.labels[predictions.truth[place]],
                predicted=predictions.labels[predicted[place]],
                frames=frames,
                seconds=len(frames) * found.frame_s,
                attention=_attention(model, images, clip) if place in explained else None,
            )
        )
    return shown


def _chosen(predictions: Predictions, config: ImageRunConfig) -> tuple[list[int], list[int]]:
    """Return the indices of mistakes and of right answers, the surest first."""
    scores = by_clip(predictions)
    first: dict[str, int] = {}
    for place, clip in enumerate(predictions.clips):  # a spectrogram shows the beginning of a recording
        first.setdefault(config.recording_of(clip), place)
    order = sorted(first.values(), key=lambda place: -scores[place].max())
    wrong = [place for place in order if scores[place].argmax() != predictions.truth[place]][: SHOWN // 2]
    known = [place for place in order if scores[place].argmax() == predictions.truth[place]]
    of_class = {int(predictions.truth[place]): place for place in reversed(known)}
    one_each = sorted(of_class.values(), key=known.index)
    right = [*one_each, *(place for place in known if place not in one_each)]
    return wrong, right[: SHOWN - len(wrong)]


def _attention(model: torch.nn.Module, images: ImageSet, clip: str) -> Array | None:
    """Return how strongly each step of a clip's first image attends to each; None of a network without attention."""
    weights = getattr(model, "weights", None)
    if not callable(weights):
        return None
    image = torch.from_numpy(np.asarray(images.image(list(images.names).index(clip))))
    with torch.no_grad():
        found: Array = weights(image[None])[0].numpy()
    return found
