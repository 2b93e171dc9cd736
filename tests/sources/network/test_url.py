"""Test URLs that are more than a stream which ffmpeg plays: playlists, pages, and files with wrong headers."""

from __future__ import annotations

import io
import shutil
import struct
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import soundfile

from streamer.arrays import Array
from streamer.errors import StreamError
from streamer.sources.file import FileSource
from streamer.sources.network.playlist import entries_of, is_html
from streamer.sources.network.url import UrlSource
from streamer.sources.source import Source
from tests.sources.servers import files, http, served
from tests.sources.source_contract import read_all

pytestmark = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")


def sound(seed: int = 1, frames: int = 20_000, channels: int = 1) -> Array:
    counts = np.random.default_rng(seed).integers(-(2**14), 2**14, (frames, channels))
    return (counts / 2**15).astype(np.float32)


def wav(x: Array, rate_hz: int = 16_000) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, x, rate_hz, format="WAV", subtype="PCM_16")
    return buffer.getvalue()


def announcing(content: bytes, length: int) -> bytes:
    at = content.index(b"data") + 4
    return content[:at] + struct.pack("<I", length) + content[at + 4 :]


def heard(source: Source) -> Array:
    with closing(source):
        source.open()
        return read_all(source)


@pytest.mark.parametrize("has_length", [True, False])
@pytest.mark.parametrize("length", [0, 0xFFFFFFFF, 0x7FFFFFFF, 40_000])
def test_a_wav_by_url_is_heard_whole_without_a_word(
    caplog: pytest.LogCaptureFixture, length: int, has_length: bool
) -> None:
    content = announcing(wav(sound()), length)
    with served(files({"/a.wav": content}, has_length)) as server:
        np.testing.assert_array_equal(heard(UrlSource(f"http://{server}/a.wav")), sound())
    assert caplog.text == ""


@pytest.mark.parametrize("path", ["/a.wav", "/recording"])
def test_a_wav_of_a_killed_recorder_is_heard_whole_by_url(path: str) -> None:
    content = announcing(wav(sound()), 2_048)
    with served(files({path: content})) as server:
        np.testing.assert_array_equal(heard(UrlSource(f"http://{server}{path}")), sound())


def test_wavs_joined_end_to_end_are_heard_whole_by_url() -> None:
    with served(files({"/a.wav": wav(sound(1)) + wav(sound(2))})) as server:
        got = heard(UrlSource(f"http://{server}/a.wav"))
    np.testing.assert_array_equal(got, np.concatenate([sound(1), sound(2)]))


def test_sound_of_another_format_behind_a_wav_is_left_out_and_told(caplog: pytest.LogCaptureFixture) -> None:
    content = wav(sound()) + wav(sound(2, 2_000_000), 44_100)
    with served(files({"/a.wav": content})) as server:
        np.testing.assert_array_equal(heard(UrlSource(f"http://{server}/a.wav")), sound())
    assert "goes on with sound of another format after frame 20000" in caplog.text


