"""Handle the signals that stop a command, or make it read its configuration again."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from typing import Self


class StoppedBySignal:
    """Sets `stop` at the first SIGINT or SIGTERM inside a ``with`` block; later signals act as if this did not exist.

    The block gets a `threading.Event` of its own, which is set only if a signal came.

    Parameters
    ----------
    stop : threading.Event
        Set by the first signal; whoever waits for it ends in order.
    """

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
    """Return whether the process has a terminal; if so, the closing of the terminal sends SIGHUP."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True


class HangupSignal:
    """Takes note of SIGHUP inside a ``with`` block; a loop in the block calls `handle`, which then stops or reloads.

    SIGHUP stops the program if its terminal has closed; otherwise it reloads. Where SIGHUP was ignored before (nohup),
    it always reloads. Python lets only the main thread enter and leave the block.
    """

    def __init__(self) -> None:
        self._ends_with_terminal = signal.getsignal(signal.SIGHUP) != signal.SIG_IGN and has_terminal()
        self._noted = threading.Event()
        self._before: object = None

    def __enter__(self) -> Self:
        self._before = signal.signal(signal.SIGHUP, lambda *_: self._noted.set())
        return self

    def handle(self, reload: Callable[[], None]) -> None:
        """Stop or reload, on the calling thread, if SIGHUP came since the last call; to stop, SIGTERM is raised.

        Parameters
        ----------
        reload : callable
            Called without arguments if SIGHUP means that the configuration is to be read again.
        """
        if not self._noted.is_set():
            return
        self._noted.clear()
        if self._ends_with_terminal and not has_terminal():
            signal.raise_signal(signal.SIGTERM)
        else:
            reload()

    def __exit__(self, *exc: object) -> None:
        signal.signal(signal.SIGHUP, self._before)  # type: ignore[arg-type]
