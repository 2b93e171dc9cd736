"""``python -m train inspect TASK --run RUN``: cost, robustness and saliency of a run's exported model."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click
import numpy as np
from sklearn.metrics import f1_score

from streamer.arrays import Array
from streamer.dsp.log_mel import LogMel
from streamer.dsp.stage import offline
from streamer.errors import ConfigError, ModelError
from streamer.inference.model_folders import read_manifest
from train.data.decode import RATE_HZ
from train.evaluate import cost, robustness, saliency
from train.evaluate.clips import Clips, own_folder
from train.evaluate.metrics import classification, clip_scores
from train.evaluate.predictions import NO_LABEL, Predictions, load, select, stacked
from train.evaluate.stepped_scores import SteppedScorer
from train.loop.commands.options import run_option, split_option
from train.loop.registry import find_plugin
from train.loop.run import CACHE, data_folder, find_run, write_json

LONGEST_S = 10.0
"""Length, in seconds, of the beginning of a clip that a saliency map shows."""
ON = 0.5
"""Probability from which a label counts as present where the model has no threshold yet."""


@dataclass(frozen=True)
class Sample:
    """Some held-out clips: the model's predictions of them, and their sound.

    Attributes
    ----------
    predictions : Predictions
        Predictions of these clips only.
    sounds : list of float32 array, shape (samples,)
        Sound of each clip, at 16 kHz.
    """

    predictions: Predictions
    sounds: list[Array]


def draw_sample(run: Path, split: str, clips: Clips, count: int) -> Sample:
    """Return at most `count` clips, spread evenly over a run's predictions, of data sets that have sound.

    Raises
    ------
    ConfigError
        If the run has no predictions of such clips, or the data sets lack a clip.
    """
    stored = sorted((run / "predictions").glob(f"{split}*.npz"))
    for path in stored:
        found = load(path)
        audible = np.array([clips.have_sound(clip) for clip in found.clips])
        places = np.flatnonzero(audible & _judged(found))
        if len(places):
            wanted = np.zeros(len(audible), bool)
            wanted[places[np.linspace(0, len(places) - 1, min(count, len(places))).round().astype(int)]] = (
                True
            )
            chosen = select(found, wanted)
            return Sample(chosen, [clips.sound(clip) for clip in chosen.clips])
    if stored:
        raise ConfigError(
            f"predictions of {run} for split {split} are of no clip with sound; expected some: hold another fold out"
        )
    raise ConfigError(
        f"{run} has no predictions for split {split}; make them: python -m train evaluate "
        f"{run.resolve().parent.name} --run {run.name} --split {split}"
    )


def _judged(predictions: Predictions) -> Array:
    """Return which clips have a true label, or, for a detector, a step that is judged."""
    if predictions.step_truth is None:
        return classification.judged(predictions)
    judged: Array = (predictions.step_truth != NO_LABEL).any(axis=1)
    return judged


class SampleScore:
    """Figure of merit of a model on the clips of a sample, whose sound may have been degraded.

    Parameters
    ----------
    scorer : SteppedScorer
        Model to measure.
    sample : Sample
        Clips to measure the model on.
    """

    def __init__(self, scorer: SteppedScorer, sample: Sample) -> None:
        self._scorer, self._predictions = scorer, sample.predictions
        points = scorer.manifest.operating_points
        self._on = scorer.manifest.thresholds()[0].on if "balanced" in points else ON

    @property
    def name(self) -> str:
        """Name of the figure that `figure` returns, such as ``accuracy``."""
        return f"F1 of clips, mean score at least {self._on:g}" if self._predictions.detects else "accuracy"

    def figure(self, sounds: Sequence[Array]) -> float:
        """Return the accuracy of the model over the sample's clips, or F1 if the model detects one label.

        Parameters
        ----------
        sounds : sequence of float32 array, shape (samples,)
            Sounds of the sample's clips, in their order; they may be degraded.
        """
        scores = stacked(self._scorer.all_scores(sounds))
        if not self._predictions.detects:
            return classification.accuracy(replace(self._predictions, scores=scores))
        on = np.nanmean(scores[:, :, 0], axis=1) >= self._on
        return float(f1_score(self._predictions.truth != NO_LABEL, on, zero_division=0.0))

    def labels(self, count: int) -> list[tuple[int, int]]:
        """Return at most `count` clips and labels for saliency maps: the most certain mistakes and right answers.

        Returns
        -------
        list of tuple of int
            Index of the clip in the sample, and index of the label that was predicted for it. For a model that detects
            one label, it is that label.
        """
        scores = clip_scores.by_clip(self._predictions)
        predicted = scores.argmax(axis=1)
        certainty = scores[np.arange(len(predicted)), predicted]
        right = predicted == self._predictions.truth
        if self._predictions.detects:
            right = (scores[:, 0] >= self._on) == (self._predictions.truth != NO_LABEL)
            certainty = np.abs(scores[:, 0] - self._on)
        order = np.argsort(-certainty, kind="stable")
        wrong, rest = order[~right[order]][: count // 2], order[right[order]]
        return [(int(place), int(predicted[place])) for place in (*wrong, *rest[: count - len(wrong)])]


def make_maps(
    scorer: SteppedScorer, sample: Sample, chosen: Sequence[tuple[int, int]]
) -> list[saliency.SaliencyMap]:
    """Return saliency maps of the beginnings of the chosen clips of a sample, for the labels that were predicted."""
    config, labels = scorer.manifest.log_mel, scorer.manifest.labels
    front_end, predictions = LogMel(config), sample.predictions
    frame_s = config.hop_samples / config.sample_rate_hz

    def scores(frames: Array) -> Array:
        return scorer.after_front_end.step(frames, scorer.after_front_end.init(len(frames)))[0]

    maps = []
    for place, label in chosen:
        sound = sample.sounds[place][: int(LONGEST_S * RATE_HZ)]
        frames = offline(front_end, sound[None])[0]
        found = saliency.occlusion(scores, frames, label, float(np.log(config.log_offset)), frame_s)
        known = predictions.truth[place] != NO_LABEL
        truth = labels[predictions.truth[place]] if known else f"no {labels[label]}"
        maps.append(
            saliency.SaliencyMap(predictions.clips[place], truth, labels[label], frames, found, frame_s)
        )
    return maps


def inspect(
    exported: Path, run: Path, split: str, data: Path, command: str, clips: int, maps: int
) -> list[Path]:
    """Measure a run's exported model, and write the figures into the run's folder.

    ``cost.json`` is written always. ``robustness.json`` and ``saliency/`` are not written for an ear, a separation or
    a gate of several labels.

    Parameters
    ----------
    exported : Path
        Folder of the run's exported model.
    run : Path
        Folder of the run.
    split : str
        Split, ``validation`` or ``test``, whose clips are used.
    data : Path
        Folder of the data sets.
    command : str
        Command line of this inspection, which is noted in the files.
    clips, maps : int
        Largest number of clips to measure robustness on, and of saliency maps.

    Returns
    -------
    list of Path
        Files that were written.
    """
    write_json(run / "cost.json", cost.measure([exported], command))
    manifest = read_manifest(exported)
    # Neither ear nor separation decides on labels, and in a gate of several a clip may have any number of them.
    if manifest.is_ear or manifest.is_separation or (manifest.task == "gate" and len(manifest.labels) > 1):
        return [run / "cost.json"]
    scorer = SteppedScorer.of(exported)
    if scorer.manifest.front_end.sample_rate_hz != RATE_HZ:
        raise ModelError(
            f"{exported} takes {scorer.manifest.front_end.sample_rate_hz} Hz; expected {RATE_HZ}, the data's rate"
        )
    sample = draw_sample(run, split, Clips(data, own_folder(run)), clips)
    score = SampleScore(scorer, sample)
    write_json(run / "robustness.json", robustness.measure(sample.sounds, score.figure, score.name, command))
    for path in (run / "saliency").glob("*.npz"):
        path.unlink()  # maps of an earlier inspection
    written = [run / "cost.json", run / "robustness.json"]
    for number, found in enumerate(make_maps(scorer, sample, score.labels(maps))):
        written.append(run / "saliency" / f"{number:02}.npz")
        found.save(written[-1])
    return written


@click.command("inspect")
@click.argument("task")
@run_option
@split_option
@click.option(
    "--clips",
    type=click.IntRange(1),
    default=100,
    show_default=True,
    help="Largest number of clips to measure robustness on.",
)
@click.option(
    "--maps",
    type=click.IntRange(0),
    default=8,
    show_default=True,
    help="Largest number of saliency maps.",
)
def inspect_command(task: str, run: str, split: str, clips: int, maps: int) -> None:
    """Measure cost, robustness and saliency of a run of TASK. Evaluate the run first.

    Robustness is the accuracy on degraded sound; a saliency map shows which parts of a clip speak for its label. Write
    cost.json, robustness.json and saliency/*.npz into the run, for python -m train report.
    """
    plugin = find_plugin(task)
    folder = find_run(task, run)
    plugin.release(folder, data_folder(), CACHE).export(folder / "exported")
    options = ["--run", folder.name, "--split", split, "--clips", str(clips), "--maps", str(maps)]
    command = shlex.join(["python", "-m", "train", "inspect", task, *options])
    for path in inspect(folder / "exported", folder, split, data_folder(), command, clips, maps):
        click.echo(path)
