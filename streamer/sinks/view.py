"""The live view on a terminal: level, gate, scores, lag and losses of every stream."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from streamer.events import Decision, Event, Level, Scores, Status
from streamer.level import FLOOR_DBFS
from streamer.sinks.sink import Sink
from streamer.text import clock, line

_QUIET_DBFS = -60.0
_BAR_CELLS = 10
_NAME_CELLS = 14
_LOG_LINES = 8


@dataclass
class _Row:
    """The last that was said of one stream."""

    level: Level | None = None
    scores: Scores | None = None
    status: Status | None = None
    decisions: dict[str, Decision] = field(default_factory=dict)
    latency_ms: float | None = None


class View(Sink):
    """Keeps what was said last; `picture` draws it, from another thread than the engine's.

    Parameters
    ----------
    title : callable
        Gives the first line: where it is published.
    """

    def __init__(self, title: Callable[[], str]) -> None:
        self._title = title
        self._rows: dict[str, _Row] = {}
        self._log: deque[str] = deque(maxlen=_LOG_LINES)

    def open(self) -> None:
        pass

    def send(self, event: Event) -> None:
        row = self._rows.setdefault(event.stream, _Row())
        match event:
            case Level():
                row.level, row.latency_ms = event, event.latency_ms
            case Scores():
                row.scores = event
            case Decision():
                row.decisions[f"{event.kind}/{event.label}"] = event
                if event.state != "update":
                    self._log.append(line(event))
            case Status():
                row.status = event
                if event.message:
                    self._log.append(line(event))

    def close(self) -> None:
        pass

    def picture(self) -> RenderableType:
        """What the terminal shows now."""
        table = Table(expand=True, box=None, padding=(0, 1, 0, 0), pad_edge=False)
        table.add_column("stream", no_wrap=True, max_width=_NAME_CELLS)
        for heading in ("time", "level", "gate"):
            table.add_column(heading, no_wrap=True)
        table.add_column("scores", no_wrap=True, ratio=1)  # on a narrow terminal these alone are cut
        for heading in ("lag", "lost"):
            table.add_column(heading, no_wrap=True, justify="right")
        for name, row in list(self._rows.items()):  # the engine may add one meanwhile
            table.add_row(name, _time(row), _level(row), _gate(row), _scores(row), _lag(row), _lost(row))
        log = Text("\n".join(list(self._log)) or "nothing decided yet", style="dim")
        panel = Panel(Group(table, Text(), log), title=self._title(), title_align="left", border_style="cyan")
        return Group(panel, Text())  # an empty line, for the terminal to echo ^C on


def _time(row: _Row) -> str:
    return clock(row.level.stop, row.level.rate) if row.level else ""


def _bar(share: float, style: str) -> Text:
    cells = round(_BAR_CELLS * min(max(share, 0.0), 1.0))
    return Text("█" * cells, style=style) + Text("░" * (_BAR_CELLS - cells), style="dim")


def _level(row: _Row) -> Text:
    if row.level is None:
        return Text()
    style = "red" if row.level.peak_dbfs >= -0.1 else "green"
    told = f" {row.level.rms_dbfs:6.1f} dB" if row.level.rms_dbfs > FLOOR_DBFS else " silence"
    return _bar(1 - row.level.rms_dbfs / _QUIET_DBFS, style) + Text(told)


def _gate(row: _Row) -> Text:
    decisions = list(row.decisions.values())  # the engine may add one meanwhile
    going_on = [d.label for d in decisions if d.state != "off"]
    if going_on:
        return Text("● " + ", ".join(going_on), style="bold green")
    return Text("○ " + ", ".join(d.label for d in decisions), style="dim")


def _scores(row: _Row) -> Text:
    if row.scores is None:
        return Text()
    heads = (f"{label} {score:.2f}" for top in row.scores.heads.values() for label, score in top.items())
    return Text("  ".join(heads))


def _lag(row: _Row) -> Text:
    return Text("" if row.latency_ms is None else f"{row.latency_ms:.0f} ms")


def _lost(row: _Row) -> Text:
    status = row.status
    if status is None:
        return Text()
    if status.state != "running":
        return Text(status.state, style="red" if status.state == "failed" else "dim")
    if not status.dropped_samples and not status.overruns:
        return Text("nothing", style="dim")
    plural = "" if status.overruns == 1 else "s"
    lost_s = status.dropped_samples / status.rate if status.rate else 0.0
    return Text(f"{lost_s:.2f} s, {status.overruns} overrun{plural}", style="bold red")
