"""Test URLs, which ffmpeg decodes."""

from __future__ import annotations

import io
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
import soundfile

from streamer.arrays import Array
from streamer.config import TURN_S
from streamer.errors import ConfigError, EndedError, StreamError
from streamer.sources.ffmpeg.ffmpeg_source import FfmpegSource
from streamer.sources.media_file import MediaFileSource
from streamer.sources.network.url_stream import url_stream
from streamer.sources.source import POLL_S, Block
from tests.conftest import DEADLINE_S
from tests.sources.servers import http, live, rtsp, served, stalling
from tests.sources.source_contract import check_source, read_all

pytestmark = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")

Found = TypeVar("Found")


def sound(frames: int = 16_000, channels: int = 1) -> Array:
    counts = np.random.default_rng(6).integers(-(2**14), 2**14, (frames, channels))
    return (counts / 2**15).astype(np.float32)


def wav(x: Array, rate_hz: int = 16_000) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, x, rate_hz, format="WAV", subtype="PCM_16")
    return buffer.getvalue()


LIVE = wav(sound(200_000))
"""Length that suffices for ffmpeg to recognise the format."""


def opened(source: FfmpegSource) -> FfmpegSource:
    source.open()
    return source


def read_some(source: FfmpegSource) -> Block:
    return until(lambda: source.read(1_000))


def until(something: Callable[[], Found | None]) -> Found:
    deadline = time.monotonic() + DEADLINE_S
    while (it := something()) is None:
        assert time.monotonic() < deadline
        time.sleep(0.001)
    return it


def process_of(source: FfmpegSource) -> int:
    assert source._process is not None
    return source._process.pid