@pytest.mark.parametrize(("form", "subtype"), [("OGG", "VORBIS"), ("FLAC", "PCM_16")])
def test_a_recording_that_breaks_off_fails(form: str, subtype: str) -> None:
    buffer = io.BytesIO()
    soundfile.write(buffer, sound(frames=100_000), 16_000, format=form, subtype=subtype)
    content = buffer.getvalue()
    with (
        served(http(content, sent=len(content) // 2)) as server,
        pytest.raises(StreamError, match=r"broke off|is cut short \(it announces 100000 frames\)"),
    ):
        heard(UrlSource(f"http://{server}/a"))


@pytest.mark.parametrize(
    ("path", "playlist"),
    [
        ("/list.m3u", b"#EXTM3U\n#EXTINF:-1,A radio\nmissing.wav\nlive/a.wav\n"),
        ("/list.m3u", b"\r\nlive/a.wav\r\n"),
        ("/list.m3u8", b"#EXTM3U\nlive/a.wav"),
        (
            "/list.pls",
            b"[playlist]\nNumberOfEntries=2\nFile2=live/b.wav\nFile1=/live/a.wav\nTitle1=A radio\n",
        ),
        ("/listen", b"[playlist]\nfile1=live/a.wav\n"),
        ("/listen", b"#EXTM3U\nlist2.pls\n"),
    ],
)
def test_a_playlist_by_url_is_opened(path: str, playlist: bytes) -> None:
    contents = {path: playlist, "/live/a.wav": wav(sound(1)), "/list2.pls": b"[playlist]\nFile1=live/a.wav"}
    with served(files(contents)) as server:
        np.testing.assert_array_equal(heard(UrlSource(f"http://{server}{path}")), sound(1))


def test_a_playlist_by_url_reaches_no_file_of_this_machine(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(wav(sound()))
    playlist = f"#EXTM3U\nfile://{tmp_path}/a.wav\n{tmp_path}/a.wav\n".encode()
    with (
        served(files({"/a.m3u": playlist})) as server,
        pytest.raises(StreamError, match="a playlist of which no entry can be opened; the last: URL http"),
    ):
        UrlSource(f"http://{server}/a.m3u").open()


def test_a_playlist_that_lists_itself_is_refused() -> None:
    with (
        served(files({"/a.m3u": b"a.m3u\n"})) as server,
        pytest.raises(StreamError, match="is the 4th playlist in a row"),
    ):
        UrlSource(f"http://{server}/a.m3u").open()


def test_a_playlist_without_entries_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.pls").write_bytes(b"[playlist]\nNumberOfEntries=0\n")
    with pytest.raises(StreamError, match=r"a.pls is a playlist without entries; expected the address"):
        FileSource(tmp_path / "a.pls").open()


def test_a_page_of_html_is_named_as_one(tmp_path: Path) -> None:
    page = b"<!DOCTYPE html>\n<html><body>Listen live</body></html>" * 20
    (tmp_path / "a.mp3").write_bytes(page)
    for has_length in (True, False):
        with (
            served(files({"/": page}, has_length)) as server,
            pytest.raises(StreamError, match="it is a page of HTML, not sound: look in it for the address"),
        ):
            UrlSource(f"http://{server}/").open()
    with pytest.raises(StreamError, match=r"a.mp3 .*; it is a page of HTML, not sound"):
        FileSource(tmp_path / "a.mp3").open()


@pytest.mark.parametrize("name", ["list.m3u", "list.m3u8", "list.pls"])
def test_the_files_of_a_local_playlist_are_heard_in_turn(tmp_path: Path, name: str) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "a b.wav").write_bytes(wav(sound(1)))
    (tmp_path / "sub" / "b.wav").write_bytes(wav(sound(2)))
    uri = (tmp_path / "a b.wav").as_uri()
    lists = {
        "list.m3u": f"a b.wav\nsub/b.wav\n{uri}\n",
        "list.m3u8": f"#EXTM3U\n#EXTINF:1,One\n{tmp_path}/a b.wav\nsub\\b.wav\na b.wav\n",
        "list.pls": f"[playlist]\nFile1=a b.wav\nFile2=sub/b.wav\nFile3={uri}\nVersion=2\n",
    }
    (tmp_path / name).write_text(lists[name])
    got = heard(FileSource(tmp_path / name))
    np.testing.assert_array_equal(got, np.concatenate([sound(1), sound(2), sound(1)]))


def test_files_of_other_formats_are_converted_to_that_of_the_first(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(wav(sound(1)))
    (tmp_path / "b.wav").write_bytes(wav(sound(2, frames=44_100, channels=2), 44_100))
    (tmp_path / "list.m3u").write_text("a.wav\nb.wav\n")
    assert heard(FileSource(tmp_path / "list.m3u")).shape == (36_000, 1)


def test_a_local_playlist_of_a_radio_is_opened(tmp_path: Path) -> None:
    with served(files({"/a.wav": wav(sound())})) as server:
        (tmp_path / "radio.pls").write_text(
            f"[playlist]\nFile1=http://{server}/no\nFile2=http://{server}/a.wav\n"
        )
        np.testing.assert_array_equal(heard(FileSource(tmp_path / "radio.pls")), sound())


def test_a_playlist_of_hls_is_left_to_ffmpeg() -> None:
    assert entries_of(b"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\na.ts\n", "a.m3u8") is None


def test_sound_and_text_are_no_playlists_and_no_pages() -> None:
    for content in (wav(sound()), b"no sound " * 100, b"ID3\x04\0\0\0\0\0\0"):
        assert entries_of(content, "a.wav") is None
        assert not is_html(content)
