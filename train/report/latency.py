"""Plot of the separation's quality against its latency, drawn from files of results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from train.report.results import Results

NAMED = "separation_literature"
"""Beginning of the names of files that were measured on the same songs."""
GAIN, LATENCY = "separation.mir1k.voice.GNSDR", "latency_ms"
"""Paths, in these files, of the rows with the voice's GNSDR and with the latency. A network that needs the whole song
has no row for latency."""


def draw_latency(found: Mapping[Path, Results], out: Path) -> bool:
    """Plot the voice's GNSDR against the latency into an SVG file, if there are measurements.

    Parameters
    ----------
    found : mapping of Path to Results
        Content of each file of results, by the file's path.
    out : Path
        File to write.

    Returns
    -------
    bool
        Whether there were measurements to plot.
    """
    measured = [
        {row.path: row.measured for row in result.rows if row.measured is not None}
        for path, result in found.items()
        if path.stem.startswith(NAMED)
    ]
    causal = sorted((row[LATENCY], row[GAIN]) for row in measured if row.keys() >= {LATENCY, GAIN})
    whole = [row[GAIN] for row in measured if GAIN in row and LATENCY not in row]
    if not causal:
        return False
    # A fixed salt and no date: the same figures give the same file.
    with mpl.rc_context({"svg.hashsalt": NAMED, "svg.fonttype": "none"}):
        _plot(causal, whole).savefig(out, bbox_inches="tight", metadata={"Date": None})
    return True


def _plot(causal: Sequence[tuple[float, float]], whole: Sequence[float]) -> Figure:
    figure = Figure(figsize=(6, 3.2), facecolor="white")
    axes = figure.subplots()
    axes.plot(*zip(*causal, strict=True), marker="o", label="causal, stepping")
    for place in causal:
        axes.annotate(f"{place[1]:.2f}", place, (0, 7), textcoords="offset points", ha="center")
    for gain_db in whole:
        axes.axhline(gain_db, color="0.4", linestyle="--", label=f"the whole song first: {gain_db:.2f}")
    axes.set_xlim(0, 1.1 * causal[-1][0])
    axes.margins(y=0.25)
    axes.set_xlabel("algorithmic latency (ms)")
    axes.set_ylabel("voice GNSDR (dB)")
    axes.grid(alpha=0.3)
    axes.legend()
    return figure
