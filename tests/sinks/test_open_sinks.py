"""Sinks made from the configuration: those of the process, and those of each stream, which has files and an output
of its own and publishes stems only if it is asked to.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, fields
from pathlib import Path

import pytest

from streamer.api.configure import configured
from streamer.config import DECISION_SECTIONS, Config, StreamConfig
from streamer.config_sections import PublishConfig, StemsConfig
from streamer.engine.announcer import Announcer
from streamer.engine.build_streams import build_streams
from streamer.engine.stream import Stream
from streamer.errors import ConfigError
from streamer.inference.model_cache import ModelCache
from streamer.sinks.json_lines import JsonLines
from streamer.sinks.open_sinks import SINKS, SinkKind, output_sink, process_sinks, sink_sections, stream_sinks
from streamer.sinks.player import Player
from streamer.sinks.publisher import Publisher
from streamer.sinks.stem_files import LiveStemFiles, StemFiles
from tests import bus
from tests.scripted import RATE, Clock, Collected, Scripted, loud


def test_nothing_is_made_of_stems_that_nobody_wants() -> None:
    assert stream_sinks(Config(stems=StemsConfig(publish=True)), realtime=True) == []


@pytest.mark.parametrize(("realtime", "kind"), [(True, LiveStemFiles), (False, StemFiles)])
def test_what_can_wait_for_a_disk_does(tmp_path: Path, realtime: bool, kind: type[StemFiles]) -> None:
    (files,) = stream_sinks(Config(stems=StemsConfig(to=str(tmp_path))), realtime)
    assert type(files) is kind


def test_what_is_heard_live_can_be_played() -> None:
    (player,) = stream_sinks(Config(stems=StemsConfig(play="voice")), realtime=True)
    assert isinstance(player, Player)
    with pytest.raises(
        ConfigError,
        match=r"the voice cannot be played with --fast, which reads .*; leave out --fast or --play",
    ):
        stream_sinks(Config(stems=StemsConfig(play="voice")), realtime=False)


@dataclass(frozen=True)
class ToySettings:
    """The section ``[toy]``."""

    to: str = ""


def toy_for(config: Config, realtime: bool) -> Collected | None:
    """A sink that the section asks for."""
    assert realtime
    settings = config.section("toy", ToySettings)
    return Collected() if settings.to else None


def test_a_new_sink_is_a_row_with_a_section_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = SinkKind(f"{__name__}:toy_for", section="toy", settings=ToySettings)
    monkeypatch.setattr("streamer.sinks.open_sinks.SINKS", (*SINKS, row))
    path = tmp_path / "streamer.toml"

    def read(text: str) -> Config:
        path.write_text(text, encoding="utf-8")
        return configured(path)

    asked = read("[toy]\nto = 'there'\n[[stream]]\n")
    assert asked.section("toy", ToySettings) == ToySettings("there")
    assert [type(sink) for sink in process_sinks(asked, realtime=True)] == [Publisher, Collected]
    assert [type(sink) for sink in process_sinks(read(""), realtime=True)] == [Publisher]
    assert stream_sinks(asked, realtime=True) == []
    with pytest.raises(ConfigError, match=r"unknown key 'toy\.too'; did you mean 'toy\.to'"):
        read("[toy]\ntoo = 'there'")
    with pytest.raises(ConfigError, match="toy is 1; expected a table"):
        read("toy = 1")


def test_sections_of_sinks_are_no_other_keys() -> None:
    assert not sink_sections().keys() & {field.name for field in fields(Config)}
    assert not sink_sections().keys() & set(DECISION_SECTIONS)


def test_the_title_says_where_messages_are_published() -> None:
    out = io.StringIO()
    (publisher,) = process_sinks(Config(publish=PublishConfig(bind="tcp://127.0.0.1:7999")), realtime=True)
    assert publisher.title == "publishing on tcp://127.0.0.1:7999"
    assert type(output_sink(out, True, False, [publisher])) is JsonLines


def streams_that_play(*outputs: str) -> Config:
    entries = (
        StreamConfig("file:a.wav", name=f"s{n}", stems=StemsConfig(play="voice", output=output))
        for n, output in enumerate(outputs)
    )
    return Config(stream=tuple(entries))


def test_two_streams_play_on_two_outputs() -> None:
    streams = build_streams(streams_that_play("left", "right"), True, float("inf"), ModelCache())
    assert [[type(sink) for sink in stream.sinks] for stream in streams] == [[Player], [Player]]


def test_two_streams_are_not_played_on_one_output() -> None:
    with pytest.raises(
        ConfigError, match="2 streams are to be played on the output 'left'; expected one: set"
    ):
        build_streams(streams_that_play("left", "left"), True, float("inf"), ModelCache())


@pytest.mark.parametrize(("publish", "kinds"), [(False, ["level"]), (True, ["stem", "level"])])
def test_a_streams_own_sinks_have_all_and_others_the_stems_that_are_published(
    publish: bool, kinds: list[str]
) -> None:
    shared, own, clock = Collected(), Collected(), Clock()
    config = Config(stems=StemsConfig(publish=publish))
    stream = Stream("s", Scripted(loud(1), clock), config=config, sinks=[own])
    other = Stream("t", Scripted(loud(1), clock), config=config)
    teller = Announcer([shared], 1.0, clock)
    teller.publish(stream, [bus.stem(stream="s"), bus.level(stream="s")])
    teller.publish(other, [bus.level(stream="t")])
    assert [event.kind for event in own.events] == ["stem", "level"]
    assert [event.kind for event in shared.events if event.stream == "s"] == kinds
    assert [event.stream for event in shared.events][-1] == "t"
    assert shared.events[0].rate == RATE
