"""Scores of an exported model for sound, stepped as it is in a live stream."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from streamer.arrays import Array
from streamer.dsp.log_mel import LogMel
from streamer.dsp.stage import Chain
from streamer.errors import ModelError
from streamer.head_slots import DecisionConfig
from streamer.heads.label_choice import LabelChoice, choose_labels
from streamer.inference.manifest import Manifest
from streamer.inference.model_folders import ear_folder
from streamer.inference.onnx import OnnxModel
from train.augment.levels import audible_mask

BATCH = 32
"""Number of sounds that are stepped together, each in a row of its own."""


@dataclass(frozen=True)
class SteppedScorer:
    """Gives the scores of an exported model for sound, stepped as in a live stream, with its front end and its ear.

    Attributes
    ----------
    model : OnnxModel
        Model that gives the scores.
    ear : OnnxModel or None
        Ear that the model needs.
    choice : LabelChoice or None
        Labels of the model that are scored; None scores all.
    ear_warm_up_steps : int
        Number of embeddings after a start, by the model's ear, that are not used for decisions; 0 without an ear.
    chain : Chain
        All stages, from samples to scores.
    after_front_end : Chain
        Stages after the front end: the ear, if the model needs one, and the model.
    """

    model: OnnxModel
    ear: OnnxModel | None
    choice: LabelChoice | None
    ear_warm_up_steps: int
    chain: Chain
    after_front_end: Chain

    @classmethod
    def of(cls, folder: Path, slot: str | None = None) -> SteppedScorer:
        """Return a scorer of the model in an exported folder. Its ear lies beside it or is a released one.

        Parameters
        ----------
        folder : Path
        slot : str, optional
            Head slot whose labels are scored; the model's own task if it is not given.

        Raises
        ------
        ModelError
            If a folder does not fit this program, or the ear is not the one that the model was trained on.
        """
        model = OnnxModel(folder)
        ear = OnnxModel(ear_folder(model.manifest, folder)) if model.manifest.ear else None
        if ear and ear.manifest.as_ear() != model.manifest.ear:
            raise ModelError(
                f"model {model.manifest.name} in {folder} was trained on another ear than the one in "
                f"{ear_folder(model.manifest, folder)}; put its own ear beside it, or train it again"
            )
        choice = choose_labels(slot, slot, model.manifest, DecisionConfig()) if slot else None
        after = Chain(*(stage for stage in (ear, model, choice) if stage))
        warm_up = -(-ear.manifest.warm_up_frames // ear.manifest.hop_frames) if ear else 0
        return cls(model, ear, choice, warm_up, Chain(LogMel(model.manifest.log_mel), after), after)

    @property
    def manifest(self) -> Manifest:
        """Manifest with the labels that are scored."""
        return self.choice.manifest if self.choice else self.model.manifest

    @property
    def warm_up_steps(self) -> int:
        """Number of scores after a start that are not used for decisions: the warm-ups of ear and model together."""
        own = -(-self.manifest.warm_up_frames // self.manifest.hop_frames)
        return own + self.ear_warm_up_steps

    @property
    def step_samples(self) -> int:
        """Number of samples at the model's rate from one score to the next."""
        return int(self.chain.hop)

    @property
    def step_s(self) -> float:
        """Seconds from one score to the next."""
        return self.step_samples / self.manifest.front_end.sample_rate_hz

    def scores(self, sound: Array) -> Array:
        """Return the scores of sounds of one length, from a fresh start, one step at a time.

        Parameters
        ----------
        sound : float32 array, shape (batch, samples)
            Sounds at the rate of the model.

        Returns
        -------
        float32 array, shape (batch, steps, labels)
            Probabilities of the labels at each step; of an ear, the embeddings.
        """
        state, out = self.chain.init(len(sound)), []
        for first in range(0, sound.shape[1], self.step_samples):
            y, state = self.chain.step(sound[:, first : first + self.step_samples], state)
            out.append(y)
        return np.concatenate(out, axis=1)

    def audible_steps(self, sound: Array) -> Array:
        """Return at which steps a sound is audible, by the last sample of each step, as a bool array of shape (steps,).

        The sound has one axis, of samples at the rate of the model.
        """
        return audible_mask(sound)[self.step_samples - 1 :: self.step_samples]

    def all_scores(self, sounds: Sequence[Array]) -> list[Array]:
        """Return the scores, shape (steps, labels), of each of several sounds of any lengths, in the order given."""
        scores: list[Array] = [np.zeros((0, len(self.manifest.labels)), np.float32)] * len(sounds)
        lengths = [len(sound) for sound in sounds]
        # Sounds of similar lengths are batched together, so that little of a batch is padding.
        order = sorted(range(len(sounds)), key=lengths.__getitem__)
        for first in range(0, len(order), BATCH):
            batch = order[first : first + BATCH]
            padded = np.zeros((len(batch), lengths[batch[-1]]), np.float32)
            for row, index in zip(padded, batch, strict=True):
                row[: lengths[index]] = sounds[index]
            for row, index in zip(self.scores(padded), batch, strict=True):
                whole = lengths[index] - int(self.chain.latency)
                scores[index] = row[: max(0, whole // self.step_samples + 1)]
        return scores
