"""Test when recordings began, as settings, tags and names of files tell."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from streamer.errors import ConfigError
from streamer.start_time import Beginning, beginning, check_start_time

LAST_SECOND = datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC)
RATE = 48_000
AUDIOMOTH = (
    "Recorded at 23:59:59 31/01/2026 (UTC) by AudioMoth 24F3190160371 at medium gain while battery was 4.1V"
)
BEXT = {"origination_date": "2026-01-31", "origination_time": "18:59:59"}


@pytest.fixture(autouse=True)
def _in_new_york() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "EST5")
        time.tzset()
        yield
    time.tzset()


def found(setting: str, name: str = "song.wav", tags: dict[str, str] | None = None) -> Beginning:
    begins = beginning(setting, name, tags or {}, RATE)
    assert begins is not None
    return begins


@pytest.mark.parametrize(
    "text", ["2026-01-31T23:59:59Z", "2026-02-01T00:59:59+01:00", "20260131T235959Z", "2026-01-31 18:59:59"]
)
def test_a_time_is_given_whatever_the_file_says(text: str) -> None:
    told = found(text, "20200101_000000.wav", {"creation_time": "2020-01-01T00:00:00Z"})
    assert (told.at, told.told_by) == (LAST_SECOND, "option")


@pytest.mark.parametrize("setting", ["name", "auto"])
@pytest.mark.parametrize(
    "name",
    [
        "20260131_185959.WAV",
        "260131-185959_Tr1.WAV",
        "2026-01-31T23-59-59Z.flac",
        "garden_20260131T235959Z.wav",
        "rec 2026-01-31 18.59.59.mp3",
        "SM4-A_0+1_20260131_185959.wav",  # Song Meter: local time
    ],
)
def test_a_name_tells_when_it_began(setting: str, name: str) -> None:
    told = found(setting, name)
    assert (told.at, told.told_by) == (LAST_SECOND, "name")
    assert told.words == ("its name" if "Z" in name else "its name, in local time,")


@pytest.mark.parametrize(
    "name", ["20260201T095959+1000.flac", "20260201_095959+1000_reef.wav", "20260131T202959-0330.wav"]
)
def test_a_name_tells_its_offset(name: str) -> None:
    told = found("name", name)
    assert (told.at, told.words) == (LAST_SECOND, "its name")


@pytest.mark.parametrize(
    "name", ["20260131_185959-0100.wav", "20260131_185959-2.wav", "20260131T185959-0001.wav"]
)
def test_a_counter_in_a_name_is_no_offset(name: str) -> None:
    told = found("name", name)
    assert (told.at, told.words) == (LAST_SECOND, "its name, in local time,")


def test_names_of_an_audiomoth_are_in_utc() -> None:
    assert found("name", "20260131_235959.WAV", {"comment": AUDIOMOTH}).at == LAST_SECOND


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ({"comment": AUDIOMOTH}, "its tag comment"),
        ({"comment": "Recorded at 05:29:59 01/02/2026 (UTC+5:30) by AudioMoth 24F"}, "its tag comment"),
        ({"comment": "Recorded at 18:59:59 31/01/2026 (UTC-5) by AudioMoth 24F"}, "its tag comment"),
        ({"timestamp": "2026-02-01T00:59:59+01:00"}, "its tag timestamp"),
        (BEXT, "its tag bext"),
        ({**BEXT, "origination_date": "2026:01:31", "origination_time": "18-59-59"}, "its tag bext"),
        ({"com.apple.quicktime.creationdate": "2026-02-01T00:59:59+0100", "creation_time": "2026-02-01T00:00:09Z"},
         "its tag com.apple.quicktime.creationdate"),
        ({"creation_time": "2026-01-31T23:59:59.000000Z", "date": "2020"}, "its tag creation_time"),
        ({"date": "2026-01-31 18:59:59"}, "its tag date"),
        ({"date": "2026-01-31T23:59:59Z"}, "its tag date"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("setting", ["tag", "auto"])
def test_a_tag_tells_when_it_began(setting: str, tags: dict[str, str], words: str) -> None:
    told = found(setting, "20200101_000000.wav", tags)
    assert (told.at, told.told_by, told.words) == (LAST_SECOND, "tag", words)


@pytest.mark.parametrize(
    ("samples", "exact_s"),
    [
        (RATE * (18 * 3_600 + 59 * 60 + 59) + RATE // 4, 0.25),
        (RATE * 3_600, 0.0),  # a time code of its own
        (0, 0.0),
    ],
)
def test_a_broadcast_wav_counts_samples_since_midnight(samples: int, exact_s: float) -> None:
    told = found("auto", tags={**BEXT, "time_reference": str(samples)})
    assert told.at == LAST_SECOND + timedelta(seconds=exact_s)


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {"date": "2026"},
        {"date": "2026-01-31"},
        {"creation_time": "1904-01-01T00:00:00Z"},
        {"creation_time": "1970-01-01T00:00:00.000000Z"},
        {"creation_time": "23:59:59", "date": "2026-01-31"},
        {"date": "2026-02-31T10:00:00"},
        {"comment": "Recorded at 99:59:59 31/01/2026 (UTC) by AudioMoth"},
        {"comment": "a song", "origination_date": "", "origination_time": ""},
        {"origination_date": "0000-00-00", "origination_time": "00:00:00"},
    ],
)
def test_tags_without_a_time_tell_nothing(tags: dict[str, str]) -> None:
    assert beginning("auto", "song.wav", tags, RATE) is None
    with pytest.raises(
        ConfigError, match=r"start_time is 'tag' and the file 'song.wav' \(its tags have no date"
    ):
        beginning("tag", "song.wav", tags, RATE)


@pytest.mark.parametrize("name", ["song.mp3", "20261331_235959.wav", "ZOOM0001.WAV", "1202601312359590.wav"])
def test_a_name_without_a_time_is_refused(name: str) -> None:
    assert beginning("auto", name, {}, RATE) is None
    with pytest.raises(
        ConfigError, match=r"start_time is 'name' and the file .*; expected a date and a time"
    ):
        beginning("name", name, {"creation_time": "2026-01-31T23:59:59Z"}, RATE)


@pytest.mark.parametrize("setting", ["", "off"])
def test_nothing_is_asked(setting: str) -> None:
    assert beginning(setting, "20260131_235959.wav", {"creation_time": "2026-01-31T23:59:59Z"}, RATE) is None


def test_what_is_no_time_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"start_time is 'yesterday'; expected a date and a time"):
        check_start_time("yesterday")
