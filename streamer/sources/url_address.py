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

_SCHEME = r"(?P<scheme>\b[A-Za-z][A-Za-z0-9+.-]*://)"

_USER = re.compile(_SCHEME + r"(?P<user>[^/?#\s]*|[^/?#\s:]+:(?!\d{1,5}(?:[/?#]|\s|$))[^\s]*)@")
"""A user; signs in its password that end the host of a URL, such as ``/``, may stand there as they are."""

OPEN_NAMES = (
    "bitrate|camera|channel|codec|device|format|lang|language|media|mode|mount|name|profile|proto|protocol|quality"
    "|rate|resolution|stream|subtype|track|transport|type|unicast"
)
"""Whole names of settings in a query that are no secret, in small letters."""

_OPEN_VALUE = re.compile(r"\d{1,5}|[A-Za-z0-9]{1,4}|true|false|", re.IGNORECASE)
"""A value of any other setting that is too short for a token."""

_OPEN_WORD = re.compile(r"[A-Za-z_.-]*|.{1,7}")
"""A setting without a value that is none."""

_QUERY = re.compile(_SCHEME + r"(?P<place>[^\s?]*\?)(?P<query>[^\s#]+?)(?=[:,.)'\"]*(?:[\s#]|$))")
"""An address with a query, in a text; a sign behind it belongs to the text."""

_SECRET_NAME = re.compile(rf".*(?:{SECRET_WORDS}).*|{SECRET_NAMES}|{OPAQUE_NAMES}", re.IGNORECASE)

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
        reason = str(error)
        for secret in secrets_of(url):
            reason = reason.replace(secret, HIDDEN)
        raise ConfigError(
            f"URL '{without_secrets(url)}' cannot be read ({reason}); expected SCHEME://HOST[:PORT]/PATH"
        ) from error


def without_secrets(text: str) -> str:
    """Return a URL, or a text with URLs in it, with ``***`` for users, passwords, keys and the like.

    They are what stands before the host, the values of settings whose names say that they are secret
    (`SECRET_WORDS`), in the query or in the path, and every other value in a query that may be a token.
    """
    hidden = _USER.sub(lambda found: f"{found['scheme']}{HIDDEN}@", text)
    hidden = _QUERY.sub(
        lambda found: f"{found['scheme']}{found['place']}{_shown_query(found['query'])}", hidden
    )
    hidden = _OPAQUE.sub(lambda found: f"{found[1]}={HIDDEN}", hidden)
    return _SETTING.sub(lambda found: f"{found[1]}={HIDDEN}" if found[2] else found[0], hidden)


def _shown_query(query: str) -> str:
    """Return a query with ``***`` for the values that may be secret."""
    return "&".join(
        setting.removesuffix(secret) + HIDDEN if (secret := _secret_of(setting)) else setting
        for setting in query.split("&")
    )


def _secret_of(setting: str) -> str:
    """Return the part of a setting of a query that may be secret: its value, or all of it; empty if it has none."""
    name, has_value, value = setting.partition("=")
    if not has_value:
        return "" if _OPEN_WORD.fullmatch(setting) else setting
    name = unquote(name).lower()
    if _SECRET_NAME.fullmatch(name):
        return value
    is_open = re.fullmatch(OPEN_NAMES, name) and not re.search("@|%40|://", value)
    return "" if is_open or _OPEN_VALUE.fullmatch(value) else value


def secrets_of(url: str) -> list[str]:
    """Return the secrets of a URL, as they stand there and decoded, the longest first."""
    found = [value for user in _USER.finditer(url) for value in (user["user"], *user["user"].split(":", 1))]
    found += [setting[2] for settings in (_OPAQUE, _SETTING) for setting in settings.finditer(url)]
    queries = [query["query"].split("&") for query in _QUERY.finditer(url)]
    found += [_secret_of(setting) for settings in queries for setting in settings]
    found += [unquote(value) for value in found]
    return sorted({value for value in found if len(value) >= SHORTEST_SECRET}, key=len, reverse=True)
