"""Drawings of a row of the laboratory, and of the rows of a table side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from streamer.arrays import Array
from train.evaluate.metrics.classification import by_label
from train.evaluate.predictions import Predictions
from train.report import plots
from train.report.measured import draw_degradation

CURVES = ("loss", "entropy", "accuracy")
"""Figures of a validation that are drawn: the mean loss of training, and both of the validation fold."""
COLUMNS = 100
"""Greatest number of columns of a spectrogram."""


@dataclass(frozen=True)
class ShownClip:
    """A held-out clip that a picture shows.

    Attributes
    ----------
    name, truth, predicted : str
        Name of its recording, true label, and predicted label.
    frames : Array, shape (frames, mel_bands)
        Log-mel frames of its beginning.
    seconds : float
        Length of these frames.
    attention : Array or None, shape (heads, steps, steps)
        How strongly each step of what the network sees attends to each, where the network has attention.
    """

    name: str
    truth: str
    predicted: str
    frames: Array
    seconds: float
    attention: Array | None = None

    @property
    def title(self) -> str:
        """True label, and the predicted one if that is another."""
        return f"{self.truth}, rightly" if self.right else f"{self.truth}, taken for {self.predicted}"

    @property
    def right(self) -> bool:
        """Whether the prediction is right."""
        return self.truth == self.predicted


def learning_curves(runs: Mapping[str, Sequence[Mapping[str, float]]]) -> Markup:
    """Return plots of `CURVES` against the step, a line for each run, from the lines of its ``metrics.jsonl``."""
    with plots.Drawing(len(CURVES), 3.3 * len(CURVES), 2.8) as drawing:
        for axes, name in zip(drawing.axes, CURVES, strict=True):
            for number, (run, lines) in enumerate(runs.items()):
                # There are up to ten folds and six colours: those after the sixth are dashed.
                dashes = "--" if number >= len(plots.SERIES) else "-"
                steps, values = [line["step"] for line in lines], [line[name] for line in lines]
                axes.plot(steps, values, dashes, label=run)
            axes.set(xlabel="step", ylabel=name)
        if len(runs) > 1:
            drawing.axes[0].legend(fontsize=7)
    return drawing.svg("learning curves")


def classes(predictions: Predictions) -> Markup:
    """Return a plot of recall (bars) and precision (dots) of each class, the lowest recall first."""
    found = sorted(by_label(predictions), key=lambda label: (label.recall, label.precision), reverse=True)
    with plots.Drawing(width=5.0, height=1.0 + 0.15 * max(5, len(found))) as drawing:
        (axes,) = drawing.axes
        places = range(len(found))
        axes.barh(places, [label.recall for label in found], color=plots.SERIES[0], label="recall")
        axes.plot([label.precision for label in found], places, "o", color=plots.SERIES[1], label="precision")
        axes.set_yticks(places, [f"{label.label} ({label.clips})" for label in found], fontsize=7)
        axes.set(
            xlim=(0, 1.02), xlabel="share; in brackets: clips of the class", ylim=(-0.6, len(found) - 0.4)
        )
        axes.legend(fontsize=7, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2)
    return drawing.svg("recall and precision of each class")


def clips(shown: Sequence[ShownClip]) -> Markup:
    """Return spectrograms of clips, two rows of them, with their true and predicted labels."""
    columns = -(-len(shown) // 2)
    with plots.Drawing(columns, 2.5 * columns, 3.6, rows=2) as drawing:
        for axes, clip in zip(drawing.axes, shown, strict=False):
            plots.compact_spectrogram(axes, clip.frames, clip.seconds, COLUMNS)
            axes.set_title(f"{clip.title}\n{clip.name}", fontsize=7)
            axes.set(xlabel="s", yticks=[])
            axes.grid(visible=False)
        for axes in drawing.axes[len(shown) :]:
            axes.set_axis_off()
    return drawing.svg("spectrograms with true and predicted labels")


def attention(shown: Sequence[ShownClip]) -> Markup:
    """Return heat maps of attention, a row for each clip and a column for each head; at least one clip has some."""
    maps = [clip for clip in shown if clip.attention is not None]
    heads = max(len(clip.attention) for clip in maps if clip.attention is not None)
    with plots.Drawing(heads, 2.4 * heads, 2.3 * len(maps), rows=len(maps)) as drawing:
        for row, clip in enumerate(maps):
            assert clip.attention is not None
            for head, weights in enumerate(clip.attention):
                axes = drawing.axes[row * heads + head]
                _heat(axes, weights)
                axes.set_title(f"{clip.title}\n{clip.name}, head {head + 1}", fontsize=7)
    return drawing.svg("attention of each step to each")


def _heat(axes: Axes, weights: Array) -> None:
    axes.imshow(weights, cmap="viridis", vmin=0.0, interpolation="nearest", aspect="equal")
    axes.set(xlabel="attends to step", ylabel="step")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(visible=False)


def robustness(measured: Mapping[str, Mapping[str, Any]]) -> Markup:
    """Return a plot for each degradation, a line for each run, from the runs' ``robustness.json``."""
    names = [curve["name"] for curve in next(iter(measured.values()))["curves"]]
    with plots.Drawing(len(names), 3.3 * len(names), 2.6) as drawing:
        for place, name in enumerate(names):
            curves = {run: (content, content["curves"][place]) for run, content in measured.items()}
            draw_degradation(drawing.axes[place], name, curves)
        drawing.axes[0].set_ylabel("accuracy")
    return drawing.svg("accuracy on degraded sound")


def comparison(rows: Mapping[str, tuple[float, Sequence[float]]], figure: str) -> Markup:
    """Return a plot of rows: a figure against the time that a second of sound takes.

    Parameters
    ----------
    rows : mapping
        By title: milliseconds for a second of sound, and the figure for each fold that was held out.
    figure : str
        Name of the figure.
    """
    with plots.Drawing(width=7.6, height=1.2 + 0.36 * max(6, len(rows))) as drawing:
        (axes,) = drawing.axes
        for number, (title, (ms, values)) in enumerate(rows.items()):
            spread = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
            colour = plots.SERIES[number % len(plots.SERIES)]
            marker = "os^Dvp"[number // len(plots.SERIES) % 6]
            folds = "" if len(values) > 1 else " (one fold)"
            axes.errorbar(
                ms, np.mean(values), yerr=spread, fmt=marker, color=colour, label=f"{title}{folds}", capsize=3
            )
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:g}")
        axes.set(xlabel="ms of one thread for a second of sound", ylabel=figure)
        axes.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return drawing.svg(f"{figure} against the time for a second of sound")
