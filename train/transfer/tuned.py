"""Everyday sounds by fine-tuning all of YAMNet, with a linear layer for ESC-50's classes on top."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.lib.stride_tricks import sliding_window_view
from torch import Tensor, nn

from models.yamnet import YAMNet
from streamer.arrays import Array
from streamer.errors import ConfigError
from streamer.yamnet.weights import EMBEDDING_SIZE, PATCH_FRAMES
from train.augment.features import mask, mix_log_mel
from train.data.cache import SoundCache
from train.data.features import FeatureCache
from train.data.recordings import check_folds
from train.data.sets import esc50
from train.loop.folds import HoldsOut
from train.loop.run import DataUsed, data_used
from train.loop.schedule import Cosine, ScheduleConfig
from train.loop.task import Batch, LoopConfig
from train.mixing.distillation.teacher_answers import FRONT_END
from train.mixing.patch_embeddings import TRAININGS, check_all_embedded, embed_recordings
from train.transfer.classifiers import logistic_regression
from train.yamnet.npz import read_npz

NEAR = 2.0
"""Largest difference, in mean log magnitude, between the loudest frame of a clip and the loudest frame of the part that
is taken from the clip: 17 dB."""
CHECKED_HOP = PATCH_FRAMES // 2


@dataclass(frozen=True)
class TunedRunConfig(HoldsOut):
    """Configuration of a training run of the task ``sounds_yamnet``, which fine-tunes YAMNet on ESC-50.

    Attributes
    ----------
    weights : {"hub", "lite"}
        Published training of YAMNet to start from.
    loop : LoopConfig
        Settings of the loop; the learning rate is that of all layers.
    hop_frames : int
        Hop of the exported model in frames, from one output to the next; 1 to 95.
    fold, validation_fold : int
        Folds, as in `train.loop.folds.HoldsOut`.
    patches : int
        Number of successive patches of 0.96 s that a clip contributes to a batch.
    mixed : float
        Share of the clips that are mixed with another one, at a random ratio of power.
    masks, mask_bands, mask_frames : int
        Number of stripes that SpecAugment hides in each direction, and the largest width of a stripe.
    smoothing : float
        Label smoothing: share of each target that is spread over all classes.
    """

    weights: str = "lite"
    loop: LoopConfig = field(
        default_factory=lambda: LoopConfig(
            steps=400,
            batch=32,
            learning_rate=3e-4,
            schedule=ScheduleConfig(cosine=Cosine(warm_up_steps=40)),
            average=0.99,
            validate_every=100,
            workers=0,
        )
    )
    hop_frames: int = CHECKED_HOP
    fold: int = 5
    validation_fold: int = 0
    patches: int = 2
    mixed: float = 0.5
    masks: int = 2
    mask_bands: int = 8
    mask_frames: int = 20
    smoothing: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.weights not in TRAININGS:
            raise ConfigError(f"weights is {self.weights!r}; expected one of {', '.join(TRAININGS)}")
        if not 0 < self.hop_frames < PATCH_FRAMES or self.patches < 1:
            raise ConfigError(
                f"hop_frames is {self.hop_frames} and patches is {self.patches}; expected 1 to {PATCH_FRAMES - 1}, "
                "and 1 or more"
            )


def tuned_network(relu_max: float, classes: int) -> YAMNet:
    """Return YAMNet with random weights, and with outputs for `classes` classes instead of AudioSet's."""
    network = YAMNet(relu_max)
    network.logits = nn.Linear(EMBEDDING_SIZE, classes)
    return network


