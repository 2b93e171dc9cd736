"""Plots as SVG in the colours of the page's style sheet, so that they suit dark screens and paper alike."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType

import matplotlib as mpl
import numpy as np
from cycler import cycler
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from streamer.arrays import Array
from train.evaluate.saliency import SaliencyMap

INK, FAINT = "#010203", "#010204"
SERIES = ("#010211", "#010212", "#010213", "#010214", "#010215", "#010216")
_VARIABLES = MappingProxyType(
    {INK: "var(--ink)", FAINT: "var(--rule)"}
    | {colour: f"var(--series-{n})" for n, colour in enumerate(SERIES, 1)}
)
"""Placeholder colours of a plot, and the variables of the style sheet that replace them."""
ACCENT = (0.20, 0.45, 0.80)
"""Colour of shades rather than lines, visible on black and on white."""


SHADES = 24
"""Number of colours of a compact spectrogram: so few are packed well."""
RANGE_NEPERS = 9.0
"""Range of the colours below the loudest band, of log-mel values, which are natural logarithms of a power."""
STYLE = Path(__file__).parent / "templates" / "style.css"


class Drawing:
    """A row of plots, or several, that becomes one SVG.

    It is a context manager: plots that are drawn inside have the page's style.

    Parameters
    ----------
    columns : int
        Number of plots side by side.
    width, height : float
        Size of the whole drawing, in inches of 96 CSS pixels.
    rows : int
        Number of rows of plots.
    """

    def __init__(self, columns: int = 1, width: float = 4.6, height: float = 3.0, rows: int = 1) -> None:
        self._style = _style()
        self._size = (rows, columns, width, height)

    def __enter__(self) -> Drawing:
        self._style.__enter__()
        rows, columns, width, height = self._size
        self.figure = Figure(figsize=(width, height), layout="constrained")
        self.axes: list[Axes] = list(self.figure.subplots(rows, columns, squeeze=False).flat)
        return self

    def __exit__(self, *error: object) -> None:
        if error[0] is None:
            out = io.StringIO()
            self.figure.savefig(out, format="svg", transparent=True, metadata={"Date": None})
            self._svg = _embed_svg(out.getvalue())
        self._style.__exit__(None, None, None)

    def svg(self, label: str) -> Markup:
        """Return the finished drawing as SVG for a page; `label` describes it to screen readers."""
        text = "".join(character for character in label if character not in '<>&"')
        return Markup(self._svg.replace("<svg ", f'<svg role="img" aria-label="{text}" ', 1))


def _style() -> AbstractContextManager[None]:
    return mpl.rc_context(
        {
            "svg.fonttype": "none",
            "font.family": "sans-serif",
            "font.size": 9,
            "axes.edgecolor": FAINT,
            "axes.labelcolor": INK,
            "axes.titlesize": 9,
            "axes.titlecolor": INK,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "axes.prop_cycle": cycler(color=SERIES),
            "grid.color": FAINT,
            "grid.linewidth": 0.5,
            "text.color": INK,
            "xtick.color": INK,
            "ytick.color": INK,
            "legend.frameon": False,
            "lines.linewidth": 1.6,
            "lines.markersize": 4,
        }
    )


def _embed_svg(svg: str) -> str:
    """Return the svg element alone, in the style sheet's colours."""
    svg = svg[svg.index("<svg ") :]
    for stands_for, variable in _VARIABLES.items():
        svg = svg.replace(stands_for, variable)
    start, stop = svg.find("<metadata>"), svg.find("</metadata>")  # it holds addresses of licences and types
    return svg[:start] + svg[stop + len("</metadata>") :] if start >= 0 else svg


