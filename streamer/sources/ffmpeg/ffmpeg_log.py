"""Read what ffmpeg says on standard error: its errors, and what it found out about its input."""

from __future__ import annotations

import re
from collections import deque

from streamer.sources.ffmpeg.track import SoundTrack
from streamer.sources.pipes.line_reader import LineReader
from streamer.sources.url_address import HIDDEN, secrets_of, without_secrets

LOG_LEVEL = "level+info"
"""ffmpeg's ``-v`` for which `FfmpegLog` is made: each line says its level, and the input is described."""

KEPT_MESSAGES = 20
"""Number of the last errors that are kept."""

KEPT_ADDRESSES = 8
"""Number of the last addresses that are kept: a piece, and playlists and keys behind it."""

COMMENTS = ("Last message repeated", "To ignore this, add")
"""Beginnings of lines that only comment on the message before them."""

HARMLESS = re.compile(
    r"^(\[mp3float @ [^]]*\] Header missing\n(Error while decoding stream .*\n)?"  # a tag between two MP3s
    r"|\[opus @ [^]]*\] Error parsing the packet header\.\n(Error while decoding stream .*\n)?"  # header of a link
    r"|.*Application provided invalid, non monotonically increasing dts.*\n"  # a link of Ogg that counts anew
    r"|.*failed to create or replace stream.*\n"  # only the length of an Ogg chain of FLAC stays unknown
    r"|\[wv @ [^]]*\] Invalid block header\.\n(.*: Invalid data found when processing input\n)?"  # a tag at the end
    r")",
    re.MULTILINE,
)
"""Messages of ffmpeg about sound that is whole."""

ERROR_LEVELS = ("error", "fatal", "panic")

GENERAL = ("Input/output error", "Invalid argument", "End of file", "Unknown error occurred")
"""Errors that say less than those before them."""

NO_TRACK = "it has no sound track"
"""What is said of an input that holds a picture or subtitles alone."""

_ENDED = re.compile(r"(Stream ends) prematurely at (\d+), should be 18446744073709551615")
"""Error about an HTTP answer without a length, which ends where its server closes the connection."""

_CALLED_END = re.compile(r"Input/output error|Read error at pos")
"""Errors as which that end is passed on."""

_LINE = re.compile(r"(?P<part>(?:\[[^]]* @ [^]]*\] )*)(?:\[(?P<level>[a-z]+)\] )?(?P<text>.*)")
_INPUT = re.compile(r"Input #0, (?P<format>[^ ]+), from")
_AUDIO = re.compile(
    r"\s*Stream #0:(?P<number>\d+)(?:\[\w+\])?(?:\((?P<language>\w+)\))?.*"
    r": Audio: (?P<codec>\w+)(?: \((?P<profile>[^)]*)\))?(?:.*, (?P<rate>\d+) Hz)?"
)
_CHOICE = re.compile(r"\s*Stream #0:(?P<number>\d+) -> #0:0 ")
_DURATION = re.compile(r"\s*Duration: (?:(?P<h>\d+):(?P<m>\d+):(?P<s>[\d.]+)|N/A)")
_START = re.compile(r"start: (-?[\d.]+)")
_PICTURE = re.compile(r"\s*Stream #0:\d+.*: Video: (?!.*\(attached pic\))")
_BITRATE = re.compile(r"bitrate: (\d+) kb/s")
_TAG = re.compile(r"\s+(?P<name>[\w.-]+)\s*: (?P<value>.*)")
_OUTPUT = "Output #0"
_OPENING = re.compile(r"Opening '(.*)' for reading")
_SKIPPED = re.compile(r"skipping \d+ segments ahead")
_ICY = re.compile(r"\s*icy-[a-z]+\s*:")


