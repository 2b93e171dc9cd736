"""The live view on the terminal."""

from __future__ import annotations

import io
import itertools
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from streamer.events.kinds import Event
from streamer.sinks.view import View
from tests import bus
from tests.conftest import DEADLINE_S


def _seen(*events: Event, width: int = 100, height: int = 30) -> str:
    """Return the picture after these events, as text."""
    view = View(lambda: "streamer · publishing on tcp://127.0.0.1:7765")
    view.open()
    for event in events:
        view.send(event)
    console = Console(record=True, width=width, height=height, file=io.StringIO())
    console.print(view.picture())
    view.close()
    return console.export_text()


def _row(text: str, stream: str) -> str:
    """Return the row of a stream."""
    [row] = [row for row in text.splitlines() if re.match(rf"│ {stream} ", row)]
    return row


def _head(text: str, head: str, stream: str = "mic") -> str:
    """Return the text of a head of a stream, below the row of the stream."""
    rows = text.splitlines()
    below = rows[rows.index(_row(text, stream)) + 1 :]
    own = itertools.takewhile(lambda row: row.startswith("│   "), below)
    [row] = [row for row in own if re.match(rf"│   {head} ", row)]
    return row.removeprefix(f"│   {head}").strip(" │")


def _decision(kind: str, label: str, state: str = "on", score: float = 0.8) -> Event:
    return replace(bus.gate(3, state=state, label=label, score=score), kind=kind)


def test_before_anything_is_heard() -> None:
    text = _seen()
    assert "publishing on tcp://127.0.0.1:7765" in text
    assert "nothing decided yet" in text


@pytest.mark.parametrize("width", [80, 100])
def test_a_stream_that_is_well_is_shown_whole(width: int) -> None:
    text = _seen(bus.level(99), bus.gate(), bus.scores(), bus.status(), width=width)
    for shown in ("0:00:01.00", "-20.5 dB", "lag 12 ms", "lost nothing"):
        assert shown in _row(text, "mic")
    assert _head(text, "gate") == "● music 0.97"
    assert _head(text, "sounds") == "○ Hähnekrähen 0.50"


def _of(stream: str, *events: Event) -> list[Event]:
    return [replace(event, stream=stream) for event in events]


def _many(count: int) -> list[Event]:
    names = [f"room-{n}" for n in range(count)]
    return [event for name in names for event in _of(name, bus.level(99), bus.gate(), bus.status())]


@pytest.mark.parametrize(("height", "lines"), [(30, 2), (22, 1)])
def test_where_there_are_no_lines_for_all_heads_a_stream_has_one(height: int, lines: int) -> None:
    text = _seen(*_many(10), height=height)
    assert text.count("lost nothing") == 10
    assert len([row for row in text.splitlines() if "●" in row]) == 10
    assert len([row for row in text.splitlines() if re.match("│   gate ", row)]) == 10 * (lines - 1)
    assert len(text.splitlines()) <= height
    if lines == 1:
        assert "● music" in _row(text, "room-3")


def test_where_there_are_no_lines_for_all_streams_those_that_fail_are_shown_and_the_others_counted() -> None:
    ended = _of("over", bus.status(state="ended"))
    troubled = [
        *_of("lossy", bus.status(dropped_samples=9_000)),
        *_of("gone", bus.status(state="failed", message="unplugged")),
    ]
    text = _seen(*ended, *_many(40), *troubled, height=24)
    assert len(text.splitlines()) == 24
    assert "failed" in _row(text, "gone")
    assert "lost 0.56 s" in _row(text, "lossy")
    assert "unplugged" in text
    assert not re.search("│ over", text)
    shown = sum(row.startswith(("│ room-", "│ gone", "│ lossy")) for row in text.splitlines())
    assert f"and {43 - shown} more streams" in text


def test_on_a_small_terminal_a_stream_comes_before_what_is_logged() -> None:
    said = [
        _decision(kind, label) for kind, label in (("gate", "music"), ("sound", "dog"), ("genre", "rock"))
    ]
    texts = [f"the configuration cannot be used, nothing was changed: {'x' * 200} {n}" for n in range(8)]
    logged = [bus.status(message=text) for text in texts]
    text = _seen(bus.level(99), *said, *said, *said, *logged, width=80, height=24)
    assert len(text.splitlines()) <= 24
    for head in ("gate", "sounds", "genre"):
        assert "●" in _head(text, head)
    assert "lost nothing" in _row(text, "mic")
    assert f"{'x' * 10} 7" in text
    assert f"{'x' * 10} 0" not in text


