"""Test that recordings on servers are heard as files are, whatever the servers say, and that live sound stays live."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from streamer.arrays import Array
from streamer.errors import StreamError
from streamer.sources.file import FileSource
from streamer.sources.network.http_bytes import http_bytes
from streamer.sources.network.kept_sound import HEAD_BYTES, LARGEST_BURST_BYTES, LOOK_S, is_kept
from streamer.sources.network.url import UrlSource
from streamer.sources.network.url_stream import UrlStream
from streamer.sources.source import Source
from tests.conftest import DEADLINE_S
from tests.sources.servers import chunked, files, ranged, request, served, stalling
from tests.sources.source_contract import read_all

pytestmark = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")

Server = Callable[[Mapping[str, bytes]], Callable[[socket.socket], None]]


def without_length(contents: Mapping[str, bytes]) -> Callable[[socket.socket], None]:
    """Answer with a content whose end is that of the connection."""
    return files(contents, has_length=False)


SERVERS = {"length": files, "ranges": ranged, "chunks": chunked, "none": without_length}
OPEN_SERVERS = {name: SERVERS[name] for name in ("chunks", "none")}


def made(path: Path, options: str, seconds: float = 2.0, rate_hz: int = 16_000) -> bytes:
    """Write a tone with ffmpeg, and return the file."""
    tone = ["-f", "lavfi", "-i", f"sine=440:d={seconds}:r={rate_hz}"]
    subprocess.run(["ffmpeg", "-v", "error", *tone, *options.split(), str(path)], check=True)
    return path.read_bytes()


def heard(source: Source) -> Array:
    """Return the sound of a source that is not live."""
    with closing(source):
        source.open()
        assert not source.is_live
        return read_all(source)


def check_like_file(path: Path, server: Server, caplog: pytest.LogCaptureFixture) -> None:
    """Check that a file is heard by URL as it is from disk: not live, to its end, without a word."""
    expected = heard(FileSource(path))
    with served(server({f"/{path.name}": path.read_bytes()})) as address:
        got = heard(UrlSource(f"http://{address}/{path.name}"))
    assert got.shape == expected.shape
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-6)
    assert caplog.text == ""


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.wav", ""),
        ("a.mp3", "-c:a libmp3lame"),
        ("a.mp2", "-c:a mp2"),
        ("a.ts", "-c:a aac"),
        ("a.opus", "-c:a libopus"),
        ("a.m4a", "-c:a aac"),
    ],
)
def test_a_recording_of_less_than_a_second_is_none_that_broke_off(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, server: str, name: str, options: str
) -> None:
    made(tmp_path / name, options, 0.4)
    check_like_file(tmp_path / name, SERVERS[server], caplog)


@pytest.mark.parametrize("server", OPEN_SERVERS)
@pytest.mark.parametrize(
    ("name", "options"),
    [("a.mp3", "-c:a libmp3lame"), ("a.ogg", "-c:a libvorbis"), ("a.mka", "-c:a aac"), ("a.wma", "")],
)
def test_a_recording_without_a_length_is_heard_as_a_file_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, server: str, name: str, options: str
) -> None:
    made(tmp_path / name, options, 5.0)
    check_like_file(tmp_path / name, OPEN_SERVERS[server], caplog)


def test_recordings_of_matroska_joined_end_to_end_end_well_without_a_length(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    both = made(tmp_path / "1.mka", "-c:a aac") + made(tmp_path / "2.mka", "-c:a aac", 3.0)
    (tmp_path / "a.mka").write_bytes(both)
    check_like_file(tmp_path / "a.mka", without_length, caplog)


def test_an_mp3_that_is_shorter_than_it_announces_is_told(tmp_path: Path) -> None:
    content = made(tmp_path / "a.mp3", "-c:a libmp3lame", 10.0)
    for server in SERVERS.values():
        with (
            served(server({"/a.mp3": content[: len(content) // 2]})) as address,
            pytest.raises(StreamError, match=r"is cut short .* expected the whole sound"),
        ):
            heard(UrlSource(f"http://{address}/a.mp3"))


@pytest.mark.parametrize("server", ["length", "ranges"])
@pytest.mark.parametrize("order", ["end front", "front end", "pieces pieces"])
def test_mp4s_joined_end_to_end_are_heard_whole(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, server: str, order: str
) -> None:
    places = {
        "end": "-c:a aac",
        "front": "-c:a aac -movflags +faststart",
        "pieces": "-c:a aac -movflags +frag_keyframe+empty_moov",
    }
    parts = [made(tmp_path / f"{k}.m4a", places[place]) for k, place in enumerate(order.split())]
    (tmp_path / "a.m4a").write_bytes(b"".join(parts))
    check_like_file(tmp_path / "a.m4a", SERVERS[server], caplog)


def test_a_recording_with_a_length_stays_one_when_its_server_pauses(tmp_path: Path) -> None:
    now, content = [0.0], made(tmp_path / "a.aac", "-c:a aac", 8.0)
    goes_on = threading.Event()

    def answer(connection: socket.socket) -> None:
        if request(connection):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(content))
            connection.sendall(content[: len(content) // 2])
            goes_on.wait(DEADLINE_S)
            connection.sendall(content[len(content) // 2 :])

    with served(answer) as address:
        source = UrlStream(f"http://{address}/", ["-i", f"http://{address}/"], clock=lambda: now[0])
        with closing(source):
            source.open()
            source.has_length = True
            while not source.ended:
                block = source.read(16_000)
                now[0] += 0.0 if block is None and goes_on.is_set() else 0.1
                if now[0] > 9.0:
                    goes_on.set()
                assert not source.is_live
                assert block is None or block.captured_at is None
                time.sleep(0.001)
            assert source.counts.lost_frames == 0


def look(address: str, longest_s: float) -> bool:
    found = http_bytes(f"http://{address}/", HEAD_BYTES, longest_s)
    assert found is not None
    return is_kept(found, f"http://{address}/", bitrate_kbps=0, look_s=longest_s)


@pytest.mark.parametrize("length", [1_000, 10 * HEAD_BYTES, 2 * LARGEST_BURST_BYTES])
def test_what_a_server_sends_at_once_and_ends_is_kept(length: int) -> None:
    for server in SERVERS.values():
        with served(server({"/": bytes(length)})) as address:
            assert look(address, DEADLINE_S)


@pytest.mark.parametrize("length", [1_000, 2 * HEAD_BYTES])
def test_what_goes_on_after_a_burst_may_be_live(length: int) -> None:
    with served(stalling(bytes(length))) as address:
        assert not look(address, LOOK_S)
