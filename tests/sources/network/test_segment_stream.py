"""Test streams of segments that were encoded one by one."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import soundfile

from streamer.arrays import Array
from streamer.sources.network.url import UrlSource
from tests.sources.servers import files, served
from tests.sources.source_contract import read_all

pytestmark = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")

RATE_HZ, SEGMENT_S, SEGMENTS = 16_000, 2, 6


def hls(folder: Path, stamps_go_on: bool) -> dict[str, bytes]:
    """Write a recording as HLS whose segments were encoded one by one, with a click in the midst of each second."""
    x = 0.01 * np.random.default_rng(2).standard_normal(SEGMENTS * SEGMENT_S * RATE_HZ)
    x[RATE_HZ // 2 :: RATE_HZ] = 0.9
    soundfile.write(folder / "all.wav", x, RATE_HZ)
    playlist = f"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:{SEGMENT_S}\n#EXT-X-MEDIA-SEQUENCE:0\n"
    contents = {}
    for number in range(SEGMENTS):
        begin = str(number * SEGMENT_S)
        cut = ["-ss", begin, "-t", str(SEGMENT_S), "-i", folder / "all.wav", "-c:a", "aac"]
        shifted = ["-output_ts_offset", begin] if stamps_go_on else []
        path = folder / f"{number}.ts"
        subprocess.run(["ffmpeg", "-y", "-v", "error", *cut, *shifted, path], check=True)
        contents[f"/{number}.ts"] = path.read_bytes()
        playlist += f"#EXTINF:{SEGMENT_S}.000,\n{number}.ts\n"
    contents["/a.m3u8"] = contents["/stream"] = f"{playlist}#EXT-X-ENDLIST\n".encode()
    return contents


def heard(contents: dict[str, bytes], path: str) -> Array:
    with served(files(contents)) as server, closing(UrlSource(f"http://{server}{path}")) as source:
        source.open()
        return np.abs(read_all(source)[:, 0])


@pytest.mark.parametrize("path", ["/a.m3u8", "/stream"])
def test_segments_that_overlap_do_not_make_the_sound_longer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    x = heard(hls(tmp_path, stamps_go_on=True), path)
    assert len(x) == pytest.approx(SEGMENTS * SEGMENT_S * RATE_HZ, abs=2 * 1_024)
    clicks = [
        second * RATE_HZ + np.argmax(x[second * RATE_HZ : (second + 1) * RATE_HZ]) for second in range(12)
    ]
    late = np.array(clicks) - RATE_HZ * (np.arange(12) + 0.5)
    assert (
        np.abs(late).max() <= 1_024
    )  # ffmpeg stamps the first segment a packet late, and all others rightly
    np.testing.assert_array_equal(late[SEGMENT_S:], late[SEGMENT_S])
    assert caplog.text == ""


def test_an_overlap_that_stamps_do_not_tell_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    x = heard(hls(tmp_path, stamps_go_on=False), "/a.m3u8")
    assert len(x) > SEGMENTS * SEGMENT_S * RATE_HZ
    assert "s of sound where its playlist says 12.00 s: its segments were encoded one by one" in caplog.text
