"""Options and arguments that several commands share."""

from __future__ import annotations

import pytest

from tests.programs import refused


@pytest.mark.parametrize("command", [["analyze"], ["separate", "--out", "o"], ["teach", "bell"]])
def test_a_url_or_nothing_in_place_of_a_file_is_named(command: list[str]) -> None:
    refused(
        2,
        r"https://\*\*\*@x\.org/y\.mp3 is a URL; expected a file: hear a URL with `streamer listen --device URL`",
        *command,
        "https://me:secret@x.org/y.mp3",
    )
    refused(2, "the name of a file is empty; expected the path of a sound file", *command, "")
