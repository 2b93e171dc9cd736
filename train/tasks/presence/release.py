"""Release the presence head from a training run: export, operating points, figures, card."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from models.memory_head import MemoryHead
from streamer.config_file import from_mapping
from streamer.errors import ConfigError
from streamer.inference.manifest import Manifest
from streamer.inference.manifest_parts import Thresholds
from streamer.inference.model_folders import ear_folder, read_manifest
from streamer.inference.onnx import OnnxModel
from train.data.sets.all_sound import trained_on
from train.export.release import ThresholdRelease, held_out
from train.export.to_onnx import describe
from train.loop.checkpoint import Identity, load_weights
from train.loop.config import read_config
from train.loop.registry import Evaluation, Plugin
from train.mixing.presence import NAMES
from train.tasks.presence.config import PresenceRunConfig
from train.tasks.presence.figures import PresenceFigures
from train.tasks.presence.task import PresenceTask
from train.tasks.presence.validation import FALSE_SHARES, SETTLED_S, PresenceValidation

WARM_UP_STEPS = 2
"""Steps before the first decision, in addition to the ear's own warm-up: with fewer, the memories tell nothing."""
LEARNT = ("data", "scenes")
"""Entries of the configuration that the manifest keeps, so that a released model is measured on what it learnt from."""
COMMAND = "python -m train evaluate presence"

ABOUT = """
The model decides every 80 ms whether there is music, speech and singing, each by itself; `docs/labels.md` has the rules
of the labels. It is a head with {parameters:,} parameters on the embeddings of the ear (see its card): features of the
present step, and their mean and standard deviation over {memories} s, go through one hidden layer. It was trained
from random weights on {scenes:,} scenes of {seconds:g} s: music, speech, singing, songs, everyday and synthetic sound
one after the other and mixed, filtered, reverberated, noisy, at -62 to 0 dBFS. A label counts from -10 dB re the other
sound. Steps within 0.3 s of a change were not learnt from.

Fold {fold} was not used in training; fold {validation_fold} chose weights, temperature and thresholds. The temperature
is {temperature:.2f}. The threshold of a label is the lowest at which at most {balanced:g} % of the settled time without
it is called by it (balanced), {precision:g} % (precision) or {recall:g} % (recall). Time is settled from {settled:g} s
after a change on.
"""
LIMITS = """
- Singing within a song is found where the voice can be heard well, and was learnt from karaoke alone.
- Music or a voice far below other sound is not detected.
- The training sets are for research, and ESC-50's licence forbids commercial use.
"""


class PresenceRelease(ThresholdRelease):
    """Makes the model folder of a presence head from a training run. The model is for the slot of the gate.

    `ThresholdRelease` says what is written, and `train.loop.registry.Plugin.release` what the arguments are.
    """

    limits = LIMITS

    def __init__(self, run: Path, data: Path, cache: Path) -> None:
        # The ear is the run's own copy.
        self._config = replace(read_config(PresenceRunConfig, run / "config.json"), ear=str(run / "ear"))
        self._data, self._cache = data, cache
        ear = self._ear
        head = MemoryHead(self._config.model, ear.output_size, NAMES)
        load_weights(head, run / "best.pt", Identity("presence", PresenceTask.front_end))
        manifest = replace(
            describe(head, "gate", NAMES, ear.front_end, WARM_UP_STEPS),
            ear=ear.as_ear(),
            results={**held_out(self._config), "learnt": {n: asdict(self._config)[n] for n in LEARNT}},
            trained_on=trained_on(self._config.data),
        )
        super().__init__(head.eval(), manifest, self._config.validation_fold)

    def calibration(self, folder: Path) -> tuple[float, float]:
        return self._validation(folder).temperature(), 0.0

    def points(self, folder: Path) -> Mapping[str, tuple[Thresholds, ...]]:
        return self._validation(folder).points()

    def figures(self, folder: Path) -> dict[str, Any]:
        figures = PresenceFigures(folder, self._config, self._data, self._cache, self._config.fold)
        return {"command": COMMAND, **figures.all()}

    def about(self, manifest: Manifest) -> str:
        config = self._config
        step_s = self._ear.hop_frames * self._ear.frame_ms / 1_000
        memories = " and ".join(f"{steps * step_s:.1f}" for steps in config.model.memory_steps)
        return ABOUT.format(
            parameters=self.model.parameter_count,
            memories=memories,
            scenes=config.scenes.count * len(config.learnt_folds),
            seconds=config.scenes.scene.seconds,
            fold=config.fold,
            validation_fold=config.validation_fold,
            temperature=manifest.temperature,
            settled=SETTLED_S,
            **{name: 100 * share for name, share in FALSE_SHARES.items()},
        )

    @cached_property
    def _ear(self) -> Manifest:
        return OnnxModel(Path(self._config.ear)).manifest

    def _validation(self, folder: Path) -> PresenceValidation:
        fold = self._config.validation_fold
        return PresenceValidation(folder, self._config, self._data, self._cache, fold)


def evaluate(evaluation: Evaluation) -> dict[str, Any]:
    """Return the figures of an exported presence head by name, on the fold that `evaluation.split` names.

    Raises
    ------
    ConfigError
        If the model is not a presence head.
    """
    manifest = read_manifest(evaluation.model)
    if manifest.labels != NAMES or not manifest.ear:
        raise ConfigError(
            f"{evaluation.model} holds {manifest.name}, which scores {', '.join(manifest.labels)}; expected a head "
            f"on an ear with the labels {', '.join(NAMES)}, as python -m train release presence makes one"
        )
    # A model names its own data and scenes, and its own ear lies beside it or is released.
    own = {**manifest.results.get("learnt", {}), "ear": str(ear_folder(manifest, evaluation.model))}
    content = json.loads(
        json.dumps({**asdict(evaluation.config), **own})
    )  # tuples become lists, as in a file
    config = from_mapping(PresenceRunConfig, content)
    fold = config.fold_of(evaluation.split)
    return PresenceFigures(evaluation.model, config, evaluation.data, evaluation.cache, fold).all()


PLUGIN = Plugin(
    name="presence",
    config=PresenceRunConfig,
    task=PresenceTask,
    release=PresenceRelease,
    evaluate=evaluate,
    input_model="ear",
    input_task="ear",
)
