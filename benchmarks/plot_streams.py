"""Plot the figures of `benchmarks.streams`: share of a core and lateness against the number of streams.

python -m benchmarks.plot_streams STREAMS.json PICTURE.svg
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure


def draw(measured: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Plot both against the number of streams.

    Parameters
    ----------
    measured : mapping
        Figures by the number of streams, as under ``streams`` in the file.
    """
    counts = sorted(measured, key=int)
    streams = [int(count) for count in counts]
    share = [measured[count]["percent_of_one_core"] for count in counts]
    figure = Figure(figsize=(6, 5), facecolor="white")
    cost, late = figure.subplots(2, 1, sharex=True)
    cost.plot(streams, share, marker="o", color="tab:blue")
    cost.axhline(100, color="0.6", linestyle="--", linewidth=1)
    cost.set_ylabel("share of one core (%)")
    cost.set_ylim(0, 110)
    for name, style in (("p50", "-"), ("p99", ":")):
        values = [measured[count]["late_ms"][name] for count in counts]
        late.plot(streams, values, style, marker="o", color="tab:orange", label=name)
    late.set_ylabel("message late by (ms)")
    late.set_xlabel("streams")
    late.set_ylim(bottom=0)
    late.legend()
    for axes in (cost, late):
        axes.grid(alpha=0.3)
    return figure


def main() -> None:
    asking = argparse.ArgumentParser(description=__doc__)
    asking.add_argument("measured", type=Path, metavar="STREAMS.json")
    asking.add_argument("picture", type=Path, metavar="PICTURE.svg")
    asked = asking.parse_args()
    measured = json.loads(asked.measured.read_text(encoding="utf-8"))["streams"]
    with mpl.rc_context(
        {"svg.hashsalt": "streams", "svg.fonttype": "none"}
    ):  # the same figures give the same file
        draw(measured).savefig(asked.picture, bbox_inches="tight", metadata={"Date": None})


if __name__ == "__main__":
    main()
