"""Read the address of a stream, and say it without its secrets."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, unquote, urlsplit

from streamer.errors import ConfigError

HIDDEN = "***"
"""Text in place of a secret."""

SECRET_WORDS = (
    "user|usr|login|account|pass|pwd|psw|token|auth|key|secret|sig|cred|session|sid|code|hash|jwt|hmac"
)
"""Words in the names of settings whose values are secret, in any case."""

SECRET_NAMES = "u|p|pw|pin|tok"
"""Whole names of such settings."""

OPAQUE_NAMES = "streamid|hdnea|hdnts|hdntl"
"""Names of settings that may hold a secret with signs of their own in it: SRT's, and tokens of delivery networks."""

_SETTING = re.compile(
    rf"(?<![A-Za-z0-9])([\w.-]*?(?:{SECRET_WORDS})[\w.-]*?|{SECRET_NAMES})=([^&;/?#\s]*?)(?=_[A-Za-z]\w*?=|[&;/?#\s'\"]|$)",
    re.IGNORECASE,
)
"""A secret setting in a path or a query; in paths of some cameras an underscore parts one from the next."""

_OPAQUE = re.compile(rf"(?<![A-Za-z0-9])({OPAQUE_NAMES})=([^&\s'\"]+)", re.IGNORECASE)

_USER = re.compile(r"(?P<scheme>\b[A-Za-z][A-Za-z0-9+.-]*://)(?P<user>[^/?#\s]*)@")

SHORTEST_SECRET = 3
"""Length from which a secret is also removed where it stands alone; a shorter one would be found in any text."""


def split_url(url: str) -> SplitResult:
    """Split a URL into scheme, address, path and query.

    Raises
    ------
    ConfigError
        If it cannot be parsed, for example because the bracket of an IPv6 address is not closed.
    """
    try:
        return urlsplit(url)
    except ValueError as error:
        raise ConfigError(
            f"URL '{without_secrets(url)}' cannot be read ({error}); expected SCHEME://HOST[:PORT]/PATH"
        ) from error


def without_secrets(text: str) -> str:
    """Return a URL, or a text with URLs in it, with ``***`` for users, passwords, keys and the like.

    They are what stands before the host, and the values of settings whose names say that they are secret
    (`SECRET_WORDS`), in the query or in the path.
    """
    hidden = _USER.sub(lambda found: f"{found['scheme']}{HIDDEN}@", text)
    hidden = _OPAQUE.sub(lambda found: f"{found[1]}={HIDDEN}", hidden)
    return _SETTING.sub(lambda found: f"{found[1]}={HIDDEN}" if found[2] else found[0], hidden)


def secrets_of(url: str) -> list[str]:
    """Return the secrets of a URL, as they stand there and decoded, the longest first."""
    found = [value for user in _USER.finditer(url) for value in (user["user"], *user["user"].split(":", 1))]
    found += [setting[2] for settings in (_OPAQUE, _SETTING) for setting in settings.finditer(url)]
    found += [unquote(value) for value in found]
    return sorted({value for value in found if len(value) >= SHORTEST_SECRET}, key=len, reverse=True)
