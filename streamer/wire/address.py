"""ZeroMQ addresses: what may be bound or connected, and what needs keys."""

from __future__ import annotations

import ipaddress
import re

from streamer.errors import ConfigError

_TCP = re.compile(r"tcp://(?P<host>\[[\w:.%]+\]|[\w.*-]+):(?P<port>\*|\d{1,5})")
_HIGHEST_PORT = 65_535


def check_address(address: str) -> None:
    """Refuse what is no address.

    ZeroMQ alone would take port 99999 and bind 34463 (the number modulo 65,536).

    Raises
    ------
    ConfigError
        If `address` is neither ``tcp://HOST:PORT`` nor ``ipc://PATH``.
    """
    tcp = _TCP.fullmatch(address)
    port_fits = tcp is not None and (tcp["port"] == "*" or int(tcp["port"]) <= _HIGHEST_PORT)
    if not port_fits and not (address.startswith("ipc://") and len(address) > len("ipc://")):
        raise ConfigError(
            f"got the address {address!r}; expected tcp://HOST:PORT with a port up to {_HIGHEST_PORT} "
            "(tcp://127.0.0.1:* binds any free one) or ipc://PATH"
        )


def is_local(address: str) -> bool:
    """Whether only this machine reaches `address`: ``ipc://``, ``localhost``, 127.0.0.0/8 and ::1."""
    if address.startswith("ipc://"):
        return True
    tcp = _TCP.fullmatch(address)
    host = tcp["host"].strip("[]") if tcp else ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name, an interface, or the wildcard
        return False


def is_ipv6(address: str) -> bool:
    """Whether the host is a literal IPv6 address, which ZeroMQ takes only with its IPV6 option."""
    return address.startswith("tcp://[")
