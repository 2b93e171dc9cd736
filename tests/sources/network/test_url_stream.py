"""Test live streams and recordings by URL: what is lost is placed, what breaks off is told."""

from __future__ import annotations

import shutil
import socket
import struct
import subprocess
import time
from contextlib import closing
from pathlib import Path
from queue import Queue

import numpy as np
import pytest
import soundfile

from streamer.arrays import Array
from streamer.errors import EndedError, StreamError
from streamer.sources.network.url_stream import UrlStream, url_stream
from streamer.sources.source import Block, Source
from streamer.sources.timing.paced import Paced
from tests.conftest import DEADLINE_S
from tests.sources.ffmpeg.test_ffmpeg_source import sound, wav
from tests.sources.servers import RTP_FRAMES, Faults, http, live, request, rtsp, served, stalling
from tests.sources.source_contract import read_all

pytestmark = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")

RATE = 16_000
OPEN_ENDED = struct.pack(">4s5I", b".snd", 24, 2**32 - 1, 3, RATE, 1)
"""Header of AU (16 bits, mono), without a length. ffmpeg would hold back the first two seconds of a WAV."""


@pytest.fixture(autouse=True)
def _straight_to_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)


def blocks_of(source: Source) -> tuple[list[Block], StreamError | None]:
    """Open a source and return all its blocks, and the error that ended it."""
    blocks: list[Block] = []
    deadline = time.monotonic() + DEADLINE_S
    source.open()
    try:
        while not source.ended:
            assert time.monotonic() < deadline
            if (block := source.read(10_000)) is not None:
                blocks.append(block)
            else:
                time.sleep(0.002)
    except StreamError as error:
        return blocks, error
    finally:
        source.close()
    return blocks, None


def gaps(blocks: list[Block]) -> list[tuple[int, int]]:
    """Return where sound is missing, and how many frames."""
    stops = [0, *(block.stop for block in blocks)]
    starts = [block.start for block in blocks]
    return [(stop, start - stop) for stop, start in zip(stops, starts, strict=False) if start != stop]


def pcm(x: Array) -> bytes:
    return np.round(x * 2**15).astype(">i2").tobytes()


def test_packets_that_are_lost_leave_a_gap_of_their_length() -> None:
    x = sound(2 * RATE)
    faults = Faults(lost=lambda packet: 40 <= packet < 70, pace_s=0.02)
    with served(rtsp(x, RATE, faults)) as server:
        source = url_stream(f"rtsp://{server}/camera")
        blocks, error = blocks_of(source)
    assert gaps(blocks) == [(40 * RTP_FRAMES, 30 * RTP_FRAMES)]
    assert blocks[-1].stop == 2 * RATE
    assert source.counts.lost_frames == 30 * RTP_FRAMES
    np.testing.assert_array_equal(
        np.concatenate([block.samples for block in blocks[-1:]]), x[blocks[-1].start :]
    )
    assert isinstance(error, EndedError)


def test_every_third_packet_is_missed() -> None:
    with served(rtsp(sound(RATE), RATE, Faults(lost=lambda packet: packet % 3 == 2, pace_s=0.02))) as server:
        blocks, _ = blocks_of(url_stream(f"rtsp://{server}/camera"))
    found = gaps(blocks)
    assert len(found) >= 15
    assert {frames for _, frames in found} == {RTP_FRAMES}
    assert all(start % (3 * RTP_FRAMES) == 2 * RTP_FRAMES for start, _ in found)


def test_a_camera_without_sound_is_told_at_once() -> None:
    with (
        served(rtsp(sound(RATE), RATE, Faults(has_sound=False))) as camera,
        pytest.raises(
            StreamError,
            match=r"cannot be opened by ffmpeg \(it has no sound track\); expected something with sound",
        ),
    ):
        url_stream(f"rtsp://{camera}/").open()


