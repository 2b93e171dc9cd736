"""`streamer keys`: what it makes and says."""

from __future__ import annotations

from pathlib import Path

from tests.programs import streamer


def test_keys_are_made(tmp_path: Path) -> None:
    done = streamer("keys", str(tmp_path / "keys"), "--client", "lights")
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.decode().splitlines()
    assert line.startswith(f"{tmp_path / 'keys' / 'clients' / 'lights'}: hand this folder to lights")


def test_the_help_names_the_folder_as_the_readme_does() -> None:
    done = streamer("keys", "--help")
    assert b"keys [OPTIONS] DIR" in done.stdout
    assert b"FOLDER" not in done.stdout
