"""From a training run of the gate to its released folder: export, operating point, figures, card."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from models.gate import Gate
from streamer.frontend import FrontEndConfig
from streamer.manifest import Manifest
from train.card import card
from train.checkpoint import Identity, load
from train.config import read_config
from train.export import current_commit, export
from train.registry import Evaluation, Plugin
from train.tasks.gate import DATA_SETS, FRONT_END, GateRunConfig, GateTask
from train.tasks.gate_figures import GateFigures

WARM_UP_FRAMES = 50
"""Half a second: sooner the network has heard more of its own zero state than of the world."""
COMMAND = "python -m train evaluate gate"

ABOUT = """
Says every 40 ms whether music is sounding. A causal network of {parameters:,} parameters: three
time-frequency convolutions, then eight residual blocks of depthwise dilated convolutions over time that
remember about {memory_s:.1f} s. Trained from random weights on scenes made up while it trained: music,
speech, everyday and synthetic sound one after the other and mixed at random levels (music counts from -10 dB
re what sounds with it), filtered, reverberated, noisy, at -50 to 0 dBFS. Steps within 0.3 s of a change are
not learnt from.

Music is instrumental, and voice with accompaniment. Not music: speech, ESC-50's sounds, synthetic noises,
beeps, sirens and knocks, silence. Left out as neither: church bells (ESC-50) and the clip `chant` (GTZAN
music/speech); AudioSet files the first under musical instruments and the second under singing. Singing alone
was not learnt; its figure is for information.

Nothing held out was heard in training. ESC-50: folds 1 to 3 train, 4 validates, 5 tests. MIR-1K: by singer
(annar, bobon validate; ariel, davidson, heycat test). TSP speech: by speaker, of five in order one validates
and one tests. GTZAN: of the five tracks of a genre the fourth validates and the fifth tests. GTZAN
music/speech: of five names in order one validates and one tests, names that differ in a final digit together.
Weights and thresholds were chosen on validation; the test split was used for the figures alone. (Its figures
for two earlier, less trained versions had been looked at by the time that the rule for thresholds was fixed.)

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
    model.load_state_dict(load(run / "best.pt", Identity("gate", FRONT_END.config))["weights"])
    return model.eval()


def export_run(run: Path, folder: Path) -> Manifest:
    """Export a run's best weights, with default thresholds and no figures.

    Parameters
    ----------
    run : Path
        With ``config.json`` and ``best.pt``.
    folder : Path
        Takes ``model.onnx`` and ``manifest.json``.
    """
    model = load_run(run)
    described = Manifest(
        name="gate",
        task="gate",
        labels=model.labels,
        front_end=FrontEndConfig(mel_bands=model.config.mel_bands),
        hop_frames=model.hop_frames,
        latency_frames=model.latency_frames,
        warm_up_frames=WARM_UP_FRAMES,
        states=(),
        sha256="",
        commit=current_commit(),
        trained_on=tuple({"name": name, "licence": m.LICENCE} for name, m in DATA_SETS.items()),
    )
    return export(model, described, folder)


def evaluate(asked: Evaluation) -> dict[str, Any]:
    """Every figure of an exported gate."""
    return GateFigures(asked.model, asked.data, asked.cache, asked.split).all()


def release(run: Path, data: Path, cache: Path, folder: Path) -> Manifest:
    """Export a run's best weights, choose thresholds on validation, measure on test, write the card.

    Parameters
    ----------
    run : Path
        With ``config.json`` and ``best.pt``.
    data, cache : Path
        Folders of the data sets and of decoded sound.
    folder : Path
        Takes ``model.onnx``, ``manifest.json`` and ``card.md``.
    """
    manifest = export_run(run, folder)
    manifest = dataclasses.replace(
        manifest,
        operating_points={"balanced": (GateFigures(folder, data, cache, "validation").thresholds(),)},
    )
    (folder / "manifest.json").write_text(manifest.to_json(), encoding="utf-8")
    results: dict[str, Any] = {"command": COMMAND, **GateFigures(folder, data, cache, "test").all()}
    manifest = dataclasses.replace(manifest, results=results)
    (folder / "manifest.json").write_text(manifest.to_json(), encoding="utf-8")
    (folder / "card.md").write_text(card(manifest, _about(load_run(run)), LIMITS), encoding="utf-8")
    return manifest


def _about(model: Gate) -> str:
    parameters = sum(weights.numel() for weights in model.parameters())
    return ABOUT.format(parameters=parameters, memory_s=model.memory_s)


PLUGIN = Plugin(
    name="gate", config=GateRunConfig, task=GateTask, export=export_run, evaluate=evaluate, release=release
)
