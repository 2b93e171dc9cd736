"""Test that a sound track of a file is chosen by its number or its language."""

from __future__ import annotations

import subprocess
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from streamer.arrays import Array
from streamer.config import Config, StreamConfig
from streamer.errors import ConfigError, StreamError
from streamer.sources.open_source import source_for
from streamer.sources.read_blocks import read_blocks


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a file with three tones of half a second: German, English and French."""
    path = tmp_path_factory.mktemp("film") / "film.mkv"
    inputs = [f"sine=frequency={hz}:duration=0.5:sample_rate=16000" for hz in (500, 1_000, 2_000)]
    command = ["ffmpeg", "-v", "error"]
    for each in inputs:
        command += ["-f", "lavfi", "-i", each]
    for n, language in enumerate(("ger", "eng", "fra")):
        command += ["-map", str(n), f"-metadata:s:a:{n}", f"language={language}"]
    subprocess.run([*command, "-c:a", "pcm_s16le", str(path)], check=True)
    return path


def heard(path: Path, track: int | str) -> Array:
    source = source_for(StreamConfig(f"file:{path}", track=track), Config(), realtime=False)
    with closing(source):
        source.open()
        return np.concatenate([block.samples for block in read_blocks(source, 4_096)])[:, 0]


@pytest.mark.parametrize(
    ("track", "hz"),
    [("", 500), (1, 500), (2, 1_000), ("3", 2_000), ("de", 500), ("DEU", 500), ("en", 1_000), ("fre", 2_000)],
)
def test_a_track_is_chosen(film: Path, track: int | str, hz: int) -> None:
    sound = heard(film, track)
    assert len(sound) == 8_000
    assert int(np.abs(np.fft.rfft(sound)).argmax()) * 2 == hz


@pytest.mark.parametrize("track", [4, "ita"])
def test_a_track_that_is_not_there_is_refused(film: Path, track: int | str) -> None:
    with pytest.raises(StreamError, match=r"film\.mkv cannot be opened by ffmpeg"):
        heard(film, track)


def test_what_has_no_tracks_and_what_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="only files and URLs have tracks"):
        source_for(StreamConfig("usb", track=2), Config(), realtime=False)
    with pytest.raises(
        ConfigError, match="stream track is 0; expected the number of a sound track from 1 on"
    ):
        StreamConfig("file:x", track=0)
