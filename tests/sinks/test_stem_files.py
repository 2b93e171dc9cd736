"""Stems on disk: whole within each file, never over another, and a disk that fails holds nothing up."""

from __future__ import annotations

import itertools
import logging
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import soundfile

from streamer.errors import ConfigError
from streamer.events.kinds import Level, Stem
from streamer.sinks.stem_files import LiveStemFiles, StemFiles
from tests import bus
from tests.conftest import DEADLINE_S

RATE_HZ = 16_000
HOP = 160
NOON = datetime(2026, 5, 4, 12, 0, 0, tzinfo=UTC)


def stem(start: int, label: str = "voice", epoch: int = 0, live: bool = False, channels: int = 2) -> Stem:
    """A hop in which each sample is its own number, scaled."""
    numbers = np.arange(start, start + HOP, dtype=np.float32) / 100_000
    return Stem(
        kind="stem",
        stream="mic",
        epoch=epoch,
        start=start,
        stop=start + HOP,
        rate=RATE_HZ,
        time=NOON + timedelta(seconds=(start + HOP) / RATE_HZ) if live else None,
        label=label,
        samples=np.repeat(numbers[:, None], channels, axis=1),
    )


def write(folder: Path, stems: list[Stem], form: str = "flac") -> dict[str, np.ndarray]:
    sink = StemFiles(folder, form)
    sink.open()
    for one in stems:
        sink.send(one)
    sink.close()
    return {path.name: soundfile.read(path, always_2d=True)[0] for path in sorted(folder.iterdir())}


@pytest.mark.parametrize("form", ["flac", "wav"])
def test_each_label_has_a_file_that_is_whole(tmp_path: Path, form: str) -> None:
    stems = [stem(n * HOP, label) for n in range(10, 30) for label in ("voice", "music")]
    files = write(tmp_path / "new" / "stems", stems, form)
    assert list(files) == [f"mic-000000.100s-{label}.{form}" for label in ("music", "voice")]
    for sound in files.values():
        assert sound.shape == (20 * HOP, 2)
        np.testing.assert_allclose(sound[:, 0], np.arange(10 * HOP, 30 * HOP) / 100_000, atol=1e-6)


def test_live_stems_are_named_by_the_time_of_their_first_sample(tmp_path: Path) -> None:
    files = write(tmp_path, [stem(16_000, live=True), stem(16_160, live=True)])
    assert list(files) == ["mic-20260504T120001.000Z-voice.flac"]


@pytest.mark.parametrize("second", [stem(20 * HOP), stem(11 * HOP, epoch=1)], ids=["a hole", "a fresh start"])
def test_what_does_not_follow_goes_into_another_file(tmp_path: Path, second: Stem) -> None:
    files = write(tmp_path, [stem(10 * HOP), second])
    assert [len(sound) for sound in files.values()] == [HOP, HOP]


def test_what_was_written_before_is_kept(tmp_path: Path) -> None:
    write(tmp_path, [stem(0)])
    files = write(tmp_path, [stem(0), stem(HOP)])
    assert {name: len(sound) for name, sound in files.items()} == {
        "mic-000000.000s-voice.flac": HOP,
        "mic-000000.000s-voice-2.flac": 2 * HOP,
    }


