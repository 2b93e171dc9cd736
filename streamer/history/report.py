"""Say in lines of text, or in tables, what was heard between two times."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from streamer.history.hours import LabelHour
from streamer.history.reader import HeardMinute, StreamNote, Stretch, Wanted

COLUMNS = ("stream", "kind", "label", "began", "ended", "seconds", "highest")
HOUR_COLUMNS = ("stream", "hour", "kind", "label", "seconds", "heard_s", "share")


def summary(
    wanted: Wanted, stretches: Iterable[Stretch], notes: Sequence[StreamNote], heard: Iterable[HeardMinute]
) -> list[str]:
    """Return the lines of a report: for each stream how long each label was on, how often, and for how long at most.

    Parameters
    ----------
    wanted : Wanted
        The two times; what lies outside does not count.
    stretches : iterable of Stretch
    notes : sequence of StreamNote
    heard : iterable of HeardMinute
    """
    heard_s: defaultdict[str, float] = defaultdict(float)
    for minute in heard:
        heard_s[minute.stream] += minute.seconds
    on_s: defaultdict[str, defaultdict[tuple[str, str], list[float]]] = defaultdict(lambda: defaultdict(list))
    for found in stretches:
        inside_s = min(found.ended_s, wanted.until_s) - max(found.began_s, wanted.since_s)
        on_s[found.stream][found.kind, found.label].append(inside_s)
    lines = []
    for stream in sorted({*on_s, *heard_s, *(note.stream for note in notes)}):
        lost_s = [note.lost_s for note in notes if note.stream == stream and note.lost_s]
        lines.append(f"{stream}: {duration(heard_s[stream])} heard{_losses(lost_s)}")
        labels = sorted(on_s[stream].items(), key=lambda item: (item[0][0], -sum(item[1]), item[0][1]))
        lines += [_label_line(*name, seconds, heard_s[stream]) for name, seconds in labels]
    return lines


def _losses(lost_s: Sequence[float]) -> str:
    if not lost_s:
        return ""
    pieces = "one piece" if len(lost_s) == 1 else f"{len(lost_s)} pieces"
    return f", {sum(lost_s):.1f} s lost in {pieces}"


def _label_line(kind: str, label: str, seconds: Sequence[float], heard_s: float) -> str:
    # A stretch may be longer than the time that levels tell of, by up to a minute at each end.
    share = f"{min(1.0, sum(seconds) / heard_s):7.1%}" if heard_s else " " * 7
    times = "once" if len(seconds) == 1 else f"{len(seconds)} times"
    total, longest = duration(sum(seconds)), duration(max(seconds))
    return f"  {kind:<8} {label:<18} {total:>10} {share}  {times:<11} longest {longest}"


def hour_lines(hours: Iterable[LabelHour]) -> list[str]:
    """Return a line for each hour and label, with the local time at which the hour begins."""
    return [
        f"{_local(each.began_s):%Y-%m-%d %H:%M}  {each.stream:<12} {each.kind:<8} {each.label:<18} "
        f"{duration(each.seconds):>8} {each.share:7.1%}"
        for each in hours
    ]


def line_of(stretch: Stretch) -> str:
    """Return a stretch as a line of text, with the local time of its beginning."""
    return (
        f"{_local(stretch.began_s):%Y-%m-%d %H:%M:%S}  {duration(stretch.seconds):>10}  {stretch.stream:<12} "
        f"{stretch.kind:<8} {stretch.label:<18} highest {stretch.highest:.2f}"
    )


def stretch_table(stretches: Iterable[Stretch]) -> Iterator[Sequence[str]]:
    """Yield the names of the columns, and a row for each stretch; times are UTC in ISO 8601."""
    yield COLUMNS
    for found in stretches:
        times = (_utc_text(at_s) for at_s in (found.began_s, found.ended_s))
        yield found.stream, found.kind, found.label, *times, f"{found.seconds:.3f}", f"{found.highest:.4f}"


def hour_table(hours: Iterable[LabelHour]) -> Iterator[Sequence[str]]:
    """Yield the names of the columns, and a row for each hour and label; an hour is the UTC at which it begins."""
    yield HOUR_COLUMNS
    for each in hours:
        numbers = (f"{each.seconds:.3f}", f"{each.heard_s:.3f}", f"{each.share:.4f}")
        yield each.stream, _utc_text(each.began_s), each.kind, each.label, *numbers


def duration(seconds: float) -> str:
    """Return a time as hours, minutes and seconds, such as ``0:01:05`` or ``30:00:00``."""
    minutes, rest_s = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest_s:02d}"


def _utc_text(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="milliseconds")


def _local(at_s: float) -> datetime:
    return datetime.fromtimestamp(at_s, UTC).astimezone()
