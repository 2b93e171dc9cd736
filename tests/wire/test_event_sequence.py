"""Test what a subscriber takes for new, and what for lost."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

from streamer.events.kinds import Event
from streamer.wire.event_sequence import EventSequence
from tests import bus


def kept(*events: Event) -> tuple[list[Event], Counter[str]]:
    """Return the events that are new when they come in this order, and the number of lost ones by topic."""
    lost: Counter[str] = Counter()
    sequence = EventSequence(lost)
    return [event for event in events if sequence.is_new(event)], lost


def test_a_new_epoch_is_no_loss() -> None:
    got, lost = kept(bus.gate(0), bus.gate(1, epoch=1))
    assert [event.epoch for event in got] == [0, 1]
    assert not lost


def test_what_is_lost_between_two_messages_of_one_moment_is_a_loss() -> None:
    first = bus.gate(3, label="rain")
    got, lost = kept(first, replace(bus.gate(6, label="dog"), start=first.start, stop=first.stop))
    assert [event.seq for event in got] == [3, 6]
    assert lost == {"gate/mic": 2}


def test_a_publisher_that_was_started_again_is_no_loss() -> None:
    later = bus.TIME + timedelta(minutes=1)
    further = replace(bus.gate(11), start=0, stop=160)  # further in seq than before, although it just began
    got, lost = kept(bus.gate(3), bus.gate(0, time=later), bus.gate(1), further)
    assert [event.seq for event in got] == [3, 0, 1, 11]
    assert not lost


def test_a_repeated_message_is_passed_over_only_if_it_was_had() -> None:
    another = bus.gate(4, replay=True, time=bus.TIME + timedelta(minutes=1))  # of one that was started again
    got, lost = kept(bus.gate(4), bus.gate(4, replay=True), another, bus.gate(7, replay=True), bus.gate(8))
    assert [(event.seq, event.replay) for event in got] == [(4, False), (4, True), (7, True), (8, False)]
    assert lost == {"gate/mic": 2}


def test_replays_of_several_labels_are_each_had_once_and_are_no_loss() -> None:
    rain, dog = bus.gate(3, label="rain"), bus.gate(7, label="dog")
    replays = [replace(rain, replay=True), replace(dog, replay=True)]
    got, lost = kept(*replays, *replays, bus.gate(8, label="rain"), bus.gate(10, label="dog"))
    assert [(event.seq, event.replay) for event in got] == [(3, True), (7, True), (8, False), (10, False)]
    assert lost == {"gate/mic": 1}  # 9


def test_a_replay_tells_of_another_label_that_went_by() -> None:
    rain = bus.gate(5, label="rain", replay=True)
    got, lost = kept(
        bus.gate(3, label="rain"), bus.gate(4), bus.gate(6), rain, bus.gate(6, replay=True), bus.gate(7)
    )
    assert [event.seq for event in got] == [3, 4, 6, 5, 7]
    assert [event.replay for event in got] == [False, False, False, True, False]
    assert lost == {"gate/mic": 1}  # 5, when it was said


def test_a_gap_before_the_replay_of_a_label_that_was_had_is_a_loss() -> None:
    got, lost = kept(bus.gate(4), bus.gate(7, replay=True), bus.gate(9, label="dog", replay=True))
    assert len(got) == 3
    assert lost == {"gate/mic": 2}  # 5 and 6; nobody knows whether 8 went by


def test_replays_of_a_publisher_that_was_started_again_are_no_loss() -> None:
    later = bus.TIME + timedelta(minutes=1)
    got, lost = kept(
        bus.gate(6, label="rain"),
        bus.gate(7, label="dog"),
        bus.gate(2, label="rain", replay=True, time=later),
        bus.gate(12, label="dog", replay=True, time=later),
        bus.gate(13, time=later),
    )
    assert [event.seq for event in got] == [6, 7, 2, 12, 13]
    assert not lost


def test_the_same_file_heard_again_is_told_again() -> None:
    got, lost = kept(*(bus.gate(0, time=None, latency_ms=None) for _ in range(2)))
    assert [event.seq for event in got] == [0, 0]
    assert not lost
