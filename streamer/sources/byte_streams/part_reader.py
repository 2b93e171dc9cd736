"""Read bytes as they come, file by file, if several were joined end to end."""

from __future__ import annotations

import re

from streamer.sources.formats.joints import MARK_BYTES, OGG, OGG_HEADER_BYTES, mark_of, page_end
from streamer.sources.formats.mpeg_begin import (
    FIRST_FRAME_BYTES,
    TAG_HEADER_BYTES,
    first_frame,
    is_unknown,
    tag_bytes,
)
from streamer.sources.pipes.pipe import PipeReader

HELD_BYTES = 27 + 255
"""Number of bytes behind a mark that tell whether it is a joint: the longest header of an Ogg page."""

KEPT_HEAD_BYTES = 1 << 16
"""Number of first bytes of a part that are kept."""


class PartReader:
    """Gives the bytes of one file (a *part*) as they come, up to the joint at which the next one begins; never waits.

    Once `goes_on` is True, `next_part` makes `read` give the bytes of the next part. Tags before a part are left out,
    and what else stands before MPEG sound, so that `head` is that of the sound.

    Parameters
    ----------
    reader : PipeReader
        Reader of single bytes.

    Attributes
    ----------
    head : bytes
        First bytes of the present part, as far as they have come.
    goes_on : bool
        Whether another part follows the present one, which was read to its end.
    """

    def __init__(self, reader: PipeReader) -> None:
        self._reader = reader
        self._waiting = bytearray()
        self._mark: re.Pattern[bytes] | None = None
        self._joint: int | None = None
        self._begin_part()

    def _begin_part(self) -> None:
        self.head = b""
        self._tag_left = 0
        self._has_passed_tags = False
        self.goes_on = False
        self._has_begun = False
        self._joint = None

    @property
    def ended(self) -> bool:
        """Whether the present part was read to its end."""
        return self.goes_on or (self._reader.ended and not self._waiting)

    def next_part(self) -> None:
        """Begin with the next part, once `goes_on` is True: `head`, `ended` and `read` are then about that one."""
        self._begin_part()

    def wait(self, timeout_s: float) -> None:
        """Wait at most `timeout_s` seconds for bytes."""
        self._reader.wait(timeout_s)

    def read(self, max_bytes: int) -> bytes:
        """Return the bytes of the present part that have come; `max_bytes` bounds what is fetched for it."""
        if self.ended:
            return b""
        if self._joint is None:
            self._waiting += self._reader.read(max_bytes)
        is_last = self._reader.ended
        if not self._has_passed_tags and not self._pass_tags(is_last):
            return b""
        if not self._has_begun:
            if not self._pass_other(is_last):
                return b""
            self._begin()
        length = self._free_bytes(is_last)
        data = bytes(memoryview(self._waiting)[:length])
        del self._waiting[:length]
        self._searched -= length
        self._beside -= length
        self.goes_on = self._joint == length
        self.head += data[: max(0, KEPT_HEAD_BYTES - len(self.head))]
        return data

    def _pass_tags(self, is_last: bool) -> bool:
        """Drop the tags before the part, such as pictures; return whether they have passed."""
        while True:
            passed = min(self._tag_left, len(self._waiting))
            del self._waiting[:passed]
            self._tag_left -= passed
            if self._tag_left or (len(self._waiting) < TAG_HEADER_BYTES and not is_last):
                return is_last and not self._waiting
            self._tag_left = tag_bytes(bytes(self._waiting[:TAG_HEADER_BYTES]))
            if self._tag_left == 0:
                self._has_passed_tags = True
                return True

    def _pass_other(self, is_last: bool) -> bool:
        """Drop what stands before MPEG sound; return whether the part begins with what waits."""
        if len(self._waiting) < HELD_BYTES and not is_last:
            return False
        head = bytes(self._waiting[:FIRST_FRAME_BYTES])
        if mark_of(head[:MARK_BYTES]) is not None or not is_unknown(head):
            return True
        found = first_frame(head)
        if found is None:
            return is_last or len(head) == FIRST_FRAME_BYTES
        del self._waiting[:found]
        return True

    def _begin(self) -> None:
        self._has_begun = True
        self._mark = mark_of(bytes(self._waiting[:MARK_BYTES]))
        self._searched = 1
        self._beside = self._page_end(0)

    def _page_end(self, page: int) -> int:
        """Return where the page ends that begins at `page`, of an Ogg; -1 for anything else."""
        return (
            page_end(self._waiting, page)
            if self._mark is OGG and len(self._waiting) > page + OGG_HEADER_BYTES
            else -1
        )

    def _free_bytes(self, is_last: bool) -> int:
        """Return the number of waiting bytes that certainly belong to the present part."""
        if self._mark is None:
            return len(self._waiting)
        known = len(self._waiting) if is_last else max(0, len(self._waiting) - HELD_BYTES)
        while (found := self._mark.search(self._waiting, self._searched)) and found.start() < known:
            self._searched = found.start() + 1
            if found.start() != self._beside:
                self._joint = found.start()
                return found.start()
            self._beside = self._page_end(found.start())
        self._searched = max(self._searched, known)
        return known
