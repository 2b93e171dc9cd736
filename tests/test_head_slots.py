"""The table of head slots: what follows from it has no name twice."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from streamer.config import DECISION_SECTIONS, Config, StreamConfig
from streamer.config_sections import MODEL_KEYS, ModelsConfig
from streamer.events.kinds import DECISION_KINDS, Decision
from streamer.events.serialization import decode, encode
from streamer.head_slots import HEAD_SLOTS, head_slot
from tests import bus


@pytest.mark.parametrize(
    ("names", "count"),
    [
        (MODEL_KEYS, len(HEAD_SLOTS)),
        (DECISION_SECTIONS, len(HEAD_SLOTS)),
        (DECISION_KINDS, sum(1 + len(slot.own_kinds) for slot in HEAD_SLOTS)),
    ],
)
def test_slots_sections_and_kinds_have_names_of_their_own(names: tuple[str, ...], count: int) -> None:
    assert len(set(names)) == len(names) == count


@pytest.mark.parametrize(
    ("kind", "keys"),
    [(ModelsConfig, MODEL_KEYS), (Config, DECISION_SECTIONS), (StreamConfig, DECISION_SECTIONS)],
)
def test_keys_of_slots_are_no_other_keys_of_their_section(kind: type, keys: tuple[str, ...]) -> None:
    assert not set(keys) & {field.name for field in fields(kind)}


def test_a_gate_is_a_slot_that_runs_always() -> None:
    for slot in HEAD_SLOTS:
        if slot.opened_by is not None:
            assert head_slot(slot.opened_by).opened_by is None


@pytest.mark.parametrize("kind", [kind for slot in HEAD_SLOTS for kind in slot.kinds])
def test_decisions_of_every_kind_travel(kind: str) -> None:
    event = replace(bus.gate(), kind=kind)
    found = decode(encode(event))
    assert isinstance(found, Decision)
    assert found == event
