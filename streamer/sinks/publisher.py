"""Publish events over ZeroMQ to any number of subscribers, none of which can hold up another, or the engine."""

from __future__ import annotations

import errno
import socket
import stat
from dataclasses import replace
from pathlib import Path

import zmq
from zmq.auth import Authenticator

from streamer.config import Config
from streamer.config_sections import DEFAULT_ADDRESS, PublishConfig
from streamer.errors import ConfigError, StreamError
from streamer.events.kinds import Decision, Event, Status
from streamer.events.serialization import encode
from streamer.sinks.sink import Sink
from streamer.wire.address import check_address, is_ipv6, is_local
from streamer.wire.keys import ServerKeys, load_server_keys
from streamer.wire.queues import PUBLISHER_MESSAGES, SYSTEM_BYTES

_LINGER_MS = (
    500  # longest wait for the last message to leave; close() takes this long only if a subscriber lags
)
_SUBSCRIPTION_BYTES = 1_024  # longest topic; a subscriber that sends more is disconnected
_REQUESTS_PER_SERVICE = 64  # so that a flood of subscriptions does not hold up the engine
_PREFIXES = 64  # most different subscriptions that are compared with each message; with more, all are sent
_REPLAYS_PER_SERVICE = (
    256  # so that a new subscriber of many streams neither holds up the engine nor loses any
)
_ZAP_DOMAIN = "streamer"


class Publisher(Sink):
    """Publishes every event as ``[topic, header, payload]`` on an XPUB socket.

    A subscriber that does not keep up loses messages once 2,000 wait for it here, and can tell by ``seq``. A new
    subscriber soon gets the last status, and the last decision on every label, of the topics that it subscribes to.
    These messages are marked ``replay``.

    Parameters
    ----------
    address : str
        ``tcp://HOST:PORT`` (port 0 or ``*``: any free one) or ``ipc://PATH``.
    keys : Path, str or None
        Folder made by `streamer.wire.keys.make_keys`, which is read when the publisher opens. Only the subscribers
        authorised there are served, encrypted. None publishes in the clear, which is refused beyond this machine.
    """

    def __init__(self, address: str = DEFAULT_ADDRESS, keys: Path | str | None = None) -> None:
        self._wanted_address = self._address = address
        self._keys = Path(keys) if keys else None
        self._last: dict[str, dict[str, Event]] = {}  # by topic and label, the oldest first
        self._to_repeat: dict[
            str, None
        ] = {}  # topics whose last messages a new subscriber waits for, in their turn
        self._subscribed: set[str] = set()
        self._new_prefixes: set[str] = set()
        self._prefixes: tuple[str, ...] = ()
        self._context: zmq.Context[zmq.Socket[bytes]] | None = None
        self._authenticator: Authenticator | None = None

    @property
    def address(self) -> str:
        """Address that the publisher is bound to, with its real port; before `open`, the address of the parameter."""
        return self._address  # noted once: a ZeroMQ socket must not be used from another thread

    @property
    def title(self) -> str:
        return f"publishing on {self.address}"

    def open(self) -> None:
        """Bind the address.

        Raises
        ------
        ConfigError
            If the address is invalid, is not one of this machine, or other machines can reach it and there are no keys.
        StreamError
            If another program uses the address.
        """
        address = self._wanted_address
        keys = _checked_keys(address, self._keys)
        _check_path(address)
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()  # its own: it holds one authenticator only
        self._socket = context.socket(zmq.XPUB)
        self._context = context
        self._subscribed, self._new_prefixes, self._prefixes = set(), set(), ()
        self._socket.setsockopt(zmq.XPUB_VERBOSE, 1)  # tell every subscription, not only the first of a topic
        self._socket.setsockopt(zmq.SNDHWM, PUBLISHER_MESSAGES)
        self._socket.setsockopt(zmq.SNDBUF, SYSTEM_BYTES)
        self._socket.setsockopt(zmq.LINGER, _LINGER_MS)
        self._socket.setsockopt(zmq.MAXMSGSIZE, _SUBSCRIPTION_BYTES)
        self._socket.setsockopt(zmq.IPV6, is_ipv6(address))
        if keys:
            self._authenticator = self._authenticated(keys)
        try:
            self._socket.bind(address)
        except zmq.ZMQError as error:
            self.close()
            raise _bind_error(address, error) from error
        self._address = self._socket.getsockopt_string(zmq.LAST_ENDPOINT)

    def send(self, event: Event) -> None:
        """Publish an event; never wait."""
        if isinstance(event, Decision | Status):
            if (
                event.topic in self._to_repeat
            ):  # first, since after a newer message they would seem to be lost
                self._repeat(event.topic)
            labels = self._last.setdefault(event.topic, {})
            label = event.label if isinstance(event, Decision) else ""
            labels.pop(label, None)  # moves it to the end: replays are sent in the order of the messages
            labels[label] = event
        if self._is_wanted(event.topic):
            self._socket.send_multipart(encode(event))

    def wants(self, kind: str) -> bool:
        """Return whether anybody has subscribed to events of a kind, of any stream."""
        if not self._covers(kind):
            self._read_subscriptions()
        return self._covers(kind)

    def service(self) -> None:
        """Let in authorised subscribers, and send the last messages, marked `replay`, to new subscribers."""
        self._authenticate()
        self._read_subscriptions()
        prefixes, self._new_prefixes = tuple(self._new_prefixes), set()
        self._to_repeat.update(dict.fromkeys(topic for topic in self._last if topic.startswith(prefixes)))
        sent = 0
        while self._to_repeat and sent < _REPLAYS_PER_SERVICE:
            sent += self._repeat(next(iter(self._to_repeat)))

    def close(self) -> None:
        if self._context is None:
            return
        self._socket.close()
        if self._authenticator:
            self._authenticator.stop()
        self._context.term()
        self._context = None

    def _repeat(self, topic: str) -> int:
        """Send the last messages of a topic, marked `replay`, and return their number."""
        del self._to_repeat[topic]
        for event in self._last[topic].values():
            # An XPUB socket cannot address one subscriber: the others know the message and ignore it.
            self._socket.send_multipart(encode(replace(event, replay=True)))
        return len(self._last[topic])

    def _authenticated(self, keys: ServerKeys) -> Authenticator:
        """Make the socket a CURVE server whose authenticator decides who is let in (ZeroMQ RFC 27)."""
        authenticator = Authenticator(self._context)
        authenticator.configure_curve(domain=_ZAP_DOMAIN, location=keys.authorized)
        authenticator.start()
        self._socket.setsockopt_string(zmq.ZAP_DOMAIN, _ZAP_DOMAIN)
        self._socket.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)  # nobody is let in without the authenticator
        self._socket.setsockopt(zmq.CURVE_SERVER, 1)
        self._socket.setsockopt(zmq.CURVE_PUBLICKEY, keys.public)
        self._socket.setsockopt(zmq.CURVE_SECRETKEY, keys.secret)
        return authenticator

    def _authenticate(self) -> None:
        # Done here rather than in pyzmq's ThreadAuthenticator: no further thread, and nothing to wait for at the end.
        if self._authenticator is None:
            return
        import asyncio  # takes longer to load than the rest of this module

        zap = self._authenticator.zap_socket
        for _ in range(_REQUESTS_PER_SERVICE):
            if not zap.poll(0):
                return
            asyncio.run(self._authenticator.handle_zap_message(zap.recv_multipart()))

    def _is_wanted(self, topic: str) -> bool:
        """Return whether anybody has subscribed to a topic; what nobody wants need not be encoded."""
        if not topic.startswith(self._prefixes):
            self._read_subscriptions()
        return topic.startswith(self._prefixes)

    def _covers(self, kind: str) -> bool:
        """Return whether a subscription may match topics of a kind: it is longer than ``KIND/``, or its beginning."""
        beginning = f"{kind}/"
        return any(prefix.startswith(beginning) or beginning.startswith(prefix) for prefix in self._prefixes)

    def _read_subscriptions(self) -> None:
        """Read what subscribers have subscribed to, or no longer want, since the last time."""
        changed = False
        for _ in range(_REQUESTS_PER_SERVICE):
            if not self._socket.poll(0):
                break
            message = self._socket.recv_multipart()[0]
            prefix = message[1:].decode(errors="replace")
            match message[:1]:  # anything else has no meaning
                case b"\x01":
                    self._subscribed.add(prefix)
                    self._new_prefixes.add(prefix)
                case b"\x00":  # the last subscriber to it has left
                    self._subscribed.discard(prefix)
                case _:
                    continue
            changed = True
        if changed:
            # To look for one of many takes longer than to encode a message that nobody wants.
            self._prefixes = tuple(self._subscribed) if len(self._subscribed) <= _PREFIXES else ("",)


