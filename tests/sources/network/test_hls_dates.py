"""Test the times of HLS streams by the dates in their playlists."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from streamer.sources.ffmpeg.ffmpeg_log import FfmpegLog
from streamer.sources.network.hls_clock import HlsClock
from streamer.sources.network.hls_dates import HlsDates, spans_of
from streamer.sources.network.url import UrlSource
from streamer.sources.source import Block
from tests.conftest import DEADLINE_S
from tests.sources.servers import files, served

needs_ffmpeg = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")

RATE = 48_000
NOON, DATE = 1_769_860_800.0, "#EXT-X-PROGRAM-DATE-TIME:2026-01-31T13:00:00.000+0100"
CLICK_S = 7.25


def test_dates_count_on_until_the_next_one() -> None:
    text = f"""#EXTM3U
#EXTINF:2.0,
early.ts
{DATE}
#EXTINF:2.5,title
a.ts
#EXTINF:2,
sub/b.ts
#EXT-X-DISCONTINUITY
#EXTINF:2,
c.ts
#EXT-X-PROGRAM-DATE-TIME:2026-01-31T12:01:00Z
#EXT-X-DISCONTINUITY
#EXTINF:2,
/d.ts?token=1
"""
    assert spans_of(text, "http://h/x/live.m3u8?q=1") == {
        "http://h/x/a.ts": (NOON, NOON + 2.5),
        "http://h/x/sub/b.ts": (NOON + 2.5, NOON + 4.5),
        "http://h/d.ts?token=1": (NOON + 60, NOON + 62),
    }


@pytest.mark.parametrize(
    "date", ["2026-01-31T12:00:00", "yesterday", "", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00"]
)
def test_a_date_without_a_time_zone_and_one_that_is_none_say_nothing(date: str) -> None:
    assert spans_of(f"#EXT-X-PROGRAM-DATE-TIME:{date}\n#EXTINF:2,\na.ts\n", "http://h/l.m3u8") == {}


def test_pieces_of_one_address_say_nothing() -> None:
    text = f"{DATE}\n#EXTINF:2,\nall.ts\n#EXTINF:2,\nall.ts\n"
    assert spans_of(text, "http://h/l.m3u8") == {"http://h/all.ts": None}


def test_only_the_very_first_piece_that_was_opened_counts() -> None:
    media = f'#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="key"\n{DATE}\n#EXTINF:2,\na.ts\n#EXTINF:2,\nb.ts\n'
    master = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nm/live.m3u8\n"
    pages = {"/": master.encode(), "/m/live.m3u8": media.encode()}
    with served(files(pages)) as server:
        dates = HlsDates(f"http://{server}/")
        dates.read()
    at = f"http://{server}/m"
    assert dates.first([f"{at}/live.m3u8", f"{at}/key", f"crypto+{at}/b.ts", f"{at}/a.ts"]) == NOON + 2
    assert dates.first([f"{at}/older.ts", f"{at}/a.ts"]) is None
    assert dates.first([]) is None
    assert dates.last([f"{at}/a.ts", f"{at}/b.ts", f"{at}/live.m3u8", f"{at}/key"]) == (
        f"{at}/b.ts",
        NOON + 4,
    )
    assert dates.last([f"{at}/a.ts", f"{at}/c.ts"]) == (f"{at}/c.ts", None)
    assert dates.last([]) == ("", None)


def pieces(folder: Path, form: str) -> dict[str, bytes]:
    """Return ten seconds with a click, cut into five pieces, by name."""
    x = np.zeros(10 * RATE)
    x[round(CLICK_S * RATE) :][:48] = 0.9
    soundfile.write(folder / "x.wav", x, RATE)
    options = ["-f", "hls", "-hls_time", "2", "-hls_list_size", "0", "-hls_segment_type", form]
    command = ["ffmpeg", "-v", "error", "-i", "x.wav", "-c:a", "aac", *options, "-hls_flags", "split_by_time"]
    subprocess.run([*command, "x.m3u8"], check=True, cwd=folder)
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix != ".wav"}


def playlist(found: dict[str, bytes]) -> bytes:
    """Return ffmpeg's playlist as that of a live stream, with a date at its beginning."""
    lines = [line for line in found["x.m3u8"].decode().splitlines() if line != "#EXT-X-ENDLIST"]
    first = next(n for n, line in enumerate(lines) if line.startswith("#EXTINF"))
    return "\n".join([*lines[:first], DATE, *lines[first:], ""]).encode()


