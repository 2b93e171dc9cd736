"""Train the genre network on music without labels, to answer like a tagger of music (knowledge distillation)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.genre import Genre
from streamer.arrays import Array
from streamer.errors import ConfigError
from train.augment.features import mask
from train.data.sets import debian
from train.loop.run import DataUsed, data_used
from train.loop.task import Batch
from train.mixing.tagged_music import load_tagged_music, spread_over_groups
from train.tasks.music_tags.config import MusicTagsRunConfig
from train.teachers.musicnn import TAGS


class TaggerStudent(nn.Module):
    """Network that learns from the teacher: the genre network with an output for each tag, and a layer for training.

    Parameters
    ----------
    tagger : Genre
        Genre network with the teacher's tags as labels.
    embedding_size : int
        Size of the teacher's embedding.
    """

    def __init__(self, tagger: Genre, embedding_size: int) -> None:
        super().__init__()
        self.tagger = tagger
        self.embedding = nn.Linear(tagger.head.in_features, embedding_size)

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Return tags, (batch, 50), and embedding, (batch, embedding_size), of clips of (batch, frames, bands)."""
        features, _ = self.tagger.features(frames)
        mean = features.mean(1)
        return self.tagger.head(mean), self.embedding(mean)


class MusicTagsTask:
    """Training task ``music_tags``: excerpts of music, the teacher's answers, the loss and the validation.

    Errors count in units of the deviations of the teacher's answers over the learnt excerpts.

    Parameters
    ----------
    config : MusicTagsRunConfig
        Configuration of the run.
    data, cache : Path
        Folder of the data sets, and folder of all caches.

    Raises
    ------
    ConfigError
        If a fold has no excerpts.
    ModelError
        If the wheel is not the teacher's.
    """

    name = "music_tags"

    def __init__(self, config: MusicTagsRunConfig, data: Path, cache: Path) -> None:
        self.config = config
        self.front_end = config.model.front_end
        music = [r for r in debian.recordings(data) if r.category == "music"]
        self._music = load_tagged_music(spread_over_groups(music, config.pieces), Path(config.wheel), cache)
        self._learnt = np.flatnonzero(np.isin(self._music.fold, config.learnt_folds))
        self._checked = np.flatnonzero(self._music.fold == config.checked_fold)
        if not len(self._learnt) or not len(self._checked):
            raise ConfigError(
                f"Debian's music has {len(self._learnt)} excerpts in folds {', '.join(map(str, config.learnt_folds))} "
                f"and {len(self._checked)} in fold {config.checked_fold}; expected some in both: run python -m train "
                "fetch debian, or set more pieces"
            )
        self._tags = _Scale.of(self._music.logits[self._learnt])
        self._embedding = _Scale.of(self._music.embedding[self._learnt])

    def data_hash(self) -> DataUsed:
        return data_used(self._music)

    def make_model(self) -> nn.Module:
        """Return a `TaggerStudent` of random weights, whose first answers are the means of the teacher's."""
        model = TaggerStudent(Genre(self.config.model, TAGS), len(self._embedding.mean))
        with torch.no_grad():
            model.tagger.head.bias.copy_(self._tags.mean)
            model.embedding.bias.copy_(self._embedding.mean)
        return model

    def make_batch(self, seed: int, step: int, size: int) -> Batch:
        """Return the batch of a step: frames, (size, FRAMES, bands), and the teacher's logits and embeddings."""
        rng, c = np.random.default_rng((seed, step)), self.config
        rows = np.sort(self._learnt[rng.integers(len(self._learnt), size=size)])
        frames, logits, embedding = self._rows(rows)
        frames = np.stack([c.variations.vary(rng, clip) for clip in frames])
        frames = mask(rng, frames, c.masks, c.mask_bands, c.mask_frames)
        return torch.from_numpy(frames), torch.from_numpy(logits), torch.from_numpy(embedding)

    def loss(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Return the mean squared errors of the teacher's answers, as ``tags`` and ``embedding``."""
        frames, logits, embedding = batch
        found_logits, found_embedding = model(frames)
        return {
            "tags": self._tags.error(found_logits, logits),
            "embedding": self._embedding.error(found_embedding, embedding),
        }

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Return figures on the excerpts of the validation fold.

        Returns
        -------
        dict
            ``tags`` and ``embedding``: mean squared errors of the teacher's answers; to answer the means of the learnt
            excerpts gives about 1. ``score``, by which the best weights are chosen: the negative sum of both.
        """
        device = next(model.parameters()).device
        batch = tuple(torch.from_numpy(part).to(device) for part in self._rows(self._checked))
        with torch.no_grad():
            errors = {name: error.item() for name, error in self.loss(model, batch).items()}
        return {"score": -sum(errors.values()), **errors}

    def _rows(self, rows: Array) -> tuple[Array, Array, Array]:
        """Return frames, logits and embeddings of the excerpts with these numbers, float32."""
        return (
            self._music.frames[rows].astype(np.float32),
            self._music.logits[rows],
            self._music.embedding[rows],
        )


@dataclass(frozen=True)
class _Scale:
    """Mean and standard deviation of each of the teacher's answers."""

    mean: Tensor
    deviation: Tensor

    @classmethod
    def of(cls, answers: Array) -> _Scale:
        """Return those of answers of shape (excerpts, answers)."""
        return cls(torch.from_numpy(answers.mean(0)), torch.from_numpy(answers.std(0)).clamp(min=1e-3))

    def error(self, found: Tensor, wanted: Tensor) -> Tensor:
        """Return the mean squared error in units of the deviations."""
        deviation = self.deviation.to(found.device)
        return F.mse_loss(found / deviation, wanted / deviation)