@pytest.mark.parametrize("height", [5, 8, 12])
def test_however_small_the_terminal_is_the_picture_fits(height: int) -> None:
    logged = bus.status(message="y" * 300)
    text = _seen(*_many(3), logged, width=80, height=height)
    assert len(text.splitlines()) <= max(height, 6)
    assert "lost nothing" in text


def test_what_was_lost_is_shown_whatever_goes_on() -> None:
    labels = ("washing_machine", "vacuum_cleaner", "crackling_fire", "chirping_birds")
    said = [_decision("sound", label) for label in labels]
    lossy = _of("lossy", bus.level(99), *said, bus.status(dropped_samples=9_000))
    text = _seen(*lossy, *_many(20), width=80, height=24)
    assert re.search(r"0:00:01\.00 .*-20\.5 dB .*lag 12 ms lost 0\.56 s", _row(text, "lossy"))


def test_the_gate_goes_on_and_off() -> None:
    text = _seen(bus.gate(0))
    assert _head(text, "gate") == "● music 0.97"
    assert re.search(r"gate/mic +music on .*score 0\.97", text)
    text = _seen(bus.gate(0), bus.gate(1, state="update"), bus.gate(2, state="off", score=0.1))
    assert _head(text, "gate") == "○"
    assert "●" not in text
    assert re.search(r"gate/mic +music off .*score 0\.10", text)
    assert "music update" not in text


def test_sounds_that_go_on_are_shown_before_those_that_are_only_likely() -> None:
    heads = {"sounds": {"rain": 0.7, "dog": 0.6, "wind": 0.3, "cat": 0.2, "hen": 0.1}}
    sounds = [
        _decision("sound", "dog", score=0.9),
        _decision("sound", "rain"),
        _decision("sound", "cat", "off"),
    ]
    text = _seen(*sounds, replace(bus.scores(4), heads=heads))
    assert _head(text, "sounds") == "● rain 0.70  ● dog 0.60  wind 0.30  cat 0.20  hen 0.10"
    assert _head(_seen(*sounds), "sounds") == "● dog 0.90  ● rain 0.80"


def test_genre_listens_then_is_unsure_before_it_says_what_it_is() -> None:
    listening = _decision("genre", "", "listening", 0.0)
    text = _seen(listening)
    assert _head(text, "genre") == "◌ listening"
    assert re.search(r"genre/mic +listening +since 0:00:00\.03", text)
    told = replace(bus.scores(4), heads={"genre": {"rock": 0.7, "jazz": 0.2}})
    assert _head(_seen(listening, told), "genre") == "◌ unsure  rock 0.70  jazz 0.20"
    rock = _decision("genre", "rock")
    assert _head(_seen(listening, rock, told), "genre") == "● rock 0.70  jazz 0.20"
    assert _head(_seen(listening, rock, _decision("genre", "rock", "off"), told), "genre") == (
        "◌ unsure  rock 0.70  jazz 0.20"
    )
    closed = [_decision("genre", label, "off", 0.0) for label in ("rock", "")]
    assert _head(_seen(listening, rock, *closed), "genre") == "○"


def test_what_is_too_long_for_the_terminal_is_cut() -> None:
    many = [_decision("sound", f"a_rather_long_label_{n}") for n in range(6)]
    text = _seen(bus.level(), *many, width=80)
    assert _head(text, "sounds").endswith("…")
    assert max(map(len, text.splitlines())) == 80


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
    assert f"lost {told}" in _row(text, "mic")


@pytest.mark.parametrize("state", ["failed", "ended"])
def test_how_a_stream_ended_is_told(state: str) -> None:
    text = _seen(bus.level(), bus.status(0), bus.status(1, state=state, message="unplugged"))
    assert state in _row(text, "mic")
    assert "nothing  " not in _row(text, "mic")
    assert re.search(rf"status/mic +{state} [^●]*unplugged", text)  # on the next line, if it is long


def test_every_stream_has_a_row_of_its_own() -> None:
    text = _seen(bus.gate(0, "mic"), bus.gate(0, "door", state="off"), bus.status(0, "hall", state="failed"))
    assert _head(text, "gate", "mic").startswith("● music")
    assert _head(text, "gate", "door") == "○"
    assert "failed" in _row(text, "hall")


def test_the_readme_s_picture_can_be_drawn_anew(tmp_path: Path) -> None:
    picture = tmp_path / "view.svg"
    command = [sys.executable, "scripts/draw_view.py", str(picture), "--second", "0.6"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    drawn = re.sub(r"<[^>]+>|&#160;", " ", picture.read_text())
    assert "streamer listen" in drawn
    assert re.search(r"mic\s", drawn)
