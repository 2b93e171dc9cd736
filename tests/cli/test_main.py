"""What all commands share: help, usage errors, output that cannot be written or that nobody reads."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from streamer.cli.main import COMMANDS, main
from tests.conftest import DEADLINE_S
from tests.programs import STREAMER, free_address, streamer


def command_named(name: str) -> click.Command | None:
    return main.get_command(click.Context(main), name)


def test_usage_errors_leave_with_2() -> None:
    assert streamer("listen", "--no-such-option").returncode == 2
    assert streamer("analyze").returncode == 2


@pytest.mark.parametrize(
    "arguments", [["models", "list"], ["listen", "--device", "file:TONE", "--fast", "--bind", "ADDRESS"]]
)
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_is_one_line(tone: Path, arguments: list[str], unbuffered: str) -> None:
    given = [a.replace("TONE", str(tone)).replace("ADDRESS", free_address()) for a in arguments]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [STREAMER, *given],
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=DEADLINE_S,
            check=False,
            env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
        )
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert b"No space left on device" in done.stderr


def test_a_reader_that_leaves_ends_it_quietly(tone: Path) -> None:
    command = f"{STREAMER} analyze {tone} | head -n 1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, timeout=DEADLINE_S, check=False
    )
    assert done.stderr == b""
    assert len(done.stdout.splitlines()) == 1


def test_the_package_is_the_command() -> None:
    done = subprocess.run([sys.executable, "-m", "streamer", "--help"], capture_output=True, check=True)
    assert done.stdout.startswith(b"Usage: streamer [OPTIONS] COMMAND")


@pytest.mark.parametrize(
    "command", [[], *([name] for name in COMMANDS), ["models", "list"], ["bench", "latency"]]
)
def test_help_loads_nothing_slow(command: list[str]) -> None:
    code = (
        "import sys; from streamer.__main__ import main\n"
        "try: main()\n"
        "finally: print(sorted({'numba', 'numpy', 'rich', 'scipy', 'zmq', 'onnxruntime'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *command, "--help"], capture_output=True, timeout=DEADLINE_S, check=False
    )
    assert done.returncode == 0
    assert done.stdout.startswith(b"Usage: streamer")
    assert done.stdout.endswith(b"\n[]\n")


@pytest.mark.parametrize(
    "group", [main, *(one for one in map(command_named, COMMANDS) if isinstance(one, click.Group))]
)
def test_the_list_of_commands_fits_80_columns_whole(group: click.Group) -> None:
    said = CliRunner().invoke(group, ["--help"], terminal_width=80).stdout
    listed = said.partition("Commands:\n")[2].splitlines()
    assert len(listed) == len(group.list_commands(click.Context(group)))  # none is broken into two lines
    assert "..." not in "".join(listed)
