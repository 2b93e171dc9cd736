"""Ask a ZeroMQ address whether it uses keys, by the greeting that opens each connection."""

from __future__ import annotations

import contextlib
import socket
import time

PATIENCE_S = 2.0
"""Longest time for a connection and its greeting."""

SIGNATURE = b"\xff" + bytes(8) + b"\x7f"
OPENING = SIGNATURE + b"\x03"
"""Signature and major version. What follows would name a mechanism, and a peer that refuses it may hang up before its
own greeting is out."""

GREETING_BYTES = 64
MECHANISM = slice(12, 32)
"""Length of a greeting, and place of the mechanism's name in it (ZMTP 3.1, https://rfc.zeromq.org/spec/37)."""


def mechanism_of(address: str) -> str | None:
    """Return the security mechanism of whoever listens on an address.

    Parameters
    ----------
    address : str
        ``tcp://HOST:PORT`` or ``ipc://PATH``, as `check_address` admits it.

    Returns
    -------
    str or None
        ``NULL`` without keys, ``CURVE`` with keys; empty if what answers is no ZeroMQ; None if nobody answers.
    """
    try:
        with _connected(address) as connection:
            connection.settimeout(PATIENCE_S)
            connection.sendall(OPENING)
            greeting = _received(connection)
    except OSError:
        return None
    is_zeromq = (
        len(greeting) == GREETING_BYTES and greeting[0] == SIGNATURE[0] and greeting[9] == SIGNATURE[9]
    )
    return greeting[MECHANISM].rstrip(b"\0").decode(errors="replace") if is_zeromq else ""


def _connected(address: str) -> socket.socket:
    if address.startswith("ipc://"):
        path = address.removeprefix("ipc://")
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(PATIENCE_S)
        connection.connect(f"\0{path[1:]}" if path.startswith("@") else path)  # @ is ZeroMQ's abstract name
        return connection
    host, _, port = address.removeprefix("tcp://").rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)), PATIENCE_S)


def _received(connection: socket.socket) -> bytes:
    """Return the beginning of what comes, at most the length of a greeting."""
    greeting, deadline = b"", time.monotonic() + PATIENCE_S
    with contextlib.suppress(TimeoutError):
        while len(greeting) < GREETING_BYTES and time.monotonic() < deadline:
            more = connection.recv(GREETING_BYTES - len(greeting))
            if not more:
                break
            greeting += more
    return greeting
