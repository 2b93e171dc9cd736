"""Test when recordings began, as settings and names of files tell."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from streamer.errors import ConfigError
from streamer.start_time import start_time

LAST_SECOND = datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _in_new_york() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "EST5")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.parametrize(
    "text", ["2026-01-31T23:59:59Z", "2026-02-01T00:59:59+01:00", "20260131T235959Z", "2026-01-31 18:59:59"]
)
def test_a_time_is_given(text: str) -> None:
    assert start_time(text, "any.wav") == LAST_SECOND


@pytest.mark.parametrize(
    "name",
    [
        "20260131_185959.WAV",
        "260131-185959_Tr1.WAV",
        "2026-01-31T23-59-59Z.flac",
        "garden_20260131T235959Z.wav",
        "rec 2026-01-31 18.59.59.mp3",
    ],
)
def test_a_name_tells_when_it_began(name: str) -> None:
    assert start_time("name", name) == LAST_SECOND


@pytest.mark.parametrize("name", ["song.mp3", "20261331_235959.wav", "ZOOM0001.WAV", "1202601312359590.wav"])
def test_a_name_without_a_time_is_refused(name: str) -> None:
    with pytest.raises(
        ConfigError, match=r"start_time is 'name' and the file .*; expected a date and a time"
    ):
        start_time("name", name)


def test_nothing_is_said() -> None:
    assert start_time("", "20260131_235959.wav") is None


def test_what_is_no_time_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"start_time is 'yesterday' \(.*\); expected a date and a time"):
        start_time("yesterday", "a.wav")
