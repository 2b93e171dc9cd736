"""Serve sound on loopback as networks do: well, badly, and over RTSP."""

from __future__ import annotations

import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from streamer.arrays import Array
from tests.conftest import DEADLINE_S

RTP_FRAMES = 320
"""Number of frames in an RTP packet: 20 ms at 16 kHz."""

NTP_OFFSET_S = 2_208_988_800
"""Seconds from 1900, from which NTP counts, to 1970."""


PICTURE = "video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000"
"""Description of a track of pictures (RFC 4566, 5.14)."""


@contextmanager
def served(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """Answer every connection in a thread of its own; yield ``127.0.0.1:PORT``."""
    listening = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def handle(connection: socket.socket) -> None:
        connection.settimeout(DEADLINE_S)
        with connection:
            try:
                answer(connection)
            except ConnectionError:
                return  # the client has left

    def accept() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return  # closed: the test is over
            threads.append(threading.Thread(target=handle, args=(connection,)))
            threads[-1].start()

    accepting = threading.Thread(target=accept)
    accepting.start()
    try:
        yield f"127.0.0.1:{listening.getsockname()[1]}"
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        for thread in (accepting, *threads):
            thread.join(DEADLINE_S)


def request(connection: socket.socket) -> str:
    """Read the line and headers of a request; return nothing if the client has gone."""
    text = b""
    while b"\r\n\r\n" not in text:
        piece = connection.recv(4_096)
        if not piece:
            return ""
        text += piece
    return text.decode()


def http(body: bytes, status: str = "200 OK", sent: int | None = None) -> Callable[[socket.socket], None]:
    """Answer with `body`, but send only `sent` bytes of it."""

    def answer(connection: socket.socket) -> None:
        if request(connection):
            head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            connection.sendall(head.encode() + body[:sent])

    return answer


def files(contents: Mapping[str, bytes], has_length: bool = True) -> Callable[[socket.socket], None]:
    """Answer with the content of the path that is asked for, with or without its length."""

    def sent(body: bytes, _: str) -> bytes:
        length = f"Content-Length: {len(body)}\r\n" if has_length else ""
        return f"HTTP/1.1 200 OK\r\n{length}Connection: close\r\n\r\n".encode() + body

    return _files(contents, sent)


def chunked(contents: Mapping[str, bytes]) -> Callable[[socket.socket], None]:
    """Answer with the content of the path that is asked for, in chunks without a length (RFC 9112, 7.1)."""

    def sent(body: bytes, _: str) -> bytes:
        pieces = [body[begin : begin + 4_096] for begin in range(0, len(body), 4_096)]
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        return head + b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in [*pieces, b""])

    return _files(contents, sent)


def ranged(contents: Mapping[str, bytes]) -> Callable[[socket.socket], None]:
    """Answer with the piece that is asked for of the content of a path (RFC 9110, 14)."""

    def sent(body: bytes, asked: str) -> bytes:
        wanted = re.search(r"Range: bytes=(\d+)-(\d*)", asked)
        begin = int(wanted[1]) if wanted else 0
        if begin >= len(body):
            return b"HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        last = min(int(wanted[2]) if wanted and wanted[2] else len(body), len(body) - 1)
        piece = body[begin : last + 1]
        place = f"Accept-Ranges: bytes\r\nContent-Range: bytes {begin}-{last}/{len(body)}\r\n"
        length = f"Content-Length: {len(piece)}\r\nConnection: close\r\n\r\n"
        return f"HTTP/1.1 206 Partial Content\r\n{place}{length}".encode() + piece

    return _files(contents, sent)


def _files(
    contents: Mapping[str, bytes], sent: Callable[[bytes, str], bytes]
) -> Callable[[socket.socket], None]:
    """Answer with what `sent` makes of the content of the path that is asked for, and of the request."""

    def answer(connection: socket.socket) -> None:
        asked = request(connection)
        if not asked:
            return
        body = contents.get(asked.split(" ", 2)[1])
        if body is None:
            connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        connection.sendall(sent(body, asked))

    return answer


