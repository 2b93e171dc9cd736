"""Test that a start looks for no garbage, and that all else does."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from streamer.cli.helpers.quick_start import quick_start


class Cycle:
    """An object that only the collector frees."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture(autouse=True)
def _thaw() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_what_stands_at_the_end_is_left_out_of_later_collections() -> None:
    gc.unfreeze()
    with quick_start():
        assert not gc.isenabled()
        kept = [[n] for n in range(1_000)]
    assert gc.isenabled()
    assert gc.get_freeze_count() > len(kept)


def test_garbage_is_collected_afterwards_even_if_the_start_failed() -> None:
    with pytest.raises(ZeroDivisionError), quick_start():
        1 / 0  # noqa: B018
    assert gc.isenabled()
    alive = weakref.ref(Cycle())
    gc.collect()
    assert alive() is None
