"""Release the gate from a training run: export, operating points, figures, card."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from models.gate import Gate
from streamer.inference.manifest import Manifest
from train.data.sets import gtzan_mels
from train.data.sets.all_sound import trained_on
from train.export.release import check_chosen, finish, held_out, set_points
from train.export.to_onnx import describe, export
from train.loop.checkpoint import Identity, load_weights
from train.loop.config import read_config
from train.loop.registry import Evaluation, Plugin
from train.tasks.gate.figures import GateFigures
from train.tasks.gate.task import FRONT_END, GateRunConfig, GateTask

WARM_UP_FRAMES = 20
"""Frames before the first decision, half a second: until then the zero state of the start dominates the output."""
COMMAND = "python -m train evaluate gate"

ABOUT = """
The gate decides every 93 ms whether there is music. It is a causal network with {parameters:,} parameters: three
time-frequency convolutions, then eight residual blocks of depthwise dilated convolutions over time that
remember about {memory_s:.1f} s. It was trained from random weights on scenes that were made during training: music,
speech, everyday and synthetic sound one after the other and mixed at random levels (music counts from -10 dB
re other sound), filtered, reverberated, noisy, at -50 to 0 dBFS. The first 3 s of {tracks} tracks of GTZAN were mixed
into some scenes; most of these tracks exist only as features, not as sound. Steps within 0.3 s of a change were not
learnt from.

Music is instrumental music, and voice with accompaniment. Speech, ESC-50's sounds, synthetic noises, beeps, sirens and
knocks, and silence are not music. Church bells (ESC-50) and the clip `chant` (GTZAN music/speech) were left out as
ambiguous: AudioSet files the first under musical instruments and the second under singing. Singing alone was not learnt
from; its figure is for information.

Fold {fold} was not used in training; fold {validation_fold} chose weights, temperature and thresholds. The folds are
ESC-50's own; duplicates in GTZAN, singers of MIR-1K and speakers of TSP are each in one fold.

A step is "settled" when it is past the first second of its recording, and within 300 ms of sound that is less
than 40 dB below the recording's loudest 100 ms, so that padding and pauses do not improve any figure.
"""
LIMITS = """
- The held-out music of the two GTZAN sets is 19 clips of 30 s, so figures on it are coarse. It cannot be ruled out
  that a recording is in both sets, or that two singers of MIR-1K sang one karaoke track.
- Tonal sounds of animals, bells, horns and machines are the likeliest false alarms; see the worst classes.
- Music far below speech is not detected; singing alone is mostly not taken for music.
- The training sets are for research, and ESC-50's licence forbids commercial use.
"""


def load_run(run: Path) -> Gate:
    """Return the gate of a training run, with the run's best weights, in evaluation mode."""
    model = Gate(read_config(GateRunConfig, run / "config.json").model)
    load_weights(model, run / "best.pt", Identity("gate", FRONT_END.config))
    return model.eval()


def export_run(run: Path, folder: Path) -> Manifest:
    """Export the best weights of a run into `folder`, and return the manifest, which has no thresholds or figures."""
    return _exported(load_run(run), read_config(GateRunConfig, run / "config.json"), folder, 1.0)


def evaluate(evaluation: Evaluation) -> dict[str, Any]:
    """Return the figures of an exported gate by name, on the fold that `evaluation.split` names."""
    fold = evaluation.config.fold if evaluation.split == "test" else evaluation.config.validation_fold
    figures = GateFigures(evaluation.model, evaluation.data, evaluation.cache, fold)
    if evaluation.predictions:
        figures.predictions(COMMAND).save(evaluation.predictions / f"{evaluation.split}.npz")
    return figures.all()


def release(run: Path, data: Path, cache: Path, folder: Path) -> Manifest:
    """Export the gate of a run, calibrate it, choose thresholds, measure it, write the card, and return the manifest.

    The validation fold gives the calibration and the thresholds, the test fold the figures.

    Parameters
    ----------
    run : Path
        Folder of the run, with ``config.json`` and ``best.pt``.
    data, cache : Path
        Folder of the data sets, and folder of all caches.
    folder : Path
        Folder for ``model.onnx``, ``manifest.json`` and ``card.md``.
    """
    config = read_config(GateRunConfig, run / "config.json")
    check_chosen(config.validation_fold)
    model = load_run(run)
    _exported(model, config, folder, 1.0)
    # Calibrated by a first export, since scores are those of the exported graph; thresholds then hold for the second.
    temperature = GateFigures(folder, data, cache, config.validation_fold).temperature()
    manifest = _exported(model, config, folder, temperature)
    manifest = set_points(manifest, GateFigures(folder, data, cache, config.validation_fold).points(), folder)
    results = {"command": COMMAND, **GateFigures(folder, data, cache, config.fold).all()}
    return finish(manifest, results, folder, _about(model, config, data), LIMITS)


def _exported(model: Gate, config: GateRunConfig, folder: Path, temperature: float) -> Manifest:
    manifest = dataclasses.replace(
        describe(model, "gate", model.labels, model.config.front_end, WARM_UP_FRAMES),
        temperature=temperature,
        results=held_out(config),
        trained_on=trained_on(),
    )
    return export(model, manifest, folder)


def _about(model: Gate, config: GateRunConfig, data: Path) -> str:
    return ABOUT.format(
        parameters=model.parameter_count,
        tracks=int(np.isin(gtzan_mels.load(data).fold, config.learnt_folds).sum()),
        memory_s=model.memory_frames * FRONT_END.config.hop_samples / FRONT_END.config.sample_rate_hz,
        fold=config.fold,
        validation_fold=config.validation_fold,
    )


PLUGIN = Plugin(
    name="gate", config=GateRunConfig, task=GateTask, export=export_run, evaluate=evaluate, release=release
)
