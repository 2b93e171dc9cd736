"""Signals while something runs: asked to stop, or hung up."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from typing import Self


class StoppedBySignal:
    """While entered, the first SIGINT or SIGTERM sets `stop` and what it gives; the next acts as it did before."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._asked = threading.Event()
        self._before: dict[int, object] = {}

    def __enter__(self) -> threading.Event:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._on_signal)
        return self._asked

    def _on_signal(self, *_: object) -> None:
        self._asked.set()
        self._stop.set()
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def __exit__(self, *exc: object) -> None:
        self._restore()


def has_terminal() -> bool:
    """Whether there is a terminal that could hang up."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True


class HungUp:
    """While entered, notes SIGHUP, so that none is lost; `answer` does what it asks for, on the thread that calls it.

    Sent to a program whose terminal was closed it asks to stop, as SIGTERM does; else, to begin anew in some way. Where
    it was ignored before (nohup), a terminal that is closed does not count.
    """

    def __init__(self) -> None:
        self._minds_terminal = signal.getsignal(signal.SIGHUP) != signal.SIG_IGN and has_terminal()
        self._noted = threading.Event()
        self._before: object = None

    def __enter__(self) -> Self:
        self._before = signal.signal(signal.SIGHUP, lambda *_: self._noted.set())
        return self

    def answer(self, then: Callable[[], None]) -> None:
        """Do what is due.

        Parameters
        ----------
        then : callable
            Begins anew.
        """
        if not self._noted.is_set():
            return
        self._noted.clear()
        if self._minds_terminal and not has_terminal():
            signal.raise_signal(signal.SIGTERM)
        else:
            then()

    def __exit__(self, *exc: object) -> None:
        signal.signal(signal.SIGHUP, self._before)  # type: ignore[arg-type]
