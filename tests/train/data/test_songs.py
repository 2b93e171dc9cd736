"""Songs of every layout: their stems, folds, and what becomes of stems that are not of one song."""

from __future__ import annotations

import re
import subprocess

import numpy as np
import pytest
import soundfile
import soxr

from streamer.errors import ConfigError
from train.data.decode import RATE_HZ
from train.data.sets import mir1k
from train.data.sets.songs import stem_folders
from train.data.sets.songs.song_catalogue import find_songs
from train.data.sets.songs.stem_folders import VALIDATION
from train.data.songs import Songs, read_stems


def write_stem(path, level=0.1, seconds=1.0, rate_hz=RATE_HZ):
    path.parent.mkdir(parents=True, exist_ok=True)
    sound = np.random.default_rng(len(path.name)).uniform(-level, level, int(seconds * rate_hz))
    soundfile.write(path, sound, rate_hz)
    return sound


def test_the_literatures_split_learns_from_two_singers_and_tests_on_all_others(data_dir):
    songs = mir1k.literature_songs(data_dir)
    learnt = [song for song in songs if song.fold != 5]
    assert len(songs) == 880
    assert len(learnt) == 175
    assert {song.artist for song in learnt} == {"abjones", "amy"}
    assert not {"abjones", "amy"} & {song.artist for song in songs if song.fold == 5}
    folds_of = {}
    for song in learnt:
        folds_of.setdefault(song.name.rsplit("_", 1)[0], set()).add(song.fold)
    assert all(len(folds) == 1 for folds in folds_of.values())
    assert {song.fold for song in learnt} == {1, 2, 3, 4}


def test_each_sentence_is_spoken_over_an_accompaniment_of_its_fold(data_dir, tmp_path):
    found = find_songs(["spoken"], data_dir)
    assert len(found) == 240
    assert all(song.voice.fold == song.music.fold for song in found)
    assert len({song.music for song in found}) > 200
    folds_of = {}
    for song in found:
        folds_of.setdefault(song.artist, set()).add(song.fold)
    assert all(len(folds) == 1 for folds in folds_of.values())
    songs = Songs(found[:3], tmp_path)
    assert len(songs) == 3
    for n in range(3):
        assert len(songs.voice(n)) == len(songs.music(n)) == songs.length(n)
        assert power_db(songs.voice(n)) == pytest.approx(power_db(songs.music(n)), abs=0.01)
        np.testing.assert_allclose(songs.voice(n, 100, 50), songs.voice(n)[100:150], atol=1e-6)
        stems = read_stems(songs.songs[n])
        assert power_db(stems.voice) == pytest.approx(power_db(stems.music), abs=0.01)
        np.testing.assert_allclose(stems.voice[:, 0], songs.voice(n), atol=1e-3)


def power_db(x):
    return 10 * np.log10(np.mean(np.square(x, dtype=np.float64)))


def test_sentences_of_a_fold_without_accompaniment_are_not_lost_unsaid(tmp_path):
    for name in ("speech/FA_1", "speech/MA_1", "mir1k/music/ann_1_01", "mir1k/voice/ann_1_01"):
        write_stem(tmp_path / f"{name}.wav")
    with pytest.raises(ConfigError, match=r"no accompaniment of folds 2, in which .* get all of MIR-1K"):
        find_songs(["spoken"], tmp_path)


def test_stems_of_a_song_are_aligned_and_add_up(tmp_path):
    folder = tmp_path / "mine" / "A song"
    voice = write_stem(folder / "vocals.wav")
    drums, bass = write_stem(folder / "drums.wav"), write_stem(folder / "a bass.wav")
    write_stem(folder / "mixture.wav")
    songs = Songs(stem_folders.own_songs(tmp_path / "mine"), tmp_path / "cache")
    assert len(songs) == 1
    np.testing.assert_allclose(songs.voice(0), voice, atol=1e-4)
    np.testing.assert_allclose(songs.music(0), drums + bass, atol=2e-4)
    np.testing.assert_allclose(songs.music(0, 100, 50), (drums + bass)[100:150], atol=2e-4)


