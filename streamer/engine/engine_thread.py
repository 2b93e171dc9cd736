"""Run an engine on a thread of its own, for callers that go on with something else meanwhile."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

from streamer.engine.engine import Engine


class EngineThread:
    """Runs an engine on a thread of its own; a ``with`` block starts it, and ends it when left.

    Parameters
    ----------
    engine : Engine
        Not yet run.

    Attributes
    ----------
    stop_requested : threading.Event
        Event that the caller, or a signal handler, sets to end the engine in order.
    """

    def __init__(self, engine: Engine) -> None:
        self.stop_requested = threading.Event()
        self._engine = engine
        self._failure: BaseException | None = None
        # A daemon, so that a program whose main thread ends can still stop it: Python joins all others first.
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)

    def start(self) -> None:
        """Start the thread and return at once; the thread then opens sinks and streams."""
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether the engine has not ended yet."""
        return self._thread.is_alive()

    def join(self, timeout_s: float | None = None) -> None:
        """Wait until the engine has ended, at most `timeout_s` seconds; None waits for ever."""
        if self._thread is not threading.current_thread():  # where garbage is collected on it
            self._thread.join(timeout_s)

    def raise_failure(self) -> None:
        """Raise, on the caller's thread, the error that ended the engine, if there was one; it is raised only once.

        Call it after `join`. An error that ended a single stream is not raised; it is in `Stream.error`.
        """
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop_requested.set()
        self.join()

    def _run(self) -> None:
        try:
            self._engine.run(self.stop_requested)
        except BaseException as error:  # noqa: BLE001 - raised again on the caller's thread
            self._failure = error