def test_other_events_are_passed_over(tmp_path: Path) -> None:
    sink = StemFiles(tmp_path)
    sink.open()
    place = {"stream": "mic", "epoch": 0, "start": 0, "stop": HOP, "rate": RATE_HZ}
    sink.send(Level(kind="level", rms_dbfs=-20.0, peak_dbfs=-10.0, **place))
    sink.close()
    sink.close()
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_refused_before_anything_opens(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("no folder")
    with pytest.raises(
        ConfigError, match=r"stems cannot be written into .*taken \(File exists\); name a folder"
    ):
        StemFiles(tmp_path / "taken").open()


def test_a_full_disk_is_said_once_and_the_next_stem_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    whole = soundfile.SoundFile.write
    written = []

    def full_for_a_while(self: soundfile.SoundFile, data: np.ndarray) -> None:
        written.append(len(data))
        if len(written) == 3:
            raise OSError(28, "No space left on device")
        whole(self, data)

    monkeypatch.setattr(soundfile.SoundFile, "write", full_for_a_while)
    with caplog.at_level(logging.WARNING):
        files = write(tmp_path, [stem(n * HOP) for n in range(8)] + [stem(20 * HOP)])
    assert caplog.text.count("No space left on device") == 1
    assert "stem voice of mic cannot be written into" in caplog.text
    assert [len(sound) for sound in files.values()] == [2 * HOP, HOP]


@pytest.mark.parametrize("form", ["flac", "wav"])
def test_on_a_disk_that_fills_up_files_are_finished_while_there_is_room(
    tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked = itertools.count()
    monkeypatch.setattr("streamer.sinks.stem_writer.is_full", lambda _: next(asked) >= 2)
    (sound,) = write(tmp_path, [stem(n * HOP) for n in range(250)], form).values()
    assert len(sound) == 199 * HOP  # it is asked where a file begins, and once a second
    np.testing.assert_allclose(sound[:, 0], np.arange(len(sound)) / 100_000, atol=1e-5)
    assert caplog.text.count("(less than 17 MB are free; make room)") == 1


def test_a_wav_that_is_full_goes_on_in_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamer.sinks.stem_writer.WAV_BYTES", 10 * HOP * 2 * 4)
    files = write(tmp_path, [stem(n * HOP) for n in range(25)], "wav")
    assert [len(sound) // HOP for sound in files.values()] == [9, 9, 7]
    np.testing.assert_allclose(
        np.concatenate(list(files.values()))[:, 0], np.arange(25 * HOP) / 100_000, atol=1e-6
    )


def test_what_flac_cannot_hold_is_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    loud = replace(stem(0, channels=1), samples=np.full((HOP, 1), 1.5, np.float32))
    with caplog.at_level(logging.WARNING):
        (sound,) = write(tmp_path, [loud]).values()
    assert sound.max() <= 1.0
    assert f"{HOP} samples of stems in {tmp_path} are cut off at full scale" in caplog.text
    caplog.clear()
    (sound,) = write(tmp_path / "wav", [loud], "wav").values()
    assert sound.max() == 1.5
    assert not caplog.text


@pytest.fixture
def stalled(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """A disk that writes nothing until the event is set; 50 ms may wait."""
    monkeypatch.setattr("streamer.sinks.stem_files.WAITING_S", 0.05)
    whole, let_go = soundfile.SoundFile.write, threading.Event()

    def slow(self: soundfile.SoundFile, data: np.ndarray) -> None:
        assert let_go.wait(DEADLINE_S)
        whole(self, data)

    monkeypatch.setattr(soundfile.SoundFile, "write", slow)
    return let_go


def test_live_stems_wait_for_no_disk_and_have_no_hole_within_a_file(
    tmp_path: Path, stalled: threading.Event, caplog: pytest.LogCaptureFixture
) -> None:
    sink = LiveStemFiles(tmp_path)
    sink.open()
    for n in range(40):
        sink.send(stem(n * HOP, live=True))  # returns though nothing is written
    assert sink.left_out == 35
    sink.send(stem(0, "music", live=True))  # the other stem has room of its own
    assert sink.left_out == 35
    stalled.set()
    sink.close()
    assert caplog.text.count("is too slow: stem voice of mic has a hole there") == 1
    sink.close()
    assert caplog.text.count("35 pieces of stems were left out") == 1
    assert sink.incomplete
    for path in tmp_path.iterdir():
        sound = soundfile.read(path, always_2d=True)[0][:, 0]
        np.testing.assert_allclose(np.diff(sound), 1e-5, atol=1e-6)


def test_sound_that_can_wait_loses_nothing(tmp_path: Path, stalled: threading.Event) -> None:
    sink = StemFiles(tmp_path)
    sink.open()
    sender = threading.Thread(target=lambda: [sink.send(stem(n * HOP)) for n in range(40)])
    sender.start()
    stalled.set()
    sender.join(DEADLINE_S)
    assert not sender.is_alive()
    sink.close()
    assert not sink.incomplete
    (path,) = tmp_path.iterdir()
    assert len(soundfile.read(path)[0]) == 40 * HOP


def test_a_stem_that_has_ended_is_whole_on_disk_while_listening_goes_on(tmp_path: Path) -> None:
    sink = StemFiles(tmp_path)
    sink.open()
    for n in range(8):
        sink.send(stem(n * HOP))
    sink.send(bus.status(start=4 * RATE_HZ, stop=4 * RATE_HZ))
    sink.send(stem(5 * RATE_HZ, "music"))
    while sink.waiting_s("mic", "music") > 0:
        assert sink._thread.is_alive()
    assert len(soundfile.read(tmp_path / "mic-000000.000s-voice.flac")[0]) == 8 * HOP
    sink.close()


def test_a_file_that_cannot_be_finished_is_said_and_the_others_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    whole, failed = soundfile.SoundFile.close, []

    def fails_once(self: soundfile.SoundFile) -> None:
        whole(self)
        if "voice" in str(self.name) and not failed:
            failed.append(self)
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(soundfile.SoundFile, "close", fails_once)
    files = write(tmp_path, [stem(0), stem(0, "music")])
    assert "stem voice of mic is cut short" in caplog.text
    assert len(files["mic-000000.000s-music.flac"]) == HOP


def test_more_channels_than_flac_has_are_refused_with_the_way_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert write(tmp_path, [stem(n * HOP, channels=10) for n in range(3)]) == {}
    assert '10 channels, and FLAC has 8 at most: set form = "wav" in [stems]' in caplog.text
    assert "3 pieces of stems were left out" in caplog.text
    (sound,) = write(tmp_path, [stem(n * HOP, channels=10) for n in range(3)], "wav").values()
    assert sound.shape == (3 * HOP, 10)


def test_a_full_disk_is_named_and_leaves_no_empty_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def no_header(path: Path, *_: object, **__: object) -> None:
        path.touch()
        raise soundfile.LibsndfileError(2)

    monkeypatch.setattr(soundfile, "SoundFile", no_header)
    monkeypatch.setattr("streamer.sinks.stem_writer.FULL_BYTES", 1 << 60)
    sink = StemFiles(tmp_path)
    sink.open()
    sink.send(stem(0))
    sink.close()
    assert "(less than 17 MB are free; make room)" in caplog.text
    assert sink.incomplete
    assert list(tmp_path.iterdir()) == []
