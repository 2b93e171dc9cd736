"""Test that every function hears the channel and the sound track that it is told."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

import streamer
from streamer.arrays import Array
from tests.programs import streamer as command

pytestmark = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")

RATE = 32_000
TRACKS = ((4, 5), (30, 31))
"""Seconds of the bundled recording in the channels of each track of `film`."""


def part(second: int) -> Array:
    """Return two seconds of the bundled recording, rounded to 16 bits."""
    x, _ = soundfile.read(streamer.DEMO_PATH, dtype="int16", start=second * RATE, frames=2 * RATE)
    return x.astype(np.float32) / 2**15


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a file with two sound tracks, German and English, of two channels each."""
    folder = tmp_path_factory.mktemp("film")
    inputs, tags = [], []
    for n, (seconds, language) in enumerate(zip(TRACKS, ("ger", "eng"), strict=True)):
        soundfile.write(folder / f"{n}.wav", np.stack([part(second) for second in seconds], axis=1), RATE)
        inputs += ["-i", f"{n}.wav"]
        tags += ["-map", str(n), f"-metadata:s:a:{n}", f"language={language}"]
    film = folder / "film.mkv"
    subprocess.run(
        ["ffmpeg", "-v", "error", *inputs, *tags, "-c:a", "pcm_s16le", film], check=True, cwd=folder
    )
    return film


def levels(sound: Path | Array, rate_hz: int | None = None, **chosen: object) -> list[float]:
    off = {"gate": "off", "sounds": "off", "genre": "off"}
    events = streamer.analyze(sound, rate_hz, models=off, **chosen)  # type: ignore[arg-type]
    return [event.rms_dbfs for event in events if isinstance(event, streamer.Level)]


def stems(sound: Path | Array, rate_hz: int | None = None, **chosen: object) -> Array:
    voice, music, _ = streamer.separate(sound, rate_hz, **chosen)  # type: ignore[arg-type]
    return np.stack([voice.reshape(-1), music.reshape(-1)])


@pytest.mark.parametrize("function", [streamer.log_mel, levels, stems])
def test_a_channel_of_a_track(film: Path, function: Callable[..., Array]) -> None:
    for track, seconds in (("", TRACKS[0]), ("de", TRACKS[0]), (2, TRACKS[1]), ("eng", TRACKS[1])):
        expected = function(part(seconds[1]), RATE)
        np.testing.assert_array_equal(function(film, track=track, channel=2), expected)
    both = np.stack([part(second) for second in TRACKS[1]], axis=1)
    np.testing.assert_array_equal(function(film, track=2), function(both, RATE))
    np.testing.assert_array_equal(function(both, RATE, channel=1), function(both[:, 0], RATE))


def test_what_is_learnt(film: Path, tmp_path: Path) -> None:
    streamer.teach("strings", [film], folder=tmp_path, track="en", channel=2)
    [found] = streamer.taught_sounds(tmp_path)["strings"]
    streamer.teach("strings", part(TRACKS[1][1]), RATE, folder=tmp_path)
    assert [one.path for one in streamer.taught_sounds(tmp_path)["strings"]] == [found.path]  # it was known


def test_the_command_writes_the_same_stems(film: Path, tmp_path: Path) -> None:
    done = command("separate", str(film), "--out", str(tmp_path), "--track", "eng", "--channel", "2")
    assert done.returncode == 0, done.stderr
    written, _ = soundfile.read(tmp_path / "film" / "voice.wav", dtype="float32", always_2d=True)
    np.testing.assert_array_equal(written, streamer.separate(film, track="eng", channel=2).voice)


def test_stems_of_a_channel_have_that_channel() -> None:
    both = np.stack([part(second) for second in TRACKS[1]], axis=1)
    assert streamer.separate(both, RATE, channel=2).voice.shape == (2 * RATE, 1)


@pytest.mark.parametrize("name", ["log_mel", "analyze", "separate", "teach"])
def test_what_is_no_track_is_refused(film: Path, name: str) -> None:
    function = getattr(streamer, name)
    first = ("a label",) if name == "teach" else ()
    with pytest.raises(streamer.ConfigError, match="track is 0; expected the number of a sound track"):
        function(*first, film, track=0)
    with pytest.raises(streamer.ConfigError, match=r"track is 2 for .*arrays?.*; expected none: only files"):
        function(*first, part(4), RATE, track=2)
    with pytest.raises(
        streamer.ConfigError, match="channel is 0; expected the number of a channel, from 1 on"
    ):
        function(*first, film, channel=0)


def test_a_pair_of_opposite_phase_has_stems() -> None:
    x = part(14)  # somebody speaks
    pair = streamer.separate(np.stack([x, -x], axis=1), RATE)
    assert np.square(pair.voice[:, 0]).sum() > 0.1 * np.square(streamer.separate(x, RATE).voice).sum() > 0
    np.testing.assert_array_equal(pair.voice[:, 0], -pair.voice[:, 1])
