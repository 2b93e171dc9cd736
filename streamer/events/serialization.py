"""Encode events as messages and decode them, in the format that ``docs/wire.md`` specifies."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import numpy as np
import orjson

from streamer.errors import StreamError
from streamer.events.kinds import DECISION_KINDS, Decision, Event, Level, Scores, Spectrum, Status, Stem

WIRE_VERSION = 1
"""Version in the header's ``v``. Raise it when a field changes its meaning or is removed, not when one is added."""


_TYPES: Mapping[str, type[Event]] = {
    **dict.fromkeys(DECISION_KINDS, Decision),
    "scores": Scores,
    "level": Level,
    "spectrum": Spectrum,
    "stem": Stem,
    "status": Status,
}

_FIELDS = {event_type: {f.name for f in fields(event_type)} for event_type in [*_TYPES.values(), Event]}

KINDS = tuple(_TYPES)
"""Kinds of messages that this version knows; a newer publisher may send others."""


def header(event: Event) -> dict[str, Any]:
    """Return the header of an event as a dict that JSON can hold.

    Parameters
    ----------
    event : Event
        The event.

    Returns
    -------
    dict
        ``v`` and the event's fields. A payload is replaced by its ``dtype`` and ``shape``.
    """
    content = {"v": WIRE_VERSION, **vars(event)}  # which holds the fields in their order, and nothing else
    content["time"] = _utc_text(event.time)
    if not event.replay:
        del content["replay"]
    if event.payload_field:
        payload = content.pop(event.payload_field)
        content |= {"dtype": payload.dtype.newbyteorder("<").str, "shape": payload.shape}
    return content


def header_json(event: Event) -> str:
    """Return the header of an event as one line of JSON; raise the errors of `encode`."""
    return _header_bytes(event).decode()


def encode(event: Event) -> list[bytes]:
    """Return an event as the parts of a message: topic, header, and payload if its kind has one.

    Raises
    ------
    ValueError
        If a number in the header is NaN or infinite.
    """
    parts = [event.topic.encode(), _header_bytes(event)]
    if event.payload_field:
        payload = getattr(event, event.payload_field)
        parts.append(np.ascontiguousarray(payload, payload.dtype.newbyteorder("<")).tobytes())
    return parts


def decode(parts: Sequence[bytes]) -> Event:
    """Return the event that the parts of a message describe.

    Unknown fields are ignored, and an event of an unknown kind is a plain `Event`: a newer publisher may send them.

    Parameters
    ----------
    parts : sequence of bytes
        Topic, header and, for some kinds, the payload.

    Returns
    -------
    Event

    Raises
    ------
    StreamError
        If the parts are no message of Streamer's, or a message of another version of the format.
    """
    try:
        content = orjson.loads(parts[1])
        version = content.pop("v")
    except (IndexError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StreamError(
            f"got a message that is not Streamer's ({len(parts)} parts, {error!r}); expected topic, header "
            "and maybe a payload: is another program publishing on this address?"
        ) from error
    if version != WIRE_VERSION:
        raise StreamError(
            f"got a message of wire version {version!r}; this program reads version {WIRE_VERSION}: use the "
            "same streamer version on both sides"
        )
    try:
        return _typed(content, parts)
    except (TypeError, KeyError, ValueError, IndexError) as error:
        raise StreamError(f"got a damaged {parts[0]!r} message ({error}); see docs/wire.md") from error


def _typed(content: dict[str, Any], parts: Sequence[bytes]) -> Event:
    event_type = _TYPES.get(content["kind"], Event)
    if content["time"] is not None:
        content["time"] = datetime.fromisoformat(content["time"])
    if event_type.payload_field:
        payload = np.frombuffer(parts[2], content["dtype"]).reshape(content["shape"])
        content[event_type.payload_field] = payload
    known = _FIELDS[event_type]
    return event_type(**{key: value for key, value in content.items() if key in known})


def _header_bytes(event: Event) -> bytes:
    """Return the header of an event as JSON in UTF-8; raise a ValueError if a number is NaN or infinite."""
    content = header(event)
    text = orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY)  # a float of NumPy's is a float
    # orjson writes NaN and infinity as null. Looking for it costs next to nothing; a name may have the word too.
    if text.count(b"null") > (event.time is None) + (event.latency_ms is None):
        json.dumps(content, allow_nan=False)
    return text


def _utc_text(time: datetime | None) -> str | None:
    """Return a time as ISO 8601 in UTC, with microseconds and ``Z``."""
    if time is None:
        return None
    utc = time if time.tzinfo is UTC else time.astimezone(UTC)
    return utc.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"
