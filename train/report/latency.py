"""What latency costs a separation, decibels against milliseconds: a picture out of files of results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from train.report.results import Results

NAMED = "separation_literature"
"""How the names of files begin that were measured on the same songs."""
GAIN, LATENCY = "separation.mir1k.voice.GNSDR", "latency_ms"
"""Paths of their rows; what hears the whole song first has no latency."""


def draw_latency(found: Mapping[Path, Results], out: Path) -> bool:
    """Draw the gain of each latency into an SVG.

    Parameters
    ----------
    found : mapping of Path to Results
        Files of results.
    out : Path

    Returns
    -------
    bool
        Whether there was anything measured to draw.
    """
    measured = [
        {row.path: row.measured for row in result.rows if row.measured is not None}
        for path, result in found.items()
        if path.stem.startswith(NAMED)
    ]
    causal = sorted((said[LATENCY], said[GAIN]) for said in measured if said.keys() >= {LATENCY, GAIN})
    whole = [said[GAIN] for said in measured if GAIN in said and LATENCY not in said]
    if not causal:
        return False
    # The same figures give the same file.
    with mpl.rc_context({"svg.hashsalt": NAMED, "svg.fonttype": "none"}):
        _drawn(causal, whole).savefig(out, bbox_inches="tight", metadata={"Date": None})
    return True


def _drawn(causal: Sequence[tuple[float, float]], whole: Sequence[float]) -> Figure:
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
