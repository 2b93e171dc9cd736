"""`--jobs` of `streamer analyze` and `streamer separate`: the same output as one file after the other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.programs import refused, streamer

HEADS_OFF = ("--model", "sounds=off", "--model", "genre=off")


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Five files, of which one is broken, two have one name, and the first is the longest."""
    paths = []
    for number, name in enumerate(("a.wav", "b.wav", "c/a.wav", "d.wav")):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        rng = np.random.default_rng(number)
        sound = 0.1 * rng.standard_normal(48_000 if number == 0 else 16_000)
        sound[5] = np.nan if number == 1 else 0.0
        soundfile.write(path, sound, 16_000, subtype="FLOAT")
        paths.append(str(path))
    broken = tmp_path / "broken.wav"
    broken.write_bytes(bytes(100))
    return [*paths[:2], str(broken), *paths[2:]]


def test_messages_are_those_of_one_file_after_the_other(files: list[str]) -> None:
    alone, together = (streamer("analyze", *files, *HEADS_OFF, "--jobs", jobs) for jobs in ("1", "3"))
    assert together.stdout == alone.stdout != b""
    assert together.stderr == alone.stderr
    assert b"Error: broken: file " in together.stderr
    assert together.returncode == alone.returncode == 1


def test_a_model_that_is_not_there_is_told_of_once(files: list[str]) -> None:
    refused(1, "nowhere", "analyze", *files, "--model", "gate=nowhere", "--jobs", "2")
    refused(1, "nowhere", "separate", *files[:2], "--model", "nowhere", "--out", "unused", "--jobs", "2")


def test_stems_are_those_of_one_file_after_the_other(files: list[str], tmp_path: Path) -> None:
    asked = [*files[:3], files[4]]
    outs = [tmp_path / "one", tmp_path / "three"]
    done = [
        streamer("separate", *asked, "--out", str(out), "--jobs", jobs)
        for out, jobs in zip(outs, ("1", "3"), strict=True)
    ]
    said = [run.stdout.decode().replace(str(out), "out") for run, out in zip(done, outs, strict=True)]
    assert said[0] == said[1] == "out/a\nout/b\nout/d\n"
    assert done[0].stderr == done[1].stderr
    assert b"b.wav: 1 samples were no sound" in done[1].stderr
    assert [run.returncode for run in done] == [1, 1]
    for name in ("a", "b", "d"):
        for stem in ("voice.wav", "music.wav"):
            assert (outs[0] / name / stem).read_bytes() == (outs[1] / name / stem).read_bytes()
