"""The parts of a URL, and how to show it."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from streamer.errors import ConfigError


def split_url(url: str) -> SplitResult:
    """Scheme, address, path and query.

    Raises
    ------
    ConfigError
        If it is none (an IPv6 address that its bracket does not close).
    """
    try:
        return urlsplit(url)
    except ValueError as error:
        raise ConfigError(
            f"URL '{without_password(url)}' cannot be read ({error}); expected SCHEME://HOST[:PORT]/PATH"
        ) from error


def without_password(url: str) -> str:
    """The URL without the user and password that may stand before its host."""
    scheme, separator, rest = url.partition("://")
    address, slash, path = rest.partition("/")
    user, at, host = address.rpartition("@")
    return f"{scheme}{separator}{'***' if user else ''}{at}{host}{slash}{path}"
