"""Events as plain lines of text for a person: of every kind, and the sink that writes those that are new."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TextIO

from streamer.events.kinds import RUNNING_KINDS, Decision, Event, Level, Scores, Spectrum, Status, Stem
from streamer.sinks.line_writer import LiveLineWriter
from streamer.sinks.sink import Sink

STATE_WIDTH = 20
"""Characters of a label and its state: the longest of the released models' is ``door_wood_creaks off``."""


class Lines(Sink):
    """Writes a line for each decision, but for updates, and for each status with a message or another state.

    Live sound cannot wait: lines for which a slow reader has no room are dropped.

    Parameters
    ----------
    stream : text stream
        Output with a file descriptor, which stays open.
    title : callable
        Returns the first line, which says where the messages are published.
    """

    def __init__(self, stream: TextIO, title: Callable[[], str]) -> None:
        self._stream, self._title = stream, title
        self._writer = LiveLineWriter(stream)
        self._states: dict[str, str] = {}  # by stream, the state of its last status

    @property
    def dropped_lines(self) -> int:
        return self._writer.dropped_lines

    def open(self) -> None:
        """Write the title; raise the errors of `LineWriter.write`."""
        if isinstance(self._stream, io.TextIOWrapper):
            self._stream.reconfigure(errors="replace")  # a locale may lack a letter of a stream's name
        self._writer.write(self._title())

    def send(self, event: Event) -> None:
        """Write an event if it is new; errors are those of `LineWriter.write`."""
        if isinstance(event, Status):
            news = bool(event.message) or event.state != self._states.get(event.stream)
            self._states[event.stream] = event.state
        else:
            news = isinstance(event, Decision) and event.state != "update"
        if news:
            self._writer.write(line(event))

    def wants(self, kind: str) -> bool:
        return kind not in RUNNING_KINDS

    def close(self) -> None:
        """Do nothing: every line was flushed."""


def line(event: Event) -> str:
    """Return one line of text about an event: its position in the sound, its topic and its content."""
    return f"{clock(event.stop, event.rate)}  {event.topic:<16} {_content(event)}"


def clock(sample: int, rate: int) -> str:
    """Return the position of a sample as text: hours, minutes and seconds to a hundredth."""
    hundredths = round(100 * sample / rate) if rate else 0
    minutes, rest = divmod(hundredths, 6_000)
    return f"{minutes // 60:d}:{minutes % 60:02d}:{rest / 100:05.2f}"


def _content(event: Event) -> str:
    match event:
        case Decision():
            since = clock(event.start, event.rate)
            if not event.label:  # the model itself began to listen, or stopped
                return f"{event.state:<{STATE_WIDTH}} since {since}"
            return f"{f'{event.label} {event.state}':<{STATE_WIDTH}} since {since}  score {event.score:.2f}"
        case Scores():
            heads = (
                f"{n} " + ", ".join(f"{k} {v:.2f}" for k, v in top.items()) for n, top in event.heads.items()
            )
            return "; ".join(heads)
        case Level():
            return f"rms {event.rms_dbfs:.1f} dBFS  peak {event.peak_dbfs:.1f} dBFS"
        case Spectrum():
            return f"{event.frames.shape[0]} frames of {event.frames.shape[1]} bands"
        case Stem():
            return f"{event.label}  {event.samples.shape[0]} samples of {event.samples.shape[1]} channels"
        case Status():
            figures = (
                f"{event.state}  lag {event.lag_ms:.0f} ms  dropped {event.dropped_samples}  "
                f"overruns {event.overruns}  muted {event.muted_samples}  epoch {event.epoch}"
            )
            return f"{figures}  {event.message}".rstrip()
        case _:
            return ""
