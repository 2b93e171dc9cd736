"""Do the work on many files in several processes, and hand out the results in the order of the files."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator
from contextlib import ExitStack
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, TypeAlias, TypeVar

import click

from streamer.cli.helpers.signals import StoppedBySignal
from streamer.errors import InterruptedByUserError, StreamError

Result = TypeVar("Result")
Work: TypeAlias = Callable[[int], Result]
"""Function that does the work with a number, counted from 0."""

LOOK_S = 0.1
"""Time after which it is looked whether the user asked to stop."""
END_S = 5.0
"""Longest wait for a process that was asked to end; then it is killed."""


def jobs_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a command with --jobs, which gives it a number of processes, or None."""
    option = click.option(
        "--jobs",
        type=click.IntRange(1),
        metavar="N",
        help="Files that are processed at a time, each in a process of its own.  [default: one for each core]",
    )
    return option(command)


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_processes(prepare: Callable[[], Work[Result]], count: int, jobs: int) -> Generator[Result]:
    """Do the work with each number below `count` in processes, and yield the results in order.

    A process does the work with one number at a time, and gets the next number when it is done. Close the generator to
    end the processes early.

    Parameters
    ----------
    prepare : callable
        Returns the work; it is called once in each process, so it must be possible to pickle it.
    count : int
        Number of pieces of work.
    jobs : int
        Number of processes; no more than `count` are started.

    Raises
    ------
    StreamError
        If a process ends before its work is done.
    InterruptedByUserError
        If this process was asked to stop.
    Exception
        What `prepare` or the work raises, in place of the result with that number; the other processes are ended.
    """
    stop = threading.Event()
    waiting: dict[int, Result | Exception] = {}
    numbers = iter(range(count))
    with ExitStack() as ending, StoppedBySignal(stop):
        busy = [_start(prepare, ending) for _ in range(min(jobs, count))]
        for connection in busy:
            connection.send(next(numbers))
        for wanted in range(count):
            while wanted not in waiting:
                ready = wait(busy, LOOK_S)
                for connection in [each for each in busy if each in ready]:
                    number, waiting[number] = _received(connection)
                    if (following := next(numbers, None)) is None:
                        busy.remove(connection)
                    else:
                        connection.send(following)
                if stop.is_set():
                    raise InterruptedByUserError("interrupted before all files were done")
            result = waiting.pop(wanted)
            if isinstance(result, Exception):
                raise result
            yield result


def _start(prepare: Callable[[], Work[Any]], ending: ExitStack) -> Connection:
    """Start a process that ends with `ending`; return the connection over which it gets numbers and gives results."""
    # A fork would copy the threads' locks of the libraries, some of them held.
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, prepare), daemon=True)
    process.start()
    theirs.close()
    ending.callback(_end, process, ours)
    return ours


def _end(process: BaseProcess, connection: Connection) -> None:
    connection.close()
    process.terminate()
    process.join(END_S)
    if process.is_alive():
        process.kill()
        process.join()


def _received(connection: Connection) -> tuple[int, Any]:
    try:
        number, result = connection.recv()
    except (EOFError, OSError) as error:
        raise StreamError(
            "a process that worked on a file has ended before it was done, maybe for lack of memory; take fewer at a "
            "time: --jobs 1"
        ) from error
    return number, result


def _serve(connection: Connection, prepare: Callable[[], Work[Any]]) -> None:
    """Do the work with each number that comes, until no more can come."""
    # Ctrl-C reaches all processes of a terminal; the one that started this process ends it in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    work: Work[Any] | None = None
    while True:
        try:
            number = connection.recv()
        except (EOFError, OSError):
            return
        try:
            if work is None:
                work = prepare()
            result = work(number)
        except Exception as error:  # noqa: BLE001 - it is raised in the process that waits for the result
            result = error
        connection.send((number, result))
