"""Embeddings of examples by an exported ear, with their labels, made once and kept on disk, for heads to learn from.

An example is 5 s of sound: a clip of everyday sound, a scene or an excerpt of recordings. Heads need no outputs of the
ear's teachers, so none are computed.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from itertools import islice
from pathlib import Path

import numpy as np
from tqdm import tqdm

from streamer.arrays import Array
from streamer.dsp.log_mel import LogMel
from streamer.dsp.stage import offline
from streamer.inference.onnx import OnnxModel
from train.augment.rooms import limit_band
from train.data.cache import SoundCache
from train.data.whole_folder import written_whole
from train.mixing.distillation.examples import STEPS, DistillationConfig, Examples
from train.mixing.distillation.teachers import STEP_FRAMES

BATCH = 32
"""Number of examples that the ear hears at once."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ExampleEmbeddings:
    """Examples of one fold as an ear hears them; the arrays have a row for each example and are mapped from disk.

    Attributes
    ----------
    embeddings : float16 array, shape (examples, 62, embedding_size)
        Embeddings, one every 80 ms, with a fresh state for each example.
    classes : int8 array, shape (examples, 62)
        Label of each step: index of the class of everyday sound, `train.mixing.scenes.NO_CLASS` or
        `train.mixing.presence.IGNORE`.
    clip : int16 array, shape (examples,)
        Class of an example that is a single clip of everyday sound; -1 for scenes and excerpts.
    raw : bool array, shape (examples,)
        Whether the example is a clip of everyday sound as recorded.
    """

    embeddings: Array
    classes: Array
    clip: Array
    raw: Array

    def __len__(self) -> int:
        return len(self.clip)

    @property
    def arrays(self) -> dict[str, Array]:
        """All arrays by name."""
        return {name: getattr(self, name) for name in ("embeddings", "classes", "clip", "raw")}


def load_example_embeddings(
    ear: OnnxModel,
    sounds: SoundCache,
    classes: Sequence[str],
    ambiguous: frozenset[tuple[str, str]],
    config: DistillationConfig,
    cache: Path,
    highest_hz: tuple[float, float] | None = None,
) -> ExampleEmbeddings:
    """Return the examples of one fold as an ear hears them; make and store what is not on disk yet.

    Parameters
    ----------
    ear : OnnxModel
        Exported ear.
    sounds, classes, ambiguous, config
        As for `train.mixing.distillation.teacher_answers.load_teacher_answers`.
    cache : Path
        Folder of all caches; the embeddings lie in its subfolder ``embeddings``.
    highest_hz : tuple of float, optional
        Lowest and highest frequency, in Hz, between which a limit is drawn for each example: the ear hears nothing
        above it, as over a telephone. By default it hears all.
    """
    sources = {recording.source for recording in sounds.recordings}
    pairs = sorted(pair for pair in ambiguous if pair[0] in sources)
    described = [
        sounds.digest,
        classes,
        pairs,
        asdict(config),
        ear.manifest.sha256,
        *([highest_hz] if highest_hz else []),
    ]
    folder = cache / "embeddings" / hashlib.sha256(json.dumps(described).encode()).hexdigest()[:16]
    if not folder.is_dir():
        examples = Examples(sounds, classes, ambiguous, config)
        with written_whole(folder) as partial:
            _build(ear, examples, cache, partial, highest_hz)
        _log.info("made embeddings of %d examples in %s", len(examples), folder)
    return ExampleEmbeddings(
        *(np.load(folder / f"{field.name}.npy", mmap_mode="r") for field in fields(ExampleEmbeddings))
    )


def _build(
    ear: OnnxModel, examples: Examples, cache: Path, folder: Path, highest_hz: tuple[float, float] | None
) -> None:
    """Make all examples, run the ear over them, and store embeddings and labels in a folder."""
    front_end = LogMel(ear.manifest.log_mel)
    hop_samples = STEP_FRAMES * front_end.config.hop_samples
    shape = len(examples), STEPS, ear.manifest.output_size
    embeddings = np.lib.format.open_memmap(folder / "embeddings.npy", "w+", np.float16, shape)
    classes = np.zeros((len(examples), STEPS), np.int8)
    clip, raw = np.zeros(len(examples), np.int16), np.zeros(len(examples), np.bool_)
    made, rng = examples.make(cache), np.random.default_rng(0)
    for first in tqdm(range(0, len(examples), BATCH), desc="embedding", disable=None):
        batch = list(islice(made, BATCH))
        rows = slice(first, first + len(batch))
        sounds = [example.scene.sound for example in batch]
        if highest_hz:
            sounds = [limit_band(sound, rng.uniform(*highest_hz)) for sound in sounds]
        frames = offline(front_end, np.stack(sounds))
        embeddings[rows], _ = ear.step(frames[:, : STEPS * STEP_FRAMES], ear.init(len(batch)))
        classes[rows] = [examples.step_labels(example.scene.classes, hop_samples) for example in batch]
        clip[rows], raw[rows] = [example.clip for example in batch], [example.raw for example in batch]
    embeddings.flush()
    np.save(folder / "classes.npy", classes)
    np.save(folder / "clip.npy", clip)
    np.save(folder / "raw.npy", raw)
