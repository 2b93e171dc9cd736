import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from streamer.dsp.log_mel import LogMel, LogMelConfig
from streamer.dsp.stage import offline
from tests.conftest import DEADLINE_S, ROOT
from tests.train.toy_data import make_toy_data, write
from train.data import cache as cache_module
from train.data.cache import SoundCache
from train.data.decode import decode
from train.data.features import FeatureCache
from train.data.hashes import FileHashes
from train.data.recordings import Recording
from train.data.sets import own_sounds
from train.data.sets.all_sound import unambiguous_recordings


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    return make_toy_data(tmp_path_factory.mktemp("data"))


def clips(folder: Path, count: int = 3) -> list[Recording]:
    """Clips of unlike sound."""
    found = []
    for n in range(count):
        path = folder / f"clip{n}.wav"
        write(path, seconds=1.0, pitch_hz=300.0 + 100 * n)
        found.append(Recording("own", path.stem, (path,), "sound", "dog", n % 5 + 1))
    return found


def files(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_the_cache_gives_what_decoding_gives_and_is_reused(toy, tmp_path):
    found = unambiguous_recordings(toy, tmp_path, [5])
    cache = SoundCache(found, tmp_path)
    for index, recording in enumerate(found):
        np.testing.assert_array_equal(cache.samples(index), decode(recording).astype(np.float32) / 32_768)
    before = files(tmp_path)
    again = SoundCache(found, tmp_path)
    assert files(tmp_path) == before
    assert again.digest == cache.digest
    assert len(again.samples(1, first=10, count=50)) == 50
    assert len(again.samples(1, first=again.length(1) - 3, count=50)) == 3


def test_splits_share_what_they_have_in_common(tmp_path):
    found = clips(tmp_path)
    SoundCache(found, tmp_path / "cache")
    before = files(tmp_path / "cache")
    part = SoundCache(found[1:], tmp_path / "cache")
    assert files(tmp_path / "cache") == before
    assert part.digest != SoundCache(found, tmp_path / "cache").digest


def test_frames_are_those_of_the_front_end_that_listens(tmp_path):
    found = clips(tmp_path)
    exact = FeatureCache(found, tmp_path / "cache", LogMel(), "float32")
    half = FeatureCache(found, tmp_path / "cache", LogMel())
    for index, recording in enumerate(found):
        expected = offline(LogMel(), decode(recording)[None].astype(np.float32) / 32_768)[0]
        np.testing.assert_array_equal(exact.frames(index), expected)
        np.testing.assert_allclose(half.frames(index), expected, atol=0.00196)
        assert half.frames(index).dtype == np.float32
        assert half.part(index).dtype == np.float16
        np.testing.assert_array_equal(exact.frames(index, 5, 7), expected[5:12])
    assert exact.length(0) == 98


def test_a_changed_byte_makes_that_clip_anew_and_no_other(tmp_path):
    found = clips(tmp_path)
    before = SoundCache(found, tmp_path / "cache")
    made = files(tmp_path / "cache" / "sound")
    content = bytearray(found[1].paths[0].read_bytes())
    content[1_000] ^= 1
    found[1].paths[0].write_bytes(content)
    after = SoundCache(found, tmp_path / "cache")
    assert len(files(tmp_path / "cache" / "sound").keys() - made.keys()) == 1
    assert after.digest != before.digest
    assert np.count_nonzero(after.samples(1) != before.samples(1)) == 1
    np.testing.assert_array_equal(after.samples(0), before.samples(0))


def test_another_front_end_or_precision_is_another_cache(tmp_path):
    found = clips(tmp_path)
    other = LogMel(LogMelConfig(mel_bands=32))
    caches = [
        FeatureCache(found, tmp_path / "cache", LogMel()),
        FeatureCache(found, tmp_path / "cache", LogMel(), "float32"),
        FeatureCache(found, tmp_path / "cache", other),
    ]
    assert len({cache.digest for cache in caches}) == 3
    assert len(list((tmp_path / "cache" / "features").rglob("*.npy"))) == 9
    assert [cache.frames(0).shape[1] for cache in caches] == [64, 64, 32]


def test_a_front_end_of_another_rate_is_refused(tmp_path):
    with pytest.raises(ValueError, match="front end takes 8000 Hz; expected 16000"):
        FeatureCache([], tmp_path, LogMel(LogMelConfig(sample_rate_hz=8_000, mel_high_hz=4_000.0)))


def test_what_cannot_be_used_is_skipped_counted_and_said(tmp_path, caplog):
    found = clips(tmp_path, 5)
    found[1].paths[0].write_bytes(b"no sound")
    found[2].paths[0].unlink()
    soundfile.write(found[3].paths[0], np.zeros(16_000), 16_000)
    for _ in range(2):  # the second time from what is on disk
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            cache = SoundCache(found, tmp_path / "cache")
        assert [r.name for r in cache.recordings] == ["clip0", "clip4"]
        assert [s.name for s in cache.skipped] == ["clip1", "clip2", "clip3"]
        for skipped, reason in zip(
            cache.skipped, ["cannot be read", "No such file", "is silent"], strict=True
        ):
            assert reason in skipped.reason
            assert str(tmp_path / skipped.name) in skipped.reason
            assert skipped.reason in caplog.text
        assert "skipped 3 of 5 recordings" in caplog.text
    np.testing.assert_array_equal(cache.samples(1), decode(found[4]).astype(np.float32) / 32_768)


def test_all_that_have_one_content_are_skipped_for_it(tmp_path):
    found = clips(tmp_path, 2)
    for recording in found:
        recording.paths[0].write_bytes(b"no sound")
    assert [s.name for s in SoundCache(found, tmp_path / "cache").skipped] == ["clip0", "clip1"]


def test_a_mended_clip_is_taken_again(tmp_path):
    found = clips(tmp_path, 2)
    whole = found[0].paths[0].read_bytes()
    found[0].paths[0].write_bytes(b"no sound")
    assert len(SoundCache(found, tmp_path / "cache")) == 1
    found[0].paths[0].write_bytes(whole)
    assert not SoundCache(found, tmp_path / "cache").skipped


def test_a_killed_build_goes_on_where_it_stopped(tmp_path, monkeypatch):
    found = clips(tmp_path, 4)
    made = []

    def dying(recording):
        if len(made) == 2:
            raise KeyboardInterrupt
        made.append(recording)
        return decode(recording)

    monkeypatch.setattr(cache_module, "WORKERS", 1)
    monkeypatch.setattr(cache_module, "decode", dying)
    with pytest.raises(KeyboardInterrupt):
        SoundCache(found, tmp_path / "cache")
    assert len(list((tmp_path / "cache" / "sound").rglob("*.npy"))) == 2
    assert not list((tmp_path / "cache").rglob("*.partial"))

    def going_on(recording):
        made.append(recording)
        return decode(recording)

    monkeypatch.setattr(cache_module, "decode", going_on)
    assert len(SoundCache(found, tmp_path / "cache")) == 4
    assert [r.name for r in made] == ["clip0", "clip1", "clip2", "clip3"]


BUILD = """
import sys
from pathlib import Path
from streamer.dsp.log_mel import LogMel
from train.data.features import FeatureCache
from train.data.sets.own_sounds import recordings
print(FeatureCache(recordings(Path(sys.argv[1]), "sound"), Path(sys.argv[2]), LogMel()).digest)
"""


def test_several_processes_build_one_cache(tmp_path):
    for kind in ("dog", "cat"):
        for n in range(5):
            write(
                tmp_path / "own" / kind / f"{kind}{n}.wav",
                seconds=1.0,
                pitch_hz=300 + n + 100 * len(kind[1:]),
            )
    command = [sys.executable, "-c", BUILD, str(tmp_path / "own"), str(tmp_path / "cache")]
    running = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate(timeout=DEADLINE_S)[0] for process in running]
    here = FeatureCache(own_sounds.recordings(tmp_path / "own", "sound"), tmp_path / "cache", LogMel())
    assert said == [f"{here.digest}\n"] * 2
    kept = [path.suffix for path in (tmp_path / "cache" / "features").rglob("*.*")]
    assert kept == [".npy"] * len({here.frames(i).tobytes() for i in range(10)})


def test_a_file_is_read_again_only_when_it_has_changed(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"one")
    hashes = FileHashes(tmp_path / "hashes.json")
    first = hashes.sha256(path)
    hashes.save()
    table = json.loads((tmp_path / "hashes.json").read_text())
    assert table[str(path)][2] == first == "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"
    table[str(path)][2] = "remembered"
    (tmp_path / "hashes.json").write_text(json.dumps(table))
    assert FileHashes(tmp_path / "hashes.json").sha256(path) == "remembered"
    os.utime(path, ns=(0, 0))
    assert FileHashes(tmp_path / "hashes.json").sha256(path) == first
    path.write_bytes(b"three")
    assert FileHashes(tmp_path / "hashes.json").sha256(path) != first
