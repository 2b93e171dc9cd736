import dataclasses
from collections import Counter

import numpy as np
import pytest

from models import torchaudio_cpu
from streamer.dsp.log_mel import LogMel
from streamer.errors import ConfigError
from tests.train.toy_data import make_toy_data, write
from train.augment import apply_gain, transcode
from train.data.duplicates import find_duplicates, group_duplicates
from train.data.features import FeatureCache
from train.data.recordings import FOLDS, Recording
from train.data.sets.gtzan import gtzan, gtzan_mels

LISTS = ("train_filtered.txt", "valid_filtered.txt", "test_filtered.txt")


def make_tracks(folder, suffix: str = ".wav", count: int = 10) -> None:
    """Files that are named like tracks; loaders do not look into them."""
    for genre in ("blues", "rock"):
        (folder / genre).mkdir(parents=True)
        for n in range(count):
            (folder / genre / f"{genre}.{n:05}{suffix}").touch()


def write_lists(folder, *contents: str) -> None:
    for name, content in zip(LISTS, contents, strict=False):
        (folder / name).write_text(content)


@pytest.mark.parametrize(
    ("layout", "suffix"),
    [("genres", ".au"), ("genres_original", ".wav"), ("Data/genres_original", ".wav"), ("audio", ".ogg")],
)
def test_every_layout_is_found_and_each_genre_dealt_evenly(tmp_path, layout, suffix):
    make_tracks(tmp_path / "gtzan" / layout, suffix)
    (tmp_path / "gtzan" / layout / "rock" / "._rock.00000.wav").touch()  # macOS leaves such
    found = gtzan.recordings(tmp_path)
    assert Counter((r.category, r.fold) for r in found) == {
        (g, f): 2 for g in ("blues", "rock") for f in FOLDS
    }
    assert found[3].name == "blues.00003"
    assert found[3].paths[0].suffix == suffix


def test_a_folder_that_is_no_gtzan_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"gtzan has no folders of genres in genres, genres_original"):
        gtzan.recordings(tmp_path)
    make_tracks(tmp_path / "gtzan" / "genres")
    (tmp_path / "gtzan" / "genres" / "pop").mkdir()
    with pytest.raises(ConfigError, match="pop has no sound files"):
        gtzan.recordings(tmp_path)


def test_the_lists_say_which_tracks_count_and_where(tmp_path):
    make_tracks(tmp_path / "gtzan" / "genres", ".au")
    train = "".join(f"rock/rock.0000{n}.wav\n" for n in range(6))
    write_lists(
        tmp_path / "gtzan", train, "rock/rock.00007.wav\nblues/blues.00001.wav", "rock/rock.00008.wav\n"
    )
    found = {r.name: r for r in gtzan.recordings(tmp_path)}
    assert Counter(r.split for r in found.values()) == {"train": 6, "validation": 2, "test": 1}
    assert found["blues.00001"].split == "validation"
    assert found["rock.00008"].paths[0].suffix == ".au"
    assert "rock.00006" not in found


def test_the_published_lists_are_read_and_a_track_they_name_in_vain_is_listed(tmp_path):
    torchaudio_cpu.load()
    from torchaudio.datasets import gtzan as published

    make_tracks(tmp_path / "gtzan" / "genres", count=100)
    names = (published.filtered_train, published.filtered_valid, published.filtered_test)
    lists = ["".join(f"{n.split('.')[0]}/{n}.wav\n" for n in part) for part in names]
    write_lists(tmp_path / "gtzan" / "genres", *lists)
    found = gtzan.recordings(tmp_path)
    assert Counter(r.split for r in found) == {"train": 443, "validation": 197, "test": 290}
    assert sum(r.paths[0].exists() for r in found) == sum(r.category in ("blues", "rock") for r in found)


@pytest.mark.parametrize(
    ("contents", "reason"),
    [
        (
            ["rock/rock.00000.wav"],
            r"has train_filtered.txt; expected all of train_filtered.txt, valid_filtered.txt",
        ),
        (
            ["rock/rock.00000.wav", "rock.00001.wav", "x"],
            r"valid_filtered.txt has 'rock.00001'; expected blues/",
        ),
        (["rock/rock.00000.wav", "", "x"], r"valid_filtered.txt has 'no lines'; expected blues/"),
        (
            ["rock/a.wav", "rock/a.wav", "rock/b.wav"],
            r"valid_filtered.txt has rock/a, which another list has too",
        ),
    ],
)
def test_lists_that_are_no_split_are_refused(tmp_path, contents, reason):
    make_tracks(tmp_path / "gtzan" / "genres")
    write_lists(tmp_path / "gtzan", *contents)
    with pytest.raises(ConfigError, match=reason):
        gtzan.recordings(tmp_path)


