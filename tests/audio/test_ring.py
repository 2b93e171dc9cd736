"""Test the ring against a simple model, with a racing writer, and with PortAudio's callback."""

from __future__ import annotations

import ctypes
import threading

import numpy as np
import pytest
from numba import njit

from streamer.audio.ring import RingBuffer
from streamer.audio.ring_kernels import INPUT_OVERFLOW, PA_CONTINUE, capture_callback, write_frames

RATE_HZ = 1_000


def counting(start: int, frames: int, channels: int = 1) -> np.ndarray:
    """Make frames whose values are their index, plus a quarter times the channel; exact in float32."""
    return (np.arange(start, start + frames)[:, None] % 2**20 + np.arange(channels) / 4).astype(np.float32)


class ModelRing:
    """A model of the ring: a plain list of the frames that it still holds."""

    def __init__(self, capacity: int) -> None:
        self.capacity, self.written, self.position, self.lost = capacity, 0, 0, 0
        self.held: list[int] = []

    def write(self, frames: int, lost: int) -> None:
        start = self.written + lost
        self.written = start + frames
        self.held = [
            i for i in [*self.held, *range(start, self.written)] if i >= self.written - self.capacity
        ]

    def read(self, max_frames: int) -> list[int]:
        waiting = [i for i in self.held if i >= self.position]
        run = [i for n, i in enumerate(waiting) if i == waiting[0] + n][:max_frames]
        start = waiting[0] if waiting else self.written
        self.lost += start - self.position
        self.position = start + len(run)
        return run

    def skip(self, frames: int) -> int:
        oldest = max(self.position, self.written - self.capacity)
        dropped = min(frames, self.written - oldest)
        self.lost += oldest - self.position
        self.position = oldest + dropped
        return dropped


@pytest.mark.parametrize("seed", range(30))
def test_equals_the_model_under_random_use(seed: int) -> None:
    rng = np.random.default_rng(seed)
    capacity, channels = int(rng.integers(1, 40)), int(rng.integers(1, 4))
    ring, model = RingBuffer(capacity, channels, RATE_HZ), ModelRing(capacity)
    for _ in range(300):
        action, frames = rng.integers(4), int(rng.integers(0, 50))
        if action <= 1:
            lost = int(rng.integers(1, 60)) if rng.random() < 0.2 else 0
            ring.write(counting(model.written + lost, frames, channels), lost_frames=lost)
            model.write(frames, lost)
        elif action == 2:
            expected, got = model.read(frames), ring.read(frames)
            if got is None:
                assert expected == [] or frames == 0
            else:
                assert got[0] == expected[0]
                np.testing.assert_array_equal(got[1], counting(expected[0], len(expected), channels))
        else:
            assert ring.skip(frames) == model.skip(frames)
        assert ring.written_frames == model.written
        assert ring.backlog_frames == min(model.written - model.position, capacity)
        assert ring.lost_frames == model.lost


def read_all(ring: RingBuffer, max_frames: int) -> list[tuple[int, int]]:
    """Read until nothing is left; return (start, stop) of each block."""
    runs = []
    while ring.backlog_frames:
        if (block := ring.read(max_frames)) is not None:
            runs.append((block[0], block[0] + len(block[1])))
    return runs


def test_more_holes_than_it_remembers_lose_sound_but_never_invent_it() -> None:
    ring = RingBuffer(10_000, 1, RATE_HZ)
    for _ in range(200):
        ring.write(counting(ring.written_frames + 3, 2), lost_frames=3)
    runs = read_all(ring, 100)
    assert all(start % 5 == 3 and stop % 5 == 0 for start, stop in runs)
    assert runs[-1][1] == ring.written_frames == 1_000
    assert len(runs) >= 60
    assert ring.lost_frames == 1_000 - 2 * len(runs)


def test_an_overwritten_backlog_is_a_counted_jump() -> None:
    ring = RingBuffer(100, 2, RATE_HZ)
    for start in range(0, 250, 50):
        ring.write(counting(start, 50, 2))
    start, samples = ring.read(1_000) or pytest.fail("nothing to read")
    assert (start, len(samples), ring.lost_frames) == (150, 100, 150)
    np.testing.assert_array_equal(samples, counting(150, 100, 2))


def test_the_time_of_a_frame_counts_back_from_the_newest() -> None:
    ring = RingBuffer(1_000, 1, RATE_HZ)
    assert ring.time_of(0) is None
    ring.write(counting(0, 100), captured_at=50.0)
    ring.read(10)
    assert ring.time_of(100) == 50.0
    assert ring.time_of(10) == pytest.approx(50.0 - 0.090)


@pytest.mark.parametrize("sizes", [(0, 1, 1), (1, 0, 1), (1, 1, 0)])
def test_nonsense_sizes_are_refused(sizes: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="expected each to be 1 or more"):
        RingBuffer(*sizes)


