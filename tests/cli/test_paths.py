"""Files whose names are no UTF-8, as those of a time before it, are read and written by every command."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import soundfile

from tests.programs import free_address, messages, streamer


@pytest.fixture
def old(tmp_path: Path, tone: Path) -> Path:
    """A sound in a folder of its own, with a name in Latin-1."""
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/Stra\xdfe/h\xf6ren.wav"))
    try:
        path.parent.mkdir()
        path.write_bytes(tone.read_bytes())
    except OSError:
        pytest.skip("this file system takes UTF-8 alone")
    return path


def test_it_is_heard_and_shown(old: Path, tmp_path: Path) -> None:
    done = streamer("listen", "--device", f"file:{old}", "--fast", "--json", "--bind", free_address())
    assert done.returncode == 0, done.stderr
    assert f"file:{tmp_path}/Stra?e/h?ren.wav" in {message.get("source") for message in messages(done.stdout)}
    absent = streamer("listen", "--device", f"file:{old}.absent", "--json", "--bind", free_address())
    assert absent.returncode == 1
    assert b"Traceback" not in absent.stderr


def test_it_is_analysed(old: Path, tone: Path) -> None:
    done, plain = (streamer("analyze", str(path)) for path in (old, tone))
    assert done.returncode == 0, done.stderr
    assert len(messages(done.stdout)) == len(messages(plain.stdout)) > 0


def test_it_is_taken_apart(old: Path) -> None:
    done = streamer("separate", str(old), "--out", str(old.parent))
    assert done.returncode == 0, done.stderr
    (folder,) = (path for path in old.parent.iterdir() if path.is_dir())
    assert {path.name for path in folder.iterdir()} == {"voice.wav", "music.wav"}
    with (folder / "voice.wav").open("rb") as voice, old.open("rb") as sound:
        assert soundfile.info(voice).frames == soundfile.info(sound).frames


def test_it_is_taught(old: Path) -> None:
    done = streamer("teach", "kettle", str(old), "--folder", str(old.parent / "taught"))
    assert b"Traceback" not in done.stderr
    assert done.returncode == 0, done.stderr