def test_ten_folds_are_even_over_genres_and_keep_groups_and_given_folds():
    genre = np.repeat([0, 1], 30)
    group = np.arange(60)
    group[40] = group[3]  # one recording in two genres
    group[[10, 11, 12]] = 10
    audio = tuple(f"a{n}" if n < 5 else "" for n in range(60))
    folds = gtzan_mels.assign_ten_folds(genre, group, audio)
    assert folds[40] == folds[3]
    assert len(set(folds[10:13])) == 1
    assert ((folds[:5] + 1) // 2).tolist() == [1, 2, 3, 4, 5]
    for number in (0, 1):
        assert np.bincount(folds[genre == number], minlength=11)[1:].tolist() == [3] * 10
    np.testing.assert_array_equal(folds, gtzan_mels.assign_ten_folds(genre, group, audio))


def test_a_mel_file_that_is_another_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"mels.npz is not there; point STREAMER_DATA"):
        gtzan_mels.load(tmp_path)
    (tmp_path / "gtzan").mkdir()
    path = tmp_path / "gtzan" / "mels.npz"
    path.write_bytes(b"no zip")
    with pytest.raises(ConfigError, match=r"cannot be read .*; expected mel, scale"):
        gtzan_mels.load(tmp_path)
    np.savez(path, mel=np.zeros((2, 3, 4)), scale=1.0)
    with pytest.raises(ConfigError, match=r"cannot be read .*genre"):
        gtzan_mels.load(tmp_path)
    others = {"scale": 1.0, "genre": np.zeros(2), "genres": ["a"], "group": np.zeros(2), "audio": ["", ""]}
    np.savez(path, mel=np.zeros((2, 3, 4)), **others)
    with pytest.raises(ConfigError, match=r"has mel float64 \(2, 3, 4\).* expected int8"):
        gtzan_mels.load(tmp_path)


def test_the_real_mel_file_agrees_with_the_tracks_at_hand(data_dir):
    mels = gtzan_mels.load(data_dir)
    assert mels.mel.shape == (980, 128, 130)
    assert mels.frames(np.array([0, 979])).shape == (2, 130, 128)
    assert mels.frames(np.array([0]))[0, 1, 2] == pytest.approx(mels.mel[0, 2, 1] / 28)
    for number in range(10):
        sizes = np.bincount(mels.ten_fold[mels.genre == number], minlength=11)[1:]
        assert sizes.min() >= 9
        assert sizes.max() <= 10
    assert len(set(zip(mels.group, mels.ten_fold, strict=True))) == len(set(mels.group))
    folds = {r.name: r.fold for r in gtzan.recordings(data_dir)}
    assert {name: fold for name, fold in zip(mels.audio, mels.fold, strict=True) if name} == folds


def piece(folder, name: str, seed: int) -> np.ndarray:
    """A made-up tune of tones that come and go, 8 s."""
    rng = np.random.default_rng(seed)
    t = np.arange(16_000 // 4) / 16_000
    notes = [np.sin(2 * np.pi * rng.uniform(200, 3_000) * t) * rng.random() for _ in range(32)]
    sound = (0.3 * np.concatenate(notes)).astype(np.float32)
    write_sound(folder, name, sound)
    return sound


def write_sound(folder, name: str, sound: np.ndarray) -> None:
    import soundfile

    soundfile.write(folder / f"{name}.wav", sound, 16_000)


def test_repeated_recordings_are_found_and_kept_in_one_fold(tmp_path):
    sounds = [piece(tmp_path, f"t{n}", n) for n in range(4)]
    write_sound(tmp_path, "t4", apply_gain(transcode(sounds[1], "mp3", 0.8), -9.0))
    write_sound(tmp_path, "t5", transcode(sounds[1], "vorbis", 0.9))
    write(tmp_path / "t6.wav", seconds=2.0)
    found = [
        Recording("gtzan", f"t{n}", (tmp_path / f"t{n}.wav",), "music", "rock", n % 5 + 1) for n in range(7)
    ]
    cache = FeatureCache(found, tmp_path / "cache", LogMel())
    assert find_duplicates(cache, seconds=7.0) == [[1, 4, 5]]
    assert find_duplicates(cache) == []
    long = [dataclasses.replace(r, fold=2) if r.name in ("t4", "t5") else r for r in found]
    assert group_duplicates(found, tmp_path / "cache", seconds=7.0) == long


def test_no_real_track_at_hand_is_a_repetition(data_dir, tmp_path):
    found = gtzan.recordings(data_dir)
    assert find_duplicates(FeatureCache(found, tmp_path, LogMel())) == []


def test_tracks_in_another_fold_than_the_mel_file_has_them_in_are_refused(tmp_path):
    make_toy_data(tmp_path)
    mels, tracks = gtzan_mels.load(tmp_path), gtzan.recordings(tmp_path)
    gtzan_mels.check_same_folds(mels, tracks)
    moved = [dataclasses.replace(tracks[0], fold=tracks[0].fold % 5 + 1)]
    with pytest.raises(
        ConfigError, match=r"gtzan/blues.00000 is in fold 2, and in 1 of the mel file; expected one"
    ):
        gtzan_mels.check_same_folds(mels, moved)