def publisher_for(config: Config, realtime: bool) -> Publisher:  # noqa: ARG001 - it never waits
    """Return the publisher of a configuration, not yet opened."""
    return Publisher(config.publish.bind, config.publish.keys)


def check_publishing(publish: PublishConfig) -> None:
    """Check the address and the keys of a publisher before anything is opened.

    Raises
    ------
    ConfigError
        If the address is invalid, other machines can reach it and there are no keys, or the keys cannot be used.
    """
    _checked_keys(publish.bind, Path(publish.keys) if publish.keys else None)


def _checked_keys(address: str, folder: Path | None) -> ServerKeys | None:
    """Return the keys in a folder, which an address beyond this machine needs; None without a folder."""
    check_address(address)
    if folder is None and not is_local(address):
        raise ConfigError(
            f"{address} can be reached from other machines, which needs keys: make them with "
            "`streamer keys DIR`, then add `--keys DIR`; or bind tcp://127.0.0.1:PORT, for this one only"
        )
    return load_server_keys(folder) if folder else None


def _check_path(address: str) -> None:
    """Refuse an ``ipc://`` path in use: ZeroMQ would delete a file, or take another program's socket away."""
    path = Path(address.removeprefix("ipc://"))
    if not address.startswith("ipc://") or str(path).startswith(("@", "*")) or not path.exists():
        return
    if not stat.S_ISSOCK(path.stat().st_mode):
        raise ConfigError(
            f"cannot publish on {address}: {path} is a file or folder; give a path that is free"
        )
    with socket.socket(socket.AF_UNIX) as other:
        if other.connect_ex(str(path)) == 0:
            raise _in_use(address)


def _bind_error(address: str, error: zmq.ZMQError) -> ConfigError | StreamError:
    if error.errno == errno.EADDRINUSE:
        return _in_use(address)
    return ConfigError(
        f"cannot publish on {address} ({zmq.strerror(error.errno or 0).lower()}); expected an address of "
        f"this machine that you may use, as {DEFAULT_ADDRESS}"
    )


def _in_use(address: str) -> StreamError:
    return StreamError(
        f"cannot publish on {address}: another program uses it, perhaps another `streamer listen`; stop it, "
        "or take any free port with `--bind 'tcp://127.0.0.1:*'`"
    )
