"""What a person sees on the terminal."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from streamer.events import Event
from streamer.sinks.view import View
from tests import bus


def _seen(*events: Event, width: int = 100) -> str:
    """The picture after these events, as text."""
    view = View(lambda: "streamer · publishing on tcp://127.0.0.1:7765")
    view.open()
    for event in events:
        view.send(event)
    console = Console(record=True, width=width, file=io.StringIO())
    console.print(view.picture())
    view.close()
    return console.export_text()


def _row(text: str, stream: str) -> str:
    """The row of a stream."""
    [row] = [row for row in text.splitlines() if re.match(rf"│ {stream} ", row)]
    return row


def test_before_anything_is_heard() -> None:
    text = _seen()
    assert "publishing on tcp://127.0.0.1:7765" in text
    assert "nothing decided yet" in text


@pytest.mark.parametrize("width", [80, 100])
def test_a_stream_that_is_well_is_shown_whole(width: int) -> None:
    row = _row(_seen(bus.level(99), bus.gate(), bus.scores(), bus.status(), width=width), "mic")
    for shown in ("0:00:01.00", "-20.5 dB", "● music", "music 0.97", "12 ms", "nothing"):
        assert shown in row, row


def test_the_gate_goes_on_and_off() -> None:
    text = _seen(bus.gate(0))
    assert "● music" in _row(text, "mic")
    assert re.search(r"gate/mic +music on .*score 0\.97", text)
    text = _seen(bus.gate(0), bus.gate(1, state="update"), bus.gate(2, state="off", score=0.1))
    assert "○ music" in _row(text, "mic")
    assert "●" not in text
    assert re.search(r"gate/mic +music off .*score 0\.10", text)
    assert "music update" not in text


def test_every_label_that_goes_on_is_shown() -> None:
    row = _row(_seen(bus.gate(0), bus.gate(1, label="choir"), bus.gate(2, label="bell", state="off")), "mic")
    assert "● music, choir" in row
    assert "bell" not in row


def test_silence_is_said() -> None:
    row = _row(_seen(bus.level(rms_dbfs=-120.0, peak_dbfs=-120.0)), "mic")
    assert "silence" in row
    assert "█" not in row


@pytest.mark.parametrize(
    ("overruns", "told"), [(0, "0.20 s, 0 overruns"), (1, "0.20 s, 1 overrun "), (12, "0.20 s, 12 overruns")]
)
def test_losses_are_told_in_words(overruns: int, told: str) -> None:
    status = bus.status(1, message="lost 3200 samples", dropped_samples=3_200, overruns=overruns)
    text = _seen(bus.level(), bus.gate(), bus.scores(), status)
    assert told in _row(text, "mic")
    assert "music 0.97" in _row(text, "mic")


@pytest.mark.parametrize("state", ["failed", "ended"])
def test_how_a_stream_ended_is_told(state: str) -> None:
    text = _seen(bus.level(), bus.status(0), bus.status(1, state=state, message="unplugged"))
    assert state in _row(text, "mic")
    assert "nothing  " not in _row(text, "mic")
    assert re.search(rf"status/mic +{state} [^●]*unplugged", text)  # on the next line, if it is long


def test_every_stream_has_a_row_of_its_own() -> None:
    text = _seen(bus.gate(0, "mic"), bus.gate(0, "door", state="off"), bus.status(0, "hall", state="failed"))
    assert "● music" in _row(text, "mic")
    assert "○ music" in _row(text, "door")
    assert "failed" in _row(text, "hall")