def standalone(svg: Markup) -> str:
    """Return a drawing as the text of an SVG file, in the colours that the style sheet has for light screens."""
    # The style sheet begins with the colours of light screens; those of dark ones and of paper follow.
    colours: dict[str, str] = {}
    for name, colour in re.findall(r"--([\w-]+):\s*(#\w+)", STYLE.read_text(encoding="utf-8")):
        colours.setdefault(name, colour)
    text = re.sub(r"var\(--([\w-]+)\)", lambda found: colours[found[1]], str(svg))
    opening, rest = text.split(">", 1)
    paper = f'<rect width="100%" height="100%" fill="{colours["paper"]}"/>'
    return f'<?xml version="1.0" encoding="utf-8"?>\n{opening}>{paper}{rest}\n'


def lines(
    series: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    x_label: str,
    y_label: str,
    *,
    unit_range: bool = False,
    log_x: bool = False,
) -> Markup:
    """Return a plot of curves by name, each as x and y; with `unit_range` the y axis goes from 0 to 1."""
    with Drawing() as drawing:
        (axes,) = drawing.axes
        for name, (x, y) in series.items():
            axes.plot(x, y, label=name, marker="o" if len(x) < 15 else None)
        axes.set(xlabel=x_label, ylabel=y_label)
        if unit_range:
            axes.set_ylim(-0.02, 1.02)
        if log_x:
            axes.set_xscale("log")
            axes.set_xticks(
                ticks := sorted({x for xs, _ in series.values() for x in xs}), [f"{t:g}" for t in ticks]
            )
            axes.minorticks_off()
        if len(series) > 1:
            axes.legend(fontsize=8)
    return drawing.svg(f"{y_label} against {x_label}")


def confusion(matrix: Array, labels: Sequence[str]) -> Markup:
    """Return a plot of a confusion matrix: shades are shares of each true label's clips, numbers are counts."""
    size = min(10.0, 2.4 + 0.22 * len(labels))
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    with Drawing(width=size, height=size) as drawing:
        (axes,) = drawing.axes
        axes.imshow(_shade(shares, ACCENT), interpolation="nearest", aspect="equal")
        axes.set_xticks(range(len(labels)), labels, rotation=90, fontsize=7)
        axes.set_yticks(range(len(labels)), labels, fontsize=7)
        axes.set(xlabel="predicted", ylabel="truth")
        axes.grid(visible=False)
        for truth, predicted in np.argwhere(matrix):
            axes.text(predicted, truth, str(matrix[truth, predicted]), ha="center", va="center", fontsize=6)
    return drawing.svg("confusion matrix")


def spectrograms(frames: Mapping[str, Array], frame_s: float) -> Markup:
    """Return plots of log-mel frames, (frames, mel_bands), side by side, on one scale, each below its title."""
    low = min(float(np.quantile(x, 0.02)) for x in frames.values())
    high = max(float(x.max()) for x in frames.values())
    with Drawing(columns=len(frames), width=4.2 * len(frames), height=2.0) as drawing:
        for axes, (title, x) in zip(drawing.axes, frames.items(), strict=True):
            axes.imshow(
                x.T,
                origin="lower",
                aspect="auto",
                cmap="magma",
                vmin=low,
                vmax=high,
                extent=_extent(x, frame_s),
            )
            axes.set(title=title, xlabel="s", ylabel="mel band")
            axes.grid(visible=False)
    return drawing.svg("spectrograms: " + ", ".join(frames))


def compact_spectrogram(axes: Axes, frames: Array, seconds: float, columns: int = 300) -> None:
    """Draw log-mel frames so that they take few bytes: few columns and colours, and a pixel for each value.

    Parameters
    ----------
    axes : Axes
        Axes to draw on.
    frames : Array, shape (frames, mel_bands)
        Natural logarithms of powers; `RANGE_NEPERS` below the loudest are shown.
    seconds : float
        Length of the frames.
    columns : int
        Greatest number of columns; frames are averaged.
    """
    edges = np.linspace(0, len(frames), min(columns, len(frames)) + 1).round().astype(int)
    averaged = np.stack([frames[first:stop].mean(axis=0) for first, stop in pairwise(edges)])
    loudest = float(averaged.max())
    axes.imshow(
        averaged.T,
        origin="lower",
        aspect="auto",
        interpolation="none",  # the image is stored with a pixel for each value
        cmap=mpl.colormaps["magma"].resampled(SHADES),
        vmin=loudest - RANGE_NEPERS,
        vmax=loudest,
        extent=(0.0, seconds, 0.0, float(frames.shape[1])),
    )


