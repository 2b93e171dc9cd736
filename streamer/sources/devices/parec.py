"""Run `parec`, which captures a source of a sound server, and read what it says."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence

from streamer.audio.pulse import INSTALL, NoSoundServerError, plain_environment
from streamer.errors import reason_of
from streamer.sources.pipes.child_process import end_process, pipes_of
from streamer.sources.pipes.line_reader import LineReader
from streamer.sources.pipes.pipe import PipeReader, enlarge

LATENCY_MS = 10
"""Length of the pieces in which the server delivers sound: that of PortAudio's blocks, which come as late and cost as
much."""

_HEARD = re.compile(r"(Connected|Stream moved) to device (?P<name>.+) \((index: )?(?P<index>\d+), .*")
_TALK = re.compile(
    r"Time: |Opening |Connection established|Stream (successfully|device|started|moved)|Buffer |Using "
)
"""What `parec` says while all is well."""


class Parec:
    """A running `parec`: sound on one pipe, messages on another, both read without waiting.

    `parec` reads the server's socket at once and keeps what the pipe does not take, so nothing is lost while the
    reader is late.

    Parameters
    ----------
    device : str or None
        Name of the source; None leaves the choice to the server, and the stream then follows the default source.
    rate_hz : int
        Sample rate.
    channel_map : sequence of str
        The server's name for the place of each channel.
    remix : bool
        Whether the server makes these channels of all that the source has; if not, others are left out.

    Attributes
    ----------
    device : str
        Name of the source that is heard; empty until it is known.
    device_index : int
        The server's number of this source; -1 until it is known.
    error : str
        Its last words of anything that went wrong; empty if there are none.
    sound : PipeReader
        Reader of the frames: float32 of little endian.

    Raises
    ------
    NoSoundServerError
        If `parec` is not installed.
    """

    def __init__(self, device: str | None, rate_hz: int, channel_map: Sequence[str], remix: bool) -> None:
        self.device, self.device_index = "", -1
        self.error = ""
        channels = len(channel_map)
        options = [] if device is None else [f"--device={device}"]
        options += [] if remix else ["--no-remix"]
        command = [
            "parec", "--verbose", "--raw", "--format=float32le", f"--rate={rate_hz}", f"--channels={channels}",
            f"--channel-map={','.join(channel_map)}", f"--latency-msec={LATENCY_MS}", "--client-name=Streamer",
            "--stream-name=Streamer", *options,
        ]  # fmt: skip
        try:
            self._process = subprocess.Popen(
                command,
                bufsize=0,
                env=plain_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C is for Streamer to handle
            )
        except OSError as error:
            raise NoSoundServerError(
                f"the sound server needs the program parec, which cannot be run ({reason_of(error)}); {INSTALL}"
            ) from error
        sound, messages = pipes_of(self._process)
        enlarge(sound)
        self.sound = PipeReader(sound, 4 * channels)
        self._messages = LineReader(messages)

    def look(self, wait_s: float = 0.0) -> None:
        """Read the messages that have come, after waiting for them at most `wait_s` seconds."""
        self._messages.wait(wait_s)
        for line in self._messages.read():
            self._note(line)

    @property
    def has_ended(self) -> bool:
        """Whether it has ended, because the server did or it could not connect; sound may be left to read."""
        return self._messages.ended

    def _note(self, line: str) -> None:
        if found := _HEARD.match(line):
            self.device, self.device_index = found["name"], int(found["index"])
        elif line.strip() and not _TALK.match(line):
            self.error = line.strip()

    def close(self) -> None:
        """End `parec`, whatever the server does."""
        end_process(self._process)
