"""Play one stem live, on a thread that the output device paces."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Iterable
from functools import partial

from streamer.audio.output import Output, PortAudioOutput
from streamer.audio.playback import CHUNK_S, WAITING_S, Playback
from streamer.config import Config
from streamer.config_sections import StemsConfig
from streamer.errors import ConfigError, StreamerError, fault_of
from streamer.events.kinds import Event, Stem
from streamer.sinks.sink import Sink

logger = logging.getLogger(__name__)

RETRY_S = 5.0
"""Seconds between two tries to open a device that failed."""
ENDING_S = 2.0
"""Longest time that the device may take for its last chunk when the player closes."""


class Player(Sink):
    """Plays the stems of one label, and silence where there are none.

    A device that fails is reported and tried again; everything else goes on.

    Parameters
    ----------
    label : {"voice", "music"}
    open_output : callable
        Opens and returns the device; raises StreamerError if it fails.
    """

    def __init__(self, label: str, open_output: Callable[[], Output]) -> None:
        self._label, self._open_output = label, open_output
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="player", daemon=True)
        self._output: Output | None = None
        self._playback: Playback | None = None

    def open(self) -> None:
        self._begin(self._open_output())
        self._thread.start()

    def send(self, event: Event) -> None:
        """Add a piece of a stem to the sound that waits to be played; never wait. Other events are ignored."""
        playback = self._playback
        if playback and isinstance(event, Stem) and event.label == self._label:
            playback.put(event)

    @property
    def wanted_s(self) -> float:
        """Seconds of sound that the player has room for: enough not to run out, and no more."""
        playback = self._playback
        if playback is None:
            return math.inf
        wanted_s = WAITING_S + CHUNK_S - playback.waiting_s
        return wanted_s if wanted_s >= CHUNK_S else 0.0

    def wants(self, kind: str) -> bool:
        return kind == "stem"

    def close(self) -> None:
        """Play the sound that waits, and release the device."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(ENDING_S)
        if self._thread.is_alive():
            logger.warning("the output device takes no sound; it is left as it is")
            if self._output is not None:
                self._output.abandon()

    def _begin(self, output: Output) -> None:
        self._output, self._playback = output, Playback(output.rate_hz, output.channels)

    def _work(self) -> None:
        while not self._ended.is_set() or (self._playback and self._playback.playing):
            try:
                self._play()
            except StreamerError as error:
                self._fail(error)
            except Exception as error:  # noqa: BLE001 - whatever it is, all else goes on
                self._fail(fault_of(error))
        self._leave()

    def _play(self) -> None:
        """Give the device its next chunk, after opening it again if it failed."""
        if self._output is None or self._playback is None:
            self._begin(self._open_output())
            logger.warning("%s is played again", self._label)
            return
        self._output.write(self._playback.chunk())

    def _fail(self, error: StreamerError) -> None:
        """Report a failure once, and wait for the next try."""
        if self._output is not None:
            logger.warning("%s is not played (%s); it is tried again, all else goes on", self._label, error)
        self._leave()
        self._ended.wait(RETRY_S)

    def _leave(self) -> None:
        """Give the device back, and report faults of the playback."""
        output, playback = self._output, self._playback
        self._output, self._playback = None, None
        if output is None or playback is None:
            return
        output.close()
        if playback.dropped_samples or playback.pauses or output.underruns:
            logger.warning(
                "%s was played with faults: %d samples left out, %d pauses, %d underruns of the device; it or this "
                "machine did not keep up",
                *(self._label, playback.dropped_samples, playback.pauses, output.underruns),
            )


def player_for(config: Config, realtime: bool) -> Player | None:
    """Return the player of a stream's stem; None if the configuration plays none.

    Raises
    ------
    ConfigError
        If the sound is processed as fast as possible.
    """
    stems = config.stems
    if not stems.play:
        return None
    if not realtime:
        raise ConfigError(
            f"the {stems.play} cannot be played with --fast, which reads sound faster than it lasts; leave out --fast "
            "or --play"
        )
    return Player(stems.play, partial(PortAudioOutput, stems.output))


def check_outputs(streams: Iterable[StemsConfig]) -> None:
    """Raise an error if two streams would be played on one device.

    Raises
    ------
    ConfigError
        If two streams name one output.
    """
    outputs = [stems.output for stems in streams if stems.play]
    for output in outputs:
        if (count := outputs.count(output)) > 1:
            raise ConfigError(
                f"{count} streams are to be played on the output {output!r}; expected one: set stems.play in one "
                "[[stream]] alone, or an output for each"
            )
