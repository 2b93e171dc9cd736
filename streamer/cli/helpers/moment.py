"""A type of option for a moment: a date, a time, or a word."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import click

WORDS = ("now", "today", "yesterday")
EXPECTED = "2026-01-31, 2026-01-31T23:59, 23:59 of today, 2h (two hours ago), now, today or yesterday"
UNITS = {"m": "minutes", "h": "hours", "d": "days"}


class Moment(click.ParamType[float]):
    """Moment in seconds since 1970, given as local time unless it has a zone."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if not isinstance(value, str):
            assert isinstance(value, float)  # click converts a value twice
            return value
        try:
            return _moment(value, datetime.now().astimezone()).timestamp()
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no time; expected {EXPECTED}", param, ctx)


def _moment(text: str, now: datetime) -> datetime:
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    match text:
        case "now":
            return now
        case "today":
            return today
        case "yesterday":
            return today - timedelta(days=1)
    if text[-1:] in UNITS and text[:-1].isdecimal():
        return now - timedelta(**{UNITS[text[-1]]: int(text[:-1])})
    if "-" not in text:
        return datetime.combine(today, time.fromisoformat(text)).astimezone()
    return datetime.fromisoformat(text).astimezone()


MOMENT = Moment()
"""Type of an option that is a moment."""
