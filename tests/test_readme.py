"""The README's transcript of the bundled recording, and its settings, against what Streamer really says."""

from __future__ import annotations

import re
from pathlib import Path

from streamer.config_file import read_config
from streamer.config_sections import DEFAULT_ADDRESS
from streamer.demo_recording import DEMO_PATH
from streamer.sinks.open_sinks import sink_sections
from tests.conftest import ROOT
from tests.programs import free_address, streamer

TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def block_after(words: str, language: str = "") -> str:
    """The first block of a language after some words of the README."""
    assert TEXT.count(words) == 1, f"README.md has {words!r} {TEXT.count(words)} times; expected it once"
    found = re.search(rf"^```{language}\n(.*?)^```$", TEXT.partition(words)[2], re.MULTILINE | re.DOTALL)
    assert found, f"README.md has no block of code after {words!r}"
    return found[1]


def test_the_transcript_is_what_listen_says_of_the_bundled_recording() -> None:
    shown = block_after("first 27 s\nof the bundled recording").splitlines()
    address = free_address()
    done = streamer("listen", "--device", f"file:{DEMO_PATH}", "--fast", "--bind", address)
    assert done.returncode == 0, done.stderr
    said = done.stdout.decode().replace(address, DEFAULT_ADDRESS).splitlines()
    assert shown == said[: len(shown)]
    assert shown[-1] < "0:00:27" < said[len(shown)]


def test_the_settings_are_the_defaults(tmp_path: Path) -> None:
    shown, shortest = tmp_path / "shown.toml", tmp_path / "shortest.toml"
    shown.write_text(block_after("These are\nthe defaults:", "toml"), encoding="utf-8")
    # A model's name says the same as its absence, but stays in the configuration.
    names = "[models]\ngate = 'gate'\nsounds = 'sounds'\ngenre = 'genre'\n"
    sinks = sink_sections()
    names += "".join(f"[{section}]\n" for section in sinks)
    shortest.write_text(f"[[stream]]\n{names}", encoding="utf-8")
    assert read_config(shown, sinks) == read_config(shortest, sinks)
