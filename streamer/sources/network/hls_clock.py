"""Keep the times of an HLS stream right for as long as it runs: its clock and its time stamps drift apart, or jump."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from streamer.sources.network.hls_dates import HlsDates

REFRESH_S = 60.0
"""Time from one look at the playlists to the next."""

TOLERANCE_S = 0.25
"""Largest difference that is left: ffmpeg may hold back the last packets of a piece."""

AGREE_S = 0.1
"""Largest difference of two pieces that say the same."""

THREAD = "dates"
"""Name of the thread that reads playlists, since the network may be slow."""


class HlsClock:
    """Compares the dates of pieces with the time stamps of their sound.

    While nothing comes, the piece that was opened last has come whole, or the network is slow within a piece. So two
    pieces must say the same before they are believed.

    Parameters
    ----------
    dates : HlsDates
        Dates that were read at the opening.
    clock : callable
        Returns seconds; `time.monotonic` except in tests.
    """

    def __init__(self, dates: HlsDates, clock: Callable[[], float] = time.monotonic) -> None:
        self._dates = dates
        self._clock = clock
        self._read_at = clock()
        self._read_for = ""
        self._reading: threading.Thread | None = None
        self._doubt: tuple[str, float] | None = None

    def corrected(self, opened: Sequence[str], stop_s: float, zero_at: float | None) -> float | None:
        """Return the time at which the sender captured the frame with time stamp 0, while nothing comes.

        Parameters
        ----------
        opened : sequence of str
            Addresses that ffmpeg opened last, in order.
        stop_s : float
            Time stamp of the end of the sound that has come, in seconds.
        zero_at : float or None
            The same time as it is believed so far, in seconds since 1970; None if it is not known.
        """
        if self._reading is not None and self._reading.is_alive():
            return zero_at
        piece, end = self._dates.last(opened)
        if end is None:
            self._read_if_due(piece, is_wanted=zero_at is None or self._doubt is not None)
            return zero_at
        found = end - stop_s
        before, self._doubt = self._doubt, None
        if zero_at is not None and abs(found - zero_at) <= TOLERANCE_S:
            return zero_at
        if before is not None and before[0] != piece and abs(before[1] - found) <= AGREE_S:
            return found
        self._doubt = (piece, found)
        return zero_at

    def _read_if_due(self, piece: str, is_wanted: bool) -> None:
        """Read the playlists on a thread, once for a piece, if that is wanted now or due anyway."""
        if piece == self._read_for or not (is_wanted or self._clock() - self._read_at >= REFRESH_S):
            return
        self._read_at, self._read_for = self._clock(), piece
        self._reading = threading.Thread(target=self._dates.read, name=THREAD, daemon=True)
        self._reading.start()
