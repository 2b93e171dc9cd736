"""Say in text or CSV what was heard between two times."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TextIO

from streamer.history.reader import StreamNote, Stretch, Wanted

COLUMNS = ("stream", "kind", "label", "began", "ended", "seconds", "highest")


def summary(
    wanted: Wanted, stretches: Iterable[Stretch], notes: Sequence[StreamNote], heard_s: Mapping[str, float]
) -> list[str]:
    """Return the lines of a report: for each stream how long each label was on, how often, and for how long at most.

    Parameters
    ----------
    wanted : Wanted
        The two times; what lies outside does not count.
    stretches : iterable of Stretch
    notes : sequence of StreamNote
    heard_s : mapping of str to float
        Seconds that were heard, by stream.
    """
    by_stream: defaultdict[str, defaultdict[tuple[str, str], list[float]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for found in stretches:
        inside = min(found.ended_s, wanted.until_s) - max(found.began_s, wanted.since_s)
        by_stream[found.stream][found.kind, found.label].append(inside)
    lines = []
    for stream in sorted({*by_stream, *heard_s, *(note.stream for note in notes)}):
        heard, lost = heard_s.get(stream, 0.0), [n.lost_s for n in notes if n.stream == stream and n.lost_s]
        losses = (
            f", {sum(lost):.1f} s lost in {'one piece' if len(lost) == 1 else f'{len(lost)} pieces'}"
            if lost
            else ""
        )
        lines.append(f"{stream}: {duration(heard)} heard{losses}")
        labels = sorted(by_stream[stream].items(), key=lambda item: (item[0][0], -sum(item[1]), item[0][1]))
        for (kind, label), seconds in labels:
            # A stretch may be longer than the time that levels tell of, by up to a minute at each end.
            share = f"{min(1.0, sum(seconds) / heard):7.1%}" if heard else " " * 7
            times = "once" if len(seconds) == 1 else f"{len(seconds)} times"
            lines.append(
                f"  {kind:<8} {label:<18} {duration(sum(seconds)):>10} {share}  {times:<11} longest "
                f"{duration(max(seconds))}"
            )
    return lines


def line_of(stretch: Stretch) -> str:
    """Return a stretch as a line of text, with the local time of its beginning."""
    began = _local(stretch.began_s)
    return (
        f"{began:%Y-%m-%d %H:%M:%S}  {duration(stretch.seconds):>10}  {stretch.stream:<12} {stretch.kind:<8} "
        f"{stretch.label:<18} highest {stretch.highest:.2f}"
    )


def write_csv(stretches: Iterable[Stretch], out: TextIO) -> None:
    """Write stretches as CSV, with a first line that names the columns; times are UTC in ISO 8601."""
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(COLUMNS)
    for found in stretches:
        times = (_utc(at_s).isoformat(timespec="milliseconds") for at_s in (found.began_s, found.ended_s))
        rows.writerow(
            [found.stream, found.kind, found.label, *times, f"{found.seconds:.3f}", f"{found.highest:.4f}"]
        )


def duration(seconds: float) -> str:
    """Return a time as hours, minutes and seconds, such as ``0:01:05`` or ``30:00:00``."""
    minutes, rest_s = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest_s:02d}"


def _utc(at_s: float) -> datetime:
    return datetime.fromtimestamp(at_s, UTC)


def _local(at_s: float) -> datetime:
    return _utc(at_s).astimezone()