class FfmpegLog:
    """ffmpeg's messages, read regularly so that ffmpeg never waits for a reader.

    Parameters
    ----------
    descriptor : int
        ffmpeg's standard error, open for reading; ffmpeg was started with ``-v`` `LOG_LEVEL`.
    address : str
        The address that ffmpeg reads. It is removed from the messages, and its secrets are.

    Attributes
    ----------
    container, codec, profile : str
        ffmpeg's names of the input's container, such as ``mp3`` or ``mov,mp4,m4a``, and of the codec and its profile
        in the sound track that is heard; empty until they are known.
    rate_hz : int
        Sample rate of that track; 0 until it is known.
    duration_s : float or None
        Length of the input that its header states; None if it states none.
    start_s : float
        Time at which the input begins; the length counts from 0 on.
    has_picture : bool
        Whether the input has a moving picture.
    duration_is_estimate : bool
        Whether ffmpeg made the length from the bit rate.
    bitrate_kbps : int
        Bit rate of the input; 0 if it is unknown.
    is_radio : bool
        Whether the server calls itself an Icecast or SHOUTcast station.
    opened : list of str
        Addresses that ffmpeg opened for the input, such as the pieces of HLS, until the input was known.
    opened_last : deque of str
        The last addresses that it opened.
    skipped_ahead : bool
        Whether it passed over pieces of HLS, which shows in no time stamp.
    tags : dict of str to str
        Tags of the input, and of its tracks where the input has none of that name, by names in small letters.
    """

    def __init__(self, descriptor: int, address: str) -> None:
        self._reader = LineReader(descriptor)
        self._address = address
        self._secrets = secrets_of(address)
        self._level = "error"
        self._errors: deque[str] = deque(maxlen=KEPT_MESSAGES)
        self.container = self.codec = self.profile = ""
        self.rate_hz = 0
        self._tracks: dict[str, re.Match[str]] = {}
        self.duration_s: float | None = None
        self.start_s = 0.0
        self.has_picture = False
        self.duration_is_estimate = False
        self.bitrate_kbps = 0
        self.is_radio = False
        self.opened: list[str] = []
        self.opened_last: deque[str] = deque(maxlen=KEPT_ADDRESSES)
        self.skipped_ahead = False
        self.tags: dict[str, str] = {}
        self._is_input = True

    def collect(self) -> None:
        """Read the messages that have come."""
        for line in self._reader.read():
            self._note(line)

    @property
    def errors(self) -> list[str]:
        """The last errors but for harmless ones, without their part of ffmpeg, the address and its secrets."""
        lines = HARMLESS.sub("", "".join(f"{line}\n" for line in self._errors)).splitlines()
        ended = next((number for number, line in enumerate(lines) if _ENDED.search(line)), len(lines))
        lines[ended:] = [line for line in lines[ended + 1 :] if not _CALLED_END.search(line)]
        messages = (_LINE.fullmatch(line) for line in lines)
        return [self._shown(found["text"].strip()) for found in messages if found]

    @property
    def tracks(self) -> list[SoundTrack]:
        """The sound tracks of the input."""
        return [
            SoundTrack(found["codec"], (found["language"] or "").lower()) for found in self._tracks.values()
        ]

    @property
    def last(self) -> str:
        """The last error; empty if there was none."""
        return self.errors[-1] if self.errors else ""

    @property
    def why_not_opened(self) -> str:
        """The most telling error of an input that could not be opened; empty if there was none."""
        messages = [found["text"].strip() for line in self._errors if (found := _LINE.fullmatch(line))]
        shown = [self._shown(_ENDED.sub(r"\1 after \2 bytes", text)).rstrip(".") for text in messages]
        telling = [text for text in shown if text not in GENERAL]
        why = (telling or shown or [""])[-1]
        return NO_TRACK if "matches no streams" in why else why

    def _note(self, line: str) -> None:
        found = _LINE.fullmatch(line)
        if found is None:
            return
        text = found["text"]
        level = self._level = (
            found["level"] or self._level
        )  # a line without one goes on with the message before
        if level in ERROR_LEVELS:
            if text.strip() and not text.strip().startswith(COMMENTS):
                self._errors.append(found["part"] + text)
        else:
            self._note_input(text)

    def _note_input(self, text: str) -> None:
        if "Estimating duration from bitrate" in text:
            self.duration_is_estimate = True
        elif opening := _OPENING.match(text):
            self.opened_last.append(opening[1])
            if not self.container:
                self.opened.append(opening[1])
        elif _SKIPPED.match(text):
            self.skipped_ahead = True
        elif named := _INPUT.match(text):
            self.container = named["format"]
        elif (chosen := _CHOICE.match(text)) and (track := self._tracks.get(chosen["number"])):
            self.codec, self.profile = track["codec"], track["profile"] or ""
            self.rate_hz = int(track["rate"] or 0)
        elif self._is_input and (audio := _AUDIO.match(text)):
            self._tracks.setdefault(audio["number"], audio)
        elif self._is_input and _PICTURE.match(text):
            self.has_picture = True
        elif _ICY.match(text):
            self.is_radio = True
        elif length := _DURATION.match(text):
            if length["h"]:
                self.duration_s = 3_600 * int(length["h"]) + 60 * int(length["m"]) + float(length["s"])
            if begun := _START.search(text):
                self.start_s = float(begun[1])
            if rate := _BITRATE.search(text):
                self.bitrate_kbps = int(rate[1])
        elif text.startswith(_OUTPUT):
            self._is_input = False
        elif self._is_input and self.container and (tag := _TAG.fullmatch(text)):
            self.tags.setdefault(tag["name"].lower(), tag["value"].strip())

    def _shown(self, text: str) -> str:
        text = text.removeprefix(f"{self._address}: ").replace(self._address, "the address")
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return without_secrets(text)
