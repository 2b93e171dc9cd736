"""The music gate: is music sounding? Learnt on scenes made out of the data sets at hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from models.gate import HOP_FRAMES, Gate, GateConfig
from streamer.frontend import FrontEnd
from streamer.stage import Array, offline
from train.data import esc50, gtzan, mir1k, music_speech, speech
from train.data.cache import RATE_HZ, SoundCache
from train.data.recordings import Recording, Split
from train.data.scenes import IGNORE, MUSIC, OTHER, SceneConfig, Scenes, step_labels
from train.metrics import auc, tpr_at_fpr
from train.run import DataUsed, data_used
from train.task import Batch, LoopConfig

LEFT_OUT = frozenset({("esc50", "church_bells"), ("music_speech", "chant")})
"""Neither music nor not, by source and category or name: AudioSet's ontology files church bells under Musical
instrument > Bell, and chant under Human voice > Singing."""
DATA_SETS = {
    "GTZAN": gtzan,
    "GTZAN music/speech": music_speech,
    "MIR-1K": mir1k,
    "TSP speech": speech,
    "ESC-50": esc50,
}
FRONT_END = FrontEnd()


@dataclass(frozen=True)
class GateRunConfig:
    """A run of this task.

    Attributes
    ----------
    model : GateConfig
    loop : LoopConfig
    scenes : SceneConfig
    validation_scenes : int
        How many are made for validation, once.
    music_weight : float
        Of the loss on music steps, relative to other steps.
    """

    model: GateConfig = field(default_factory=GateConfig)
    loop: LoopConfig = field(default_factory=LoopConfig)
    scenes: SceneConfig = field(default_factory=SceneConfig)
    validation_scenes: int = 200
    music_weight: float = 1.0


def recordings(root: Path, split: Split) -> list[Recording]:
    """What the gate learns from or is measured on: all data sets' recordings of one split.

    The solo voice of MIR-1K is among them (kind ``singing``): whether that is music is a matter of taste, so
    it is measured, not learnt.
    """
    found = [r for data_set in DATA_SETS.values() for r in data_set.recordings(root)]
    return [
        r for r in found if r.split == split and not LEFT_OUT & {(r.source, r.category), (r.source, r.name)}
    ]


class GateTask:
    """The gate for `train.loop`.

    Parameters
    ----------
    config : GateRunConfig
    data : Path
        Folder of the data sets.
    cache : Path
        Folder for decoded sound.
    """

    name = "gate"
    front_end = FRONT_END.config

    def __init__(self, config: GateRunConfig, data: Path, cache: Path) -> None:
        self.config = config
        self._caches = [SoundCache(recordings(data, split), cache) for split in ("train", "validation")]
        train, validation = (Scenes(sounds, config.scenes) for sounds in self._caches)
        self._scenes = {"train": train, "validation": validation}

    def data_hash(self) -> DataUsed:
        return data_used(*self._caches)

    def make_model(self) -> nn.Module:
        """A gate that normalises as the first scenes of training ask for."""
        model = Gate(self.config.model)
        frames, _ = self.make_batch(self.config.loop.seed, 0, 64)
        flat = frames.flatten(0, 1)
        model.set_normalisation(flat.mean(0), flat.std(0))
        return model

    def make_batch(self, seed: int, step: int, size: int) -> Batch:
        rng = np.random.default_rng((seed, step))
        return _as_tensors(*self._make(rng, self._scenes["train"], size))

    def loss(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        frames, labels = batch
        logits = model(frames)[0].squeeze(2)
        known = labels != IGNORE
        weight = torch.where(labels == MUSIC, self.config.music_weight, 1.0)[known]
        return {"music": binary_cross_entropy_with_logits(logits[known], labels[known].float(), weight)}

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Figures over single steps; ``score`` is the negative cross entropy."""
        frames, labels = self._validation
        device = next(model.parameters()).device
        with torch.no_grad():
            logits = torch.cat([model(part.to(device))[0].cpu() for part in frames.split(16)]).squeeze(2)
            entropy = binary_cross_entropy_with_logits(
                logits[labels != IGNORE], labels[labels != IGNORE].float()
            ).item()
        positive, negative = logits[labels == MUSIC].numpy(), logits[labels == OTHER].numpy()
        return {
            "score": -entropy,
            "auc": auc(positive, negative),
            "tpr_at_1pc": tpr_at_fpr(positive, negative, 0.01),
        }

    @cached_property
    def _validation(self) -> Batch:
        rng = np.random.default_rng(2_025)
        made = self._make(rng, self._scenes["validation"], self.config.validation_scenes)
        return _as_tensors(*made)

    def _make(self, rng: np.random.Generator, scenes: Scenes, size: int) -> tuple[Array, Array]:
        """Log-mel frames (size, frames, mel_bands) and step labels (size, steps) of new scenes."""
        hop = FRONT_END.config.hop_samples
        steps = int(self.config.scenes.seconds * RATE_HZ) // (hop * HOP_FRAMES)
        samples = (steps * HOP_FRAMES - 1) * hop + FRONT_END.config.window_samples
        made = [scenes.make(rng, samples) for _ in range(size)]
        frames = offline(FRONT_END, np.stack([scene.sound for scene in made]))
        labels = [step_labels(scene.music, hop * HOP_FRAMES, self.config.scenes)[:steps] for scene in made]
        return frames, np.stack(labels)


def _as_tensors(frames: Array, labels: Array) -> Batch:
    return torch.from_numpy(frames), torch.from_numpy(labels)
