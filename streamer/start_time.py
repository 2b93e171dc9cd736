"""Find out when a recording began: from what the user says, the tags of the file, or the name from its recorder."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from streamer.errors import ConfigError

AUTOMATIC, FROM_TAG, FROM_NAME, OFF = "auto", "tag", "name", "off"
"""Settings other than a time: what tag or name say, if they do; what a tag says; what the name says; nothing."""

EARLIEST_YEAR = 1990
"""Year before which a tag is taken for that of a clock that was never set: they begin at 1904, 1970 or 1980."""

REFERENCE_TOLERANCE = timedelta(seconds=1.5)
"""Largest difference at which a Broadcast WAV's count of samples since midnight and its time mean the same moment."""

_IN_NAME = re.compile(
    r"(?<!\d)(?P<year>(?:19|20)?\d\d)-?(?P<month>\d\d)-?(?P<day>\d\d)[T_ -](?P<hour>\d\d)[-_.:]?(?P<minute>\d\d)"
    r"[-_.:]?(?P<second>\d\d)(?P<zone>Z|(?:\+|(?<=T\d{6})-)(?:0\d|1[0-4])(?:00|15|30|45))?(?!\d)"
)
"""Date and time as AudioMoth (20260131_235959), Zoom (260131-235959), a Bioacoustic Audio Recorder
(20260131T235959+1000) and people (2026-01-31T23-59-59Z) write them. A minus may stand before a counter instead."""

_IN_TAG = re.compile(
    r"\s*(?P<date>\d{4}[-:/.]\d\d[-:/.]\d\d)[T ](?P<time>\d\d:\d\d:\d\d)(?P<fraction>[.,]\d+)?\s*"
    r"(?P<zone>Z|[+-]\d\d:?\d\d)?\s*"
)
"""A date with a time, as tags have it; a date alone says nothing of when a recording began."""

_AUDIOMOTH = re.compile(
    r"Recorded at (?P<time>\d\d:\d\d:\d\d)(?P<fraction>\.\d+)? (?P<day>\d\d)/(?P<month>\d\d)/(?P<year>\d{4}) "
    r"\(UTC(?P<hours>[+-]\d+)?(?::(?P<minutes>\d\d))?\)"
)
"""Comment in the header of AudioMoth's files."""

_DATED_TAGS = ("timestamp", "com.apple.quicktime.creationdate", "creation_time", "date")
"""Tags that may hold a date with a time, the most reliable first: GUANO's, Apple's, that of MP4 and Matroska, and what
people and programs write into FLAC, Ogg and a WAV's ICRD."""


@dataclass(frozen=True)
class Beginning:
    """When a recording began, and what says so.

    Attributes
    ----------
    at : datetime
        In UTC.
    told_by : {"option", "tag", "name"}
    words : str
        The same for people: "its tag creation_time".
    """

    at: datetime
    told_by: Literal["option", "tag", "name"]
    words: str = "start_time"


def check_start_time(text: str) -> None:
    """Check a setting; `beginning` says what it may be.

    Raises
    ------
    ConfigError
        If it is neither a time nor one of the words.
    """
    if text not in ("", AUTOMATIC, FROM_TAG, FROM_NAME, OFF):
        _given(text)


