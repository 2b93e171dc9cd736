"""List the sources of a PulseAudio sound server, and find the one that a user means.

PipeWire answers as PulseAudio does (`pipewire-pulse`). The program `pactl` asks the server, as a child: it can be ended
where a server hangs, which a call of the client library in this process could not.
"""

from __future__ import annotations

import difflib
import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from streamer.errors import DeviceError, reason_of

PREFIX = "pulse:"
"""Beginning of a device that names a source of the sound server, as in `pulse:NAME`."""

ANSWER_S = 3.0
"""Longest wait for an answer of the sound server."""

DUMMY = "auto_null.monitor"
"""Name of the source of a server that has no device at all: it is silent."""

INSTALL = "install its programs: sudo apt-get install pulseaudio-utils"


class NoSoundServerError(DeviceError):
    """Raised if there is no sound server for this user, or no program to ask it."""


@dataclass(frozen=True)
class PulseInput:
    """A source of a sound server: a microphone, or a monitor, which hears what a loudspeaker plays.

    Attributes
    ----------
    index : int
        Number of the source at the server; it changes when the source is plugged in again.
    name : str
        Name of the source at the server, as in `pulse:NAME`; it is the same whenever the source is plugged in.
    description : str
        Name for people.
    channel_map : tuple of str
        Place of each channel in the server's words, such as ``front-left``.
    rate_hz : int
        Sample rate of the source itself, to which the server does not convert.
    is_monitor : bool
        Whether the source hears what a loudspeaker plays.
    is_default : bool
        Whether the server uses the source where none is named.
    """

    index: int
    name: str
    description: str
    channel_map: tuple[str, ...]
    rate_hz: int
    is_monitor: bool
    is_default: bool

    @property
    def channels(self) -> int:
        """Number of channels of the source itself."""
        return len(self.channel_map)

    def __str__(self) -> str:
        return f"{PREFIX}{self.name}"


def plain_environment() -> dict[str, str]:
    """Return the environment in which the server's programs speak English and write all letters."""
    return {**os.environ, "LC_ALL": "C.UTF-8"}


def pulse_inputs() -> list[PulseInput]:
    """Ask the sound server for its sources, and return them in its order.

    Returns
    -------
    list of PulseInput
        Monitors of loudspeakers included; empty if the server has no source.

    Raises
    ------
    NoSoundServerError
        If there is no sound server, or its program `pactl` is not installed.
    DeviceError
        If the server does not answer.
    """
    about = _fields(_answer("info"))
    parts = re.split(r"^Source #", _answer("list", "sources"), flags=re.MULTILINE)[1:]
    return [_input(part, about.get("Default Source", "")) for part in parts]


def server_is_expected() -> bool:
    """Return whether a sound server seems to run for this user, or is named."""
    socket = Path(os.environ.get("XDG_RUNTIME_DIR", "/nonexistent")) / "pulse" / "native"
    return "PULSE_SERVER" in os.environ or socket.exists()


def default_pulse_input(inputs: Sequence[PulseInput]) -> PulseInput:
    """Return the source that the sound server uses where none is named.

    Parameters
    ----------
    inputs : sequence of PulseInput
        All sources, as `pulse_inputs` returns them.

    Raises
    ------
    DeviceError
        If the server has no default source, or only its silent dummy.
    """
    found = [source for source in inputs if source.is_default]
    if not found:
        raise DeviceError(
            f"the sound server has no default source, of {len(inputs)} sources; plug in a microphone, or choose a "
            "source: pactl set-default-source NAME"
        )
    if found[0].name == DUMMY:
        raise DeviceError("the sound server knows no device, only silence; plug in a microphone")
    return found[0]


def find_pulse_input(wanted: str, inputs: Sequence[PulseInput]) -> PulseInput:
    """Return the source that a user means.

    Parameters
    ----------
    wanted : str
        Name of the source, or a part of its name or description, in upper or lower case.
    inputs : sequence of PulseInput
        All sources, as `pulse_inputs` returns them.

    Returns
    -------
    PulseInput

    Raises
    ------
    DeviceError
        If no source matches, or more than one does.
    """
    exact = [source for source in inputs if source.name == wanted]
    part = wanted.casefold()
    matches = exact or [
        source for source in inputs if part in source.name.casefold() or part in source.description.casefold()
    ]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise DeviceError(f"{PREFIX}{wanted} may mean {_listed(matches)}; give more of the name")
    by_name = {source.name.casefold(): source for source in inputs}
    near = difflib.get_close_matches(part, by_name, n=3, cutoff=0.5)
    advice = f"did you mean {_listed([by_name[name] for name in near])}?" if near else _all(inputs)
    raise DeviceError(f"the sound server has no source {PREFIX}{wanted}; {advice}")


def _answer(*question: str) -> str:
    """Return what `pactl` prints."""
    try:
        done = subprocess.run(
            ["pactl", *question],
            env=plain_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=ANSWER_S,
            check=False,
            start_new_session=True,  # Ctrl-C is for Streamer to handle
        )
    except subprocess.TimeoutExpired as error:
        raise DeviceError(
            f"the sound server did not answer within {ANSWER_S:g} s; expected an answer at once: look at it with "
            "`pactl info`, and start it again (systemctl --user restart pulseaudio or pipewire-pulse)"
        ) from error
    except OSError as error:
        raise NoSoundServerError(
            f"the sound server needs the program pactl, which cannot be run ({reason_of(error)}); {INSTALL}"
        ) from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise NoSoundServerError(
            f"no sound server answers (pactl: {said[-1] if said else f'exit code {done.returncode}'}); expected "
            "PulseAudio or PipeWire (pipewire-pulse) to run for this user: start it, or set PULSE_SERVER"
        )
    return done.stdout.decode(errors="replace")


def _fields(text: str) -> dict[str, str]:
    """Return the lines ``NAME: VALUE`` of a part of `pactl`'s answer, without those that lie deeper."""
    return dict(re.findall(r"^\t?(\w[\w ]*): (.*)$", text, flags=re.MULTILINE))


def _input(part: str, default: str) -> PulseInput:
    fields = _fields(part)
    name, channels = fields["Name"], tuple(fields["Channel Map"].split(","))
    return PulseInput(
        index=int(part.split("\n", 1)[0]),
        name=name,
        description=fields["Description"],
        channel_map=channels,
        rate_hz=int(fields["Sample Specification"].split()[-1].removesuffix("Hz")),
        is_monitor=fields["Monitor of Sink"] != "n/a",
        is_default=name == default,
    )


def _listed(inputs: Sequence[PulseInput]) -> str:
    return ", ".join(f"{source} ({source.description})" for source in inputs)


def _all(inputs: Sequence[PulseInput]) -> str:
    return f"there are {_listed(inputs)}" if inputs else "it has none: plug in a microphone"
