"""Draw the live view on a terminal: level, decisions of every head, lag and losses of every stream."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from streamer.dsp.level import FLOOR_DBFS
from streamer.events.kinds import Decision, Event, Level, Scores, Status
from streamer.head_slots import HEAD_SLOTS
from streamer.sinks.lines import clock, line
from streamer.sinks.sink import Sink

_QUIET_DBFS = -60.0
_BAR_CELLS = 10
_NAME_CELLS = 12
_HEAD_CELLS = 8
_LOG_LINES, _LEAST_LOG_LINES = 8, 3
_FRAME_LINES = 4
"""Lines of the panel's border, the empty line before the log, and the one behind everything."""
_SIDES_CELLS = 4
"""Cells of the panel's border and padding, left and right."""
_OTHERS = 3
"""Most labels of a head that are shown beside those that go on."""


@dataclass
class _Row:
    """The latest events of one stream."""

    level: Level | None = None
    scores: Scores | None = None
    status: Status | None = None
    decisions: dict[str, Decision] = field(default_factory=dict)
    latency_ms: float | None = None


class View(Sink):
    """Sink that keeps the latest events for `picture`, which another thread than the engine's calls to draw them.

    Parameters
    ----------
    title : callable
        Returns the title, which says where the messages are published.
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

    def wants(self, kind: str) -> bool:
        return kind != "spectrum"

    def close(self) -> None:
        pass

    def picture(self) -> RenderableType:
        """Return the latest events as a picture that rich prints on a terminal."""
        rows, log = list(self._rows.items()), list(self._log)  # the engine may add one meanwhile
        return _Picture(self._title(), rows, log or ["nothing decided yet"])


@dataclass(frozen=True)
class _Picture:
    """A picture that fits the terminal: every head of all streams, or a line of each stream, or of some of them."""

    title: str
    rows: Sequence[tuple[str, _Row]]
    log: Sequence[str]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        lines = max(2, options.max_height - _FRAME_LINES)
        body = _grid()
        whole = [(name, row, _heads(row)) for name, row in self.rows[:lines]]
        if sum(1 + len(heads) for _, _, heads in whole) < lines:
            for name, row, heads in whole:
                _add_stream(name, row, heads, body)
        else:
            self._add_short(body, max(1, lines - min(len(self.log), _LEAST_LOG_LINES)))
        log = self._newest(console, options.max_width - _SIDES_CELLS, lines - body.row_count)
        panel = Panel(Group(body, Text(), log), title=self.title, title_align="left", border_style="cyan")
        yield Group(panel, Text())  # an empty line, for the terminal to echo ^C on

    def _add_short(self, body: Table, room: int) -> None:
        """Add a line of each stream; of too many, those that failed or lost sound come first, and the ended last."""
        shown = list(self.rows)
        if len(shown) > room:
            shown = sorted(shown, key=lambda named: _urgency(named[1]))[: max(1, room - 1)]
        for name, row in shown:
            body.add_row(Text(name, style="bold"), _summary(row, _going_on(row)))
        if (left := len(self.rows) - len(shown)) and room > 1:
            body.add_row("", Text(f"and {left} more streams", style="dim"))

    def _newest(self, console: Console, cells: int, room: int) -> Text:
        """Return the newest entries of the log that there is room for; at least the last, cut short if need be."""
        kept: list[str] = []
        for text in reversed(self.log):
            room -= len(Text(text).wrap(console, cells))
            if room < 0:
                break
            kept.insert(0, text)
        if kept:
            return Text("\n".join(kept), style="dim")
        return Text(self.log[-1], style="dim", no_wrap=True, overflow="ellipsis")


def _grid() -> Table:
    """Return an empty table with a column of names and a column of content."""
    table = Table.grid(padding=(0, 1, 0, 0), expand=True)
    table.add_column(no_wrap=True, min_width=_HEAD_CELLS, max_width=_NAME_CELLS)
    table.add_column(no_wrap=True, ratio=1)
    return table


def _add_stream(name: str, row: _Row, heads: Mapping[str, Text], table: Table) -> None:
    """Add a line of the stream, and one of each head that has reported something."""
    table.add_row(Text(name, style="bold"), _summary(row, Text()))
    for head, text in heads.items():
        table.add_row(Text(f"  {head}", style="dim"), text)


def _summary(row: _Row, middle: Text) -> Table:
    """Return a line with time, level, a text in the middle, lag and losses."""
    line = Table.grid(padding=(0, 1, 0, 0), expand=True)
    line.add_column(no_wrap=True)
    line.add_column(no_wrap=True)
    line.add_column(no_wrap=True, ratio=1, overflow="ellipsis")  # it alone gives way
    line.add_column(no_wrap=True, justify="right")
    line.add_column(no_wrap=True, justify="right")
    line.add_row(_time(row), _level(row), middle, _lag(row), _lost(row))
    return line


def _heads(row: _Row) -> dict[str, Text]:
    """Return the text of each head that has reported something, by its name."""
    decisions = list(row.decisions.values())  # the engine may add one meanwhile
    scores = row.scores.heads if row.scores else {}
    found = {}
    for slot in HEAD_SLOTS:
        head = slot.section
        own = [decision for decision in decisions if decision.kind in slot.kinds]
        if own or head in scores:
            found[head] = _head(own, scores.get(head, {}))
    return found


def _going_on(row: _Row) -> Text:
    """Return the labels of all heads that go on."""
    labels = [d.label for d in list(row.decisions.values()) if d.state in ("on", "update") and d.label]
    return Text("  ".join(f"● {label}" for label in labels), style="bold green")


def _urgency(row: _Row) -> int:
    """Return the rank of a stream where there is no room for all: lower ones are shown first."""
    status = row.status
    if status is None:
        return 2
    if status.state in ("failed", "recovering"):
        return 0
    if status.state != "running":
        return 3
    return 1 if status.dropped_samples or status.overruns or status.shed else 2


def _head(decisions: Sequence[Decision], scores: Mapping[str, float]) -> Text:
    """Return the labels that go on, the likeliest first, and the likeliest of the others."""
    going_on = [d for d in decisions if d.state != "off" and d.label]
    going_on.sort(key=lambda d: -scores.get(d.label, d.score))
    text = Text()
    for decision in going_on:
        text.append(f"● {decision.label} {scores.get(decision.label, decision.score):.2f}  ", "bold green")
    shown = {decision.label for decision in going_on}
    others = [f"{label} {score:.2f}" for label, score in scores.items() if label not in shown][:_OTHERS]
    if not going_on:
        if any(d.state == "listening" for d in decisions):
            text.append("◌ unsure  " if scores else "◌ listening")  # scores come once it has heard enough
        else:
            text.append("○ ", "dim")
    return text.append("  ".join(others), "dim")


def _time(row: _Row) -> str:
    return clock(row.level.stop, row.level.rate) if row.level else ""


def _bar(share: float, style: str) -> Text:
    cells = round(_BAR_CELLS * min(max(share, 0.0), 1.0))
    return Text("█" * cells, style=style) + Text("░" * (_BAR_CELLS - cells), style="dim")


def _level(row: _Row) -> Text:
    if row.level is None:
        return Text()
    style = "red" if row.level.peak_dbfs >= -0.1 else "green"
    text = f" {row.level.rms_dbfs:6.1f} dB" if row.level.rms_dbfs > FLOOR_DBFS else " silence"
    return _bar(1 - row.level.rms_dbfs / _QUIET_DBFS, style) + Text(text)


def _lag(row: _Row) -> Text:
    return Text("" if row.latency_ms is None else f"lag {row.latency_ms:.0f} ms")


def _lost(row: _Row) -> Text:
    status = row.status
    if status is None:
        return Text()
    if status.state != "running":
        return Text(status.state, style="dim" if status.state in ("opening", "ended") else "red")
    if not status.dropped_samples and not status.overruns:
        return Text("lost nothing", style="dim")
    plural = "" if status.overruns == 1 else "s"
    lost_s = status.dropped_samples / status.rate if status.rate else 0.0
    return Text(f"lost {lost_s:.2f} s, {status.overruns} overrun{plural}", style="bold red")
