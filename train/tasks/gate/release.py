"""From a training run of the gate to its released folder: export, operating point, figures, card."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from models.gate import Gate
from models.music_front_end import music_front_end
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
"""Half a second: sooner the network has heard more of its own zero state than of the world."""
COMMAND = "python -m train evaluate gate"

ABOUT = """
Says every 93 ms whether music is sounding. A causal network of {parameters:,} parameters: three
time-frequency convolutions, then eight residual blocks of depthwise dilated convolutions over time that
remember about {memory_s:.1f} s. Trained from random weights on scenes made up while it trained: music,
speech, everyday and synthetic sound one after the other and mixed at random levels (music counts from -10 dB
re what sounds with it), filtered, reverberated, noisy, at -50 to 0 dBFS. Into some of them went the first 3 s of
{tracks} tracks of GTZAN; of most of them there are features and no sound. Steps within 0.3 s of a change are not learnt
from.

Music is instrumental, and voice with accompaniment. Not music: speech, ESC-50's sounds, synthetic noises,
beeps, sirens and knocks, silence. Left out as neither: church bells (ESC-50) and the clip `chant` (GTZAN
music/speech); AudioSet files the first under musical instruments and the second under singing. Singing alone
was not learnt; its figure is for information.

Nothing of fold {fold} was heard in training; fold {validation_fold} chose weights, temperature and thresholds. The
folds are ESC-50's own; GTZAN's by group of one recording, MIR-1K's by singer, TSP's by speaker.

A step is "settled" when it is past the first second of its recording, and within 300 ms of sound that is less
than 40 dB below the recording's loudest 100 ms: padding and pauses make no figure better.
"""
LIMITS = """
- The held-out music of the two GTZAN sets is 19 clips of 30 s: figures on it are coarse. Nobody can rule out
  that a recording is in both sets, or that two singers of MIR-1K sang one karaoke track.
- Tonal sounds of animals, bells, horns and machines are the likeliest false alarms; see the worst classes.
- Music far below speech is not found; singing alone is mostly not taken for music.
- The training sets are for research, and ESC-50's licence forbids commercial use.
"""


def load_run(run: Path) -> Gate:
    """The gate with the best weights of a run, ready to use."""
    model = Gate(read_config(GateRunConfig, run / "config.json").model)
    load_weights(model, run / "best.pt", Identity("gate", FRONT_END.config))
    return model.eval()


def export_run(run: Path, folder: Path) -> Manifest:
    """Export a run's best weights without thresholds or figures into `folder`."""
    return _exported(load_run(run), read_config(GateRunConfig, run / "config.json"), folder, 1.0)


def evaluate(asked: Evaluation) -> dict[str, Any]:
    """Every figure of an exported gate."""
    fold = asked.config.fold if asked.split == "test" else asked.config.validation_fold
    figures = GateFigures(asked.model, asked.data, asked.cache, fold)
    if asked.predictions:
        figures.predictions(COMMAND).save(asked.predictions / f"{asked.split}.npz")
    return figures.all()


def release(run: Path, data: Path, cache: Path, folder: Path) -> Manifest:
    """Export a run's best weights, calibrate and choose thresholds on validation, measure on test, write the card.

    Parameters
    ----------
    run : Path
        With ``config.json`` and ``best.pt``.
    data, cache : Path
        Folders of the data sets and of decoded sound.
    folder : Path
        Takes ``model.onnx``, ``manifest.json`` and ``card.md``.
    """
    config = read_config(GateRunConfig, run / "config.json")
    check_chosen(config.validation_fold)
    model = load_run(run)
    _exported(model, config, folder, 1.0)
    temperature = GateFigures(folder, data, cache, config.validation_fold).temperature()
    manifest = _exported(model, config, folder, temperature)
    manifest = set_points(manifest, GateFigures(folder, data, cache, config.validation_fold).points(), folder)
    results = {"command": COMMAND, **GateFigures(folder, data, cache, config.fold).all()}
    return finish(manifest, results, folder, _about(model, config, data), LIMITS)


def _exported(model: Gate, config: GateRunConfig, folder: Path, temperature: float) -> Manifest:
    described = dataclasses.replace(
        describe(model, "gate", model.labels, music_front_end(model.config.mel_bands), WARM_UP_FRAMES),
        temperature=temperature,
        results=held_out(config),
        trained_on=trained_on(),
    )
    return export(model, described, folder)


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
