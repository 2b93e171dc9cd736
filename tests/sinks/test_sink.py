"""What running values sinks want, and the sink that leaves out a type of event."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from streamer.events.kinds import RUNNING_KINDS, Status
from streamer.history.settings import HistoryConfig
from streamer.sinks.event_queue import EventQueue
from streamer.sinks.history import History
from streamer.sinks.json_lines import JsonLines
from streamer.sinks.lines import Lines
from streamer.sinks.player import Player
from streamer.sinks.sink import Filtered, Sink, unwanted_kinds
from streamer.sinks.stem_files import StemFiles
from streamer.sinks.view import View
from tests import bus
from tests.scripted import Collected


def no_output() -> None:
    pytest.fail("nothing is played")


@pytest.fixture
def sinks(tmp_path: Path) -> dict[str, Sink]:
    with (tmp_path / "lines").open("w") as out:
        return {
            "queue": EventQueue(1),
            "json": JsonLines(io.StringIO()),
            "lines": Lines(out, str),
            "player": Player("voice", no_output),  # type: ignore[arg-type]
            "files": StemFiles(tmp_path),
            "view": View(str),
            "history": History(HistoryConfig(file=str(tmp_path / "history")), realtime=True),
        }


@pytest.mark.parametrize(
    ("names", "unwanted"),
    [
        ([], {*RUNNING_KINDS}),
        (["lines", "player", "files"], {*RUNNING_KINDS}),
        (["lines", "view"], {"spectrum"}),
        (["lines", "history"], {"spectrum"}),
        (["files", "json"], set()),
        (["queue", "view"], set()),
    ],
)
def test_a_kind_is_unwanted_if_no_sink_has_a_use_for_it(
    sinks: dict[str, Sink], names: list[str], unwanted: set[str]
) -> None:
    chosen = [sinks[name] for name in names]
    assert unwanted_kinds(chosen) == unwanted
    assert unwanted_kinds([Filtered(Status, sink) for sink in chosen]) == unwanted


def test_nobody_wants_running_values_of_a_publisher_without_subscribers() -> None:
    with bus.publishing() as publisher:
        assert unwanted_kinds([publisher]) == {*RUNNING_KINDS}


def test_a_filter_leaves_out_one_type() -> None:
    kept = Collected()
    sink = Filtered(Status, kept)
    for event in (bus.gate(), bus.status(), bus.level()):
        sink.send(event)
    assert [event.kind for event in kept.events] == ["gate", "level"]
