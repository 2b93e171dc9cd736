"""Check ZeroMQ addresses, and tell which of them only this machine can reach."""

from __future__ import annotations

import ipaddress
import re

from streamer.errors import ConfigError

_TCP = re.compile(r"tcp://(?P<host>\[[\w:.%]+\]|[\w.*-]+):(?P<port>\*|\d{1,5})")
_HIGHEST_PORT = 65_535


def check_address(address: str) -> None:
    """Raise an error if an address is invalid.

    ZeroMQ by itself accepts port 99999 and binds port 34463, which is the number modulo 65,536.

    Raises
    ------
    ConfigError
        If `address` is neither ``tcp://HOST:PORT`` nor ``ipc://PATH``.
    """
    if _is_tcp(address) or (address.startswith("ipc://") and len(address) > len("ipc://")):
        return
    meant = f"tcp://127.0.0.1:{address}" if address.isdecimal() else f"tcp://{address}"
    guess = f"; did you mean {meant}?" if _is_tcp(meant) else ""
    raise ConfigError(
        f"got the address {address!r}; expected tcp://HOST:PORT with a port up to {_HIGHEST_PORT} "
        f"(tcp://127.0.0.1:* binds any free one) or ipc://PATH{guess}"
    )


def _is_tcp(address: str) -> bool:
    """Return whether an address is ``tcp://HOST:PORT`` with a port that there is."""
    tcp = _TCP.fullmatch(address)
    return tcp is not None and (tcp["port"] == "*" or int(tcp["port"]) <= _HIGHEST_PORT)


def is_local(address: str) -> bool:
    """Return whether only this machine reaches `address`: ``ipc://``, ``localhost``, 127.0.0.0/8 or ::1."""
    if address.startswith("ipc://"):
        return True
    tcp = _TCP.fullmatch(address)
    host = tcp["host"].strip("[]") if tcp else ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # a host name, an interface, or the wildcard
        return False


def is_ipv6(address: str) -> bool:
    """Return whether the host in `address` is an IPv6 number, which ZeroMQ accepts only with its IPV6 option."""
    return address.startswith("tcp://[")
