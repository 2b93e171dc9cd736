"""Lines about work whose result lies elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import DEADLINE_S

CODE = """
from pathlib import Path
from streamer.cli.helpers.terminal import tell
for _ in range(3):
    tell("a line", {err})
Path("done").touch()
"""


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_work_goes_on_if_nobody_reads_the_lines(stream: str, tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    code = CODE.format(err=stream == "stderr")
    output = {stream: write}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, timeout=DEADLINE_S, check=False, **output
    )
    os.close(write)
    assert done.returncode == 0
    assert (tmp_path / "done").exists()
