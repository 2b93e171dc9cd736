"""Decode URLs, and files that libsndfile cannot read, by an ffmpeg process."""

from __future__ import annotations

import logging
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from streamer.arrays import Array
from streamer.errors import StreamError
from streamer.sources.ffmpeg.announced_length import BEHIND_THE_END, missing_s
from streamer.sources.ffmpeg.ffmpeg_log import LOG_LEVEL, FfmpegLog
from streamer.sources.ffmpeg.track import track_options, without_track
from streamer.sources.pipes.child_process import end_process, pipes_of
from streamer.sources.pipes.pipe import PipePacing, PipeReader, enlarge
from streamer.sources.source import OPEN_POLL_S, Block, Source, format_fault, given_up

logger = logging.getLogger(__name__)

AU_HEADER = struct.Struct(">4s5I")
"""Header of Sun's audio format: ``.snd``, offset of the sound, its length in bytes, encoding, rate, channels."""

MP4_HEAD_BYTES = 1 << 16
"""Length of the beginning of a fragmented MP4 that holds its box ``moov``."""

MEAN_OPTIONS = ("-rematrix_maxval", "1")
"""ffmpeg's options for the mean of two channels where two come behind one; without them it is 3 dB too loud."""

UNEDITED = ("aac", "flv", "hls", "matroska,webm", "mpegts")
"""ffmpeg's names of containers in which nothing says that the first frame of AAC is not sound yet."""

AAC_PRIMING = {"LC": 1_024, "HE-AAC": 2_048, "HE-AACv2": 2_048}
"""Number of samples of AAC that come before the sound, by profile: one frame, as an M4A would say (ISO 14496-24)."""


