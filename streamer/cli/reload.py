"""``streamer reload``: make a running `streamer listen` on this machine read its configuration again."""

from __future__ import annotations

import os
import signal
import time
from itertools import chain

import click

from streamer.config_sections import DEFAULT_ADDRESS
from streamer.errors import ConfigError, StreamError
from streamer.wire.address import check_address, is_local

PATIENCE_S = 2.0
"""Wait for a first message before a line says what is waited for."""

ANSWER_S = 30.0
"""Longest wait for the answer: new models are loaded first."""


@click.command(short_help="Make a running `listen` read its --config again.")
@click.option("--address", default=DEFAULT_ADDRESS, show_default=True, help="Address that it publishes on.")
@click.option("--keys", metavar="DIR", default="", help="Folder of CURVE keys (see `streamer keys`).")
def reload(address: str, keys: str) -> None:
    """Make a streamer on this machine read its --config again; streams that did not change go on without a gap.

    The signal SIGHUP does the same.
    """
    from streamer.engine.reload import READ_AGAIN, REFUSED
    from streamer.events.kinds import Status
    from streamer.wire.subscriber import subscribe

    check_address(address)
    if not is_local(address):
        raise ConfigError(f"got the address {address!r}; expected one of this machine: a signal is sent")
    asked_at = None
    with subscribe("status", address=address, keys=keys or None, timeout_s=ANSWER_S) as events:
        first = events.receive(PATIENCE_S)
        if first is None:
            click.echo(f"waiting up to {ANSWER_S:g} s for a `streamer listen` on {address}", err=True)
        for event in chain([first] if first else [], events):
            assert isinstance(event, Status)  # nothing else was subscribed to
            if asked_at is None and event.state in ("opening", "running", "recovering"):
                _send_hangup(event.pid)
                asked_at = time.monotonic()
            elif event.message.startswith((READ_AGAIN, REFUSED)) and not event.replay:
                click.echo(event.message)
                if event.message.startswith(REFUSED):
                    raise SystemExit(1)
                return
            elif asked_at is not None and time.monotonic() > asked_at + ANSWER_S:
                raise StreamError(
                    f"no word from process {event.pid} after {ANSWER_S:g} s; see what it printed"
                )


def _send_hangup(pid: int) -> None:
    if pid <= 0:  # the kernel would signal more than one process
        raise StreamError(
            "its status names no process; it is of another version: start it anew with this one"
        )
    try:
        os.kill(pid, signal.SIGHUP)
    except (ProcessLookupError, PermissionError) as error:
        raise StreamError(
            f"process {pid} cannot be told ({error.strerror}); send it SIGHUP where it runs, as its user"
        ) from error
