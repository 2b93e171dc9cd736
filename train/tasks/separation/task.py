"""Train the separation of voice and accompaniment on remixes of songs whose stems are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from models.separation_mask import separate
from streamer.arrays import Array
from streamer.errors import ConfigError
from train.augment import active_level, db_to_amplitude
from train.data.cache import SoundCache
from train.data.decode import RATE_HZ
from train.data.recordings import Recording
from train.data.sets.songs.song_catalogue import find_songs
from train.data.songs import Songs, songs_of_folds
from train.loop.checkpoint import Identity, load_weights
from train.loop.config import read_config
from train.loop.run import DataUsed, data_used
from train.loop.task import Batch
from train.mixing.lone_stems import LoneStems, accompaniments, lone_voices
from train.mixing.remixes import Remix, Remixes
from train.tasks.separation.config import SeparationRunConfig
from train.tasks.separation.losses import snr_loss, weighted_losses
from train.tasks.separation.warm_start import check_warm_start

CHECKED = 24
"""Largest number of songs that a run is validated on; they are spread evenly over the validation fold."""
VOICED_DB = -25.0
"""Level, in dB re the active level of the voice in its clip, from which a frame counts as voiced.

Breath and noise of the room are mostly softer, and singing is mostly louder; their levels overlap.
"""


class SeparationTask:
    """Training task ``separation``: the data, losses and validation of a network that splits voice from accompaniment.

    Parameters
    ----------
    config : SeparationRunConfig
        Configuration of the run.
    data, cache : Path
        Folder of the data sets, and folder of all caches.

    Raises
    ------
    ConfigError
        If a fold has no songs, a data set has no lone stems, or the run in ``config.begin`` cannot be started from; see
        `check_warm_start`.
    """

    def __init__(self, config: SeparationRunConfig, data: Path, cache: Path) -> None:
        self.config = config
        self.name = config.task
        self.front_end = config.model.stft
        if config.begin:
            check_warm_start(config, data, cache)
        songs = find_songs(config.data, data)
        if not songs_of_folds(songs, [config.fold]):
            raise ConfigError(
                f"fold {config.fold} has no songs to test on; expected some: add songs, or choose another fold"
            )
        self._learnt = Songs(songs_of_folds(songs, config.learnt_folds), cache)
        self._checked = Songs(songs_of_folds(songs, [config.checked_fold]), cache)
        folds = config.learnt_folds
        self._voices = _lone(lone_voices(config.voices, data, cache, folds), cache)
        self._accompaniments = _lone(accompaniments(config.accompaniments, data, cache, folds), cache)
        self._remixes = Remixes(self._learnt, config.remixes, self._voices, self._accompaniments)
        if not len(self._checked):
            raise ConfigError(
                f"fold {config.checked_fold} has no songs to validate on; expected some: add songs, or choose another "
                "validation_fold"
            )

    def data_hash(self) -> DataUsed:
        lone = [stems.cache for stems in (self._voices, self._accompaniments) if stems]
        used = data_used(*self._learnt.caches, *self._checked.caches, *lone)
        unaligned = (
            f"{s.source}/{s.name}: {s.reason}" for s in (*self._learnt.skipped, *self._checked.skipped)
        )
        return replace(used, skipped=(*used.skipped, *unaligned))

    def make_model(self) -> nn.Module:
        model = self.config.network(self.config.model)
        if self.config.begin:
            # Its transform may differ, since the bands of a zone share their weights, however many there are.
            start = Path(self.config.begin)
            stft = read_config(type(self.config), start / "config.json").model.stft
            load_weights(model, start / "best.pt", Identity(self.name, stft))
        return model

    def make_batch(self, seed: int, step: int, size: int) -> Batch:
        """Return the batch of a step: mixtures with their true stems and voice activity.

        Returns
        -------
        mixture, voice, music : float32 Tensor, shape (size, samples)
            Mixtures and their true stems, at 16 kHz.
        voiced : float32 Tensor, shape (size, hops)
            1 for hops with a voice, 0 for others; see `voiced_frames`.
        """
        rng = np.random.default_rng((seed, step))
        return _as_batch([self._remixes.make(rng) for _ in range(size)], self.config.model.stft.hop_samples)

    def loss(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        mixture, voice, music, voiced = batch
        found_voice, found_music, logits = separate(model, mixture, self.config.model.stft)
        found = found_voice, found_music, logits
        return weighted_losses(found, (voice, music, voiced), mixture, self.config.weights)

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Return figures of a model on songs of the validation fold, which are separated as they are, without changes.

        Returns
        -------
        dict
            ``voice`` and ``music``: mean over the songs of the signal-to-noise ratio in dB of that stem, estimated
            against true; see `train.tasks.separation.losses.snr_loss`. ``voiced``: share of the hops whose voice
            activity is right. ``score``, by which the best weights are chosen: mean of ``voice`` and ``music``, in dB.
        """
        device = next(model.parameters()).device
        figures: dict[str, list[float]] = {"voice": [], "music": [], "voiced": []}
        with torch.no_grad():
            for clip in self._clips:
                mixture, voice, music, voiced = (part.to(device) for part in clip)
                found_voice, found_music, logits = separate(model, mixture, self.config.model.stft)
                figures["voice"].append(-snr_loss(found_voice, voice, mixture).item())
                figures["music"].append(-snr_loss(found_music, music, mixture).item())
                figures["voiced"].append(((logits > 0) == (voiced > 0.5)).float().mean().item())
        means = {name: float(np.mean(values)) for name, values in figures.items()}
        return {"score": (means["voice"] + means["music"]) / 2, **means}

    @cached_property
    def _clips(self) -> list[Batch]:
        songs, hop = self._checked, self.config.model.stft.hop_samples
        stems = [(songs.voice(n), songs.music(n)) for n in range(0, len(songs), -(-len(songs) // CHECKED))]
        return [_as_batch([Remix(voice + music, voice, music)], hop) for voice, music in stems]


def voiced_frames(voice: Array, hop_samples: int, rate_hz: int = RATE_HZ) -> Array:
    """Return which hops have a voice, by the mean level of the voice over some 40 ms around each hop.

    Parameters
    ----------
    voice : float32 array, shape (samples,)
        Voice without its accompaniment.
    hop_samples : int
        Samples of a hop.
    rate_hz : int
        Sample rate of the voice.

    Returns
    -------
    float32 array, shape (hops,)
        1 for hops with a voice, 0 for others.
    """
    hops = -(-len(voice) // hop_samples)
    power = np.pad(np.square(voice, dtype=np.float64), (0, hops * hop_samples - len(voice)))
    hop_power = power.reshape(hops, hop_samples).mean(1)
    width = max(1, round(0.04 * rate_hz / hop_samples)) | 1  # odd, so that it is centred on a hop
    smooth = np.convolve(np.pad(hop_power, width // 2), np.full(width, 1.0 / width), mode="valid")
    threshold = (active_level(voice, rate_hz) * db_to_amplitude(VOICED_DB)) ** 2
    return (smooth > max(threshold, 1e-10)).astype(np.float32)


def _lone(recordings: Sequence[Recording], cache: Path) -> LoneStems | None:
    return LoneStems(SoundCache(recordings, cache)) if recordings else None


def _as_batch(remixes: Sequence[Remix], hop_samples: int) -> Batch:
    parts = (
        [remix.mixture for remix in remixes],
        [remix.voice for remix in remixes],
        [remix.music for remix in remixes],
        [voiced_frames(remix.voice, hop_samples) for remix in remixes],
    )
    return tuple(torch.from_numpy(np.stack(part)) for part in parts)