class FfmpegSource(Source):
    """The sound of anything that ffmpeg can open, at its own rate and with its own channels.

    ffmpeg writes float samples into a pipe, after a header that gives their format. The pipe makes ffmpeg wait, so
    nothing is dropped and `skip` drops nothing. The process ends with the source.

    Parameters
    ----------
    name : str
        Name of the source in error messages.
    input_arguments : sequence of str
        ffmpeg's options for the input; ``-i`` and its address come last.
    open_timeout_s : float
        Longest time that `open` waits for the first sound.
    stall_timeout_s : float
        Longest time without sound before the stream counts as failed.
    clock : callable
        Returns seconds; `time.monotonic` except in tests.
    rate_hz : int or None
        Rate to which the sound is converted; None leaves it its own.

    Attributes
    ----------
    container : str
        ffmpeg's name of the container; empty before `open`.
    is_plain_pcm : bool
        Whether the input holds PCM.
    """

    opens_slowly = True
    track: int | str = ""
    """Number or language of the sound track, as of `track_options`."""
    place = "the address"
    """Word for what names the input, in advice."""
    input_handle: int | None = subprocess.DEVNULL
    """ffmpeg's standard input, as `subprocess.Popen` takes it; None is that of this program."""

    def __init__(
        self,
        name: str,
        input_arguments: Sequence[str],
        open_timeout_s: float = 10.0,
        stall_timeout_s: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
        rate_hz: int | None = None,
    ) -> None:
        self._name = name
        self._input_arguments = input_arguments
        self._converted = () if rate_hz is None else ("-ar", str(rate_hz))
        self._open_timeout_s = open_timeout_s
        self._stall_timeout_s = stall_timeout_s
        self._clock = clock
        self._process: subprocess.Popen[bytes] | None = None
        self._position = 0
        self._to_drop = 0
        self.container = ""
        self.is_plain_pcm = False
        self._input_format = ""  # ffmpeg's name; if it is empty, ffmpeg finds it
        self._given_up = threading.Event()

    def give_up_opening(self) -> None:
        self._given_up.set()

    def open(self) -> None:
        self._position = 0
        self._chosen = track_options(self.track, self._input_arguments, self._name)
        self._process = self._start()
        self._sound, messages = pipes_of(self._process)
        self._pipe_bytes = enlarge(self._sound)
        self._log = FfmpegLog(messages, self._input_arguments[-1])
        self._received_at = self._clock()
        try:
            self._open_stream()
        except StreamError:
            self.close()
            raise

    def read(self, max_frames: int) -> Block | None:
        if self._process is None:
            return None
        self._log.collect()
        samples = self._read_samples(max_frames)
        if samples is None:
            self._end_or_wait(self._reader.ended)
            return None
        block = Block(self._position, samples, captured_at=None)
        self._position = block.stop
        return block

    def _read_samples(self, max_frames: int) -> Array | None:
        """Return the frames that have come, shape (frames, channels), at most `max_frames`; None if there are none."""
        data = self._reader.read(max_frames)
        if not data:
            return None
        self._received_at = self._clock()
        self._pacing.note_read(len(data) // self._frame_bytes, self._received_at)
        data = self._without_priming(data)
        return np.frombuffer(data, ">f4").astype(np.float32).reshape(-1, self.channels) if data else None

    def _end_or_wait(self, at_end: bool) -> None:
        """Close once there are no more frames to come, and report why; give up if none came for too long."""
        if self._process is None:
            return
        if at_end and (code := self._process.poll()) is not None:
            self._finish(code)
        elif self._clock() - self._received_at > self._stall_timeout_s:
            self.close()
            raise StreamError(
                f"{self._name} stalled: nothing came for {self._stall_timeout_s:g} s after frame "
                f"{self._position}; expected sound without a pause: check the server and the network"
            )

    def is_unedited(self, container: str) -> bool:
        """Return whether the input does not tell ffmpeg which frames of AAC come before the sound.

        Parameters
        ----------
        container : str
            ffmpeg's name of the container.
        """
        return container in UNEDITED

    def wait_s(self, turn_s: float) -> float:
        return self._pacing.wait_s(self._clock(), turn_s)

    def backlog_frames(self) -> int:
        return 0 if self._process is None else self._reader.waiting_items()

    def skip(self, frames: int) -> int:  # noqa: ARG002 - what waits in a pipe cannot be dropped
        return 0

    @property
    def ended(self) -> bool:
        return self._process is None

    @property
    def tags(self) -> Mapping[str, str]:
        return self._log.tags if self._process is not None else {}

    def close(self) -> None:
        if self._process is None:
            return
        end_process(self._process)
        self._process = None

    def _start(self) -> subprocess.Popen[bytes]:
        return self._started()

    def _started(self, *more_output: str, descriptors: Sequence[int] = ()) -> subprocess.Popen[bytes]:
        """Start ffmpeg with further outputs, which may go to further descriptors."""
        sound = [*self._chosen, *self._converted, *MEAN_OPTIONS, "-c:a", "pcm_f32be", "-f", "au", "pipe:1"]
        quiet = ["-nostdin", "-hide_banner", "-nostats", "-v", LOG_LEVEL]
        known = ["-f", self._input_format] if self._input_format else []
        command = ["ffmpeg", *quiet, *known, *self._input_arguments, *sound, *more_output]
        try:
            return subprocess.Popen(
                command,
                bufsize=0,
                stdin=self.input_handle,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=descriptors,
                start_new_session=True,  # Ctrl-C is for Streamer to handle, not for ffmpeg
            )
        except OSError as error:
            raise StreamError(
                f"{self._name} needs the program ffmpeg, which cannot be run ({error.strerror}); install it: "
                "`sudo apt-get install ffmpeg` or `brew install ffmpeg`"
            ) from error

    def _open_stream(self) -> None:
        """Read the header and prepare to read the frames after it."""
        header = self._take(AU_HEADER.size)
        _, offset, _, _, self.rate_hz, self.channels = AU_HEADER.unpack(header)
        self._take(offset - AU_HEADER.size)
        if fault := format_fault(self.rate_hz, self.channels):
            raise StreamError(f"{self._name} {fault}")
        self._frame_bytes = self.channels * np.dtype(np.float32).itemsize
        self._reader = PipeReader(self._sound, self._frame_bytes)
        self._pacing = PipePacing(self.rate_hz, self._clock())

        self._log.collect()
        self.container = self._log.container
        self.is_plain_pcm = self._log.codec.startswith("pcm_")
        self._to_drop = 0
        if self.is_unedited(self.container):
            self.drop_priming()

    def drop_priming(self) -> None:
        """Leave out the first frame of AAC, which is no sound yet; do nothing for other codecs."""
        if self._log.codec == "aac":
            self._to_drop = AAC_PRIMING.get(self._log.profile, 0)

    def _without_priming(self, data: bytes) -> bytes:
        """Return what is left of frames that were read without those that come before the sound."""
        dropped = min(self._to_drop, len(data) // self._frame_bytes)
        self._to_drop -= dropped
        return data[dropped * self._frame_bytes :]

    def _while_opening(self, waited_s: float) -> None:
        """Do something about an input that gave no sound for `waited_s` after the start of ffmpeg; nothing here."""

    def _take(self, wanted: int) -> bytes:
        """Wait for `wanted` bytes of the header."""
        reader, taken = PipeReader(self._sound, 1), b""
        deadline = self._clock() + self._open_timeout_s
        while len(taken) < wanted:
            reader.wait(OPEN_POLL_S)
            taken += reader.read(wanted - len(taken))
            self._log.collect()
            if reader.ended:
                raise self._not_opened()
            if self._given_up.is_set():
                raise given_up(self._name)
            self._while_opening(self._clock() - self._received_at)
            if self._clock() > deadline:
                raise StreamError(
                    f"{self._name} gave no sound within {self._open_timeout_s:g} s; "
                    "expected a stream that runs: check the server and the network"
                )
        return taken

    @property
    def _is_whole(self) -> bool:
        """Whether all sound came that the input announces, so that an error is about what stands behind it."""
        return self._log.last in BEHIND_THE_END and self._missing_s == 0.0

    @property
    def _missing_s(self) -> float | None:
        return missing_s(self._log, self._position / self.rate_hz)

    def _not_opened(self) -> StreamError:
        """Return the error to raise after ffmpeg has ended without any sound."""
        if str(self.track).isdecimal() and 0 < len(self._log.tracks) < int(self.track):
            return without_track(self.track, self._log.tracks, self._name)
        return StreamError(
            f"{self._name} cannot be opened by ffmpeg ({self._log.why_not_opened}); "
            f"expected something with sound in it: check {self.place} and that it plays elsewhere"
        )

    def _finish(self, code: int) -> None:
        """Close after ffmpeg has ended by itself, and report how it ended."""
        self._log.collect()
        message = self._log.last
        self.close()
        if code:
            raise StreamError(
                f"{self._name} failed after {self._position} frames (ffmpeg: {message}); "
                "expected sound to its end: check the source"
            )
        if self._position == 0:
            raise StreamError(f"{self._name} holds no sound (0 frames); expected at least 1 frame")
        if missing := self._missing_s:
            logger.warning(
                "%s is cut short, or has gaps: %.2f s are missing of the %.2f s that it announces",
                self._name,
                missing,
                self._log.duration_s,
            )
        if message and not self._is_whole:
            logger.warning(
                "%s is damaged or cut short (ffmpeg: %s): what could be decoded was read",
                self._name,
                message,
            )


def is_unedited_mp4(head: bytes) -> bool:
    """Return whether an MP4 is fragmented; if so, ffmpeg ignores its edit list.

    Parameters
    ----------
    head : bytes
        First bytes of the file, with its box ``moov`` if it is fragmented.
    """
    return b"mvex" in head
