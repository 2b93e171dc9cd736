"""Test encoding and decoding of every type, the fields of a header, and refused messages."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import timedelta, timezone
from typing import Any

import numpy as np
import pytest

from streamer.errors import StreamError
from streamer.events.kinds import DECISION_KINDS, Decision, Event, Spectrum, Stem
from streamer.events.serialization import decode, encode, header, header_json
from tests import bus


@pytest.mark.parametrize(
    "event",
    [
        bus.gate(7),
        replace(bus.gate(), kind="voice", state="off", replay=True),
        bus.scores(2),
        bus.level(),
        replace(bus.level(), time=None, latency_ms=None),
        bus.status(3, message="lost 0.2 s", lag_ms=3.5, dropped_samples=3_200, overruns=1, uptime_s=9.5),
    ],
    ids=lambda event: f"{event.kind}-{event.seq}",
)
def test_round_trip(event: Event) -> None:
    frames = encode(event)
    assert len(frames) == 2
    assert frames[0] == f"{event.kind}/mic".encode()
    assert decode(frames) == event
    assert type(decode(frames)) is type(event)


@pytest.mark.parametrize("frames", [0, 1, 5])
def test_round_trip_of_a_spectrum(frames: int) -> None:
    event = bus.spectrum(4, frames=frames)
    decoded = decode(encode(event))
    assert isinstance(decoded, Spectrum)
    assert decoded.frames.dtype == np.float32
    np.testing.assert_array_equal(decoded.frames, event.frames)
    empty = np.zeros(0, np.float32)
    assert repr(replace(decoded, frames=empty)) == repr(replace(event, frames=empty))


def test_round_trip_of_a_stem() -> None:
    event = bus.stem(4)
    decoded = decode(encode(event))
    assert isinstance(decoded, Stem)
    assert (decoded.label, decoded.samples.shape) == ("voice", (160, 2))
    assert header(event)["shape"] == (event.stop - event.start, 2)
    np.testing.assert_array_equal(decoded.samples, event.samples)


@pytest.mark.parametrize(
    "event", [bus.gate(), bus.scores(), bus.level(), bus.status(), bus.spectrum(), bus.stem()]
)
def test_events_can_be_compared_and_counted(event: Event) -> None:
    same = decode(encode(event))
    assert same == event
    assert replace(event, seq=9) not in [same]
    assert len({event, same}) == 1


def test_a_payload_is_little_endian_and_contiguous_whatever_it_was() -> None:
    values = np.arange(12, dtype=">f4").reshape(3, 4).T
    event = replace(bus.spectrum(), frames=values)
    topic, text, payload = encode(event)
    assert topic == b"spectrum/mic"
    assert json.loads(text)["dtype"] == "<f4"
    assert json.loads(text)["shape"] == [4, 3]
    np.testing.assert_array_equal(np.frombuffer(payload, "<f4").reshape(4, 3), values)


def test_the_header_of_a_decision() -> None:
    assert json.loads(header_json(bus.gate(3))) == {
        "v": 1,
        "kind": "gate",
        "stream": "mic",
        "epoch": 0,
        "start": 480,
        "stop": 640,
        "rate": 16_000,
        "time": "2026-05-04T03:02:01.250000Z",
        "latency_ms": 12.5,
        "seq": 3,
        "state": "on",
        "label": "music",
        "score": 0.97,
        "model": "gate",
    }


def test_a_time_of_another_zone_is_said_in_utc() -> None:
    elsewhere = bus.TIME.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert header(bus.level(time=elsewhere))["time"] == "2026-05-04T03:02:01.250000Z"


def test_a_header_is_one_line() -> None:
    text = header_json(bus.status(message="two\nlines\r\u2028"))
    assert "\n" not in text
    assert "\r" not in text


NO_NUMBERS = [float("nan"), float("inf"), float("-inf")]
TIMES: list[dict[str, Any]] = [{}, {"time": None, "latency_ms": None}]
"""The fields in which null is a value: of live sound, and of files that do not tell when they began."""


@pytest.mark.parametrize("number", NO_NUMBERS)
@pytest.mark.parametrize("times", TIMES)
@pytest.mark.parametrize(
    "event",
    [
        replace(bus.gate(), label="nullarbor bustard"),
        bus.scores(),
        bus.level(),
        bus.spectrum(),
        bus.status(),
    ],
    ids=lambda event: event.kind,
)
def test_what_is_no_number_is_not_sent(event: Event, times: dict[str, Any], number: float) -> None:
    changes: dict[str, dict[str, Any]] = {
        "gate": {"score": number},
        "scores": {"heads": {"gate": {"music": 0.97}, "sounds": {"null": number}}},
        "level": {"peak_dbfs": np.float64(number)},
        "spectrum": {"rate": number},
        "status": {"lag_ms": number},
    }
    said = replace(event, **times)
    assert decode(encode(said)) == said
    with pytest.raises(ValueError, match="not JSON compliant"):
        encode(replace(said, **changes[event.kind]))


def test_a_name_may_be_null() -> None:
    event = replace(bus.gate(stream="null"), label="null", model="null")
    assert decode(encode(event)) == event


@pytest.mark.parametrize(
    "event",
    [
        bus.gate(3),
        bus.scores(),
        bus.level(),
        bus.status(message='say "\u2028" \x1f\x7f'),
        bus.spectrum(),
        bus.stem(),
    ],
    ids=lambda event: event.kind,
)
def test_a_header_is_spelt_as_by_the_standard_library(event: Event) -> None:
    named = event.stamped(9, bus.TIME.replace(microsecond=0), np.float64(7.0))
    assert encode(named)[1].decode() == json.dumps(header(named), separators=(",", ":"), ensure_ascii=False)
    payload = {event.payload_field} - {None}
    assert list(header(named)) == [
        "v",
        *(f.name for f in fields(event) if f.name not in payload | {"replay"}),
    ] + (["dtype", "shape"] if payload else [])


def test_a_very_small_score_is_the_same_number() -> None:
    scores = {f"label{n}": round(n * 1e-6, 6) for n in range(200)}
    event = replace(bus.scores(), heads={"sounds": scores})
    assert json.loads(encode(event)[1])["heads"]["sounds"] == scores
    assert decode(encode(event)) == event


def test_a_newer_publisher_may_say_more() -> None:
    topic, text = encode(bus.gate(5))
    more = json.loads(text) | {"mood": "sad"}
    assert decode([topic, json.dumps(more).encode(), b"payload"]) == bus.gate(5)


def test_a_kind_that_is_not_known_comes_out_plain() -> None:
    content = header(bus.gate(5)) | {"kind": "beat", "tempo": 120}
    event = decode([b"beat/mic", json.dumps(content).encode()])
    assert type(event) is Event
    assert (event.topic, event.seq) == ("beat/mic", 5)


@pytest.mark.parametrize(
    "frames",
    [
        [],
        [b"gate/mic"],
        [b"gate/mic", b""],
        [b"gate/mic", b"\xff\xfe"],
        [b"gate/mic", b"hello"],
        [b"gate/mic", b'{"kind": "gate"}'],
        [b"gate/mic", b"[1]"],
        [b"gate/mic", b"1"],
        [b"gate/mic", b'"text"'],
    ],
)
def test_refuses_what_is_no_message(frames: list[bytes]) -> None:
    text = rf"not Streamer's \({len(frames)} parts, .*expected topic, header and maybe a payload: is another"
    with pytest.raises(StreamError, match=text):
        decode(frames)


def test_refuses_another_version() -> None:
    content = header(bus.gate()) | {"v": 2}
    with pytest.raises(
        StreamError, match=r"wire version 2; this program reads version 1: use the same streamer"
    ):
        decode([b"gate/mic", json.dumps(content).encode()])


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"kind": ["gate"]}, "unhashable"),
        ({"time": "yesterday"}, "Invalid isoformat"),
        ({"time": 3}, "argument must be str"),
        ({"shape": [7, 7]}, "cannot reshape"),
        ({"dtype": "object"}, "OBJECT"),
        ({"dtype": "nothing"}, "not understood"),
    ],
)
def test_refuses_a_damaged_header(changes: dict[str, object], fault: str) -> None:
    topic, text, payload = encode(bus.spectrum())
    content = json.loads(text) | changes
    with pytest.raises(StreamError, match=rf"damaged b'spectrum/mic' message \(.*{fault}.*see docs/wire.md"):
        decode([topic, json.dumps(content).encode(), payload])


@pytest.mark.parametrize(
    "missing", ["kind", "stream", "epoch", "start", "stop", "rate", "time", "state", "score"]
)
def test_refuses_a_decision_without(missing: str) -> None:
    topic, text = encode(bus.gate())
    content = json.loads(text)
    del content[missing]
    with pytest.raises(StreamError, match=rf"damaged b'gate/mic' message \(.*{missing}"):
        decode([topic, json.dumps(content).encode()])


def test_refuses_a_spectrum_without_its_payload() -> None:
    with pytest.raises(StreamError, match=r"damaged b'spectrum/mic' message"):
        decode(encode(bus.spectrum())[:2])


def test_every_kind_of_decision_is_one() -> None:
    for kind in DECISION_KINDS:
        assert isinstance(decode(encode(replace(bus.gate(), kind=kind))), Decision)
