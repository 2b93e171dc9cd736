"""Test recordings by URL, and which URL is one."""

from __future__ import annotations

import shutil
import subprocess
import time
from contextlib import closing

import numpy as np
import pytest

from streamer.sources.network.url_stream import UrlStream, url_stream
from streamer.sources.timing.paced import Paced
from tests.conftest import DEADLINE_S
from tests.sources.ffmpeg.test_ffmpeg_source import sound, wav
from tests.sources.network.url_sounds import OPEN_ENDED, RATE, blocks_of, pcm
from tests.sources.servers import http, live, served
from tests.sources.source_contract import read_all

pytestmark = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")


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


def test_a_source_can_be_opened_again() -> None:
    x = sound(RATE)
    with served(http(wav(x))) as server:
        source = url_stream(f"http://{server}/")
        for _ in range(2):
            source.open()
            np.testing.assert_array_equal(read_all(source), x)