def heard(source: UrlSource, seconds: float) -> list[Block]:
    blocks: list[Block] = []
    deadline = time.monotonic() + DEADLINE_S
    source.open()
    try:
        while not blocks or blocks[-1].stop < seconds * RATE:
            assert time.monotonic() < deadline
            if (block := source.read(1_000)) is not None:
                blocks.append(block)
            else:
                time.sleep(0.005)
    finally:
        source.close()
    return blocks


@needs_ffmpeg
@pytest.mark.parametrize("form", ["mpegts", "fmp4"])
@pytest.mark.parametrize("path", ["/live.m3u8", "/master.m3u8", "/listen"])
def test_sound_has_the_time_of_its_piece(tmp_path: Path, form: str, path: str) -> None:
    found = pieces(tmp_path, form)
    contents = {f"/{name}": data for name, data in found.items()}
    contents["/live.m3u8"] = contents["/listen"] = playlist(found)
    contents["/master.m3u8"] = b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=99000\nlive.m3u8\n"
    with served(files(contents)) as server:
        blocks = heard(UrlSource(f"http://{server}{path}"), 3.5)
    assert all(block.captured_at is not None for block in blocks)
    block = next(block for block in blocks if abs(block.samples).max() > 0.3)
    assert block.sent_at is not None
    at = int(np.flatnonzero(abs(block.samples[:, 0]) > 0.3)[0])
    assert block.sent_at - (len(block.samples) - at) / RATE == pytest.approx(NOON + CLICK_S, abs=0.05)


@needs_ffmpeg
def test_a_stream_without_dates_has_the_arrival(tmp_path: Path) -> None:
    found = pieces(tmp_path, "mpegts")
    contents = {f"/{name}": data for name, data in found.items()}
    contents["/live.m3u8"] = playlist(found).replace(DATE.encode(), b"#")
    with served(files(contents)) as server:
        blocks = heard(UrlSource(f"http://{server}/live.m3u8"), 3.0)
    assert {block.sent_at for block in blocks} == {None}


@needs_ffmpeg
def test_after_pieces_that_were_passed_over_the_arrival_counts(tmp_path: Path) -> None:
    found = pieces(tmp_path, "mpegts")
    contents = {f"/{name}": data for name, data in found.items()} | {"/live.m3u8": playlist(found)}
    with served(files(contents)) as server:
        source = UrlSource(f"http://{server}/live.m3u8")
        source.open()
        before = next(block for block in iter(lambda: source.read(1_000), 0) if block)
        source._ffmpeg._log.skipped_ahead = True
        after = next(block for block in iter(lambda: source.read(1_000), 0) if block)
        source.close()
    assert before.sent_at is not None
    assert after.sent_at is None
    assert after.captured_at is not None


@needs_ffmpeg
def test_while_nothing_comes_the_dates_are_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = pieces(tmp_path, "mpegts")
    contents = {f"/{name}": data for name, data in found.items()} | {"/live.m3u8": playlist(found)}
    compared: list[tuple[str, float]] = []

    def noted(clock: HlsClock, opened: list[str], stop_s: float, zero_at: float | None) -> float | None:
        piece, end = clock._dates.last(opened)
        assert end is not None
        assert zero_at is not None
        compared.append((piece, end - stop_s - zero_at))
        return zero_at

    monkeypatch.setattr(HlsClock, "corrected", noted)
    with served(files(contents)) as server:
        source = UrlSource(f"http://{server}/live.m3u8")
        source.open()
        deadline = time.monotonic() + DEADLINE_S
        while not compared:
            assert time.monotonic() < deadline
            source.read(10_000)
            time.sleep(0.01)
        source.close()
    piece, ahead_s = compared[0]
    assert piece.endswith(max(name for name in found if name.endswith(".ts")))
    assert ahead_s == pytest.approx(0.0, abs=0.1)


def test_pieces_that_were_passed_over_are_noticed(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(
        "[hls @ 0x1] [info] Opening 'http://h/1.ts' for reading\n"
        "[info] Input #0, hls, from 'http://h/l.m3u8':\n"
        "[hls @ 0x1] [info] Opening 'http://h/2.ts' for reading\n"
        "[hls @ 0x1] [warning] skipping 3 segments ahead, expired from playlists\n"
    )
    with (tmp_path / "log").open("rb") as file:
        log = FfmpegLog(file.fileno(), "http://h/l.m3u8")
        log.collect()
    assert log.opened == ["http://h/1.ts"]
    assert log.skipped_ahead
