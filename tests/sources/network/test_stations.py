"""Test live sound of HTTP, as of radio stations: it has no gap but its pauses, and its end is told."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from contextlib import closing
from pathlib import Path
from queue import Queue

import numpy as np
import pytest
import soundfile

from streamer.errors import EndedError
from streamer.sources.network.url_stream import UrlStream, url_stream
from streamer.sources.source import Block
from tests.conftest import DEADLINE_S
from tests.sources.ffmpeg.test_ffmpeg_source import sound, wav
from tests.sources.network.url_sounds import OPEN_ENDED, RATE, blocks_of, gaps, pcm
from tests.sources.servers import live, request, served, stalling

pytestmark = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")


def test_a_pause_of_a_live_stream_is_a_gap() -> None:
    x = sound(3 * RATE)
    piece = RATE // 20
    pieces = [(0.05, pcm(x[start : start + piece])) for start in range(0, 3 * RATE, piece)]
    pieces += [(2.0, pcm(x[:piece])), *pieces[:10]]
    with served(live([(0.0, OPEN_ENDED), *pieces])) as server:
        source = url_stream(f"http://{server}/")
        blocks, error = blocks_of(source)
    [(place, lost)] = gaps(blocks)
    assert abs(place - 3 * RATE) <= piece
    assert lost / RATE == pytest.approx(2.0, abs=0.25)
    assert source.counts.lost_frames == lost
    assert isinstance(error, EndedError)
    assert all(block.captured_at is not None for block in blocks)


def test_a_live_stream_that_ends_says_so() -> None:
    x = sound(RATE)
    pieces = [(0.05, pcm(x[start : start + 800])) for start in range(0, RATE, 800)]
    with served(live([(0.0, OPEN_ENDED), *pieces])) as server:
        _, error = blocks_of(url_stream(f"http://{server}/"))
    assert isinstance(error, EndedError)
    assert "ended after frame 16000: its server closed the connection; expected a live stream" in str(error)


def vorbis_of_clicks(folder: Path, rate_hz: int, ending: str = "ogg") -> bytes:
    """Return 3 s of Vorbis with clicks, at each of which long blocks give way to short ones.

    A container other than Ogg gets the packets with the time stamps that ffmpeg gave them in Ogg.
    """
    x = 0.01 * np.sin(0.05 * np.arange(3 * rate_hz))
    x[8_000::9_000] += 0.9
    soundfile.write(folder / "clicks.wav", x, rate_hz)
    ogg, written = folder / "clicks.ogg", folder / f"clicks.{ending}"
    quietly = ["ffmpeg", "-y", "-v", "error", "-i"]
    subprocess.run(
        [*quietly, str(folder / "clicks.wav"), "-c:a", "libvorbis", "-q:a", "-1", str(ogg)], check=True
    )
    if written != ogg:
        subprocess.run([*quietly, str(ogg), "-c", "copy", str(written)], check=True)
    return written.read_bytes()


@pytest.mark.parametrize("ending", ["ogg", "webm", "nut"])
def test_a_live_vorbis_whose_blocks_change_their_length_has_no_gap(tmp_path: Path, ending: str) -> None:
    x = vorbis_of_clicks(tmp_path, 44_100, ending)
    with served(live([(0.0, x)], "icy-name: Radio\r\n")) as server:
        source = UrlStream(f"http://{server}/", ["-i", f"http://{server}/"], clock=lambda: 0.0)
        blocks, error = blocks_of(source)
    assert isinstance(error, EndedError)
    assert gaps(blocks) == []
    assert blocks[-1].stop == pytest.approx(3 * 44_100, abs=1_024)


def test_a_station_whose_programmes_differ_in_rate_has_no_gap(tmp_path: Path) -> None:
    links = [vorbis_of_clicks(tmp_path, rate_hz) for rate_hz in (44_100, 48_000, 22_050)]
    with served(live([(0.0, b"".join(links))], "icy-name: Radio\r\n")) as server:
        source = UrlStream(f"http://{server}/", ["-i", f"http://{server}/"], clock=lambda: 0.0)
        blocks, error = blocks_of(source)
    assert isinstance(error, EndedError)
    assert gaps(blocks) == []
    assert blocks[-1].stop == pytest.approx(9 * 44_100, abs=0.05 * 44_100)


def test_a_radio_station_is_live_however_much_it_sends_at_first() -> None:
    headers = "icy-name: Radio\r\nicy-br: 128\r\n"
    with served(live([(0.0, wav(sound(20 * RATE)))], headers)) as server:
        _, error = blocks_of(url_stream(f"http://{server}/"))
    assert isinstance(error, EndedError)


def test_a_station_that_begins_with_a_burst_becomes_live_without_a_gap() -> None:
    now, pieces = [0.0], Queue[bytes]()

    def answer(connection: socket.socket) -> None:
        if request(connection):
            connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + OPEN_ENDED)
            while piece := pieces.get(timeout=DEADLINE_S):
                connection.sendall(piece)

    x = sound(12 * RATE)
    pieces.put(pcm(x[: 4 * RATE]))
    with served(answer) as server:
        source = UrlStream(f"http://{server}/", ["-i", f"http://{server}/"], clock=lambda: now[0])
        with closing(source):
            source.open()
            assert not source.is_live
            blocks: list[Block] = []
            for stop in range(4 * RATE, len(x), RATE // 10):
                pieces.put(pcm(x[stop : stop + RATE // 10]))
                now[0] += 0.1
                deadline = time.monotonic() + DEADLINE_S
                while not blocks or blocks[-1].stop < stop:
                    assert time.monotonic() < deadline
                    if (block := source.read(RATE)) is not None:
                        blocks.append(block)
            pieces.put(b"")
            assert source.is_live
    assert gaps(blocks) == []
    assert blocks[-1].captured_at is not None


@pytest.mark.parametrize(("options", "length"), [("libmp3lame -f mp3", 40_000), ("aac -f adts", 24_000)])
def test_a_station_that_begins_within_a_frame_is_recognised_soon(options: str, length: int) -> None:
    tone = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=440:d=9:r=44100", "-b:a", "64k", "-c:a"]
    sound = subprocess.run([*tone, *options.split(), "-"], capture_output=True, check=True).stdout
    cut = sound[5_001 : 5_001 + length]  # ffmpeg by itself would wait for more
    with served(stalling(cut)) as server, closing(url_stream(f"http://{server}/")) as source:
        for _ in range(2):
            source.open()
            assert (source.rate_hz, source.channels) == (44_100, 1)
            source.close()
