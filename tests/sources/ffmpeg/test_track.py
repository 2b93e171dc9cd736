"""Test that a sound track of a file is chosen by its number or its language."""

from __future__ import annotations

import subprocess
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import soundfile

from streamer.arrays import Array
from streamer.config import Config, StreamConfig
from streamer.errors import ConfigError, StreamError
from streamer.sources.open_source import source_for
from streamer.sources.read_blocks import read_blocks
from tests.sources.servers import files, served


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film_in(tmp_path_factory.mktemp("film"), "ger", "eng", "fra")


def film_in(directory: Path, *languages: str) -> Path:
    """Make a file with three tones of half a second, of 500, 1,000 and 2,000 Hz, in three languages."""
    path = directory / "film.mkv"
    command = ["ffmpeg", "-v", "error"]
    for hz in (500, 1_000, 2_000):
        command += ["-f", "lavfi", "-i", f"sine=frequency={hz}:duration=0.5:sample_rate=16000"]
    for n, language in enumerate(languages):
        command += ["-map", str(n), f"-metadata:s:a:{n}", f"language={language}"]
    subprocess.run([*command, "-c:a", "pcm_s16le", str(path)], check=True)
    return path


def heard(path: Path, track: int | str) -> Array:
    return heard_of(StreamConfig(f"file:{path}", track=track))


def heard_of(stream: StreamConfig) -> Array:
    source = source_for(stream, Config(), realtime=False)
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


THERE = r"\(1: pcm_s16le, ger; 2: pcm_s16le, eng; 3: pcm_s16le, fra\)"


@pytest.mark.parametrize("track", [4, "ita"])
def test_a_track_that_is_not_there_is_refused_with_those_that_are(film: Path, track: int | str) -> None:
    expected = (
        f"film.mkv cannot be opened by ffmpeg with the sound track {track!r}; "
        f"expected the number or the language of one of its sound tracks {THERE}"
    )
    with pytest.raises(StreamError, match=expected):
        heard(film, track)
    with (
        served(files({"/film.mkv": film.read_bytes()})) as server,
        pytest.raises(StreamError, match=expected),
    ):
        heard_of(StreamConfig(f"http://{server}/film.mkv", track=track))


def test_a_file_with_one_track_without_a_language_has_no_second(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(8_000), 16_000)
    with pytest.raises(StreamError, match=r"one of its sound tracks \(1: pcm_s16le, no language\)"):
        heard(tmp_path / "a.wav", 2)


def test_what_has_no_tracks_and_what_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="only files and URLs have tracks"):
        source_for(StreamConfig("usb", track=2), Config(), realtime=False)
    with pytest.raises(
        ConfigError, match="stream track is 0; expected the number of a sound track from 1 on"
    ):
        StreamConfig("file:x", track=0)


def test_of_two_tracks_of_a_language_the_first_is_heard_and_that_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = film_in(tmp_path, "eng", "ger", "deu")
    assert int(np.abs(np.fft.rfft(heard(path, "de"))).argmax()) * 2 == 1_000
    assert "has several sound tracks of the language 'de' (2, 3): number 2 is heard" in caplog.text


def test_priming_is_that_of_the_track_that_is_heard(tmp_path: Path) -> None:
    click = np.zeros(44_100)
    click[22_050] = 0.9
    soundfile.write(tmp_path / "click.wav", click, 44_100)
    path = tmp_path / "film.mkv"
    inputs = ["-i", str(tmp_path / "click.wav")]
    codecs = ["-map", "0", "-map", "0", "-c:a:0", "pcm_s16le", "-c:a:1", "aac"]
    subprocess.run(["ffmpeg", "-v", "error", *inputs, *codecs, str(path)], check=True)
    for track in (1, 2):
        assert abs(int(np.abs(heard(path, track)).argmax()) - 22_050) <= 1


def test_a_track_of_a_url_goes_the_same_way(film: Path, tmp_path: Path) -> None:
    contents = {"/film.mkv": film.read_bytes(), "/list.m3u": b"#EXTM3U\nfilm.mkv\n"}
    with served(files(contents)) as server:
        for path in contents:
            stream = StreamConfig(f"http://{server}{path}", track="en")
            assert int(np.abs(np.fft.rfft(heard_of(stream))).argmax()) * 2 == 1_000
        (tmp_path / "radio.m3u").write_text(f"http://{server}/film.mkv\n")
        stream = StreamConfig(f"file:{tmp_path}/radio.m3u", track="en")
        assert int(np.abs(np.fft.rfft(heard_of(stream))).argmax()) * 2 == 1_000
