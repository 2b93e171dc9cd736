"""``python -m train inspect TASK --run RUN``: what a run's exported model costs, stands and looks at."""

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
from train.evaluate import cost, metrics, robustness, saliency
from train.evaluate.clips import Clips, own_folder
from train.evaluate.predictions import NO_LABEL, Predictions, load, stacked
from train.evaluate.stepped_scores import SteppedScorer
from train.loop.registry import find_plugin
from train.loop.run import data_folder, find_run, write_json

LONGEST_S = 10.0
"""Of a clip that a saliency map is of."""
ON = 0.5
"""A detector's threshold where its model has none yet."""


@dataclass(frozen=True)
class Sample:
    """Some held-out clips, what the model said of them, and their sound.

    Attributes
    ----------
    predictions : Predictions
        Of these clips alone.
    sounds : list of float32 array, shape (samples,)
        At 16 kHz.
    """

    predictions: Predictions
    sounds: list[Array]


def sample_of(run: Path, split: str, clips: Clips, count: int) -> Sample:
    """Clips of a run's predictions, evenly over them, of data sets that have sound.

    Raises
    ------
    ConfigError
        If the run has no predictions of such clips, or a clip is not among the data.
    """
    stored = sorted((run / "predictions").glob(f"{split}*.npz"))
    for path in stored:
        found = load(path)
        heard = np.array([clips.have_sound(clip) for clip in found.clips])
        places = np.flatnonzero(heard & _judged(found))
        if len(places):
            wanted = np.zeros(len(heard), bool)
            wanted[places[np.linspace(0, len(places) - 1, min(count, len(places))).round().astype(int)]] = (
                True
            )
            chosen = metrics.select(found, wanted)
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
    """Which clips have a truth; a detector's are those with a step to be judged."""
    if predictions.step_truth is None:
        return metrics.judged(predictions)
    judged: Array = (predictions.step_truth != NO_LABEL).any(axis=1)
    return judged


class Told:
    """How well a model tells the clips of a sample, whatever was done to their sound.

    Parameters
    ----------
    listener : SteppedScorer
    sample : Sample
    """

    def __init__(self, listener: SteppedScorer, sample: Sample) -> None:
        self._listener, self._said = listener, sample.predictions
        points = listener.manifest.operating_points
        self._on = listener.manifest.thresholds()[0].on if "balanced" in points else ON

    @property
    def name(self) -> str:
        """Of the figure."""
        return f"F1 of clips, mean score at least {self._on:g}" if self._said.detects else "accuracy"

    def figure(self, sounds: Sequence[Array]) -> float:
        """Accuracy, or of a detector F1, over the sample's clips."""
        scores = stacked(self._listener.all_scores(sounds))
        if not self._said.detects:
            return metrics.accuracy(replace(self._said, scores=scores))
        on = np.nanmean(scores[:, :, 0], axis=1) >= self._on
        return float(f1_score(self._said.truth != NO_LABEL, on, zero_division=0.0))

    def labels(self, count: int) -> list[tuple[int, int]]:
        """Clips and labels for saliency maps: of those said wrongly and those said rightly the surest, half each.

        Returns
        -------
        list of tuple of int
            Place in the sample, and the label that was said of it; a detector's only label.
        """
        scores = metrics.by_clip(self._said)
        said = scores.argmax(axis=1)
        sure = scores[np.arange(len(said)), said]
        right = said == self._said.truth
        if self._said.detects:
            right = (scores[:, 0] >= self._on) == (self._said.truth != NO_LABEL)
            sure = np.abs(scores[:, 0] - self._on)
        order = np.argsort(-sure, kind="stable")
        wrong, rest = order[~right[order]][: count // 2], order[right[order]]
        return [(int(place), int(said[place])) for place in (*wrong, *rest[: count - len(wrong)])]


def maps_of(
    listener: SteppedScorer, sample: Sample, chosen: Sequence[tuple[int, int]]
) -> list[saliency.SaliencyMap]:
    """Saliency maps of the beginnings of some clips, for the labels said of them."""
    config, labels = listener.manifest.log_mel, listener.manifest.labels
    front_end, said = LogMel(config), sample.predictions
    frame_s = config.hop_samples / config.sample_rate_hz

    def scores(frames: Array) -> Array:
        return listener.after_front_end.step(frames, listener.after_front_end.init(len(frames)))[0]

    maps = []
    for place, label in chosen:
        sound = sample.sounds[place][: int(LONGEST_S * RATE_HZ)]
        frames = offline(front_end, sound[None])[0]
        found = saliency.occlusion(scores, frames, label, float(np.log(config.log_offset)), frame_s)
        truth = labels[said.truth[place]] if said.truth[place] != NO_LABEL else f"no {labels[label]}"
        maps.append(saliency.SaliencyMap(said.clips[place], truth, labels[label], frames, found, frame_s))
    return maps


def inspect(
    exported: Path, run: Path, split: str, data: Path, command: str, clips: int, maps: int
) -> list[Path]:
    """Write ``cost.json``, ``robustness.json`` and ``saliency/*.npz`` into a run; of ears and separations the first.

    Parameters
    ----------
    exported : Path
        Folder of the run's exported model.
    run : Path
    split : str
        Whose predictions are sampled.
    data : Path
        Folder of the data sets.
    command : str
        That this is part of.
    clips, maps : int
        Sounds that robustness is measured on, and saliency maps.

    Returns
    -------
    list of Path
        What was written.
    """
    write_json(run / "cost.json", cost.measure([exported], command))
    manifest = read_manifest(exported)
    if manifest.is_ear or manifest.is_separation:  # what hears an ear decides; a separation is listened to
        return [run / "cost.json"]
    listener = SteppedScorer.of(exported)
    if listener.manifest.front_end.sample_rate_hz != RATE_HZ:
        raise ModelError(
            f"{exported} hears {listener.manifest.front_end.sample_rate_hz} Hz; expected {RATE_HZ}, the data's"
        )
    sample = sample_of(run, split, Clips(data, own_folder(run)), clips)
    told = Told(listener, sample)
    write_json(run / "robustness.json", robustness.measure(sample.sounds, told.figure, told.name, command))
    for path in (run / "saliency").glob("*.npz"):
        path.unlink()  # of an inspection before
    written = [run / "cost.json", run / "robustness.json"]
    for number, found in enumerate(maps_of(listener, sample, told.labels(maps))):
        written.append(run / "saliency" / f"{number:02}.npz")
        found.save(written[-1])
    return written


@click.command("inspect")
@click.argument("task")
@click.option("--run", default="", help="Folder or name in runs/TASK; the last one if absent.")
@click.option(
    "--split",
    type=click.Choice(["validation", "test"]),
    default="test",
    show_default=True,
    help="What it heard.",
)
@click.option(
    "--clips", type=click.IntRange(1), default=100, show_default=True, help="For robustness, at most."
)
@click.option("--maps", type=click.IntRange(0), default=8, show_default=True, help="Saliency maps, at most.")
def inspect_command(task: str, run: str, split: str, clips: int, maps: int) -> None:
    """Measure cost, robustness and saliency of a run of TASK, which was evaluated before.

    Writes cost.json, robustness.json and saliency/*.npz into the run, for python -m train report.
    """
    plugin = find_plugin(task)
    folder = find_run(task, run)
    plugin.export(folder, folder / "exported")
    options = ["--run", folder.name, "--split", split, "--clips", str(clips), "--maps", str(maps)]
    command = shlex.join(["python", "-m", "train", "inspect", task, *options])
    for path in inspect(folder / "exported", folder, split, data_folder(), command, clips, maps):
        click.echo(path)