def is_gone(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.parametrize(("rate_hz", "channels"), [(16_000, 1), (48_000, 2), (384_000, 1)])
def test_contract_over_http(rate_hz: int, channels: int) -> None:
    x = sound(channels=channels)
    with served(http(wav(x, rate_hz))) as server:
        check_source(lambda: url_stream(f"http://{server}/a.wav"), x, rate_hz)


def test_rtsp() -> None:
    x = sound(3_200)
    with served(rtsp(x, 16_000)) as server:
        source = opened(url_stream(f"rtsp://{server}/camera"))
        assert (source.rate_hz, source.channels) == (16_000, 1)
        got: list[Array] = []
        with pytest.raises(
            EndedError, match=r"camera ended after frame 3200: its server closed the conn.*; expected"
        ):
            until(lambda: kept(source.read(1_000), got))
        np.testing.assert_array_equal(np.concatenate(got), x)


def test_the_pipe_keeps_what_is_not_read_yet() -> None:
    with served(stalling(LIVE)) as server:
        source = opened(url_stream(f"http://{server}/"))
        first = read_some(source)
        assert first.captured_at is None
        until(lambda: source.backlog_frames() or None)
        assert source.skip(source.backlog_frames()) == 0
        second = read_some(source)
        assert second.start == first.stop
        source.close()
        assert source.backlog_frames() == 0


def test_nothing_is_held_back_for_more_to_come() -> None:
    with served(stalling(LIVE)) as server:
        source = opened(url_stream(f"http://{server}/"))
        until(lambda: ((block := source.read(10_000)) and block.stop == 200_000) or None)
        source.close()


def test_a_stream_that_stalls_has_failed() -> None:
    now = [0.0]
    with served(stalling(LIVE)) as server:
        source = FfmpegSource(
            "URL live", ["-i", f"http://{server}/"], stall_timeout_s=10.0, clock=lambda: now[0]
        )
        opened(source)
        process = process_of(source)
        read_some(source)
        now[0] += 9.9
        while source.read(10_000) is not None:
            now[0] += 0.1
        with pytest.raises(
            StreamError, match=r"URL live stalled: nothing came for 10 s after frame \d+; expected"
        ):
            until(lambda: stalled(source, now))
        assert source.ended
        assert source.read(10) is None
        assert is_gone(process)


def stalled(source: FfmpegSource, now: list[float]) -> None:
    now[0] += 3.0
    source.read(10_000)


def test_a_server_that_says_nothing_is_given_up() -> None:
    with served(stalling(b"")) as server:
        source = FfmpegSource("URL mute", ["-i", f"http://{server}/"], open_timeout_s=0.2)
        with pytest.raises(
            StreamError, match=r"URL mute gave no sound within 0.2 s; expected a stream that runs"
        ):
            source.open()
        assert source.ended


def test_a_missing_page_is_told() -> None:
    with (
        served(http(b"", "404 Not Found")) as server,
        pytest.raises(
            StreamError, match=r"URL http://127.* cannot be opened by ffmpeg \(.*404 Not Found\); expected"
        ),
    ):
        url_stream(f"http://{server}/a.mp3").open()


def test_a_refused_connection_is_told_without_the_password() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(StreamError, match=r"URL http://\*\*\*@127.* \(.*Connection refused\)") as refusal:
        url_stream(f"http://user:secret@127.0.0.1:{port}/").open()
    assert "secret" not in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_page_that_is_no_sound_is_told() -> None:
    with (
        served(http(b"<html>no sound</html>")) as server,
        pytest.raises(StreamError, match=r"cannot be opened by ffmpeg \(Invalid data found"),
    ):
        url_stream(f"http://{server}/").open()


@pytest.mark.parametrize("body", [b"", b"<html>no sound</html>"])
def test_a_connection_that_ends_before_any_sound_is_told(body: bytes) -> None:
    with (
        served(live([(0.0, body)])) as server,
        pytest.raises(
            StreamError,
            match=rf"cannot be opened by ffmpeg \(Stream ends after {len(body)} bytes\); expected",
        ),
    ):
        url_stream(f"http://{server}/").open()


def test_the_error_that_says_most_is_told() -> None:
    with (
        served(lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as server,
        pytest.raises(StreamError, match=r"cannot be opened by ffmpeg \((?!Input/output error).*TLS"),
    ):
        url_stream(f"https://{server}/").open()


def test_a_sound_without_frames_is_told() -> None:
    with (
        served(http(wav(sound(0)))) as server,
        pytest.raises(StreamError, match=r"holds no sound \(0 frames\)"),
    ):
        read_all(opened(url_stream(f"http://{server}/")))


def test_a_rate_out_of_range_is_refused() -> None:
    with (
        served(http(wav(sound(), 1_000))) as server,
        pytest.raises(
            StreamError, match=r"URL http.* has a sample rate of 1000 Hz; expected 4000 to 384000 Hz"
        ),
    ):
        url_stream(f"http://{server}/").open()


def test_a_connection_cut_short_is_told() -> None:
    body = wav(sound(100_000))
    got: list[Array] = []
    with served(http(body, sent=100_000)) as server:
        source = opened(url_stream(f"http://{server}/a.wav"))
        with pytest.raises(
            StreamError, match=r"cut short after 3.12 s of 6.25 s \(ffmpeg: .*\); expected the whole"
        ):
            until(lambda: kept(source.read(1_000), got))
    assert 40_000 < sum(map(len, got)) <= 50_000


def test_a_page_does_not_reach_into_this_machine(tmp_path: Path) -> None:
    path = tmp_path / "private.wav"
    path.write_bytes(wav(sound()))
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{path}\n#EXT-X-ENDLIST\n"
    with (
        served(http(playlist.encode())) as server,
        pytest.raises(StreamError, match="cannot be opened by ffmpeg"),
    ):
        url_stream(f"http://{server}/a.m3u8").open()


@pytest.mark.parametrize(
    "url", ["concat:/etc/hosts|/etc/hosts", "file:///etc/hosts", "lavfi:anoisesrc", "plain"]
)
def test_other_schemes_are_refused(url: str) -> None:
    with pytest.raises(ConfigError, match=r"URL '.*' has scheme '\w*'; expected one of http, https, rtsp"):
        url_stream(url)


def test_an_ffmpeg_that_dies_is_told() -> None:
    with served(stalling(LIVE)) as server:
        source = opened(url_stream(f"http://{server}/"))
        read_some(source)
        os.kill(process_of(source), signal.SIGKILL)
        with pytest.raises(
            StreamError, match=r"URL .* failed after \d+ frames \(ffmpeg: .*\); expected sound to its"
        ):
            until(lambda: kept(source.read(10_000), []))
        assert source.ended


def test_a_process_ends_with_its_source() -> None:
    with served(stalling(LIVE)) as server:
        source = opened(url_stream(f"http://{server}/"))
        process = process_of(source)
        assert not is_gone(process)
        source.close()
        source.close()
        assert is_gone(process)
        assert source.ended
        assert source.read(10) is None


def test_a_talkative_ffmpeg_is_not_held_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    x = sound(50_000)
    header = b".snd" + b"".join(n.to_bytes(4, "big") for n in (24, 2**32 - 1, 6, 16_000, 1))
    (tmp_path / "sound.au").write_bytes(header + x.astype(">f4").tobytes())
    script = tmp_path / "ffmpeg"
    script.write_text(
        f"#!{sys.executable}\nimport sys, shutil\nsys.stderr.write('complaint\\n' * 100_000)\n"
        f"shutil.copyfileobj(open({str(tmp_path / 'sound.au')!r}, 'rb'), sys.stdout.buffer)\n"
        "sys.stderr.write('[x @ 0x1] the last one\\n' * 100_000)\nsys.exit(3)\n"
    )
    script.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    source = opened(MediaFileSource(tmp_path / "any"))
    got: list[Array] = []
    with pytest.raises(StreamError, match=r"any failed after 50000 frames \(ffmpeg: the last one\)"):
        until(lambda: kept(source.read(7_000), got))
    np.testing.assert_array_equal(np.concatenate(got), x)


def kept(block: Block | None, blocks: list[Array]) -> None:
    if block is not None:
        blocks.append(block.samples)


def test_without_ffmpeg_it_is_told_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        StreamError, match=r"needs the program ffmpeg.*`sudo apt-get install ffmpeg` or `brew install"
    ):
        MediaFileSource(tmp_path / "a.m4a").open()


def test_live_sound_is_left_to_gather() -> None:
    now = [0.0]
    with served(stalling(LIVE)) as server:
        source = FfmpegSource("URL live", ["-i", f"http://{server}/"], clock=lambda: now[0])
        opened(source)
        now[0] += 0.1
        read_some(source)  # 62 ms, in 100 ms
        assert source.wait_s(TURN_S) == pytest.approx(TURN_S)
        now[0] += 0.001
        read_some(source)  # 62 ms, in 1 ms: its writer waits
        assert source.wait_s(TURN_S) == POLL_S
        source.close()


def test_what_is_no_url_is_refused_without_its_password() -> None:
    with pytest.raises(
        ConfigError, match=r"URL 'http://\*\*\*@\[::1/a' cannot be read \(.*\); expected SCHEME"
    ):
        url_stream("http://user:secret@[::1/a")
