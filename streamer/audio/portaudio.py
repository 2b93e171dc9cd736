"""Load PortAudio, list its devices anew, and open and close its streams one at a time.

PortAudio is one for the whole process: it lists the devices when it is initialised, and ends all streams when it is
terminated.
"""

from __future__ import annotations

import atexit
import gc
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from streamer.audio.alsa import check_alsa
from streamer.errors import DeviceError

logger = logging.getLogger(__name__)

CLOSE_S = 2.0
"""Longest wait for a device to close. With a sound server that hangs, PortAudio would wait for ever."""

_STDERR = threading.Lock()
"""Held while standard error is redirected: two threads at once would restore each other's redirection."""

_CALLS = threading.RLock()
"""Held while PortAudio is initialised, or opens or closes a stream: it does none of these beside another."""


def portaudio() -> Any:
    """Return the `sounddevice` module, which loads and initialises PortAudio when it is first imported.

    Returns
    -------
    module

    Raises
    ------
    DeviceError
        If PortAudio's library is not there or cannot be initialised, or ALSA's configuration would make it abort.
    """
    if "sounddevice" not in sys.modules:
        with quiet_stderr():
            check_alsa()
    try:
        import sounddevice
    except OSError as error:
        command = (
            "brew install portaudio" if sys.platform == "darwin" else "sudo apt-get install libportaudio2"
        )
        raise DeviceError(f"PortAudio's library was not found ({error}); type: {command}") from error
    except Exception as error:
        # PortAudioError cannot be named here: the module that defines it is the one that failed.
        if type(error).__name__ != "PortAudioError":
            raise
        raise _not_initialised(error) from error
    return sounddevice


def list_anew() -> None:
    """Let PortAudio see the devices that came and went since it was initialised, if no stream of this process is open.

    The streams of a program that uses `sounddevice` beside Streamer count as well: all would end.

    Raises
    ------
    DeviceError
        If PortAudio cannot be initialised again.
    """
    sounddevice = portaudio()
    with _CALLS:
        # By `type`, since `isinstance` asks objects of other libraries for their class, and some of them warn.
        streams = (x for x in gc.get_objects() if issubclass(type(x), sounddevice._StreamBase))
        if any(not stream.closed for stream in streams):
            return
        with quiet_stderr():
            check_alsa()
        try:
            while sounddevice._initialized:
                sounddevice._terminate()
            sounddevice._initialize()
        except sounddevice.PortAudioError as error:
            raise _not_initialised(error) from error


def open_stream(make: Callable[[], Any]) -> Any:
    """Open and start a stream, without what the libraries print.

    Parameters
    ----------
    make : callable
        Returns a stream of `sounddevice` that is not started.

    Returns
    -------
    stream

    Raises
    ------
    PortAudioError
        If it cannot be opened or started.
    """
    with _CALLS, quiet_stderr():
        stream = make()
        try:
            stream.start()
        except BaseException:
            stream.close(ignore_errors=True)
            raise
        return stream


def close_stream(stream: Any, stop: Callable[[Any], None]) -> None:
    """Close a stream, without waiting for more than `CLOSE_S`.

    Parameters
    ----------
    stream : stream
        One that `open_stream` returned.
    stop : callable
        Stops the stream, which it is called with.
    """

    def close() -> None:
        with _CALLS:
            stop(stream)
            stream.close(ignore_errors=True)

    if sys.is_finalizing():  # no thread can be started any more
        close()
        return
    thread = threading.Thread(target=close, name="closing a device", daemon=True)
    thread.start()
    thread.join(CLOSE_S)
    if thread.is_alive():
        logger.warning("a device did not close within %g s; it is left to itself", CLOSE_S)
        give_up_at_exit()


def give_up_at_exit() -> None:
    """Let this process exit without terminating PortAudio, which would wait for a device that hangs."""
    atexit.unregister(portaudio()._exit_handler)


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Discard what C libraries write to standard error inside a `with` block.

    ALSA and PortAudio print every failed attempt there, besides the error code that they return.
    """
    with _STDERR:
        sys.stderr.flush()
        saved = os.dup(2)
        null = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(null, 2)
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            os.close(null)


def _not_initialised(error: Exception) -> DeviceError:
    return DeviceError(f"PortAudio could not be initialised ({error}); check the sound system")
