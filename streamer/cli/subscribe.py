"""``streamer subscribe``: print what a publisher sends."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

import click

from streamer.cli.helpers.amount import SECONDS
from streamer.config_sections import DEFAULT_ADDRESS

LOSSES_APART_S = 1.0
"""Shortest time between two lines about lost messages."""

NOTICE_S = 3.0
"""Time without a message after which it is said what is waited for: a few heartbeats."""


@click.command(short_help="Print the messages of a running `listen`.")
@click.argument("topics", nargs=-1, metavar="[TOPIC]...")
@click.option("--address", default=DEFAULT_ADDRESS, show_default=True, help="Address of the publisher.")
@click.option("--keys", metavar="DIR", default="", help="Folder of CURVE keys (see `streamer keys`).")
@click.option("--json", "as_json", is_flag=True, help="Print headers as lines of JSON.")
@click.option("--count", type=click.IntRange(1), help="Stop after this many messages.")
@click.option(
    "--timeout",
    "timeout_s",
    type=SECONDS,
    help="Fail after this many seconds without a message.",
)
@click.option(
    "--max-age",
    "max_age_s",
    type=SECONDS,
    help="Leave out messages that were made longer ago than this many seconds.",
)
def subscribe(
    topics: tuple[str, ...],
    address: str,
    keys: str,
    as_json: bool,
    count: int | None,
    timeout_s: float | None,
    max_age_s: float | None,
) -> None:
    """Print messages: all of them, or those of TOPICs (gate, status, scores/mic, ...)."""
    from streamer.events.serialization import KINDS, header_json
    from streamer.sinks.lines import line
    from streamer.wire.subscriber import subscribe as subscribe_to

    shown: Callable[[Any], str] = header_json if as_json else line
    for topic in topics:
        if (kind := topic.partition("/")[0]) and kind not in KINDS:
            _say(
                f"{kind!r} is no kind of message that this version knows ({', '.join(KINDS)}); waiting for it all the "
                "same"
            )
    with subscribe_to(
        *topics, address=address, keys=keys or None, timeout_s=timeout_s, max_age_s=max_age_s
    ) as events:
        told = _Losses(events.lost, "lost" if max_age_s is None else "lost or too old")
        try:
            first = events.receive(NOTICE_S) if timeout_s is None else None
            if first is None and timeout_s is None:
                _say_what_is_missing(topics, address, keys)
            for number, event in enumerate(chain([first] if first else [], events), 1):
                click.echo(shown(event))
                told.say_if_due()
                if number == count:
                    break
        except KeyboardInterrupt:
            click.echo("", err=True)
        finally:
            told.say()


class _Losses:
    """Says what was lost, at most once a second and at the end."""

    def __init__(self, lost: Counter[str], what: str) -> None:
        self._lost = lost
        self._what = what
        self._said: Counter[str] = Counter()
        self._due_at = time.monotonic()

    def say_if_due(self) -> None:
        if time.monotonic() >= self._due_at:
            self.say()

    def say(self) -> None:
        new = self._lost - self._said
        if not new:
            return
        topics = ", ".join(f"{topic} {number}" for topic, number in new.most_common())
        _say(f"{self._what}: {new.total()} message{'s' if new.total() > 1 else ''} ({topics})")
        self._said = self._lost.copy()
        self._due_at = time.monotonic() + LOSSES_APART_S


def _say_what_is_missing(topics: Sequence[str], address: str, keys: str) -> None:
    """Say what is waited for: a publisher, or the first message of one that is there."""
    from streamer.wire.subscriber import subscribe as subscribe_to

    wanted = " or ".join(topics) or "messages"
    with subscribe_to("status", address=address, keys=keys or None) as statuses:
        status = statuses.receive(NOTICE_S)
    if status is None:
        _say(
            f"waiting for {wanted}: nobody publishes on {address}; start a publisher, as in `streamer listen`"
        )
    else:
        _say(
            f"waiting for {wanted}: {address} publishes (stream {status.stream}), but nothing of this so far"
        )


def _say(text: str) -> None:
    click.echo(text, err=True)
