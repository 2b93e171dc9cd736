"""Sound of free software: taken out of packages, sorted, and learnt from beside the folds."""

import shutil
import subprocess
import zipfile

import numpy as np
import pytest
import soundfile

from streamer.errors import ConfigError
from tests.train.toy_data import RATE_HZ, make_toy_data, write
from train.data import free_sound
from train.data.all_sound import DATA_SETS, recordings, trained_on
from train.data.decode import FULL_SCALE, decode
from train.data.recordings import BESIDE, Recording
from train.data.sources import SOURCES
from train.free_sound import LONGEST_S, TEACHER, Sorter, sort, unpack
from train.free_sound_overlap import overlaps


class LoudIsMusic:
    """Sorts by level: loud files are music, faint ones nobody knows."""

    def kind(self, sound, named_music):
        peak = np.abs(sound).max()
        return None if peak < 0.01 else "music" if named_music or peak > 0.25 else "sound"


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="packages are taken apart by dpkg-deb")
def test_sound_is_taken_out_of_a_package_and_of_archives_in_it(tmp_path):
    package = tmp_path / "package"
    write(package / "usr" / "share" / "a game" / "hit.wav")
    write(package / "usr" / "share" / "step.ogg")
    (package / "usr" / "share" / "hit.txt").write_text("no sound")
    with zipfile.ZipFile(package / "usr" / "share" / "data.pk3", "w") as archive:
        archive.write(package / "usr" / "share" / "step.ogg", "sound/step.ogg")
        archive.writestr("map.bsp", b"no sound")
    (package / "DEBIAN").mkdir()
    control = "Package: a-game\nVersion: 1\nArchitecture: all\nMaintainer: nobody\nDescription: none\n"
    (package / "DEBIAN" / "control").write_text(control)
    command = ["dpkg-deb", "--root-owner-group", "-b", str(package), str(tmp_path / "a-game.deb")]
    subprocess.run(command, check=True, capture_output=True)
    unpack(tmp_path / "a-game.deb", tmp_path / "out")
    found = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*")}
    assert found == {
        "usr/share/a game/hit.wav",
        "usr/share/step.ogg",
        "usr/share/data/sound/step.ogg",
    }


def test_files_are_sorted_at_16_khz_and_one_channel_and_what_is_in_doubt_is_left_out(tmp_path):
    def put(name, peak, seconds=1.0):
        path = tmp_path / "raw" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        sound = peak * np.sin(np.arange(int(44_100 * seconds))[:, None] * [0.05, 0.05])
        soundfile.write(path, sound, 44_100)

    put("deep/down/loud.wav", 0.5, seconds=LONGEST_S + 5.0)
    put("soft.wav", 0.1)
    put("faint.wav", 0.001)
    put("music/soft.wav", 0.1)
    (tmp_path / "raw" / "broken.ogg").write_bytes(b"no sound at all")
    counted = sort(tmp_path / "raw", "a-game", LoudIsMusic(), tmp_path / "out")
    assert counted == {"music": 2, "sound": 1, "left out": 1}
    found = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.flac")}
    assert found == {
        "music/a-game/deep_down_loud.flac",
        "music/a-game/music_soft.flac",
        "sound/a-game/soft.flac",
    }
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"music", "sound"}
    info = soundfile.info(tmp_path / "out" / "music" / "a-game" / "deep_down_loud.flac")
    assert (info.samplerate, info.channels, info.duration) == (RATE_HZ, 1, LONGEST_S)


def test_it_is_in_no_fold_and_only_there_when_asked_for(tmp_path):
    make_toy_data(tmp_path)
    beside = recordings(tmp_path, tmp_path / "cache", [BESIDE])
    assert {(r.source, r.fold, r.category) for r in beside} == {("free_sound", BESIDE, "a-game")}
    assert len(beside) == 9
    folds = recordings(tmp_path, tmp_path / "cache", [1, 2, 3, 4, 5])
    assert {r.source for r in folds} == set(DATA_SETS)
    assert [each["name"] for each in trained_on(free_sound=True)][:-1] == [
        each["name"] for each in trained_on(free_sound=False)
    ]
    assert trained_on(free_sound=True)[-1]["name"] == SOURCES["free_sound"].title


def test_its_absence_is_said_with_what_to_do(tmp_path):
    make_toy_data(tmp_path)
    shutil.rmtree(tmp_path / "free_sound" / "speech")
    with pytest.raises(
        ConfigError, match=r"has no speech; fetch some by `python -m train\.free_sound`, or do without"
    ):
        free_sound.recordings(tmp_path)


def test_real_sound_is_sorted_as_it_is_known_or_left_out(data_dir, cache_dir):
    sorter = Sorter(data_dir / TEACHER)
    known = [r for r in recordings(data_dir, cache_dir, [5]) if r.source in ("gtzan", "speech", "esc50")]
    said = {"music": [], "speech": [], "sound": []}
    for recording in known[:: len(known) // 60]:
        sound = decode(recording)[: 10 * RATE_HZ].astype(np.float32) / np.float32(FULL_SCALE)
        said[recording.kind].append(sorter.kind(sound, named_music=False))
    for kind, found in said.items():
        wrong = [other for other in found if other not in (kind, None)]
        assert len(wrong) <= 0.1 * len(found), (kind, found)
        assert found.count(kind) > 0.5 * len(found), (kind, found)


def test_a_sound_that_is_in_a_clip_is_found_and_no_other(tmp_path):
    def put(name, sound):
        path = tmp_path / f"{name}.flac"
        soundfile.write(path, sound, RATE_HZ)
        return Recording("any", name, (path,), "sound", "", 1)

    rng = np.random.default_rng(3)

    def bursts(count):
        parts = [level * rng.standard_normal(RATE_HZ // 8) for level in rng.choice([0.001, 0.03, 0.2], count)]
        return np.concatenate(parts).clip(-1, 1)

    clips = [bursts(40) for _ in range(3)]
    inside = 0.5 * clips[1][RATE_HZ : 3 * RATE_HZ] + 0.0005 * rng.standard_normal(2 * RATE_HZ)
    sounds = [put("inside", inside), put("other", bursts(12)), put("short", bursts(3))]
    found = overlaps(sounds, [put(f"clip{n}", clip) for n, clip in enumerate(clips)], tmp_path / "cache")
    assert (found[0].sound, found[0].clip) == ("inside", "clip1")
    assert found[0].correlation > 0.99
    assert all(one.correlation < 0.3 for one in found[1:])