def test_a_camera_that_sets_its_clock_loses_nothing() -> None:
    faults = Faults(stamp=lambda frame: frame + (3_600 * RATE if frame >= RATE // 2 else 0), pace_s=0.02)
    with served(rtsp(sound(RATE), RATE, faults)) as server:
        blocks, _ = blocks_of(url_stream(f"rtsp://{server}/camera"))
    assert gaps(blocks) == []
    assert blocks[-1].stop == RATE


def test_live_sound_has_the_time_at_which_it_came() -> None:
    with served(rtsp(sound(RATE), RATE, Faults(pace_s=0.02))) as server:
        before = time.monotonic()
        blocks, _ = blocks_of(url_stream(f"rtsp://{server}/camera"))
        after = time.monotonic()
    times = [block.captured_at for block in blocks]
    assert all(at is not None and before < at < after for at in times)
    zero = [at - block.stop / RATE for at, block in zip(times, blocks, strict=True) if at is not None]
    assert max(zero) - min(zero) < 0.2


def test_a_camera_tells_its_clock() -> None:
    noon = 1_796_000_000.0
    reported = {5: noon + 5 * RTP_FRAMES / RATE, 30: noon + 30 * RTP_FRAMES / RATE}
    faults = Faults(stamp=lambda frame: frame + 90_000, pace_s=0.02, reported=reported.get)
    with served(rtsp(sound(RATE), RATE, faults)) as server:
        blocks, _ = blocks_of(url_stream(f"rtsp://{server}/camera"))
    told = [(block.stop, block.sent_at) for block in blocks if block.sent_at is not None]
    assert len(told) > 10
    for stop, sent_at in told:
        assert sent_at == pytest.approx(noon + stop / RATE, abs=1e-4)
    assert all(block.captured_at is not None for block in blocks)


def test_a_camera_whose_clock_is_set_keeps_its_index() -> None:
    noon, later = 1_796_000_000.0, 20 * RATE // RTP_FRAMES
    reported = {
        k: noon + k * RTP_FRAMES / RATE + (3_600 if k >= later else 0) for k in range(0, 2 * later, 50)
    }
    # ffmpeg takes a first time stamp of 0 for none, and gives the second packet the same one as the first.
    faults = Faults(stamp=lambda frame: frame + 90_000, pace_s=0.001, reported=reported.get)
    with served(rtsp(sound(40 * RATE), RATE, faults)) as server:
        blocks, _ = blocks_of(url_stream(f"rtsp://{server}/camera"))
    assert gaps(blocks) == []
    assert blocks[-1].stop == 40 * RATE
    told = [(block.stop, block.sent_at) for block in blocks if block.sent_at is not None]
    ahead = [round(sent_at - noon - stop / RATE, 3) for stop, sent_at in told]
    assert set(ahead) == {0.0, 3_600.0}
    assert ahead == sorted(ahead)


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


def test_a_recording_without_a_stated_length_ends_well() -> None:
    x = sound(5 * RATE)
    with served(live([(0.0, OPEN_ENDED + pcm(x))])) as server:
        source = url_stream(f"http://{server}/")
        source.open()
        np.testing.assert_array_equal(read_all(source), x)


def test_a_recording_that_is_sent_as_it_sounds_ends_well() -> None:
    x = sound(RATE)
    content = wav(x)
    pieces = [(0.05, content[start : start + 1_600]) for start in range(0, len(content), 1_600)]
    with served(live(pieces, f"Content-Length: {len(content)}\r\n")) as server:
        blocks, error = blocks_of(url_stream(f"http://{server}/"))
    assert error is None
    assert blocks[-1].stop == RATE


def test_a_recording_is_paced_when_asked() -> None:
    clock = [100.0]
    with served(http(wav(sound(4 * RATE)))) as server:
        source = Paced(url_stream(f"http://{server}/"), clock=lambda: clock[0])
        source.open()
        assert source.read(RATE) is None
        clock[0] += 1.0
        blocks = []
        while sum(len(block.samples) for block in blocks) < RATE:
            if (block := source.read(RATE)) is not None:
                blocks.append(block)
        assert source.read(RATE) is None
        assert blocks[-1].captured_at == 101.0
        source.close()


@pytest.mark.parametrize("channels", [1, 2])
def test_a_recording_remains_one_while_its_reader_sets_the_pace(channels: int) -> None:
    tone = [
        "ffmpeg",
        "-v",
        "error",
        "-f",
        "lavfi",
        "-i",
        "sine=440:d=25:r=44100",
        "-ac",
        str(channels),
        "-f",
        "mp3",
        "-",
    ]
    mp3 = subprocess.run(tone, capture_output=True, check=True).stdout
    now = [0.0]
    with served(http(mp3)) as server:
        source = UrlStream(f"http://{server}/", ["-i", f"http://{server}/"], clock=lambda: now[0])
        with closing(source):
            source.open()
            for _ in range(230):
                deadline = time.monotonic() + DEADLINE_S
                while not source._is_full and source._process and source._process.poll() is None:
                    assert time.monotonic() < deadline  # until ffmpeg waits for the reader, or is done
                    time.sleep(0.001)
                now[0] += 0.1
                block = source.read(4_410)
                assert block is not None
                assert block.captured_at is None


def test_the_scheme_may_be_written_in_capitals() -> None:
    x = sound()
    with served(http(wav(x))) as server:
        source = url_stream(f"HTTP://{server}/a.wav")
        source.open()
        np.testing.assert_array_equal(read_all(source), x)


def test_a_source_is_taken_to_be_live_until_it_is_open() -> None:
    assert UrlStream("http://127.0.0.1:1/", ["-i", "http://127.0.0.1:1/"]).is_live


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


def test_a_source_can_be_opened_again() -> None:
    x = sound(RATE)
    with served(http(wav(x))) as server:
        source = url_stream(f"http://{server}/")
        for _ in range(2):
            source.open()
            np.testing.assert_array_equal(read_all(source), x)
