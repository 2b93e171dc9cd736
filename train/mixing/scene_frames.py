"""Scenes as log-mel frames, with labels of music, speech and singing, for a gate to learn from.

They are made once and kept on disk: making them takes as long as learning from them, and every run of training goes
over them several times.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from tqdm import tqdm

from streamer.arrays import Array
from streamer.dsp.log_mel import LogMel
from streamer.dsp.stage import offline
from train.data.cache import SoundCache
from train.data.decode import RATE_HZ
from train.data.whole_folder import written_whole
from train.mixing.presence import NAMES
from train.mixing.scenes import Scene, SceneConfig, Scenes, step_labels

BATCH = 16
"""Number of scenes of which the frames are computed at once."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SceneSetConfig:
    """Settings of a set of scenes.

    Attributes
    ----------
    count : int
        Number of scenes of each fold to learn from.
    checked : int
        Number of scenes of each other fold, which choose weights and thresholds or are measured.
    scene : SceneConfig
        Settings of the scenes.
    seed : int
        Seed of everything that is drawn at random.
    """

    count: int = 5_000
    checked: int = 1_000
    scene: SceneConfig = field(
        default_factory=lambda: SceneConfig(
            seconds=10.0,
            weights=(0.1, 0.08, 0.05, 0.1, 0.07, 0.16, 0.12, 0.03, 0.05, 0.03, 0.03, 0.02, 0.1, 0.03, 0.03),
        )
    )
    seed: int = 1


@dataclass(frozen=True)
class SceneFrames:
    """Scenes of one fold; both arrays are mapped from disk.

    Attributes
    ----------
    frames : float16 array, shape (scenes, frames, mel_bands)
        Log-mel frames.
    present : int8 array, shape (scenes, steps, 3)
        Labels of each step in the order of `train.mixing.presence.NAMES`.
    """

    frames: Array
    present: Array

    @property
    def arrays(self) -> dict[str, Array]:
        """Both arrays by name."""
        return {"frames": self.frames, "present": self.present}


def load_scene_frames(
    front_end: LogMel,
    hop_frames: int,
    sounds: SoundCache,
    doubtful: Mapping[int, Collection[str]],
    sung: Mapping[int, Array],
    count: int,
    config: SceneSetConfig,
    cache: Path,
) -> SceneFrames:
    """Return scenes of one fold as frames; make them if they are not on disk yet.

    Parameters
    ----------
    front_end : LogMel
        Front end of the model that learns from them.
    hop_frames : int
        Frames of a step of that model.
    sounds : SoundCache
        Recordings of the fold.
    doubtful : mapping of int to collection of str
        Names of the labels that a recording teaches nothing about, by the index of the recording.
    sung : mapping of int to int8 array
        Labels of singing in songs, by the index of the recording; see `Scenes`.
    count : int
        Number of scenes.
    config : SceneSetConfig
        Settings of the scenes.
    cache : Path
        Folder of all caches; the scenes lie in its subfolder ``scenes``.

    Raises
    ------
    ConfigError
        If the settings ask for parts of which there are no recordings.
    """
    settings = [asdict(config.scene), config.seed, count, hop_frames]
    described = [
        sounds.digest,
        sorted((i, sorted(labels)) for i, labels in doubtful.items()),
        settings,
        front_end.config.fingerprint,
    ]
    if sung:
        described.append(
            [[index, hashlib.sha256(sung[index].tobytes()).hexdigest()] for index in sorted(sung)]
        )
    folder = cache / "scenes" / hashlib.sha256(json.dumps(described).encode()).hexdigest()[:16]
    if not folder.is_dir():
        with written_whole(folder) as partial:
            scenes = Scenes(sounds, config.scene, doubtful=doubtful, sung=sung)
            _build(
                front_end,
                hop_frames,
                scenes,
                np.random.default_rng(config.seed),
                count,
                config.scene,
                partial,
            )
        _log.info("made %d scenes in %s", count, folder)
    return SceneFrames(
        **{part: np.load(folder / f"{part}.npy", mmap_mode="r") for part in ("frames", "present")}
    )


def _build(
    front_end: LogMel,
    hop_frames: int,
    scenes: Scenes,
    rng: np.random.Generator,
    count: int,
    config: SceneConfig,
    folder: Path,
) -> None:
    """Make scenes, and store their frames and labels in a folder."""
    step_samples = front_end.config.hop_samples * hop_frames
    # Samples beyond the hops of a step on which the step depends; the last of them gives the label of the step.
    reach = front_end.config.window_samples - front_end.config.hop_samples
    steps = int(config.seconds * RATE_HZ) // step_samples
    frames = np.lib.format.open_memmap(
        folder / "frames.npy", "w+", np.float16, (count, steps * hop_frames, front_end.config.mel_bands)
    )
    present = np.zeros((count, steps, len(NAMES)), np.int8)
    for first in tqdm(range(0, count, BATCH), desc="scenes", disable=None):
        rows = slice(first, min(first + BATCH, count))
        made = [scenes.make(rng, steps * step_samples + reach) for _ in range(rows.start, rows.stop)]
        frames[rows] = offline(front_end, np.stack([scene.sound for scene in made]))
        present[rows] = np.stack([_labels(scene, reach, step_samples, config) for scene in made])
    frames.flush()
    np.save(folder / "present.npy", present)


def _labels(scene: Scene, reach: int, step_samples: int, config: SceneConfig) -> Array:
    """Return the labels of a scene's steps, shape (steps, 3)."""
    return np.stack([step_labels(row[reach:], step_samples, config) for row in scene.present], axis=1)
