"""Test live sound of RTSP, as of cameras: lost packets are gaps, and stamps give the times."""

from __future__ import annotations

import shutil
import time

import numpy as np
import pytest

from streamer.errors import EndedError, StreamError
from streamer.sources.network.url_stream import url_stream
from tests.sources.ffmpeg.test_ffmpeg_source import sound
from tests.sources.network.url_sounds import RATE, blocks_of, gaps
from tests.sources.servers import RTP_FRAMES, Faults, rtsp, served

pytestmark = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")


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
