"""Examples for distillation: sound as log-mel frames, its labels, and the outputs of the ear's teachers, two YAMNets.

They are computed once for each fold and kept on disk, since running the teachers takes longer than learning from them.
In configurations and on disk they go by their older name, ``lessons``: a new one would make saved
configurations unreadable and caches worthless.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from tqdm import tqdm

from streamer.arrays import Array
from streamer.dsp.log_mel import LogMel
from streamer.dsp.stage import offline
from streamer.yamnet.weights import CLASSES, EMBEDDING_SIZE, PATCH_FRAMES
from train.data.cache import SoundCache
from train.data.whole_folder import written_whole
from train.mixing.distillation.examples import STEPS, DistillationConfig, Example, Examples
from train.mixing.distillation.teachers import PATCH_STEPS, STEP_FRAMES, TEACHERS, Teachers

FRAMES = STEPS * STEP_FRAMES
"""Number of log-mel frames of an example: 496, one every 10 ms."""
PATCHES = (FRAMES - PATCH_FRAMES) // (PATCH_STEPS * STEP_FRAMES) + 1
"""Number of patches of an example: 9, each 0.96 s long, one every 0.48 s."""
FRONT_END = LogMel()
"""Front end of the ear and of both teachers, YAMNet's: 64 bands, one frame every 10 ms."""
BATCH = 16
"""Number of examples for which the teachers run at once."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TeacherAnswers:
    """Examples of one fold with the outputs of both teachers (`TEACHERS`), from which the ear learns.

    An example is 5 s of sound: a clip of everyday sound, a scene or an excerpt of a recording. The arrays have one row
    per example, are mapped from disk and cannot be written to; `load_teacher_answers` makes them.

    Attributes
    ----------
    folder : Path
        Folder of the arrays; its name is a hash of everything that they depend on.
    frames : float16 array, shape (examples, 496, 64)
        Log-mel frames, one every 10 ms (`FRAMES`), with the bands of YAMNet's front end.
    embedding : float16 array, shape (examples, 9, 1024)
        Embedding by the second teacher (YAMNet Lite) of each patch of 0.96 s, one every 0.48 s (`PATCHES`). The array
        holds its square roots, whose distribution is closer to a normal one: do not take them again.
    logits : float16 array, shape (examples, 9, 521)
        Mean of both teachers' logits, before the sigmoid, of AudioSet's classes for each patch.
    music : int8 array, shape (examples, 62)
        Label of each step of 80 ms (`STEPS`): 1 where there is music, 0 where there is none, -1 where
        nothing is to be learnt.
    classes : int8 array, shape (examples, 62)
        Label of each step of 80 ms: index into the `classes` of `load_teacher_answers`, -2 where none of them sounds,
        -1 where nothing is to be learnt.
    clip : int16 array, shape (examples,)
        Class of an example that is a single clip of everyday sound, as an index into the same list; -1 for scenes and
        excerpts.
    raw : bool array, shape (examples,)
        Whether the example is a clip of everyday sound as recorded. The other variants of the clip are augmented by
        `PERFORMANCE_CHANGES` and `RECORDING_CHANGES`.
    """

    folder: Path
    frames: Array
    embedding: Array
    logits: Array
    music: Array
    classes: Array
    clip: Array
    raw: Array

    def __len__(self) -> int:
        return len(self.clip)

    @property
    def arrays(self) -> dict[str, Array]:
        """All arrays above by name, those of `SHAPES`."""
        return {name: getattr(self, name) for name in SHAPES}


SHAPES = {
    "frames": (np.float16, (FRAMES, FRONT_END.config.mel_bands)),
    "embedding": (np.float16, (PATCHES, EMBEDDING_SIZE)),
    "logits": (np.float16, (PATCHES, CLASSES)),
    "music": (np.int8, (STEPS,)),
    "classes": (np.int8, (STEPS,)),
    "clip": (np.int16, ()),
    "raw": (np.bool_, ()),
}
"""Type of each array, and shape of its entry for one example."""


def load_teacher_answers(
    sounds: SoundCache,
    classes: Sequence[str],
    ambiguous: frozenset[tuple[str, str]],
    config: DistillationConfig,
    precision: str,
    data: Path,
    cache: Path,
) -> TeacherAnswers:
    """Return the examples of one fold with the outputs of both teachers; compute and store what is not on disk yet.

    Parameters
    ----------
    sounds : SoundCache
        Recordings of the fold.
    classes : sequence of str
        Names of the classes of everyday sound; a label is an index into them.
    ambiguous : frozenset of (source, category or name)
        Recordings that are neither clearly music nor clearly not.
    config : DistillationConfig
        Settings of the examples.
    precision : {"float32", "bf16"}
        Number format of the teachers; see `Teachers`.
    data : Path
        Folder of the data sets, which holds the teachers' weights too.
    cache : Path
        Folder of all caches; the examples lie in its subfolder ``lessons``.
    """
    # Pairs of data sets that are not there change nothing, so a new data set leaves other folders valid.
    sources = {recording.source for recording in sounds.recordings}
    described = [
        sounds.digest,
        classes,
        sorted(pair for pair in ambiguous if pair[0] in sources),
        asdict(config),
        FRONT_END.config.fingerprint,
        TEACHERS,
        precision,
    ]
    name = hashlib.sha256(json.dumps(described).encode()).hexdigest()[:16]
    folder = cache / "lessons" / name
    if not folder.is_dir():
        examples = Examples(sounds, classes, ambiguous, config)
        with written_whole(folder) as partial:
            _build(examples, precision, data, cache, partial)
        _log.info("made %d examples in %s", len(examples), folder)
    return TeacherAnswers(folder, **{part: np.load(folder / f"{part}.npy", mmap_mode="r") for part in SHAPES})


def _build(examples: Examples, precision: str, data: Path, cache: Path, folder: Path) -> None:
    """Compute all examples with the outputs of the teachers, and store them in a folder."""
    teachers = Teachers(data, precision)
    arrays = {
        name: np.lib.format.open_memmap(folder / f"{name}.npy", "w+", dtype, (len(examples), *shape))
        for name, (dtype, shape) in SHAPES.items()
    }
    made = examples.make(cache)
    with tqdm(total=len(examples), desc="running teachers", unit=" examples", disable=None) as bar:
        for first in range(0, len(examples), BATCH):
            batch = list(islice(made, BATCH))
            rows = _rows(batch, teachers, examples)
            for name, values in rows.items():
                arrays[name][first : first + len(batch)] = values
            bar.update(len(batch))
    for array in arrays.values():
        array.flush()


def _rows(batch: Sequence[Example], teachers: Teachers, examples: Examples) -> dict[str, Array]:
    """Return the rows of a batch of examples, by the names of `SHAPES`."""
    frames = offline(FRONT_END, np.stack([example.scene.sound for example in batch]))[:, :FRAMES]
    hop_samples = STEP_FRAMES * FRONT_END.config.hop_samples
    embedding, logits = teachers.answer(frames)
    return {
        "frames": frames,
        "embedding": embedding,
        "logits": logits,
        "music": np.stack([examples.step_labels(example.scene.music, hop_samples) for example in batch]),
        "classes": np.stack([examples.step_labels(example.scene.classes, hop_samples) for example in batch]),
        "clip": np.array([example.clip for example in batch]),
        "raw": np.array([example.raw for example in batch]),
    }
