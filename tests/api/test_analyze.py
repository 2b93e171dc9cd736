"""`streamer.analyze`: the same events as the command writes, of files and of arrays."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import soundfile

import streamer
from streamer.events.serialization import header_json
from streamer.sources.wrappers.wrapper import SourceWrapper
from tests.programs import messages
from tests.programs import streamer as command

RATE = 16_000


@pytest.fixture
def noise_wav(tmp_path: Path) -> Path:
    path = tmp_path / "noise.wav"
    soundfile.write(path, np.random.default_rng(3).normal(0, 0.2, (5 * RATE, 2)), RATE, subtype="FLOAT")
    return path


def test_events_are_those_of_the_command() -> None:
    done = command("analyze", str(streamer.DEMO_PATH))
    events = streamer.analyze(streamer.DEMO_PATH)
    source = {"source": f"file:{streamer.DEMO_PATH}"}
    assert [json.loads(header_json(event)) | source for event in events] == messages(done.stdout)


@pytest.mark.usefixtures("toys")
def test_an_array_gives_the_events_of_its_file(noise_wav: Path) -> None:
    samples, rate_hz = soundfile.read(noise_wav, dtype="float32")
    of_file = [header_json(event) for event in streamer.analyze(noise_wav)]
    of_array = [header_json(event) for event in streamer.analyze(samples, rate_hz)]
    assert [line.replace('"array"', '"noise"') for line in of_array] == of_file
    assert {event.kind for event in streamer.analyze(samples, rate_hz)} == {"gate", "level", "scores"}


@pytest.mark.usefixtures("toys")
def test_a_sound_shorter_than_any_window_is_analyzed() -> None:
    assert list(streamer.analyze(np.zeros(1), RATE)) == []


@pytest.mark.usefixtures("toys")
def test_an_analysis_left_early_closes_its_file(noise_wav: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[SourceWrapper] = []
    close = SourceWrapper.close

    def noted(source: SourceWrapper) -> None:
        closed.append(source)
        close(source)

    monkeypatch.setattr(SourceWrapper, "close", noted)
    for _ in streamer.analyze(noise_wav):
        break
    assert len(closed) == 1


@pytest.mark.usefixtures("toys")
def test_muted_samples_of_a_file_are_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "bad.wav"
    samples = np.zeros(RATE, np.float32)
    samples[:101] = np.nan
    soundfile.write(path, samples, RATE, subtype="FLOAT")
    with caplog.at_level(logging.WARNING):
        list(streamer.analyze(path))
    assert caplog.messages == ["bad: 101 samples were no sound (NaN, infinite) and muted"]


@pytest.mark.usefixtures("toys")
def test_models_and_thresholds_are_chosen(noise_wav: Path) -> None:
    assert {event.kind for event in streamer.analyze(noise_wav, models={"gate": "off"})} == {"level"}
    never = streamer.Config(decisions={"gate": streamer.DecisionConfig(on=1.0, off=0.0)})
    states = [event.state for event in streamer.analyze(noise_wav, config=never) if event.kind == "gate"]
    assert states == ["off"]
    with pytest.raises(streamer.ModelError, match="no model 'nosuch'"):
        streamer.analyze(noise_wav, models={"gate": "nosuch"})


AT_NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def first_level(events: Iterable[streamer.Event]) -> streamer.Event:
    return next(event for event in events if event.kind == "level")


def began(events: Iterable[streamer.Event]) -> datetime:
    """Return when the sound began by the time of its first level."""
    level = first_level(events)
    assert level.time is not None
    return level.time - timedelta(seconds=level.stop / level.rate)


@pytest.mark.usefixtures("toys")
@pytest.mark.parametrize(
    "start_time", [AT_NOON, AT_NOON.astimezone().replace(tzinfo=None), "2026-01-31T12:00:00Z"]
)
def test_the_time_at_which_a_sound_began_is_given(noise_wav: Path, start_time: datetime | str) -> None:
    samples, rate_hz = soundfile.read(noise_wav, dtype="float32")
    assert began(streamer.analyze(noise_wav, start_time=start_time)) == AT_NOON
    assert began(streamer.analyze(samples, rate_hz, start_time=start_time)) == AT_NOON


@pytest.mark.usefixtures("toys")
def test_a_tag_or_a_name_tells_when_a_file_began(tmp_path: Path) -> None:
    path = tmp_path / "20260131T120000Z.flac"
    noise = np.random.default_rng(3).normal(0, 0.2, RATE)
    soundfile.write(path, noise, RATE)
    assert began(streamer.analyze(path)) == AT_NOON
    assert first_level(streamer.analyze(path)).latency_ms is None
    assert first_level(streamer.analyze(path, start_time="off")).time is None
    assert first_level(streamer.analyze(path.rename(tmp_path / "a.flac"))).time is None
    with soundfile.SoundFile(path, "w", RATE, 1) as file:
        file.date = "2026-01-31T13:00:00Z"
        file.write(noise)
    assert began(streamer.analyze(path)) == AT_NOON + timedelta(hours=1)
    assert began(streamer.analyze(path, start_time="name")) == AT_NOON


@pytest.mark.usefixtures("toys")
def test_what_does_not_tell_when_it_began_is_refused(noise_wav: Path) -> None:
    with pytest.raises(
        streamer.ConfigError, match=r"start_time is 'tag' and the file 'noise.wav' \(its tags have"
    ):
        list(streamer.analyze(noise_wav, start_time="tag"))
    with pytest.raises(
        streamer.ConfigError, match=r"start_time is 'name' and the file 'noise.wav' \(its name has"
    ):
        streamer.analyze(noise_wav, start_time="name")
    with pytest.raises(streamer.ConfigError, match="start_time is 'tag' for an array; expected a time"):
        streamer.analyze(np.zeros(RATE, np.float32), RATE, start_time="tag")
    with pytest.raises(
        streamer.ConfigError, match="start_time is 12; expected a datetime, or a text such as"
    ):
        streamer.analyze(noise_wav, start_time=12)  # type: ignore[arg-type]
