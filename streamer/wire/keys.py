"""Make and read CURVE keys, by which a publisher and its subscribers know each other over a network.

A publisher's folder (``streamer keys DIR``)::

    DIR/server.key                       public key of the publisher
    DIR/server.key_secret                its secret key, which stays there, mode 0600
    DIR/authorized/NAME.key              public keys of the subscribers that are let in
    DIR/clients/NAME/                    a subscriber's folder, to be handed over whole
        server.key  client.key  client.key_secret
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import zmq.auth
from zmq.utils.z85 import Z85CHARS

from streamer.errors import ConfigError

_KEY_CHARACTERS = 40  # 32 bytes in Z85 (ZeroMQ RFC 32)


@dataclass(frozen=True)
class ServerKeys:
    """Keys of a publisher.

    Attributes
    ----------
    public, secret : bytes
        The publisher's own pair of keys, as Z85 text.
    authorized : Path
        Folder with the public keys of the subscribers that are let in.
    """

    public: bytes
    secret: bytes = field(repr=False)
    authorized: Path


@dataclass(frozen=True)
class ClientKeys:
    """Keys of a subscriber: a pair of its own and the publisher's public key, as Z85 text."""

    public: bytes
    secret: bytes = field(repr=False)
    server: bytes


def make_keys(folder: Path, clients: Sequence[str] = ()) -> list[Path]:
    """Write a pair of keys for each client, and one for the publisher unless `folder` has one.

    Parameters
    ----------
    folder : Path
        The publisher's folder; it is made if absent.
    clients : sequence of str
        Names of the subscribers, of letters, digits, ``-``, ``_`` and ``.``. Without any, one named ``client`` is
        made.

    Returns
    -------
    list of Path
        The folder of each client, to be handed over whole.

    Raises
    ------
    ConfigError
        If a name is invalid or has keys already, or the folder cannot be written.
    """
    names = clients or ("client",)
    for name in names:
        if not name.replace("-", "").replace("_", "").replace(".", "").isalnum():
            raise ConfigError(f"got the client name {name!r}; expected letters, digits, '-', '_' and '.'")
        if (folder / "clients" / name).exists() or (folder / "authorized" / f"{name}.key").exists():
            raise ConfigError(
                f"{folder} has keys for the client {name!r} already; choose another name, or delete "
                f"clients/{name} and authorized/{name}.key there first"
            )
    try:
        (folder / "authorized").mkdir(parents=True, exist_ok=True)
        if not (folder / "server.key_secret").exists():
            _make_pair(folder, "server")
        return [_make_client(folder, name) for name in names]
    except OSError as error:
        raise ConfigError(
            f"cannot write keys to {folder}: {error.strerror}; give a folder that you may write to"
        ) from error


def load_server_keys(folder: Path) -> ServerKeys:
    """Return the keys in a publisher's folder.

    Raises
    ------
    ConfigError
        If a key is absent or damaged, or no subscriber is authorised.
    """
    way_out = f"make keys with `streamer keys {folder}`"
    public, secret = _load_pair(folder / "server.key_secret", way_out)
    if _load_public(folder / "server.key", way_out) != public:
        raise ConfigError(
            f"{folder}: server.key and server.key_secret do not belong together; expected one pair: put back the two "
            "that `streamer keys` made there, or make others with `streamer keys DIR`"
        )
    authorized = folder / "authorized"
    files = sorted(authorized.glob("*.key"))
    if not files:
        raise ConfigError(f"{authorized} holds no *.key, so nobody could subscribe; {way_out}")
    for file in files:
        _load_public(file, way_out)
    return ServerKeys(public, secret, authorized)


def load_client_keys(folder: Path) -> ClientKeys:
    """Return the keys in a subscriber's folder.

    Raises
    ------
    ConfigError
        If a key is absent or damaged.
    """
    if any(folder.glob("clients/*")):  # the publisher's own folder
        way_out = f"give {folder / 'clients' / 'NAME'}, the folder of a subscriber"
    else:
        way_out = "copy the folder clients/NAME that `streamer keys DIR` made on the publisher's machine"
    public, secret = _load_pair(folder / "client.key_secret", way_out)
    server = _load_public(folder / "server.key", way_out)
    if server == public:
        raise ConfigError(
            f"{folder / 'server.key'} holds the key of the client itself; expected that of the publisher: {way_out}"
        )
    return ClientKeys(public, secret, server)


def _make_client(folder: Path, name: str) -> Path:
    own = folder / "clients" / name
    own.mkdir(parents=True, mode=0o700)
    _make_pair(own, "client")
    shutil.copyfile(folder / "server.key", own / "server.key")
    shutil.copyfile(own / "client.key", folder / "authorized" / f"{name}.key")
    return own


def _make_pair(folder: Path, name: str) -> None:
    """Write NAME.key and NAME.key_secret."""
    # pyzmq writes files that others may read. In a private folder they cannot, until the mode is set.
    with tempfile.TemporaryDirectory(dir=folder) as private:
        public_file, secret_file = (Path(file) for file in zmq.auth.create_certificates(private, name))
        secret_file.chmod(0o600)
        public_file.replace(folder / public_file.name)
        secret_file.replace(folder / secret_file.name)


def _load_pair(file: Path, way_out: str) -> tuple[bytes, bytes]:
    public, secret = _load(file, way_out)
    if secret is None or not _is_key(secret):
        raise ConfigError(f"{file} holds no secret key of {_KEY_CHARACTERS} Z85 characters; {way_out}")
    if zmq.curve_public(secret) != public:
        raise ConfigError(
            f"{file}: its public key is not that of its secret key; expected one pair, as `streamer keys` writes it: "
            f"{way_out}"
        )
    return public, secret


def _load_public(file: Path, way_out: str) -> bytes:
    return _load(file, way_out)[0]


def _load(file: Path, way_out: str) -> tuple[bytes, bytes | None]:
    try:
        public, secret = zmq.auth.load_certificate(file)
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot read a key from {file}; {way_out}") from error
    if not _is_key(public):
        raise ConfigError(f"{file} holds no public key of {_KEY_CHARACTERS} Z85 characters; {way_out}")
    return public, secret


def _is_key(text: bytes) -> bool:
    return len(text) == _KEY_CHARACTERS and set(text) <= set(Z85CHARS)
