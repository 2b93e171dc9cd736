"""Train the gate, which decides whether there is music, speech and singing, on scenes made from all data sets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from models.gate import HOP_FRAMES, Gate, GateConfig
from streamer.arrays import Array
from streamer.dsp.log_mel import LogMel
from streamer.errors import ConfigError
from train.augment.features import mask
from train.data.cache import SoundCache
from train.data.decode import RATE_HZ
from train.data.fold_arrays import FoldArrays
from train.data.recordings import check_folds
from train.data.sets.all_sound import unambiguous_recordings
from train.data.sets.gtzan import gtzan_mels
from train.evaluate.metrics.detection import DetectorScores
from train.loop.run import DataUsed, data_used
from train.loop.task import Batch
from train.mixing.blends import blend, tilt
from train.mixing.doubts import labels_in_doubt
from train.mixing.mel_music import MelMusic, match_file_precision
from train.mixing.presence import IGNORE, NAMES, OTHER, PRESENT
from train.mixing.scene_frames import SceneFrames, load_scene_frames
from train.mixing.sung_songs import singing_in_songs
from train.tasks.gate.config import GateRunConfig

FRONT_END = LogMel(GateConfig().front_end)
STEP_SAMPLES = FRONT_END.config.hop_samples * HOP_FRAMES
SILENCE = float(np.log(FRONT_END.config.log_offset))
"""Value of a frame of digital silence."""
NORMALISED_SCENES = 64
"""Number of scenes whose mean and deviation the gate normalises its input by."""


class GateTask:
    """Training task ``gate``: the data, losses and validation of the gate.

    Parameters
    ----------
    config : GateRunConfig
        Configuration of the run.
    data, cache : Path
        Folder of the data sets, and folder of all caches.

    Raises
    ------
    ConfigError
        If a data set is not there, or a fold has too few recordings.
    """

    name = "gate"
    front_end = FRONT_END.config

    def __init__(self, config: GateRunConfig, data: Path, cache: Path) -> None:
        self.config = config
        used = sorted({*config.learnt_folds, config.checked_fold})
        self._caches = {fold: sound_of_fold(config, fold, data, cache) for fold in used}
        check_folds([r for c in self._caches.values() for r in c.recordings], folds=tuple(self._caches))
        self._learnt = FoldArrays(
            [
                scenes_of_fold(config, self._caches[fold], config.scenes.count, data, cache).arrays
                for fold in config.learnt_folds
            ]
        )
        checked = self._caches[config.checked_fold]
        self._checked = scenes_of_fold(config, checked, config.scenes.checked, data, cache)
        self._wait_steps = round(config.scenes.scene.unknowable_s * RATE_HZ / STEP_SAMPLES)
        self._mels = gtzan_mels.load(data) if config.mel_share else None
        self._mel_music = self._music_of_mels()

    def data_hash(self) -> DataUsed:
        return data_used(*self._caches.values(), *([self._mels] if self._mels else []))

    def make_model(self) -> nn.Module:
        """Return a gate with random weights; it normalises its input by the statistics of some training scenes."""
        model = Gate(self.config.model)
        rows = np.linspace(0, len(self._learnt) - 1, min(NORMALISED_SCENES, len(self._learnt))).astype(int)
        flat = torch.from_numpy(self._learnt.take("frames", rows)).flatten(0, 1)
        model.set_normalisation(flat.mean(0), flat.std(0))
        return model

    def make_batch(self, seed: int, step: int, size: int) -> Batch:
        """Return the batch of a step.

        Some scenes are laid over others, and each gets another colour. Into some, music of the mel file is mixed, and
        as many others are rounded like that file. Stripes are masked. Every other batch is cut into ``config.pieces``
        times `size` shorter scenes.

        Returns
        -------
        frames : float32 Tensor, shape (scenes, frames, mel_bands)
            Log-mel frames.
        present : int8 Tensor, shape (scenes, steps, 3)
            Labels of music, speech and singing.
        """
        rng = np.random.default_rng((seed, step))
        rows = rng.integers(len(self._learnt), size=size)
        frames, present = self._learnt.take("frames", rows), self._learnt.take("present", rows)
        config = self.config
        blend(rng, frames, present, round(size * config.blended), config.scenes.scene.audible_db)
        frames = tilt(rng, frames, config.tilt_db, SILENCE)
        if self._mel_music:
            with_mel = round(size * config.mel_share)
            self._mel_music.mix_into(rng, frames[:with_mel], present[:with_mel], self._wait_steps)
            frames[: 2 * with_mel] = match_file_precision(frames[: 2 * with_mel])
        frames = mask(rng, frames, config.masks, config.mask_bands, config.mask_frames)
        if step % 2:
            frames, present = _cut(frames, present, config.pieces)
            present[:, : self._wait_steps] = IGNORE  # of every piece, since its state starts afresh
        return torch.from_numpy(frames), torch.from_numpy(present)

    def loss(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Return the binary cross entropy of each label, by its name, over the steps at which it is known."""
        frames, present = batch
        logits = model(frames)[0]
        known = present != IGNORE
        entropy = binary_cross_entropy_with_logits(
            logits, (present == PRESENT).float(), weight=known.float(), reduction="none"
        )
        means = entropy.sum((0, 1)) / known.sum((0, 1)).clamp(min=1)
        return dict(zip(NAMES, means, strict=True))

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Return figures of a model over the labelled steps of the scenes of the validation fold.

        Returns
        -------
        dict
            For each label, such as ``music``: ``music_auc``, area under the curve of steps with it against those
            without, and ``music_tpr_at_1pc``, share of the steps with it that score above 99 % of the others.
            ``score``, by which the best weights are chosen: the negative mean of the labels' cross entropies.
        """
        logits, present = self._logits(model), np.asarray(self._checked.present)
        figures: dict[str, float] = {}
        entropies = []
        for number, label in enumerate(NAMES):
            own, truth = logits[:, :, number], present[:, :, number]
            positive, negative = own[truth == PRESENT], own[truth == OTHER]
            if not len(positive) or not len(negative):
                raise ConfigError(
                    f"the validation scenes have {len(positive)} steps with {label} and {len(negative)} without; "
                    "expected some of each: make more scenes (scenes.checked), or add data"
                )
            steps = DetectorScores(positive, negative)
            figures |= {f"{label}_auc": steps.auc(), f"{label}_tpr_at_1pc": steps.tpr_at_fpr(0.01)}
            entropies.append(np.concatenate([np.logaddexp(0, -positive), np.logaddexp(0, negative)]).mean())
        return {"score": -float(np.mean(entropies)), **figures}

    def _logits(self, model: nn.Module) -> Array:
        """Return the logits of all scenes of the validation fold, shape (scenes, steps, 3)."""
        device, outputs = next(model.parameters()).device, []
        with torch.no_grad():
            for part in np.array_split(self._checked.frames, -(-len(self._checked.frames) // 16)):
                frames = torch.from_numpy(part.astype(np.float32)).to(device)
                outputs.append(model(frames)[0].float().cpu().numpy())
        return np.concatenate(outputs)

    def _music_of_mels(self) -> MelMusic | None:
        if not self._mels:
            return None
        for sounds in self._caches.values():
            gtzan_mels.check_same_folds(self._mels, sounds.recordings)
        config = self.config
        return MelMusic(
            self._mels, config.learnt_folds, config.model.mel_bands, config.scenes.scene.audible_db
        )


def sound_of_fold(config: GateRunConfig, fold: int, data: Path, cache: Path) -> SoundCache:
    """Return the sound of the recordings of a fold that a gate learns from or is measured on."""
    return SoundCache(unambiguous_recordings(data, cache, [fold], config.learnt_data), cache)


def scenes_of_fold(
    config: GateRunConfig, sounds: SoundCache, count: int, data: Path, cache: Path
) -> SceneFrames:
    """Return scenes of the sound of one fold, made once; for arguments see `load_scene_frames`."""
    doubtful = labels_in_doubt(sounds, data, cache)
    sung = singing_in_songs(sounds, cache) if config.sung_by else {}
    return load_scene_frames(FRONT_END, HOP_FRAMES, sounds, doubtful, sung, count, config.scenes, cache)


def _cut(frames: Array, present: Array, pieces: int) -> tuple[Array, Array]:
    """Cut scenes into pieces of equal length, each a scene of its own; a remainder at the end is dropped."""
    steps = present.shape[1] // pieces * pieces
    count = len(frames) * pieces
    return (
        frames[:, : steps * HOP_FRAMES].reshape(count, -1, frames.shape[2]),
        present[:, :steps].reshape(count, -1, present.shape[2]),
    )
