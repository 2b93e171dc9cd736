"""Find out when a recording began: from what the user says, or from the name that the recorder gave it."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from streamer.errors import ConfigError

FROM_NAME = "name"
"""Setting by which the name of a file tells when it began."""

_IN_NAME = re.compile(
    r"(?<!\d)(?P<year>(?:19|20)?\d\d)-?(?P<month>\d\d)-?(?P<day>\d\d)[T_ -](?P<hour>\d\d)[-_.:]?(?P<minute>\d\d)"
    r"[-_.:]?(?P<second>\d\d)(?P<utc>Z)?(?!\d)"
)
"""Date and time as AudioMoth (20260131_235959), Zoom (260131-235959) and people (2026-01-31T23-59-59Z) write them."""


def check_start_time(text: str) -> None:
    """Check a setting; what `start_time` says of it.

    Raises
    ------
    ConfigError
        If it is no time.
    """
    if text not in ("", FROM_NAME):
        start_time(text, "")


def start_time(text: str, name: str) -> datetime | None:
    """Return the time in UTC at which a recording began.

    Parameters
    ----------
    text : str
        A date and a time in ISO 8601, `FROM_NAME`, or nothing.
    name : str
        Name of the file.

    Returns
    -------
    datetime or None
        None if `text` is empty. A time without an offset is one of this machine's time zone.

    Raises
    ------
    ConfigError
        If `text` is no time, or the name has none.
    """
    if not text:
        return None
    try:
        found = _from_name(name) if text == FROM_NAME else datetime.fromisoformat(text)
    except ValueError as error:
        of = f" and the file {name!r}" if text == FROM_NAME else ""
        raise ConfigError(
            f"start_time is {text!r}{of} ({error}); expected a date and a time, such as 2026-01-31T23:59:59Z, or "
            f"{FROM_NAME!r} and a name like 20260131_235959.wav"
        ) from error
    return found.astimezone(UTC)


def _from_name(name: str) -> datetime:
    found = _IN_NAME.search(name)
    if found is None:
        raise ValueError("its name has no date and time")
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    zone = UTC if found["utc"] else None
    return datetime(year if year > 99 else 2_000 + year, month, day, hour, minute, second, tzinfo=zone)