class TunedTask:
    """Training task ``sounds_yamnet``: fine-tunes all of YAMNet to ESC-50's classes, to compare with the released head.

    Parameters
    ----------
    config : TunedRunConfig
        Configuration of the run.
    data, cache : Path
        Folder of the data sets, and folder of all caches.

    Raises
    ------
    ConfigError
        If a class has no clips, a fold has too few, or a clip is silent.
    ModelError
        If the weights are not YAMNet's.
    """

    name = "sounds_yamnet"
    front_end = FRONT_END.config

    def __init__(self, config: TunedRunConfig, data: Path, cache: Path) -> None:
        self.config = config
        self.classes = esc50.classes(data)
        self._weights_path, self._cache = data / TRAININGS[config.weights], cache
        self._weights = read_npz(self._weights_path)
        self._all = esc50.recordings(data)
        checked = config.checked_fold
        self._learnt = FeatureCache(
            [clip for clip in self._all if clip.fold in config.learnt_folds], cache, FRONT_END
        )
        self._checked = FeatureCache([clip for clip in self._all if clip.fold == checked], cache, FRONT_END)
        check_folds(self._learnt.recordings, self.classes, config.learnt_folds)
        check_folds(self._checked.recordings, [], [checked])
        self._labels = self._labels_of(self._learnt)

    def data_hash(self) -> DataUsed:
        return data_used(self._learnt, self._checked)

    def make_model(self) -> nn.Module:
        """Return YAMNet with a logistic regression on its frozen embedding as the last layer.

        Starting from a random last layer would distort the embedding before that layer fits it (Kumar et al. 2022,
        Fine-Tuning can Distort Pretrained Features).
        """
        network = tuned_network(self._weights.relu_max, len(self.classes))
        published = YAMNet.from_weights(self._weights).state_dict()
        kept = {name: value for name, value in published.items() if not name.startswith("logits.")}
        network.load_state_dict(kept, strict=False)
        weight, bias = self._probe()
        with torch.no_grad():
            network.logits.weight.copy_(torch.from_numpy(weight))
            network.logits.bias.copy_(torch.from_numpy(bias))
        return network

    def make_batch(self, seed: int, step: int, size: int) -> Batch:
        """Return the batch of a step: frames, (size, patches * 96, 64), and probabilities of classes, (size, classes).

        The clips are shuffled, and shuffled again when all have been used.
        """
        rng, c = np.random.default_rng((seed, step)), self.config
        places = [self._dealt(seed, step * size + n) for n in range(size)]
        frames, targets = self._crops(rng, places)
        mixed = rng.random(size) < c.mixed
        others, other_targets = self._crops(
            rng, rng.integers(len(self._learnt), size=int(mixed.sum())).tolist()
        )
        share = rng.random(len(others), np.float32)
        frames[mixed] = mix_log_mel(frames[mixed], others, share, FRONT_END.config.log_offset)
        targets[mixed] = share[:, None] * targets[mixed] + (1 - share[:, None]) * other_targets
        frames = mask(rng, frames, c.masks, c.mask_bands, c.mask_frames)
        targets = targets * np.float32(1 - c.smoothing) + np.float32(c.smoothing / len(self.classes))
        return torch.from_numpy(frames), torch.from_numpy(targets)

    def loss(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        frames, targets = batch
        return {"sounds": F.cross_entropy(_clip_logits(model, frames, PATCH_FRAMES), targets)}

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Return figures of a model on whole clips of the validation fold, by the mean logits of their patches.

        Returns
        -------
        dict
            ``accuracy``: share of the clips whose class is the likeliest. ``score``, by which the best weights are
            chosen: the negative cross entropy.
        """
        device, outputs = next(model.parameters()).device, []
        with torch.no_grad():
            for index in range(len(self._checked)):
                frames = torch.from_numpy(self._checked.frames(index)[None]).to(device)
                outputs.append(_clip_logits(model, frames, CHECKED_HOP).cpu())
        logits, truth = torch.cat(outputs), torch.from_numpy(self._labels_of(self._checked))
        accuracy = (logits.argmax(1) == truth).float().mean().item()
        return {"score": -F.cross_entropy(logits, truth).item(), "accuracy": accuracy}

    def _labels_of(self, clips: FeatureCache) -> Array:
        return np.array([self.classes.index(clip.category) for clip in clips.recordings])

    def _probe(self) -> tuple[Array, Array]:
        """Return weight and bias of a logistic regression on the mean frozen embedding of the learnt clips."""
        sounds = SoundCache(
            self._all, self._cache
        )  # of all folds: kept on disk once for whichever is held out
        found = embed_recordings(sounds, self._weights_path, self._cache)
        check_all_embedded(found, sounds)
        learnt = sounds.where(lambda clip: clip.fold in self.config.learnt_folds)
        mean = np.stack([found.embedding[found.recording == place].mean(axis=0) for place in learnt])
        labels = [self.classes.index(sounds.recordings[place].category) for place in learnt]
        scaler, regression = (step for _, step in logistic_regression().fit(mean, labels).steps)
        weight, bias = regression.coef_, regression.intercept_
        if len(weight) == 1:  # for two classes scikit-learn fits only their difference
            weight, bias = np.concatenate([-weight, weight]) / 2, np.concatenate([-bias, bias]) / 2
        weight = weight / scaler.scale_
        return weight, bias - weight @ scaler.mean_

    def _dealt(self, seed: int, number: int) -> int:
        """Return the clip at a place in an endless sequence of shuffles of all clips."""
        deck, place = divmod(number, len(self._learnt))
        return int(np.random.default_rng((seed, 1, deck)).permutation(len(self._learnt))[place])

    def _crops(self, rng: np.random.Generator, places: list[int]) -> tuple[Array, Array]:
        """Return a crop of each of some clips, and its class as probabilities."""
        frames = [self._crop(rng, self._learnt.frames(place)) for place in places]
        shape = (len(places), self.config.patches * PATCH_FRAMES, FRONT_END.config.mel_bands)
        targets = np.eye(len(self.classes), dtype=np.float32)[self._labels[places]]
        return np.reshape(frames, shape).astype(np.float32), targets

    def _crop(self, rng: np.random.Generator, frames: Array) -> Array:
        """Return an audible part of a clip; a clip that is too short is repeated."""
        count = self.config.patches * PATCH_FRAMES
        frames = np.resize(frames, (max(count, len(frames)), frames.shape[1]))
        loudest = sliding_window_view(frames.mean(axis=1), count).max(axis=1)
        first = int(rng.choice(np.flatnonzero(loudest >= loudest.max() - NEAR)))
        return frames[first : first + count]


def _clip_logits(model: nn.Module, frames: Tensor, hop_frames: int) -> Tensor:
    """Return the mean logits, shape (batch, classes), over the patches of frames, shape (batch, frames, 64)."""
    patches = frames.unfold(1, PATCH_FRAMES, hop_frames).transpose(2, 3)
    logits: Tensor = model(patches.flatten(0, 1))[0]
    mean: Tensor = logits.unflatten(0, patches.shape[:2]).mean(dim=1)
    return mean
