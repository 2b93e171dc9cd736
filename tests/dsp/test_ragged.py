"""Test items of streams that have different numbers of them."""

from __future__ import annotations

import numpy as np
import pytest

from streamer.dsp.ragged import allocated, filled, joined, of_equal_length, place_of


def test_parts_of_different_lengths_are_joined_and_found_again() -> None:
    parts = [np.full((length, 2), length, np.float32) for length in (3, 0, 5)]
    whole = joined(parts)
    assert (whole.values.shape, whole.counts.tolist(), whole.most) == ((3, 5, 2), [3, 0, 5], 5)
    for n, part in enumerate(parts):
        np.testing.assert_array_equal(whole.of(n)[0], part)


def test_a_single_part_is_not_copied() -> None:
    part = np.zeros((4, 2), np.float32)
    assert np.shares_memory(joined([part]).values, part)
    assert of_equal_length(part[None]).counts.tolist() == [4]


@pytest.mark.parametrize("counts", [[2, 1, 0], [4, 0, 4], [0, 0, 0]])
def test_what_a_kernel_filled_lies_as_kernels_take_it(counts: list[int]) -> None:
    values, room = allocated(3, 4, 5)
    values[:], room[:] = np.arange(60).reshape(3, 4, 5), counts
    found = filled(values, room)
    assert found.most == max(counts)
    assert found.values.flags.c_contiguous
    np.testing.assert_array_equal(found.values, values[:, : max(counts)])


@pytest.mark.parametrize(("rows", "expected"), [([3], slice(3, 4)), ([2, 3, 4], slice(2, 5)), ([0, 2], None)])
def test_adjacent_rows_are_a_slice(rows: list[int], expected: slice | None) -> None:
    place = place_of(np.array(rows))
    if expected is None:
        np.testing.assert_array_equal(place, rows)
    else:
        assert place == expected
