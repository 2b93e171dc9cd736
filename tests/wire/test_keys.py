"""Test making and loading CURVE keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamer.errors import ConfigError
from streamer.wire.keys import load_client_keys, load_server_keys, make_keys


def test_makes_what_both_sides_load(tmp_path: Path) -> None:
    folders = make_keys(tmp_path / "keys", ["one", "two.home"])
    assert [folder.name for folder in folders] == ["one", "two.home"]
    server = load_server_keys(tmp_path / "keys")
    clients = [load_client_keys(folder) for folder in folders]
    assert {client.server for client in clients} == {server.public}
    assert len({server.secret, *(client.secret for client in clients)}) == 3
    assert sorted(path.name for path in server.authorized.iterdir()) == ["one.key", "two.home.key"]


def test_secrets_are_private_and_not_shown(tmp_path: Path) -> None:
    [folder] = make_keys(tmp_path)
    secrets = list(tmp_path.rglob("*.key_secret"))
    assert {path.name for path in secrets} == {"server.key_secret", "client.key_secret"}
    assert {path.stat().st_mode & 0o777 for path in secrets} == {0o600}
    for keys in (load_server_keys(tmp_path), load_client_keys(folder)):
        assert keys.secret.decode() not in repr(keys)
    assert "secret-key" not in (folder / "server.key").read_text()


def test_a_client_is_added_and_the_server_stays(tmp_path: Path) -> None:
    make_keys(tmp_path)
    before = load_server_keys(tmp_path)
    make_keys(tmp_path, ["second"])
    assert load_server_keys(tmp_path) == before


def test_refuses_to_overwrite_a_client(tmp_path: Path) -> None:
    make_keys(tmp_path)
    with pytest.raises(ConfigError, match=r"has keys for the client 'client' already; choose another name"):
        make_keys(tmp_path)


@pytest.mark.parametrize("name", ["", "..", "a/b", "a b", "../up"])
def test_refuses_a_name_that_is_no_file(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"got the client name .*expected letters, digits"):
        make_keys(tmp_path, [name])
    assert not list(tmp_path.iterdir())


def test_refuses_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"cannot write keys to .*give a folder that you may write to"):
        make_keys(tmp_path / "file" / "keys")


def test_refuses_absent_and_damaged_keys(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"cannot read a key from .*server\.key_secret; make keys with `streamer keys"
    ):
        load_server_keys(tmp_path)
    with pytest.raises(
        ConfigError, match=r"cannot read a key from .*client\.key_secret; copy the folder clients/NAME"
    ):
        load_client_keys(tmp_path)
    [folder] = make_keys(tmp_path)
    with pytest.raises(
        ConfigError, match=r"cannot read a key from .*client\.key_secret; give .*/clients/NAME, the folder"
    ):
        load_client_keys(tmp_path)
    for damaged in ("short", 39 * "a" + "~", 39 * "a" + "ä"):
        (folder / "server.key").write_text(f'public-key = "{damaged}"\n', encoding="utf-8")
        with pytest.raises(ConfigError, match=r"server\.key holds no public key of 40 Z85 characters; copy"):
            load_client_keys(folder)
    (tmp_path / "server.key_secret").write_text((tmp_path / "server.key").read_text())
    with pytest.raises(
        ConfigError, match=r"server\.key_secret holds no secret key of 40 Z85 characters; make"
    ):
        load_server_keys(tmp_path)


def test_refuses_when_nobody_could_subscribe(tmp_path: Path) -> None:
    make_keys(tmp_path)
    (tmp_path / "authorized" / "client.key").unlink()
    with pytest.raises(ConfigError, match=r"authorized holds no \*\.key, so nobody could subscribe"):
        load_server_keys(tmp_path)


def test_refuses_keys_that_do_not_belong_together(tmp_path: Path) -> None:
    one, two = make_keys(tmp_path, ["one", "two"])
    of_another = (two / "client.key").read_text().split('"')[1]
    secret = one / "client.key_secret"
    kept = secret.read_text()
    secret.write_text(kept.replace(kept.split('"')[1], of_another))
    with pytest.raises(
        ConfigError,
        match=r"client\.key_secret: its public key is not that of its secret key; expected one pair",
    ):
        load_client_keys(one)
    secret.write_text(kept)
    (one / "server.key").write_text((one / "client.key").read_text())
    with pytest.raises(
        ConfigError, match=r"server\.key holds the key of the client itself; expected that of"
    ):
        load_client_keys(one)
    (tmp_path / "server.key").write_text((one / "client.key").read_text())
    with pytest.raises(ConfigError, match=r"server\.key and server\.key_secret do not belong together"):
        load_server_keys(tmp_path)
