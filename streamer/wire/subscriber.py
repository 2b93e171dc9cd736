"""Receive the events of a publisher.

Three lines are enough::

    from streamer import subscribe
    for event in subscribe("gate"):
        print(event.state, event.label, event.score)
"""

from __future__ import annotations

import struct
import time
import weakref
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import NoneType, TracebackType
from typing import Self

import zmq

from streamer.config_sections import DEFAULT_ADDRESS
from streamer.errors import ConfigError, StreamError
from streamer.events.kinds import Event
from streamer.events.serialization import decode
from streamer.setting_types import check_type
from streamer.wire.address import check_address, is_ipv6
from streamer.wire.event_sequence import EventSequence
from streamer.wire.fresh_events import FreshEvents
from streamer.wire.keys import ClientKeys, load_client_keys
from streamer.wire.queues import SUBSCRIBER_MESSAGES, SYSTEM_BYTES
from streamer.wire.refusal import refusal

_KEEPALIVE = {
    zmq.TCP_KEEPALIVE: 1,
    zmq.TCP_KEEPALIVE_IDLE: 5,
    zmq.TCP_KEEPALIVE_INTVL: 5,
    zmq.TCP_KEEPALIVE_CNT: 3,
}
"""Options of TCP keepalive, in seconds. With it, a connection that dies silently (cable, sleep) is noticed and renewed.

ZMTP's own heartbeats would do this too, but libzmq 4.3.5 takes a slow subscriber for one that is gone, and then aborts
its process (libzmq issues 3937, 4767)."""
_REFUSALS = (
    zmq.EVENT_HANDSHAKE_FAILED_AUTH
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
)
_BROKEN_HANDSHAKES = 3  # a single one may be a publisher that is closing; several in a row are a refusal


