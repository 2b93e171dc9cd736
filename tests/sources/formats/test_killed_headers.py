"""Test that the sound behind the header of a killed recorder is heard whole, by file, URL and pipe, without a word."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import soundfile

from streamer.sources.file import FileSource
from streamer.sources.network.url import UrlSource
from tests.sources.formats.killed_headers import HEADERS
from tests.sources.formats.test_formats import heard_by_pipe
from tests.sources.servers import files, served
from tests.sources.source_contract import read_all

RATE_HZ = 16_000

CASES = [
    pytest.param(suffix, write, values, id=f"{suffix}: {name}")
    for suffix, write, headers in HEADERS
    for name, values in headers.items()
]


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")
@pytest.mark.parametrize(("suffix", "write", "values"), CASES)
def test_what_a_killed_recorder_wrote_is_heard_whole(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    suffix: str,
    write: Callable[..., bytes],
    values: tuple[int, ...],
) -> None:
    counts = np.random.default_rng(3).integers(-(2**14), 2**14, 2 * RATE_HZ)
    soundfile.write(tmp_path / "in.wav", (counts / 2**15).astype(np.float32), RATE_HZ, subtype="PCM_16")
    path = tmp_path / f"a.{suffix}"
    forced = ["-rf64", "always", "-f", "wav"] if suffix == "rf64" else []
    command = ["ffmpeg", "-v", "error", "-i", tmp_path / "in.wav", *forced, path]
    subprocess.run(command, check=True)
    path.write_bytes(write(path.read_bytes(), *values))
    got = [heard_by_pipe(path)]
    with closing(FileSource(path)) as source:
        source.open()
        got.append(read_all(source))
    for has_length in (True, False):
        with (
            served(files({f"/{path.name}": path.read_bytes()}, has_length)) as server,
            closing(UrlSource(f"http://{server}/{path.name}")) as source,
        ):
            source.open()
            got.append(read_all(source))
    for x in got:
        np.testing.assert_allclose(x[:, 0], counts / 2**15, rtol=0, atol=1e-6)
    assert caplog.text == ""
