"""Run an engine for a command: until it is done, or the process is asked to stop."""

from __future__ import annotations

from collections.abc import Callable

from streamer.cli.helpers.signals import StoppedBySignal
from streamer.engine.engine import Engine
from streamer.engine.engine_thread import EngineThread


def run_engine(engine: Engine, tick: Callable[[], None], tick_s: float) -> bool:
    """Run an engine on its own thread until it is done or the process is asked to stop.

    SIGINT and SIGTERM end it in order; a second one ends the process at once.

    Parameters
    ----------
    engine : Engine
    tick : callable
        Called every `tick_s` seconds on this thread.
    tick_s : float

    Returns
    -------
    bool
        True if the process was asked to stop; False if the engine ended by itself.

    Raises
    ------
    StreamerError
        If the engine failed.
    """
    thread = EngineThread(engine)
    with StoppedBySignal(thread.stop_requested) as asked, thread:
        while thread.running:
            thread.join(tick_s)
            tick()
    thread.raise_failure()
    return asked.is_set()
