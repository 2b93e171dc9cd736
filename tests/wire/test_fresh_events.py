"""Test which events a subscriber leaves out for their age, and in which order it gets the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from streamer.events.kinds import Event
from streamer.wire.fresh_events import FreshEvents
from tests import bus
from tests.bus import aged

MAX_AGE_S, OLD_S = 600.0, 3_600.0


def through(max_age_s: float | None, *events: Event) -> tuple[list[Event], Counter[str]]:
    """Put in all events at once; return those that come out, and what was lost."""
    lost: Counter[str] = Counter()
    fresh = FreshEvents(max_age_s, lost)
    for event in events:
        fresh.put(event)
    out = []
    while (event := fresh.pop()) is not None:
        out.append(event)
    assert not fresh.ready
    assert not fresh.holds_late
    return out, lost


def test_old_levels_are_left_out_and_counted() -> None:
    new = aged(bus.level(2), 0.0)
    out, lost = through(MAX_AGE_S, aged(bus.level(0), OLD_S), aged(bus.level(1), OLD_S), new)
    assert out == [new]
    assert lost == {"level/mic": 2}


def test_the_last_word_on_a_label_comes_though_it_is_old_and_before_what_is_new() -> None:
    dog, rain = (aged(bus.gate(seq, label=label), OLD_S) for seq, label in enumerate(["dog", "rain"]))
    off = aged(bus.gate(2, label="dog", state="off"), OLD_S)
    new = aged(bus.gate(3, label="bell"), 0.0)
    out, lost = through(MAX_AGE_S, dog, rain, off, new)
    assert out == [rain, off, new]  # a topic's events stay in their order
    assert lost == {"gate/mic": 1}


def test_a_newer_word_takes_the_place_of_an_old_one() -> None:
    new = aged(bus.status(1), 0.0)
    out, lost = through(MAX_AGE_S, aged(bus.status(0), OLD_S), new)
    assert out == [new]
    assert lost == {"status/mic": 1}


def test_the_last_words_come_where_nothing_newer_waits() -> None:
    kept = [aged(bus.status(0), OLD_S), aged(bus.gate(0), OLD_S)]
    out, lost = through(MAX_AGE_S, *kept)
    assert out == kept
    assert not lost


@pytest.mark.parametrize(
    "made",
    [
        lambda: replace(bus.level(0), time=None, latency_ms=None),
        lambda: replace(bus.level(0), latency_ms=None),  # of a file with a start time
        lambda: aged(bus.level(0), 0.0, latency_ms=1_000 * OLD_S),  # its sound is old, the message is not
        lambda: replace(aged(bus.gate(0), OLD_S), replay=True),
    ],
)
def test_what_has_no_age_or_repeats_how_things_stand_is_not_old(made: Callable[[], Event]) -> None:
    event = made()
    following = aged(replace(event, seq=1, replay=False), 0.0)
    assert through(MAX_AGE_S, event, following) == ([event, following], Counter())


def test_without_a_limit_everything_comes() -> None:
    sent: list[Event] = [aged(bus.level(seq), OLD_S) for seq in range(3)]
    assert through(None, *sent) == (sent, Counter())