@njit(nogil=True)
def write_counting(memory: np.ndarray, blocks: int, frames: int, pause: int, hole_every: int) -> float:
    """Write counting frames as fast as possible, or with a pause of some square roots between blocks."""
    block = np.empty((frames, 2), np.float32)
    index, busy = 0, 1.5
    for k in range(blocks):
        lost = 7 if hole_every > 0 and k % hole_every == hole_every - 1 else 0
        index += lost
        for i in range(frames):
            block[i, 0] = (index + i) % 2**20
            block[i, 1] = block[i, 0] + 0.25
        write_frames(memory, block, float(index + frames), lost)
        index += frames
        for _ in range(pause):
            busy = np.sqrt(busy + 1.0)
    return busy


@pytest.mark.parametrize("pause", [0, 1_000, 20_000])
@pytest.mark.parametrize("hole_every", [0, 1, 5])
def test_a_racing_writer_is_never_misread(pause: int, hole_every: int) -> None:
    ring = RingBuffer(1_024, 2, 1)
    blocks = 40_000_000 // (1_000 + 2 * pause)
    write_counting(RingBuffer(64, 2, 1)._memory, 1, 1, 0, 0)  # compiled before the race
    arguments = (ring._memory, blocks, 61, pause, hole_every)
    writer = threading.Thread(target=write_counting, args=arguments)
    writer.start()
    position = delivered = 0
    while writer.is_alive() or ring.backlog_frames:
        block = ring.read(700)
        if block is None:
            continue
        start, samples = block
        assert start >= position
        np.testing.assert_array_equal(samples, counting(start, len(samples), 2))
        if hole_every:  # a round is a hole of 7 and `hole_every` blocks; no run reaches into a hole
            in_round = (start - 61 * (hole_every - 1)) % (61 * hole_every + 7)
            assert 7 <= in_round <= in_round + len(samples) <= 61 * hole_every + 7
        time = ring.time_of(ring.written_frames)
        assert time is None or time <= ring.written_frames
        position = start + len(samples)
        delivered += len(samples)
    writer.join()
    assert delivered > 0
    assert delivered + ring.lost_frames == position == ring.written_frames
    assert ring.written_frames == 61 * blocks + 7 * (blocks // hole_every if hole_every else 0)


def call_back(ring: RingBuffer, block: np.ndarray, adc_time: float, now: float, flags: int = 0) -> int:
    """Call the compiled callback as PortAudio does."""
    times = np.array([adc_time, now, 0.0])
    floats, doubles = ctypes.POINTER(ctypes.c_float), ctypes.POINTER(ctypes.c_double)
    return capture_callback().ctypes(
        block.ctypes.data_as(floats),
        None,
        len(block),
        times.ctypes.data_as(doubles),
        flags,
        ctypes.cast(ring.address, ctypes.POINTER(ctypes.c_int64)),
    )


def test_the_callback_copies_and_notes_the_time() -> None:
    ring = RingBuffer(1_000, 2, RATE_HZ)
    assert call_back(ring, counting(0, 10, 2), adc_time=4.9, now=5.0) == PA_CONTINUE
    start, samples = ring.read(100) or pytest.fail("nothing to read")
    assert (start, ring.overruns) == (0, 0)
    np.testing.assert_array_equal(samples, counting(0, 10, 2))
    assert ring.time_of(10) == pytest.approx(4.91)


@pytest.mark.parametrize("adc_time", [0.0, -20.0, 4.999, 1e9, float("nan")])
def test_an_impossible_adc_time_becomes_the_time_of_arrival(adc_time: float) -> None:
    ring = RingBuffer(1_000, 1, RATE_HZ)
    call_back(ring, counting(0, 10), adc_time, now=5.0)
    ring.read(100)
    assert ring.time_of(10) == 5.0


@pytest.mark.parametrize(("now", "lost"), [(5.04, 30), (5.01, 1), (3.0, 1)])
def test_an_overflow_is_a_gap_as_long_as_the_clock_says(now: float, lost: int) -> None:
    ring = RingBuffer(1_000, 1, RATE_HZ)
    call_back(ring, counting(0, 10), 0.0, 5.0)
    call_back(ring, counting(10 + lost, 10), 0.0, now + 1e-6, INPUT_OVERFLOW)
    assert read_all(ring, 100) == [(0, 10), (10 + lost, 20 + lost)]
    assert (ring.overruns, ring.lost_frames) == (1, lost)


def test_an_overflow_before_the_first_frame_is_counted_only() -> None:
    ring = RingBuffer(1_000, 1, RATE_HZ)
    call_back(ring, counting(0, 10), 0.0, 5.0, INPUT_OVERFLOW)
    assert read_all(ring, 100) == [(0, 10)]
    assert (ring.overruns, ring.lost_frames) == (1, 0)


def test_skipping_a_negative_count_does_not_go_back() -> None:
    ring = RingBuffer(10, 1, RATE_HZ)
    ring.write(counting(0, 8))
    assert ring.skip(5) == 5
    assert ring.skip(-3) == 0
    taken = ring.read(10)
    assert taken is not None
    assert taken[0] == 5
