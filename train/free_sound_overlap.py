"""``python -m train.free_sound_overlap``: which recordings of ESC-50 are in the sound of free software too.

Both took sounds from public collections. Starts of clips are compared by their log-mel patches, and the likeliest
pairs by their waveforms, at any shift.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from scipy.signal import correlate

from streamer.frontend import FrontEnd
from streamer.stage import Array
from train.data import esc50, free_sound
from train.data.cache import SoundCache
from train.data.decode import RATE_HZ
from train.data.features import FeatureCache
from train.data.recordings import Recording
from train.run import CACHE, data_folder

PATCH_FRAMES = 96
BLOCK = 4, 2
"""Frames and bands whose mean stands for all of them."""
STARTS, START_FRAMES = 4, 24
"""Patches of each sound that are looked for, and how far they are apart."""
SOUGHT_FRAMES = 4
"""How far the patches that they are compared with are apart."""
FLAT = 8.0
"""A patch that varies less, in the log-mel's unit, is taken for silence."""
LIKELIEST = 3
ALIKE = 0.8
"""Correlation of patches from which waveforms are compared."""
LONGEST_S = 3.0
PARTS = 8
"""In which the patches are compared, to bound memory."""


@dataclass(frozen=True)
class Overlap:
    """Two recordings that may hold the same sound.

    Attributes
    ----------
    correlation : float
        Of their waveforms where they fit best, 0 to 1.
    sound, clip : str
        Names of the one looked for and of the one that it was compared with.
    """

    correlation: float
    sound: str
    clip: str


def overlaps(sounds: Sequence[Recording], clips: Sequence[Recording], cache: Path) -> list[Overlap]:
    """Pairs of sounds and clips that are alike, the most alike first.

    Parameters
    ----------
    sounds : sequence of Recording
        What is looked for.
    clips : sequence of Recording
        Where.
    cache : Path
        Folder of what is made of recordings.
    """
    sought, within = SoundCache(sounds, cache), SoundCache(clips, cache)
    pairs = _likeliest(
        FeatureCache(sought.recordings, cache, FrontEnd()), FeatureCache(within.recordings, cache, FrontEnd())
    )
    places = [{r.name: n for n, r in enumerate(held.recordings)} for held in (sought, within)]
    found = [
        Overlap(
            _at_best(
                sought.samples(places[0][sound], 0, round(LONGEST_S * RATE_HZ)),
                within.samples(places[1][clip]),
            ),
            sound,
            clip,
        )
        for sound, clip in pairs
    ]
    return sorted(found, key=lambda one: -one.correlation)


def _likeliest(sought: FeatureCache, within: FeatureCache) -> list[tuple[str, str]]:
    """Names of the `LIKELIEST` clips for each patch of each sound, if they are `ALIKE`."""
    patches, owners = _all_patches(sought, START_FRAMES, STARTS)
    others, their_owners = _all_patches(within, SOUGHT_FRAMES, None)
    pairs: set[tuple[int, int]] = set()
    for part, owned in zip(np.array_split(others, PARTS), np.array_split(their_owners, PARTS), strict=True):
        alike = patches @ part.T
        most = np.argsort(-alike, axis=1)[:, :LIKELIEST]
        rows, columns = np.nonzero(np.take_along_axis(alike, most, axis=1) >= ALIKE)
        pairs |= set(zip(owners[rows].tolist(), owned[most[rows, columns]].tolist(), strict=True))
    return [(sought.recordings[a].name, within.recordings[b].name) for a, b in sorted(pairs)]


def _all_patches(cache: FeatureCache, hop_frames: int, most: int | None) -> tuple[Array, Array]:
    """Patches of length one, shape (patches, numbers), and whose they are."""
    found = [(patch, n) for n in range(len(cache)) for patch in _patches(cache.frames(n), hop_frames, most)]
    frames, bands = PATCH_FRAMES // BLOCK[0], cache.front_end.config.mel_bands // BLOCK[1]
    patches = np.array([patch for patch, _ in found], np.float32).reshape(len(found), frames * bands)
    return patches, np.array([owner for _, owner in found], int)


def _patches(frames: Array, hop_frames: int, most: int | None) -> Iterator[Array]:
    """Patches of a recording without each band's mean; a short one is filled up with its quietest level."""
    missing = max(0, PATCH_FRAMES - len(frames))
    frames = np.pad(frames, ((0, missing), (0, 0)), constant_values=float(frames.min()))
    for first in range(0, len(frames) - PATCH_FRAMES + 1, hop_frames)[:most]:
        patch = frames[first : first + PATCH_FRAMES]
        blocks = patch.reshape(PATCH_FRAMES // BLOCK[0], BLOCK[0], -1, BLOCK[1]).mean((1, 3))
        blocks = blocks - blocks.mean(0)
        length = float(np.linalg.norm(blocks))
        if length >= FLAT:
            yield (blocks / length).ravel()


def _at_best(sound: Array, clip: Array) -> float:
    """Normalised correlation of two waveforms at the shift at which their product is largest."""
    x, y = (part.astype(np.float64) - float(part.mean()) for part in (sound, clip))
    product = np.abs(correlate(y, x, method="fft"))
    best = int(product.argmax())
    first, stop = max(0, best + 1 - len(x)), min(len(y), best + 1)
    power = float(np.sum(y[first:stop] ** 2) * np.sum(x**2))
    return float(product[best] / np.sqrt(power)) if power > 0 else 0.0


@click.command()
@click.option("--most", default=20, show_default=True, help="How many pairs to print.")
def main(most: int) -> None:
    """Print the pairs of sound of free software and clips of ESC-50 that are most alike."""
    data = data_folder()
    sounds = [recording for recording in free_sound.everything(data) if recording.kind == "sound"]
    for one in overlaps(sounds, esc50.recordings(data), CACHE)[:most]:
        click.echo(f"{one.correlation:.2f}  {one.sound}  {one.clip}")


if __name__ == "__main__":
    main()
