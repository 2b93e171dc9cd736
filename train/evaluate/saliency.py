"""Saliency maps by occlusion: which parts of a spectrogram change a model's score when they are silenced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import logit

from streamer.arrays import Array
from streamer.errors import ConfigError
from train import npz

TILE_S = 0.24
"""Duration, in seconds, of a tile, the part of a spectrogram that is silenced at once: two syllables, or a beat."""
TILES_OF_BANDS = 8
"""Number of tiles over all bands."""
BATCH = 32
CLIPPED = 1e-6
"""Distance that probabilities keep from 0 and 1, so that their log-odds are finite."""

Scores = Callable[[Array], Array]
"""Function from log-mel frames, (batch, frames, mel_bands), to probabilities, (batch, steps, labels), from a fresh
state."""


def occlusion(scores: Scores, frames: Array, label: int, silence: float, frame_s: float) -> Array:
    """Return by how much a label's mean log-odds fall where sound is removed (Zeiler and Fergus 2014).

    Only the outputs of the exported model, its ear included, are used. Tiles of `TILE_S` by an eighth of the bands
    overlap by half; the value of a point is the mean over the tiles that cover it.

    Parameters
    ----------
    scores : callable
        Model, as a function from frames to probabilities.
    frames : Array, shape (frames, mel_bands)
        Log-mel frames of one clip, at least one step of the model.
    label : int
        Index into the model's labels.
    silence : float
        Log-mel value of silence: the logarithm of the front end's offset.
    frame_s : float
        Seconds from frame to frame.

    Returns
    -------
    float32 array, shape (frames, mel_bands)
        Positive where the sound speaks for the label.

    Raises
    ------
    ConfigError
        If the clip is shorter than a step of the model.
    """
    whole = _log_odds(scores(frames[None]), label)
    if np.isnan(whole[0]):
        raise ConfigError(f"a clip has {len(frames)} frames; expected enough for a score of the model")
    lost, covered = np.zeros(frames.shape), np.zeros(frames.shape)
    tiles = _tiles(frames.shape, frame_s)
    for first in range(0, len(tiles), BATCH):
        batch = tiles[first : first + BATCH]
        occluded = np.repeat(frames[None].astype(np.float32), len(batch), axis=0)
        for clip, tile in zip(occluded, batch, strict=True):
            clip[tile] = silence
        for tile, found in zip(batch, _log_odds(scores(occluded), label), strict=True):
            lost[tile] += whole[0] - found
            covered[tile] += 1
    return (lost / covered).astype(np.float32)


def _tiles(shape: tuple[int, ...], frame_s: float) -> list[tuple[slice, slice]]:
    """Return overlapping tiles that cover all of (frames, mel_bands)."""
    sizes = max(2, round(TILE_S / frame_s)), max(2, -(-shape[1] // TILES_OF_BANDS))
    starts = [
        range(0, max(1, length - size // 2), size // 2) for length, size in zip(shape, sizes, strict=True)
    ]
    return [(slice(t, t + sizes[0]), slice(b, b + sizes[1])) for t in starts[0] for b in starts[1]]


def _log_odds(scores: Array, label: int) -> Array:
    """Return the mean log-odds over the steps, shape (batch,); NaN if there are no steps."""
    if not scores.shape[1]:
        return np.full(len(scores), np.nan)
    found: Array = logit(np.clip(scores[:, :, label].astype(np.float64), CLIPPED, 1 - CLIPPED)).mean(axis=1)
    return found


@dataclass(frozen=True)
class SaliencyMap:
    """Saliency map of a clip: which parts of its spectrogram speak for the label that was predicted.

    Attributes
    ----------
    clip : str
        Name of the clip, ``SOURCE/NAME``.
    truth, predicted : str
        True label, and the predicted label, which the map explains.
    log_mel, saliency : Array, shape (frames, mel_bands)
        Log-mel frames of the clip, and their saliency; see `occlusion`.
    frame_s : float
        Seconds from frame to frame.
    """

    clip: str
    truth: str
    predicted: str
    log_mel: Array
    saliency: Array
    frame_s: float = 0.01

    def save(self, path: Path) -> None:
        """Write the map to an npz file. Its folder is created if it is absent."""
        npz.write(path, {name: np.array(getattr(self, name)) for name in self.__dataclass_fields__})


def load(path: Path) -> SaliencyMap:
    """Return the map in a file that `SaliencyMap.save` wrote.

    Raises
    ------
    ConfigError
        If the file is absent or does not hold a saliency map.
    """
    content = npz.read(path, "a saliency map", "make it again")
    missing = set(SaliencyMap.__dataclass_fields__) - set(content)
    if missing:
        raise ConfigError(
            f"{path} lacks {', '.join(sorted(missing))}; expected a saliency map: make it again"
        )
    texts = {name: str(content[name]) for name in ("clip", "truth", "predicted")}
    return SaliencyMap(
        **texts, log_mel=content["log_mel"], saliency=content["saliency"], frame_s=float(content["frame_s"])
    )
