"""Start a command without looking for garbage in what it imports and loads."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quick_start() -> Iterator[None]:
    """Collect no garbage inside a ``with`` block, and leave all that stands at its end out of later collections.

    Of 200,000 objects that a start makes, 1,400 are garbage. To look for it takes a tenth of the start; later, it stops
    the sound for 60 ms whenever all objects are looked at.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
