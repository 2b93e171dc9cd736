"""Test the command where standard input, output or error is closed."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.conftest import DEADLINE_S, ROOT


def shell(redirection: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = " ".join([sys.executable, "-m", "streamer", *arguments, redirection])
    return subprocess.run(
        ["sh", "-c", command], capture_output=True, timeout=DEADLINE_S, cwd=ROOT, check=False
    )


def test_a_closed_standard_input_is_told() -> None:
    done = shell("<&-", "listen", "--device", "-", "--bind", "'tcp://127.0.0.1:*'")
    assert done.returncode == 1
    assert b"Error: stdin: standard input is closed; expected raw PCM" in done.stderr


@pytest.mark.parametrize("command", ["listen", "models list", "devices", "teach --list", "reload --help"])
def test_a_closed_standard_output_is_told(command: str) -> None:
    done = shell(">&-", *command.split())
    assert done.returncode == 2
    assert (
        done.stderr
        == b"Error: standard output is closed; send it to a file, or to /dev/null to see nothing\n"
    )


@pytest.mark.parametrize("redirection", ["<&-", "2>&-", "<&- 2>&-"])
def test_what_needs_no_standard_input_runs_without(redirection: str) -> None:
    done = shell(redirection, "--version")
    assert done.returncode == 0
    assert done.stdout.startswith(b"streamer, version")