def picture(decibels: Array, seconds: float, low: float, high: float) -> Markup:
    """Return a small spectrogram, (frames, bins), from `low` (black) to `high` dB (white), with unlabelled axes."""
    with Drawing(width=3.2, height=1.7) as drawing:
        (axes,) = drawing.axes
        extent = (0.0, seconds, 0.0, 1.0)
        axes.imshow(
            decibels.T, origin="lower", aspect="auto", cmap="magma", vmin=low, vmax=high, extent=extent
        )
        axes.set(yticks=[])
        axes.grid(visible=False)
    return drawing.svg("spectrogram")


def saliency(found: SaliencyMap) -> Markup:
    """Return two plots of a clip: its spectrogram, and its saliency map over the spectrogram in grey.

    Blue speaks for the predicted label, red against it.
    """
    extent, strength = _extent(found.log_mel, found.frame_s), found.saliency
    most = np.quantile(np.abs(strength), 0.995) or 1.0
    with Drawing(columns=2, width=8.4, height=2.0) as drawing:
        for axes, colours in zip(drawing.axes, ("magma", "Greys_r"), strict=True):
            axes.imshow(found.log_mel.T, origin="lower", aspect="auto", cmap=colours, extent=extent)
            axes.set(xlabel="s", ylabel="mel band")
            axes.grid(visible=False)
        for sign, colour in ((1, (0.25, 0.65, 1.0)), (-1, (1.0, 0.35, 0.2))):
            shade = _shade(np.clip(sign * strength / most, 0, 1).T, colour)
            drawing.axes[1].imshow(shade, origin="lower", aspect="auto", extent=extent)
        drawing.axes[0].set_title(f"{found.clip}: {found.truth}")
        drawing.axes[1].set_title(f"why {found.predicted}")
    return drawing.svg(f"what in {found.clip} speaks for {found.predicted}")


def reliability(confidence: Array, share: Array, counts: Array) -> Markup:
    """Return two plots: accuracy against confidence by bins, with the line of perfect calibration, and bin sizes."""
    full = counts > 0
    with Drawing(columns=2, width=8.4) as drawing:
        left, right = drawing.axes
        left.plot([0, 1], [0, 1], color=FAINT, linestyle="--")
        left.plot(confidence[full], share[full], marker="o", color=SERIES[0])
        left.set(xlabel="confidence", ylabel="share that is right", xlim=(0, 1), ylim=(-0.02, 1.02))
        edges = np.linspace(0, 1, len(counts) + 1)
        right.bar(edges[:-1], counts, np.diff(edges), align="edge", color=SERIES[0], edgecolor=FAINT)
        right.set(xlabel="confidence", ylabel="how many", xlim=(0, 1), yscale="log")
    return drawing.svg("reliability diagram")


def sparkline(rows: Sequence[Array], width: int = 140, height: int = 26) -> Markup:
    """Return a tiny plot of scores over time, 0 to 1, a line for each of `rows`; NaN is left out."""
    parts = []
    for number, row in enumerate(rows, 1):
        known = np.flatnonzero(~np.isnan(row))
        x = known / max(1, len(row) - 1) * (width - 2) + 1
        y = (1 - row[known]) * (height - 2) + 1
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
        parts.append(f'<polyline points="{points}" style="stroke: var(--series-{number})"/>')
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    return Markup(f'<svg class="spark" {size}>{"".join(parts)}</svg>')


def _shade(strength: Array, colour: tuple[float, float, float]) -> Array:
    """Return RGBA of one colour, opaque where `strength` is 1."""
    return np.dstack([np.broadcast_to(c, strength.shape) for c in colour] + [strength])


def _extent(frames: Array, frame_s: float) -> tuple[float, float, float, float]:
    return (0.0, len(frames) * frame_s, 0.0, float(frames.shape[1]))
