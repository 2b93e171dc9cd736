"""The bundled recording: its file, its true times, and the script that makes both."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

from scripts.make_demo import Note, audible, midi_file, midi_pitch, timed, variable_length
from streamer.demo_recording import DEMO_PATH

SCRIPT = Path(__file__).resolve().parent.parent / "scripts" / "make_demo.py"


@dataclass(frozen=True)
class Segment:
    label: str
    start: int
    stop: int


@dataclass(frozen=True)
class Demo:
    sound: np.ndarray
    rate_hz: int
    truth: dict[str, int]
    segments: list[Segment]


@pytest.fixture(scope="module")
def demo() -> Demo:
    sound, rate_hz = soundfile.read(DEMO_PATH)
    truth = json.loads(DEMO_PATH.with_suffix(".json").read_text(encoding="utf-8"))
    segments = [Segment(**segment) for segment in truth.pop("segments")]
    return Demo(sound, rate_hz, truth, segments)


def rms_dbfs(sound: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(sound**2)))


def test_recording_is_small_mono_and_about_forty_seconds_long(demo: Demo) -> None:
    assert DEMO_PATH.stat().st_size < 1_000_000
    assert demo.sound.ndim == 1
    assert 35 < len(demo.sound) / demo.rate_hz < 45


def test_truth_agrees_with_the_file(demo: Demo) -> None:
    assert demo.truth == {"rate_hz": demo.rate_hz, "samples": len(demo.sound)}


def test_segments_cover_the_recording_in_order(demo: Demo) -> None:
    assert demo.segments[0].start == 0
    assert demo.segments[-1].stop == len(demo.sound)
    assert all(before.stop == after.start for before, after in pairwise(demo.segments))
    assert all(segment.start < segment.stop for segment in demo.segments)


def test_every_label_is_there_and_music_comes_twice_well_apart(demo: Demo) -> None:
    assert {segment.label for segment in demo.segments} == {"music", "speech", "noise", "silence"}
    music = [segment for segment in demo.segments if segment.label == "music"]
    assert len(music) == 2
    assert music[1].start - music[0].stop >= 4 * demo.rate_hz


def test_levels_fit_the_labels(demo: Demo) -> None:
    for segment in demo.segments:
        level_dbfs = rms_dbfs(demo.sound[segment.start : segment.stop])
        low_dbfs, high_dbfs = (-90, -60) if segment.label == "silence" else (-30, -12)
        assert low_dbfs < level_dbfs < high_dbfs, segment
    assert np.abs(demo.sound).max() < 10 ** (-1 / 20)


def test_sounds_begin_and_end_where_the_truth_says(demo: Demo) -> None:
    near = demo.rate_hz // 20
    for segment in demo.segments:
        if segment.label != "silence":
            assert rms_dbfs(demo.sound[segment.start : segment.start + near]) > -60, segment
            assert rms_dbfs(demo.sound[segment.stop - near : segment.stop]) > -62, segment
            assert rms_dbfs(demo.sound[segment.start - near : segment.start]) < -60, segment
            assert rms_dbfs(demo.sound[segment.stop : segment.stop + near]) < -60, segment


def test_audible_part_is_what_lies_above_minus_60_dbfs() -> None:
    sound = np.full(32_000, 0.9e-3)
    sound[3_200:6_400] = 1.1e-3
    assert len(audible(sound)) == 3_200


@pytest.mark.parametrize(
    ("number", "encoded"),
    [
        (0, "00"),
        (0x7F, "7f"),
        (0x80, "8100"),
        (0x2000, "c000"),
        (0x1FFFFF, "ffff7f"),
        (0xFFFFFFF, "ffffff7f"),
    ],
)
def test_variable_length_quantities_are_those_of_the_midi_specification(number: int, encoded: str) -> None:
    assert variable_length(number).hex() == encoded


def test_midi_file_of_one_note() -> None:
    track = "00c00500ff510307a12000903c648360803c008360ff2f00"
    head = f"4d546864 00000006 0000 0001 01e0 4d54726b {len(track) // 2:08x}"
    made = midi_file([Note(0.0, 1.0, 0, 60, 100)], (5,), beats_per_minute=120, tail_beats=1)
    assert made == bytes.fromhex(head + track)


def test_score_is_read_as_names_and_beats() -> None:
    assert timed("C4 1.5 F#5 .5") == [(0.0, 1.5, "C4"), (1.5, 0.5, "F#5")]
    assert [midi_pitch(name) for name in ("C4", "F#5", "A4")] == [60, 78, 69]


def test_missing_tools_are_named_with_their_packages(tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPT), "--out", str(tmp_path), "--soundfont", str(tmp_path / "none.sf2")]
    environment = {**os.environ, "PATH": str(tmp_path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    for package in ("fluidsynth", "espeak-ng", "ffmpeg", "fluid-soundfont-gm"):
        assert package in done.stderr
    assert list(tmp_path.iterdir()) == []