def test_an_accompaniment_is_taken_as_it_is(tmp_path):
    folder = tmp_path / "mine" / "A song"
    write_stem(folder / "Voice.flac")
    whole = write_stem(folder / "accompaniment.wav")
    write_stem(folder / "drums.wav")
    songs = Songs(stem_folders.own_songs(tmp_path / "mine"), tmp_path / "cache")
    np.testing.assert_allclose(songs.music(0), whole, atol=1e-4)


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"seconds": 1.2}, r"its voice lasts 1\.00 s and its accompaniment 1\.20 s; expected one length"),
        (
            {"rate_hz": 8_000},
            r"differ in form: .*vocals\.wav has 16000 Hz and 1 channels, .*has 8000 Hz and 1 channels; expected one",
        ),
    ],
)
def test_stems_that_are_not_of_one_song_are_skipped_and_said(tmp_path, caplog, other, reason):
    for name in ("good", "bad"):
        write_stem(tmp_path / "mine" / name / "vocals.wav")
        write_stem(tmp_path / "mine" / name / "accompaniment.wav", **(other if name == "bad" else {}))
    songs = Songs(stem_folders.own_songs(tmp_path / "mine"), tmp_path / "cache")
    assert [song.name for song in songs.songs] == ["good"]
    assert [skipped.name for skipped in songs.skipped] == ["bad"]
    assert re.search(reason, songs.skipped[0].reason)
    assert songs.skipped[0].reason in caplog.text


def test_own_songs_of_one_artist_share_a_fold(tmp_path):
    for name in ("Ann - a", "Ann - b", "Ann - c", "Ben - a"):
        write_stem(tmp_path / name / "vocals.wav")
        write_stem(tmp_path / name / "accompaniment.wav")
    folds = {song.name: song.fold for song in stem_folders.own_songs(tmp_path)}
    assert folds == {"Ann - a": 1, "Ann - b": 1, "Ann - c": 1, "Ben - a": 5}


@pytest.mark.parametrize("stems", [["vocals.wav"], ["drums.wav"], []])
def test_a_song_without_both_stems_says_what_it_holds(tmp_path, stems):
    folder = tmp_path / "mine" / "A song"
    folder.mkdir(parents=True)
    for name in stems:
        write_stem(folder / name)
    found = stems[0] if stems else "nothing"
    with pytest.raises(ConfigError, match=f"A song holds {found}; expected vocals and accompaniment"):
        stem_folders.own_songs(tmp_path / "mine")


def test_a_folder_without_songs_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="has no folders; expected one for each song"):
        stem_folders.own_songs(tmp_path)


def test_musdb18_hq_keeps_its_agreed_split(tmp_path):
    for part, names in {"train": ["A - x", "B - y", VALIDATION[0]], "test": ["C - z"]}.items():
        for name in names:
            for stem in ("mixture", "drums", "bass", "other", "vocals"):
                write_stem(tmp_path / "musdb18hq" / part / name / f"{stem}.wav")
    songs = stem_folders.musdb18hq(tmp_path)
    assert {song.name: song.fold for song in songs} == {"A - x": 1, "B - y": 2, VALIDATION[0]: 4, "C - z": 5}
    assert len(songs[0].music.paths) == 3
    assert songs[0].artist == "A"


def test_musdb18_reads_the_streams_of_stem_files(tmp_path):
    stems = {}
    for stem in ("mixture", "drums", "bass", "other", "vocals"):
        stems[stem] = write_stem(tmp_path / f"{stem}.wav", rate_hz=44_100)
    for part in ("train", "test"):
        (tmp_path / "musdb18" / part).mkdir(parents=True)
        inputs = [word for stem in stems for word in ("-i", str(tmp_path / f"{stem}.wav"))]
        maps = [word for n in range(len(stems)) for word in ("-map", str(n))]
        song = tmp_path / "musdb18" / part / f"D - {part}.stem.mp4"
        lossless = ["-c:a", "alac", "-f", "mp4", str(song)]
        subprocess.run(["ffmpeg", "-v", "error", *inputs, *maps, *lossless], check=True)
    songs = Songs(stem_folders.musdb18(tmp_path), tmp_path / "cache")
    assert [(song.name, song.fold) for song in songs.songs] == [("D - train", 1), ("D - test", 5)]
    for found, expected in (
        (songs.voice(0), stems["vocals"]),
        (songs.music(0), stems["drums"] + stems["bass"] + stems["other"]),
    ):
        resampled = soxr.resample(expected, 44_100, RATE_HZ)
        np.testing.assert_allclose(found, resampled[: len(found)], atol=1e-3)


def test_musdb_that_is_not_there_is_said(tmp_path):
    with pytest.raises(
        ConfigError,
        match=r"train has no songs \(\*\.stem\.mp4\); point STREAMER_DATA at the folder that holds musdb18/",
    ):
        stem_folders.musdb18(tmp_path)