def beginning(setting: str, name: str, tags: Mapping[str, str], rate_hz: int) -> Beginning | None:
    """Return when a recording began.

    Parameters
    ----------
    setting : str
        A date and a time in ISO 8601, one of this machine's time zone if it has no offset; or ``tag`` or ``name``,
        which must tell it then; or ``auto``, which asks the tags, then the name; or ``off`` or nothing.
    name : str
        Name of the file.
    tags : mapping of str to str
        What its header says of it, as `streamer.sources.source.Source.tags`.
    rate_hz : int
        Its sample rate.

    Returns
    -------
    Beginning or None
        None if nothing tells it and nothing has to.

    Raises
    ------
    ConfigError
        If `setting` is no time, or the tags or the name that it asks for have none.
    """
    if setting in ("", OFF):
        return None
    if setting not in (AUTOMATIC, FROM_TAG, FROM_NAME):
        return Beginning(_given(setting), "option")
    of_tags = None if setting == FROM_NAME else _from_tags(tags, rate_hz)
    found = of_tags or (None if setting == FROM_TAG else _from_name(name, tags))
    if found is None and setting != AUTOMATIC:
        place = "its tags have" if setting == FROM_TAG else "its name has"
        raise ConfigError(
            f"start_time is {setting!r} and the file {name!r} ({place} no date and time); expected a date and a time, "
            "such as 2026-01-31T23:59:59Z, or 'tag' and a file like a Broadcast WAV, or 'name' and a name like "
            "20260131_235959.wav"
        )
    return found


def _given(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError as error:
        raise ConfigError(
            f"start_time is {text!r}; expected a date and a time, such as 2026-01-31T23:59:59Z, or "
            f"{AUTOMATIC!r}, {FROM_TAG!r}, {FROM_NAME!r} or {OFF!r}"
        ) from error


def _from_name(name: str, tags: Mapping[str, str]) -> Beginning | None:
    """Return what a name tells: in local time, unless it has an offset, or is that of an AudioMoth, which has UTC."""
    found = _IN_NAME.search(name)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    zone = found["zone"] or ("Z" if "AudioMoth" in tags.get("comment", "") else "")
    year = year if year > 99 else 2_000 + year
    try:
        moment = datetime.fromisoformat(
            f"{year}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:{second:02d}{zone}"
        )
    except ValueError:  # there is no such day
        return None
    words = "its name" if zone else "its name, in local time,"
    return Beginning(moment.astimezone(UTC), "name", words)


def _from_tags(tags: Mapping[str, str], rate_hz: int) -> Beginning | None:
    """Return what the tags of a file tell; those of a known recorder before those of any program."""
    found = [("comment", _of_audiomoth(tags.get("comment", ""))), ("bext", _of_broadcast(tags, rate_hz))]
    found += [(name, _dated(tags.get(name, ""))) for name in _DATED_TAGS]
    for name, moment in found:
        if moment is not None and moment.year >= EARLIEST_YEAR:
            return Beginning(moment.astimezone(UTC), "tag", f"its tag {name}")
    return None


def _of_audiomoth(comment: str) -> datetime | None:
    found = _AUDIOMOTH.match(comment)
    if found is None:
        return None
    hours = found["hours"] or "+0"
    zone = f"{hours[0]}{int(hours[1:]):02d}:{found['minutes'] or '00'}"
    date = f"{found['year']}-{found['month']}-{found['day']}"
    return _dated(f"{date}T{found['time']}{found['fraction'] or ''}{zone}")


def _of_broadcast(tags: Mapping[str, str], rate_hz: int) -> datetime | None:
    """Return the time in a Broadcast WAV's header (EBU Tech 3285), to the sample if its count is of the same clock."""
    moment = _dated(
        f"{tags.get('origination_date', '')}T{tags.get('origination_time', '').replace('-', ':')}"
    )
    if moment is None or not tags.get("time_reference", "").isdecimal():
        return moment
    midnight = moment.replace(hour=0, minute=0, second=0)
    counted = midnight + timedelta(seconds=int(tags["time_reference"]) / rate_hz)
    return counted if abs(counted - moment) <= REFERENCE_TOLERANCE else moment


def _dated(text: str) -> datetime | None:
    """Return the date and time that a tag holds; None if it has no time of day."""
    found = _IN_TAG.fullmatch(text)
    if found is None:
        return None
    date = re.sub(r"\D", "-", found["date"])
    fraction = (found["fraction"] or "").replace(",", ".")[:7]
    try:
        return datetime.fromisoformat(f"{date}T{found['time']}{fraction}{found['zone'] or ''}")
    except ValueError:
        return None
