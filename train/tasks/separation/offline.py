"""Train a separation by a larger network that sees the whole song, to measure the price of causality."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, NoReturn

import torch

from models.layers import StreamingModel
from models.separation_mask import MaskConfig, separate
from models.separation_mask_offline import OfflineMask
from streamer.arrays import Array
from streamer.dsp.stft import StftConfig
from streamer.errors import ConfigError, StreamError
from streamer.separation.separator import Stems
from train.loop.registry import Evaluation, Plugin
from train.tasks.separation.config import SeparationRunConfig
from train.tasks.separation.release import evaluate_with, load_run
from train.tasks.separation.task import SeparationTask

ON = 0.5
"""Probability from which there is a voice. No threshold is chosen, since the model is not released."""


def _sizes() -> MaskConfig:
    """Return windows of 64 ms, 64 bands, and 4 blocks that are wider than those of `MaskConfig`."""
    stft = StftConfig(hop_samples=256, window_samples=1_024, synthesis_hops=4)
    zones = ((32, 4), (16, 8), (16, 16))
    return MaskConfig(stft, zones, channels=64, memory=96, reach=13, hidden=128, blocks=4)


@dataclass(frozen=True)
class OfflineRunConfig(SeparationRunConfig):
    """Configuration of a training run of the task ``separation_offline``, whose network needs the whole song.

    Attributes
    ----------
    model : MaskConfig
        Sizes of the network.
    """

    task: ClassVar[str] = "separation_offline"
    network: ClassVar[type[StreamingModel]] = OfflineMask
    description: ClassVar[str] = (
        "LSTMs along time in both directions in each band, and convolutions across bands"
    )

    model: MaskConfig = field(default_factory=_sizes)


@dataclass(frozen=True)
class OfflineSongSeparator:
    """Separates whole songs at once by the best weights of a run; see `train.tasks.separation.figures.SongSeparator`.

    Attributes
    ----------
    run : Path
        Folder of the run.
    """

    run: Path

    def __call__(self, mixture: Array, rate_hz: int) -> tuple[Stems, int]:
        """Separate a mixture of shape (samples, channels), each channel by itself.

        Returns
        -------
        stems : Stems
            Voice and music, a batch of one, and the mean over the channels of the probability that a voice sounds.
        hop_samples : int
            Samples of a hop, for each of which there is a probability.

        Raises
        ------
        StreamError
            If the song is not at the rate that was learnt.
        """
        model = load_run(self.run, OfflineRunConfig)
        assert isinstance(model, OfflineMask)
        stft = model.config.stft
        if rate_hz != stft.sample_rate_hz:
            raise StreamError(
                f"songs are at {rate_hz} Hz; expected {stft.sample_rate_hz} Hz, which is learnt"
            )
        with torch.no_grad():
            voice, music, logits = separate(model, torch.from_numpy(mixture.T.copy()), stft)
        voiced = torch.sigmoid(logits).mean(0, keepdim=True)
        return Stems(voice.T[None].numpy(), music.T[None].numpy(), voiced.numpy()), stft.hop_samples


def _evaluate(evaluation: Evaluation) -> dict[str, Any]:
    return evaluate_with(evaluation, OfflineSongSeparator(evaluation.model), ON)


def _refused(*_: Path) -> NoReturn:
    raise ConfigError(
        "separation_offline needs the whole song and does not step; expected a task whose model runs live, such as "
        "separation: measure this one by python -m train evaluate separation_offline --run RUN"
    )


PLUGIN = Plugin(
    name=OfflineRunConfig.task,
    config=OfflineRunConfig,
    task=SeparationTask,
    release=_refused,
    evaluate=_evaluate,
    steps=False,
)
