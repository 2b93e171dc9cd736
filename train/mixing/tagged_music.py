"""Excerpts of music without labels, as the genre network's frames, with the answers of a tagger of music.

They are computed once and kept on disk, since running the teacher takes longer than learning from it.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from models.genre import GenreConfig
from streamer.arrays import Array
from streamer.dsp.log_mel import LogMel
from streamer.dsp.stage import offline
from train.data.cache import Skipped
from train.data.decode import FULL_SCALE, ClipError, decode
from train.data.hashes import FileHashes
from train.data.recordings import Recording
from train.data.whole_folder import written_whole
from train.mixing.clip_variations import FRAMES
from train.mixing.mel_music import match_file_precision
from train.teachers import musicnn

FRONT_END = LogMel(GenreConfig().front_end)
EXCERPT_SAMPLES = (FRAMES - 1) * FRONT_END.config.hop_samples + FRONT_END.config.window_samples
"""Samples of an excerpt at 16 kHz: those of its frames, a little more than the teacher's patch."""
EVERY = 2
"""Step from one excerpt of a recording to the next that is taken: those between are left out, being alike."""
ARRAYS = ("frames", "logits", "embedding", "fold")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TaggedMusic:
    """Excerpts of 3 s with the answers of the teacher, musicnn. The arrays have one row per excerpt.

    Attributes
    ----------
    frames : float16 array, shape (excerpts, FRAMES, bands)
        Log-mel frames with the range and the rounding of GTZAN's mel file.
    logits : float32 array, shape (excerpts, 50)
        Logits of `train.teachers.musicnn.TAGS`.
    embedding : float32 array, shape (excerpts, 200)
        The teacher's layer before the logits.
    fold : int64 array, shape (excerpts,)
        Fold, 1 to 5, of the recording that the excerpt was cut from.
    digest : str
        Hash of everything that the arrays depend on.
    skipped : tuple of Skipped
        None: recordings that were left out are logged where the arrays are made.
    """

    frames: Array
    logits: Array
    embedding: Array
    fold: Array
    digest: str
    skipped: tuple[Skipped, ...] = ()

    def __len__(self) -> int:
        return len(self.fold)


def spread_over_groups(recordings: Sequence[Recording], count: int) -> list[Recording]:
    """Return about `count` recordings, evenly from each folder of a data set, such as a package.

    A folder that has fewer gives all of its recordings, and the others give the more.

    Parameters
    ----------
    recordings : sequence of Recording
        Recordings whose names begin with the folder's.
    count : int
        Number of recordings wanted.
    """
    groups: dict[str, list[Recording]] = defaultdict(list)
    for recording in sorted(recordings, key=lambda r: r.name):
        groups[recording.name.split("/")[0]].append(recording)
    chosen: list[Recording] = []
    for place, group in enumerate(sorted(groups.values(), key=len)):
        share = min(len(group), round((count - len(chosen)) / (len(groups) - place)))
        chosen += [group[n * len(group) // share] for n in range(share)]
    return chosen


def load_tagged_music(recordings: Sequence[Recording], wheel: Path, cache: Path) -> TaggedMusic:
    """Return excerpts of the recordings with the teacher's answers; compute and store what is not on disk yet.

    Parameters
    ----------
    recordings : sequence of Recording
        Recordings of music. Those that cannot be read are left out, and logged.
    wheel : Path
        Wheel of musicnn, see `train.teachers.musicnn.Musicnn.from_wheel`.
    cache : Path
        Folder of all caches; the arrays lie in its subfolder ``tags``.

    Raises
    ------
    ModelError
        If the wheel is not that of the teacher.
    """
    hashes = FileHashes(cache / "hashes.json")
    described = [
        [(recording.name, recording.fold, hashes.sha256(recording.paths[0])) for recording in recordings],
        f"{musicnn.WHEEL.distribution} {musicnn.WHEEL.version}, every {EVERY}",
        FRONT_END.config.fingerprint,
    ]
    name = hashlib.sha256(json.dumps(described).encode()).hexdigest()[:16]
    folder = cache / "tags" / name
    if not folder.is_dir():
        teacher = musicnn.Musicnn.from_wheel(wheel)
        with written_whole(folder) as partial:
            _build(recordings, teacher, partial)
    frames, logits, embedding, fold = (np.load(folder / f"{part}.npy", mmap_mode="r") for part in ARRAYS)
    return TaggedMusic(frames, logits, embedding, fold, name)


def _build(recordings: Sequence[Recording], teacher: musicnn.Musicnn, folder: Path) -> None:
    """Compute the arrays of all excerpts and write them into a folder."""
    rows = list(_answers(recordings, teacher))
    types = (np.float16, np.float32, np.float32, np.int64)
    for part, dtype, values in zip(ARRAYS, types, zip(*rows, strict=True), strict=True):
        np.save(folder / f"{part}.npy", np.concatenate(values).astype(dtype))
    _log.info(
        "tagged %d excerpts of %d recordings in %s", sum(len(row[0]) for row in rows), len(rows), folder
    )


def _answers(
    recordings: Sequence[Recording], teacher: musicnn.Musicnn
) -> Iterator[tuple[Array, Array, Array, Array]]:
    """Yield the rows of each recording's excerpts, in the order of `ARRAYS`."""
    for recording in tqdm(recordings, desc="running the teacher", unit=" recordings", disable=None):
        try:
            sound = decode(recording).astype(np.float32) / np.float32(FULL_SCALE)
        except ClipError as error:
            _log.warning("%s is left out: %s", recording.name, error)
            continue
        excerpts = sound[: len(sound) // EXCERPT_SAMPLES * EXCERPT_SAMPLES].reshape(-1, EXCERPT_SAMPLES)
        excerpts = excerpts[excerpts.any(axis=1)][::EVERY]
        if not len(excerpts):
            continue
        patches = musicnn.frames_of(excerpts[:, : musicnn.PATCH_SAMPLES])
        logits, embedding = teacher(torch.from_numpy(patches))
        frames = match_file_precision(offline(FRONT_END, excerpts))
        yield frames, logits.numpy(), embedding.numpy(), np.full(len(excerpts), recording.fold)