class Subscriber(Iterator[Event]):
    """An iterator over the events of a publisher, which `subscribe` returns.

    Only one thread may use it. It disconnects by `close`, at the end of a ``with`` block, and when nothing refers to it
    any more. It reconnects by itself when the publisher is stopped and started again.

    Parameters
    ----------
    topics : tuple of str
        Topics to receive, each ``KIND`` or ``KIND/STREAM``; without any, all events are received.
    address : str
        The publisher's address: ``tcp://HOST:PORT`` or ``ipc://PATH``.
    keys : Path, str or None
        A subscriber's folder (see `streamer.wire.keys`), if the publisher requires keys.
    timeout_s : float or None
        Longest time that an iteration waits for a message; None waits for ever.
    max_age_s : float or None
        Longest time since a message was made, by the clocks of both machines, above 0; None takes any. Older ones are
        left out and counted as lost, except the last decision on each label and the last status of each stream.
        Messages without times have no age.

    Attributes
    ----------
    lost : Counter[str]
        Number of lost messages by topic; ``lost.total()`` is their sum. A message is lost if it was published between
        two that were received, or left out for its age. Messages before the first received one are not counted (before
        the first of its label, if that one is marked ``replay``), nor are those between the last of a publisher and the
        first after its restart: their number is unknown. A lost message that is repeated later stays counted.

    Raises
    ------
    ConfigError
        If a topic, the address, a key or the age is invalid.
    """

    def __init__(
        self,
        topics: tuple[str, ...] = (),
        address: str = DEFAULT_ADDRESS,
        keys: Path | str | None = None,
        timeout_s: float | None = None,
        max_age_s: float | None = None,
    ) -> None:
        check_type([str], address, f"address is {address!r}")
        check_type([Path, str, NoneType], keys, f"keys is {keys!r}")
        check_type([float, NoneType], timeout_s, f"timeout_s is {timeout_s!r}")
        check_type([float, NoneType], max_age_s, f"max_age_s is {max_age_s!r}")
        if max_age_s is not None and max_age_s <= 0:
            raise ConfigError(f"max_age_s is {max_age_s:g}; expected seconds above 0, or None for any age")
        check_address(address)
        client_keys = load_client_keys(Path(keys)) if keys else None
        wanted = tuple(_filter(topic) for topic in topics)
        # ZeroMQ takes every subscription as a prefix: right for "KIND/", but a whole topic must match exactly.
        self._kinds = tuple(text for text in wanted if text.endswith("/"))
        self._topics = frozenset(wanted).difference(self._kinds)
        self._address = address
        self._timeout_s = timeout_s
        self._broken_handshakes = 0
        self._has_keys = client_keys is not None
        self.lost: Counter[str] = Counter()
        self._sequence = EventSequence(self.lost)
        self._fresh = FreshEvents(max_age_s, self.lost)
        self._socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.SUB)
        self._refusals: zmq.Socket[bytes] = self._socket.get_monitor_socket(_REFUSALS)
        # Runs at the latest when Python exits; it must not refer to this object, which it would keep alive.
        self._end = weakref.finalize(self, _close, self._socket, self._refusals)
        self._poller = zmq.Poller()
        self._poller.register(self._refusals, zmq.POLLIN)
        self._poller.register(self._socket, zmq.POLLIN)
        self._connect(wanted or ("",), client_keys)

    def receive(self, timeout_s: float | None = None) -> Event | None:
        """Wait for the next event and return it.

        Parameters
        ----------
        timeout_s : float or None
            Longest time to wait; None waits for ever, 0 not at all.

        Returns
        -------
        Event or None
            The event, or None if none came in time.

        Raises
        ------
        StreamError
            If something other than an event was received; call this again to go on. Also if the publisher refuses
            the connection; the subscriber is then closed.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        # Old events are held only while something newer waits already.
        while not self._fresh.ready and self._wait(time.monotonic() if self._fresh.holds_late else deadline):
            parts = self._socket.recv_multipart()
            self._broken_handshakes = 0
            if self._is_wanted(parts[0]):
                event = decode(parts)
                if self._sequence.is_new(event):
                    self._fresh.put(event)
        return self._fresh.pop()

    def __next__(self) -> Event:
        if self._socket.closed:
            raise StopIteration
        event = self.receive(self._timeout_s)
        if event is None:
            topics = " or ".join(sorted({kind.removesuffix("/") for kind in self._kinds} | self._topics))
            and_sends = f", and does it send {topics}" if topics else ""
            raise StreamError(
                f"no message from {self._address} for {self._timeout_s:g} s: is `streamer listen` running{and_sends}?"
            )
        return event

    def close(self) -> None:
        """Disconnect and end the iteration; closing twice does no harm."""
        self._end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _connect(self, prefixes: tuple[str, ...], keys: ClientKeys | None) -> None:
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.RCVHWM, SUBSCRIBER_MESSAGES)
        self._socket.setsockopt(zmq.RCVBUF, SYSTEM_BYTES)
        for option, value in _KEEPALIVE.items():
            self._socket.setsockopt(option, value)
        self._socket.setsockopt(zmq.IPV6, is_ipv6(self._address))
        if keys:
            self._socket.setsockopt(zmq.CURVE_PUBLICKEY, keys.public)
            self._socket.setsockopt(zmq.CURVE_SECRETKEY, keys.secret)
            self._socket.setsockopt(zmq.CURVE_SERVERKEY, keys.server)
        for prefix in prefixes:
            self._socket.setsockopt_string(zmq.SUBSCRIBE, prefix)
        try:
            self._socket.connect(self._address)
        except zmq.ZMQError as error:
            self.close()
            raise ConfigError(
                f"cannot connect to {self._address} ({zmq.strerror(error.errno or 0).lower()}); expected the "
                f"publisher's address, as {DEFAULT_ADDRESS}"
            ) from error

    def _wait(self, deadline: float | None) -> bool:
        """Wait for a message; return False if none came before the deadline."""
        while not self._socket.closed:
            left_ms = None if deadline is None else max(0, round(1_000 * (deadline - time.monotonic())))
            ready = dict(self._poller.poll(left_ms))
            if self._refusals not in ready:
                return self._socket in ready
            self._check_refusal()
        raise StreamError(f"the subscriber to {self._address} is closed; make another with subscribe()")

    def _check_refusal(self) -> None:
        # zmq_socket_monitor(3): 16 bits are the number of the event, 32 bits its value.
        event, _ = struct.unpack("=HI", self._refusals.recv_multipart()[0])
        if event == zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL:
            # If only one side has keys, the quicker side closes the connection, often before it gives a reason.
            self._broken_handshakes += 1
            if self._broken_handshakes < _BROKEN_HANDSHAKES:
                return
        self.close()
        is_stranger = event == zmq.EVENT_HANDSHAKE_FAILED_AUTH
        raise StreamError(refusal(self._address, self._has_keys, is_stranger))

    def _is_wanted(self, topic: bytes) -> bool:
        text = topic.decode(errors="replace")
        everything = not self._kinds and not self._topics
        return everything or text in self._topics or text.startswith(self._kinds)


def subscribe(
    *topics: str,
    address: str = DEFAULT_ADDRESS,
    keys: Path | str | None = None,
    timeout_s: float | None = None,
    max_age_s: float | None = None,
) -> Subscriber:
    """Connect to a publisher and return an iterator over its events.

    Parameters
    ----------
    *topics : str
        Topics to receive: ``KIND`` (``"gate"``, of all streams) or ``KIND/STREAM`` (``"gate/mic"``, of that one);
        without any, all events are received.
    address, keys, timeout_s, max_age_s
        As for `Subscriber`.

    Returns
    -------
    Subscriber
        The iterator. It counts lost messages, and as a context manager it disconnects.

    Raises
    ------
    ConfigError
        If a topic, the address, a key or the age is invalid.

    Examples
    --------
    >>> for event in subscribe("gate"):  # doctest: +SKIP
    ...     print(event.state, event.label, event.score)
    """
    return Subscriber(topics, address, keys, timeout_s, max_age_s)


def _close(socket: zmq.Socket[bytes], refusals: zmq.Socket[bytes]) -> None:
    """Close a subscriber's socket, and the one that tells of its refusals."""
    socket.disable_monitor()
    refusals.close()
    socket.close()


def _filter(topic: str) -> str:
    """Return the prefix to subscribe to: ``KIND/`` for a kind, ``KIND/STREAM`` for a topic."""
    kind, _, stream = topic.partition("/") if isinstance(topic, str) else ("", "", "")
    if not kind:
        raise ConfigError(
            f"got the topic {topic!r}; expected KIND or KIND/STREAM, as 'gate', or none for everything"
        )
    return f"{kind}/{stream}"
