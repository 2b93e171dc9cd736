"""Test that segments which were encoded one by one do not make the sound longer."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import pairwise

import pytest

from streamer.sources.timing.overlaps import HELD_FRAMES, STEP_S, Overlaps, PacketPart

FRAMES, PRIMING = 1_024, 1_024
"""Length of a packet of AAC, and of its priming."""


def packets_of(segments: int, segment_s: float, rate_hz: int) -> list[tuple[int, int, int]]:
    """Return stamp, frames and true stamp of packets, as ffmpeg gives them: no stamp goes back."""
    found, last = [], 0
    for segment in range(segments):
        begin = round((1.4 + segment * segment_s) * rate_hz)
        for packet in range(-(-round(segment_s * rate_hz + PRIMING) // FRAMES)):
            true = begin - PRIMING + packet * FRAMES
            last = max(last, true)
            found.append((last, FRAMES, true))
    return found


@dataclass(frozen=True)
class Kept:
    """Frames that are kept: the true stamp and the index of the first one, and their number."""

    true: int
    index: int
    frames: int


def heard(overlaps: Overlaps, packets: list[tuple[int, int, int]]) -> list[Kept]:
    pieces: deque[PacketPart] = deque()
    for stamp, frames, _ in packets:
        pieces.extend(overlaps.note(stamp, frames))
    pieces.extend(overlaps.rest())
    kept, index = [], 0
    for _, frames, true in packets:
        left = frames
        while left:
            piece = pieces.popleft()
            taken = min(left, piece.frames)
            if piece.is_kept and taken:
                kept.append(Kept(true + frames - left, index, taken))
                index += taken
            left -= taken
            if taken < piece.frames:
                pieces.appendleft(PacketPart(None, piece.frames - taken, piece.is_kept))
    assert sum(piece.frames for piece in pieces) == 0
    return kept


def drift(kept: list[Kept]) -> int:
    """Return how far the index is at most from the stream's clock."""
    return max(abs(piece.true - kept[0].true - piece.index) for piece in kept)


@pytest.mark.parametrize("rate_hz", [16_000, 44_100, 48_000])
@pytest.mark.parametrize("segment_s", [1.0, 2.0, 6.0])
def test_the_index_stays_with_the_stream_s_clock_for_an_hour(rate_hz: int, segment_s: float) -> None:
    packets = packets_of(round(3_600 / segment_s), segment_s, rate_hz)
    kept = heard(Overlaps(rate_hz, PRIMING), packets)
    assert drift(kept) <= STEP_S * rate_hz + FRAMES
    assert sum(frames for _, frames, _ in packets) / rate_hz > 3_600 * (1 + PRIMING / rate_hz / segment_s)


def test_what_is_cut_is_priming_and_padding() -> None:
    rate_hz, segments = 16_000, 5
    kept = heard(Overlaps(rate_hz, PRIMING), packets_of(segments, 2.0, rate_hz))
    joints = [round((1.4 + 2.0 * segment) * rate_hz) for segment in range(1, segments)]
    cuts = [after.true for before, after in pairwise(kept) if before.index + before.frames != after.index]
    ends = [before.true + before.frames for before, after in pairwise(kept) if after.true in joints]
    assert cuts == []  # the index goes on without a gap
    assert ends == joints  # the end of a segment is cut where the sound of the next begins


def test_a_stream_of_one_encoder_is_left_as_it_is() -> None:
    overlaps = Overlaps(44_100, PRIMING)
    pieces = [piece for n in range(1_000) for piece in overlaps.note(22_400 + n * FRAMES, FRAMES)]
    held = overlaps.rest()
    assert sum(piece.frames for piece in held) <= HELD_FRAMES + FRAMES
    assert all(piece.is_kept for piece in [*pieces, *held])


def test_stamps_that_begin_anew_are_told() -> None:
    packets = packets_of(1, 2.0, 16_000)
    again = [(packets[-1][0], frames, true) for _, frames, true in packets]
    overlaps = Overlaps(16_000, PRIMING)
    kept = heard(overlaps, packets + again)
    assert overlaps.begins_anew
    assert sum(piece.frames for piece in kept) == 2 * len(packets) * FRAMES - PRIMING


def test_small_overlaps_add_up_until_they_are_cut() -> None:
    rate_hz, frames = 48_000, 1_000
    packets, stamp = [], 0
    for packet in range(3_000):
        packets.append((stamp, frames, stamp))
        stamp += frames - (100 if packet % 20 == 19 else 0)
    assert drift(heard(Overlaps(rate_hz, 0), packets)) <= STEP_S * rate_hz + frames
