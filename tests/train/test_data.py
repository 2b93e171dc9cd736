from collections import Counter

import numpy as np
import pytest
import soundfile

from streamer.errors import ConfigError
from tests.train.toy_data import make_toy_data, write
from train.data import esc50, gtzan, mir1k, music_speech, speech
from train.data.cache import SoundCache, decode
from train.data.recordings import Recording, split_by_order
from train.tasks.gate import recordings

SPLITS = ("train", "validation", "test")


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    return make_toy_data(tmp_path_factory.mktemp("data"))


def test_split_by_order_keeps_groups_whole_and_deals_evenly():
    splits = split_by_order(["e", "a", "a", "b", "c", "d"], every=5)
    assert splits == {"a": "train", "b": "train", "c": "train", "d": "validation", "e": "test"}


def test_esc50_follows_the_folds_and_finds_other_suffixes(toy):
    found = esc50.recordings(toy)
    assert Counter(r.split for r in found) == {"train": 6, "validation": 2, "test": 2}
    assert {r.paths[0].suffix for r in found} == {".flac"}


def test_gtzan_deals_out_each_genre(toy):
    found = gtzan.recordings(toy)
    assert Counter((r.category, r.split) for r in found)[("rock", "test")] == 1
    assert {r.kind for r in found} == {"music"}


def test_music_speech_keeps_names_that_differ_in_a_digit_together(toy):
    splits = {r.name: r.split for r in music_speech.recordings(toy) if r.kind == "music"}
    assert splits["d"] == splits["d1"] == "validation"
    assert splits["e"] == "test"


def test_mir1k_gives_accompaniment_song_and_voice_split_by_singer(toy):
    found = mir1k.recordings(toy)
    assert Counter(r.kind for r in found) == {"music": 6, "singing": 3}
    assert {r.name.split("_")[0]: r.split for r in found} == {
        "amy": "train",
        "annar": "validation",
        "ariel": "test",
    }


def test_speech_is_split_by_speaker(toy):
    found = speech.recordings(toy)
    assert {r.category: r.split for r in found}["FA05"] == "test"
    by_speaker = {(r.category, r.split) for r in found}
    assert len(by_speaker) == 6


def test_gate_leaves_church_bells_out(toy):
    categories = {r.category for split in SPLITS for r in recordings(toy, split)}
    assert "dog" in categories
    assert "church_bells" not in categories


def test_absent_set_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"has no esc50\.csv; point STREAMER_DATA"):
        esc50.recordings(tmp_path)
    with pytest.raises(ConfigError, match="has no sound files"):
        speech.recordings(tmp_path)


def test_decode_resamples_and_averages(tmp_path):
    write(tmp_path / "high.wav", seconds=1.0, rate_hz=22_050, pitch_hz=1_000)
    write(tmp_path / "same.wav", seconds=1.0, pitch_hz=1_000)
    high = Recording("x", "high", (tmp_path / "high.wav",), "music", "", "train")
    pair = Recording("x", "pair", (tmp_path / "high.wav", tmp_path / "same.wav"), "music", "", "train")
    sound = decode(high).astype(np.float64)
    assert len(sound) == 16_000
    assert np.abs(np.fft.rfft(sound)).argmax() == 1_000
    half_same = soundfile.read(tmp_path / "same.wav", dtype="float32")[0] * 16_384
    np.testing.assert_allclose(decode(pair), sound / 2 + half_same, atol=2)


def test_cache_gives_what_decoding_gives_and_is_reused(toy, tmp_path):
    found = recordings(toy, "test")
    cache = SoundCache(found, tmp_path)
    for index, recording in enumerate(found):
        np.testing.assert_array_equal(cache.samples(index), decode(recording).astype(np.float32) / 32_768)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    again = SoundCache(found, tmp_path)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before
    assert len(again.samples(1, first=10, count=50)) == 50
    assert len(again.samples(1, first=again.length(1) - 3, count=50)) == 3


def test_real_splits_share_no_recording(data_dir):
    paths = {split: {p for r in recordings(data_dir, split) for p in r.paths} for split in SPLITS}
    assert all(paths[split] for split in SPLITS)
    assert not paths["train"] & paths["validation"]
    assert not paths["train"] & paths["test"]
    assert not paths["validation"] & paths["test"]


def test_real_sets_have_the_known_sizes(data_dir):
    assert len(esc50.recordings(data_dir)) == 2_000
    assert len(gtzan.recordings(data_dir)) == 50
    assert Counter(r.kind for r in music_speech.recordings(data_dir)) == {"music": 40, "speech": 40}
    assert len(mir1k.recordings(data_dir)) == 3 * 880
    assert len(speech.recordings(data_dir)) == 240
