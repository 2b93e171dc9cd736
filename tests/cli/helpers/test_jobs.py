"""Test that work in several processes gives its results in order, and that nothing is left when it fails."""

import multiprocessing
import os
import signal
import threading
import time
from functools import partial
from pathlib import Path

import pytest

from streamer.cli.helpers.jobs import cores, in_processes
from streamer.errors import ConfigError, InterruptedByUserError, StreamError

DEADLINE_S = 60.0


def squares():
    return _square


def _square(number):
    return number * number, os.getpid()


def first_waits_for_last(folder, last):
    """Return work whose first piece is not done before the last one."""

    def work(number):
        (folder / str(number)).touch()
        deadline = time.monotonic() + DEADLINE_S
        while number == 0 and not (folder / str(last)).exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        return number

    return work


def fails_at(failing):
    def work(number):
        if number == failing:
            raise ConfigError(f"number {number} is refused")
        return number

    return work


def no_work():
    raise ConfigError("there is no model")


def ends():
    return lambda _number: os._exit(3)


def never_done(folder):
    def work(number):
        (folder / str(number)).touch()
        threading.Event().wait()

    return work


def test_results_are_in_order_and_of_no_more_processes_than_asked():
    found = list(in_processes(squares, 5, 2))
    assert [square for square, _ in found] == [0, 1, 4, 9, 16]
    processes = {process for _, process in found}
    assert len(processes) <= 2
    assert os.getpid() not in processes


def test_a_piece_that_takes_long_holds_up_no_other(tmp_path: Path):
    assert list(in_processes(partial(first_waits_for_last, tmp_path, 3), 4, 2)) == [0, 1, 2, 3]


def test_an_error_comes_in_its_place():
    found = in_processes(partial(fails_at, 2), 4, 2)
    assert [next(found), next(found)] == [0, 1]
    with pytest.raises(ConfigError, match="number 2 is refused"):
        next(found)
    assert multiprocessing.active_children() == []


def test_work_that_cannot_begin_says_why():
    with pytest.raises(ConfigError, match="there is no model"):
        list(in_processes(no_work, 2, 2))


def test_a_process_that_ends_is_told_of():
    with pytest.raises(
        StreamError, match=r"has ended before it was done, maybe for lack of memory; .*--jobs 1"
    ):
        list(in_processes(ends, 2, 2))
    assert multiprocessing.active_children() == []


def test_a_signal_ends_all_processes(tmp_path: Path):
    def ask_to_stop():
        deadline = time.monotonic() + DEADLINE_S
        while len(list(tmp_path.iterdir())) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)

    asking = threading.Thread(target=ask_to_stop)
    asking.start()
    with pytest.raises(InterruptedByUserError, match="interrupted before all files were done"):
        list(in_processes(partial(never_done, tmp_path), 2, 2))
    asking.join()
    assert multiprocessing.active_children() == []


def test_there_is_a_core():
    assert 1 <= cores() <= (os.cpu_count() or 1)