def stalling(body: bytes) -> Callable[[socket.socket], None]:
    """Answer with `body` as if more were to follow, and send nothing more until the client leaves."""

    def answer(connection: socket.socket) -> None:
        if request(connection):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\n\r\n" + body)
            while connection.recv(4_096):
                pass

    return answer


def live(pieces: Sequence[tuple[float, bytes]], headers: str = "") -> Callable[[socket.socket], None]:
    """Answer as a live server: send each piece after a pause in seconds, then close; no length is given."""

    def answer(connection: socket.socket) -> None:
        if request(connection):
            connection.sendall(f"HTTP/1.0 200 OK\r\n{headers}\r\n".encode())
            for pause_s, piece in pieces:
                time.sleep(pause_s)
                connection.sendall(piece)

    return answer


@dataclass(frozen=True)
class Faults:
    """What is wrong with a camera.

    Attributes
    ----------
    lost : callable
        Whether the packet of a number is lost on the way.
    stamp : callable
        Frame that the time stamp of a packet says, given the packet's own first frame.
    pace_s : float
        Time from one packet to the next; 0 sends them as fast as they are taken.
    reported : callable
        Time that a sender report before the packet of a number gives its first frame, in seconds since 1970; None
        where no report is sent.
    has_sound : bool
        Whether it announces sound, and not a picture alone.
    """

    lost: Callable[[int], bool] = lambda packet: False
    stamp: Callable[[int], int] = lambda frame: frame
    pace_s: float = 0.0
    reported: Callable[[int], float | None] = lambda packet: None
    has_sound: bool = True


def rtsp(samples: Array, rate_hz: int, faults: Faults = Faults()) -> Callable[[socket.socket], None]:
    """Answer as an RTSP camera that sends 16-bit mono sound over the same connection (RFC 2326, 10.12)."""
    counts = np.round(samples[:, 0] * 2**15).astype(">i2")
    session = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
    track = f"audio 0 RTP/AVP 96\r\na=rtpmap:96 L16/{rate_hz}/1"
    sdp = f"{session}m={track if faults.has_sound else PICTURE}\r\n"
    replies = {
        "OPTIONS": "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n\r\n",
        "DESCRIBE": f"Content-Type: application/sdp\r\nContent-Length: {len(sdp)}\r\n\r\n{sdp}",
        "SETUP": "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1\r\n\r\n",
        "PLAY": "Session: 1\r\n\r\n",
    }

    def answer(connection: socket.socket) -> None:
        while asked := request(connection):
            method = asked.split(" ", 1)[0]
            number = re.search(r"CSeq: (\d+)", asked)
            assert number is not None
            rest = replies.get(method, "\r\n")
            connection.sendall(f"RTSP/1.0 200 OK\r\nCSeq: {number[1]}\r\n{rest}".encode())
            if method == "PLAY":
                begun = time.monotonic()
                for packet in range(len(counts) // RTP_FRAMES):
                    time.sleep(max(0.0, begun + packet * faults.pace_s - time.monotonic()))
                    stamp = faults.stamp(packet * RTP_FRAMES)
                    if (sent_at := faults.reported(packet)) is not None:
                        connection.sendall(sender_report(sent_at, stamp))
                    if not faults.lost(packet):
                        connection.sendall(rtp(counts, packet, stamp))
                return

    return answer


def rtp(counts: Array, packet: int, stamp: int) -> bytes:
    """Return a packet of sound (RFC 3550, 5.1), framed for TCP."""
    start = packet * RTP_FRAMES
    header = struct.pack(">BBHII", 0x80, 96, packet & 0xFFFF, stamp & 0xFFFFFFFF, 7)
    data = header + counts[start : start + RTP_FRAMES].tobytes()
    return b"$\0" + struct.pack(">H", len(data)) + data


def sender_report(sent_at: float, stamp: int) -> bytes:
    """Return a sender report (RFC 3550, 6.4.1), framed for TCP: the frame with a time stamp was captured at a time."""
    ntp = int((sent_at + NTP_OFFSET_S) * 2**32)
    data = struct.pack(">BBHIQIII", 0x80, 200, 6, 7, ntp, stamp & 0xFFFFFFFF, 0, 0)
    return b"$\1" + struct.pack(">H", len(data)) + data
