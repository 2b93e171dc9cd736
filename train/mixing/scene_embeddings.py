"""Scenes as an ear hears them, with labels of music, speech and singing, for heads to learn from.

They are made once and kept on disk: a head learns in minutes, and making them takes longer.
"""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from tqdm import tqdm

from streamer.arrays import Array
from streamer.dsp.log_mel import LogMel
from streamer.dsp.stage import offline
from streamer.inference.onnx import OnnxModel
from train.data.cache import SoundCache
from train.data.decode import RATE_HZ
from train.data.whole_folder import written_whole
from train.mixing.presence import NAMES
from train.mixing.scenes import Scene, SceneConfig, Scenes, step_labels

BATCH = 16
"""Number of scenes that the ear hears at once."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SceneEmbeddingsConfig:
    """Settings of the scenes that a head learns from.

    Attributes
    ----------
    count : int
        Number of scenes of each fold.
    scene : SceneConfig
        Settings of the scenes.
    seed : int
        Seed of everything that is drawn at random.
    """

    count: int = 1_500
    scene: SceneConfig = field(
        default_factory=lambda: SceneConfig(
            seconds=10.0,
            weights=(0.2, 0.12, 0.08, 0.12, 0.07, 0.14, 0.08, 0.03, 0.06, 0.03, 0.05, 0.02),
        )
    )
    seed: int = 1


@dataclass(frozen=True)
class SceneEmbeddings:
    """Scenes of one fold as an ear hears them; both arrays are mapped from disk.

    Attributes
    ----------
    embeddings : float16 array, shape (scenes, steps, embedding_size)
        Embeddings, with a fresh state for each scene.
    present : int8 array, shape (scenes, steps, 3)
        Labels of each step in the order of `train.mixing.presence.NAMES`.
    """

    embeddings: Array
    present: Array

    @property
    def arrays(self) -> dict[str, Array]:
        """Both arrays by name."""
        return {"embeddings": self.embeddings, "present": self.present}


def load_scene_embeddings(
    ear: OnnxModel, sounds: SoundCache, config: SceneEmbeddingsConfig, cache: Path
) -> SceneEmbeddings:
    """Return the scenes of one fold as an ear hears them; make them if they are not on disk yet.

    Parameters
    ----------
    ear : OnnxModel
        Exported ear.
    sounds : SoundCache
        Recordings of the fold. All of them are used, so leave out those whose labels are in doubt.
    config : SceneEmbeddingsConfig
        Settings of the scenes.
    cache : Path
        Folder of all caches; the scenes lie in its subfolder ``scenes``.

    Raises
    ------
    ConfigError
        If the settings ask for parts of which there are no recordings.
    """
    described = [sounds.digest, asdict(config), ear.manifest.log_mel.fingerprint, ear.manifest.sha256]
    name = hashlib.sha256(json.dumps(described).encode()).hexdigest()[:16]
    folder = cache / "scenes" / name
    if not folder.is_dir():
        with written_whole(folder) as partial:
            _build(ear, Scenes(sounds, config.scene), config, partial)
        _log.info("made %d scenes in %s", config.count, folder)
    return SceneEmbeddings(
        **{part: np.load(folder / f"{part}.npy", mmap_mode="r") for part in ("embeddings", "present")}
    )


def _build(ear: OnnxModel, scenes: Scenes, config: SceneEmbeddingsConfig, folder: Path) -> None:
    """Make all scenes, run the ear over them, and store embeddings and labels in a folder."""
    front_end = ear.manifest.log_mel
    step_samples = front_end.hop_samples * ear.manifest.hop_frames
    # Samples beyond the hops of a step on which the step depends; the last of them gives the label of the step.
    reach = front_end.window_samples - front_end.hop_samples
    steps = int(config.scene.seconds * RATE_HZ) // step_samples
    embeddings = np.lib.format.open_memmap(
        folder / "embeddings.npy", "w+", np.float16, (config.count, steps, ear.manifest.output_size)
    )
    present = np.zeros((config.count, steps, len(NAMES)), np.int8)
    rng = np.random.default_rng(config.seed)
    for first in tqdm(range(0, config.count, BATCH), desc="scenes", disable=None):
        rows = slice(first, min(first + BATCH, config.count))
        made = [scenes.make(rng, steps * step_samples + reach) for _ in range(rows.start, rows.stop)]
        frames = offline(LogMel(front_end), np.stack([scene.sound for scene in made]))
        embeddings[rows], _ = ear.step(frames, ear.init(len(made)))
        present[rows] = np.stack([_labels(scene, reach, step_samples, config.scene) for scene in made])
    embeddings.flush()
    np.save(folder / "present.npy", present)


def _labels(scene: Scene, reach: int, step_samples: int, config: SceneConfig) -> Array:
    """Return the labels of a scene's steps, shape (steps, 3)."""
    return np.stack([step_labels(row[reach:], step_samples, config) for row in scene.present], axis=1)
