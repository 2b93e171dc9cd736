"""Draw recordings about which models were wrong: the spectrogram, and below it scores, thresholds and decisions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from streamer.arrays import Array
from streamer.dsp.log_mel import LogMel
from streamer.dsp.stage import offline
from train.data.decode import RATE_HZ
from train.report.hearing.worst_errors import Error
from train.report.plots import compact_spectrogram

LABELS = 3
"""Number of labels whose scores are shown."""


def draw(errors: Sequence[Error], folder: Path) -> list[Path]:
    """Draw a picture of each error into a folder, which is created if it is absent; return the paths.

    Parameters
    ----------
    errors : sequence of Error
        What models got wrong.
    folder : Path
        Folder for the pictures, SVG files, which are named after model and error and numbered.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths: list[Path] = []
    # A fixed salt and no date: the same errors give the same files.
    with mpl.rc_context({"svg.hashsalt": "hearing", "svg.fonttype": "none", "font.size": 8}):
        for error in errors:
            name = re.sub(r"\W+", "_", f"{error.listener.name} {error.name}")
            number = 1 + sum(path.name.startswith(name) for path in paths)
            paths.append(folder / f"{name}_{number}.svg")
            _picture(error).savefig(paths[-1], metadata={"Date": None})
    return paths


def _picture(error: Error) -> Figure:
    figure = Figure(figsize=(7.2, 3.2), facecolor="white", layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    recording, seconds = error.example.recording, len(error.example.sound) / RATE_HZ
    above.set_title(
        f"{recording.source}, {recording.name} ({recording.category}): {error.name} by {error.listener.name}, "
        f"{error.seconds:.1f} of {seconds:.1f} s",
        loc="left",
        fontsize=8,
    )
    _spectrogram(above, error.example.sound, seconds)
    labels = error.labels[:LABELS]
    for number, label in enumerate(labels):
        _scores(below, error, label, f"C{number}")
        _decisions(below, error, label, f"C{number}", -0.12 - 0.1 * number)
    below.set(
        xlim=(0, seconds),
        ylim=(-0.1 - 0.1 * len(labels), 1.05),
        xlabel="s",
        ylabel="score",
        yticks=(0, 0.5, 1),
    )
    below.legend(loc="upper right", fontsize=7, ncols=LABELS)
    below.grid(alpha=0.3)
    return figure


def _spectrogram(axes: Axes, sound: Array, seconds: float) -> None:
    compact_spectrogram(axes, offline(LogMel(), sound[None])[0], seconds)
    axes.set_ylabel("mel band")


def _scores(axes: Axes, error: Error, label: str, colour: str) -> None:
    """Plot the scores of a label, where there are some, and the threshold above which it begins."""
    decisions, index = error.decisions, error.listener.labels.index(label)
    if decisions.scores is not None and decisions.steps is not None:
        axes.plot(
            decisions.steps / RATE_HZ, decisions.scores[:, index], color=colour, linewidth=1, label=label
        )
    if error.listener.thresholds is not None:
        point = error.listener.thresholds[index]
        axes.axhline(point.on, color=colour, linestyle="--", linewidth=0.7)
        axes.axhline(point.off, color=colour, linestyle=":", linewidth=0.7)


def _decisions(axes: Axes, error: Error, label: str, colour: str, height: float) -> None:
    """Plot a bar, `height` above 0, where a label was on."""
    spans = [
        (first / RATE_HZ, (stop - first) / RATE_HZ)
        for name, first, stop in error.decisions.spans
        if name == label
    ]
    named = None if error.decisions.scores is not None else label
    axes.broken_barh(spans, (height - 0.03, 0.06), color=colour, label=named)
