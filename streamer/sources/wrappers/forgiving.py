"""Read a source that may fail without ending the stream of which it is a part."""

from __future__ import annotations

import logging

from streamer.errors import StreamerError
from streamer.sources.source import POLL_S, Block
from streamer.sources.wrappers.wrapper import SourceWrapper

logger = logging.getLogger(__name__)


class Forgiving(SourceWrapper):
    """The sound of a source that, if it fails, says so and ends: one of several files joined end to end."""

    _has_failed = False

    def open(self) -> None:
        try:
            super().open()
        except StreamerError as error:
            self._note(error)

    def read(self, max_frames: int) -> Block | None:
        try:
            return None if self._has_failed else super().read(max_frames)
        except StreamerError as error:
            self._note(error)
            return None

    def wait_s(self, turn_s: float) -> float:
        return POLL_S if self._has_failed else super().wait_s(turn_s)

    @property
    def ended(self) -> bool:
        return self._has_failed or super().ended

    def _note(self, error: StreamerError) -> None:
        self._has_failed = True
        logger.warning("%s; what comes after it is read", error)
