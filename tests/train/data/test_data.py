from collections import Counter

import pytest

from streamer.errors import ConfigError
from tests.train.toy_data import make_toy_data, write
from train.data.decode import decode
from train.data.recordings import FOLDS, Recording, check_folds, folds_by_order, folds_by_size
from train.data.sets import esc50, mir1k, music_speech, speech
from train.data.sets.all_sound import unambiguous_recordings
from train.data.sets.gtzan import gtzan

SPLITS = ("train", "validation", "test")


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    return make_toy_data(tmp_path_factory.mktemp("data"))


def test_folds_by_order_keep_groups_whole_and_deal_in_turn():
    folds = folds_by_order(["e", "a", "a", "b", "c", "f", "d"])
    assert folds == {"a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 1}


def test_folds_by_size_deal_evenly_whatever_the_order():
    sizes = {"a": 5, "b": 9, "c": 1, "d": 4, "e": 3}
    folds = folds_by_size(sizes, (1, 2))
    assert folds == folds_by_size(dict(reversed(sizes.items())), (1, 2))
    assert sorted(sum(n for g, n in sizes.items() if folds[g] == fold) for fold in (1, 2)) == [10, 12]


def test_the_default_split_is_three_folds_one_and_one():
    splits = [Recording("x", "y", (), "music", "", fold).split for fold in FOLDS]
    assert splits == ["train"] * 3 + ["validation", "test"]


def test_esc50_follows_the_folds_and_finds_other_suffixes(toy):
    found = esc50.recordings(toy)
    assert Counter(r.split for r in found) == {"train": 6, "validation": 2, "test": 2}
    assert {r.paths[0].suffix for r in found} == {".flac"}


def test_esc10_is_the_clips_of_esc50_that_the_table_marks_in_their_folds(toy):
    whole, part = esc50.recordings(toy), esc50.esc10(toy)
    assert part == [r for r in whole if r.category == "dog"]
    assert {r.source for r in part} == {"esc50"}


def test_a_table_that_does_not_say_what_is_in_esc10_is_refused(tmp_path):
    write(tmp_path / "esc50" / "audio" / "a.wav")
    table = tmp_path / "esc50" / "esc50.csv"
    table.write_text("filename,fold,category\na.wav,1,dog\n")
    with pytest.raises(ConfigError, match=r"esc50\.csv has no column esc10; expected ESC-50's own table"):
        esc50.esc10(tmp_path)
    table.write_text("filename,fold,category,esc10\na.wav,1,dog,False\n")
    with pytest.raises(ConfigError, match=r"esc50\.csv has no True in column esc10; expected ESC-50's own"):
        esc50.esc10(tmp_path)


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
    assert {r.category: r.split for r in found}["FA04"] == "test"
    by_speaker = {(r.category, r.fold) for r in found}
    assert len(by_speaker) == 6


def test_gate_leaves_church_bells_out(toy, tmp_path):
    categories = {r.category for r in unambiguous_recordings(toy, tmp_path, FOLDS)}
    assert "dog" in categories
    assert "church_bells" not in categories


def test_absent_set_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"has no esc50\.csv; point STREAMER_DATA"):
        esc50.recordings(tmp_path)
    with pytest.raises(ConfigError, match="has no sound files"):
        speech.recordings(tmp_path)


def test_a_table_of_another_kind_is_refused(tmp_path):
    write(tmp_path / "esc50" / "audio" / "a.wav")
    table = tmp_path / "esc50" / "esc50.csv"
    table.write_text("filename,target\na.wav,1\n")
    with pytest.raises(ConfigError, match=r"has no column category, fold; expected ESC-50's own table"):
        esc50.recordings(tmp_path)
    table.write_text("filename,fold,category\na.wav,6,dog\n")
    with pytest.raises(ConfigError, match="has fold '6'; expected 1 to 5"):
        esc50.recordings(tmp_path)


def test_a_clip_that_the_table_names_in_vain_is_listed_all_the_same(toy):
    table = (toy / "esc50" / "esc50.csv").read_text()
    (toy / "esc50" / "esc50.csv").write_text(table + "5-9-A-cat.wav,5,cat\n")
    absent = esc50.recordings(toy)[-1]
    (toy / "esc50" / "esc50.csv").write_text(table)
    assert absent.name == "5-9-A-cat"
    assert absent.paths[0].name == "5-9-A-cat.wav"


def some(*folds: int, category: str = "dog") -> list[Recording]:
    return [Recording("own", f"{n}", (), "sound", category, fold) for n, fold in enumerate(folds)]


def test_folds_with_enough_of_everything_pass():
    check_folds(some(*FOLDS, *FOLDS), ["dog"])
    check_folds(some(1, 1, 4, 4), folds=(1, 4))


def test_an_absent_class_is_named():
    with pytest.raises(
        ConfigError, match=r"own has no clips of cat, rain in folds 1, 2, 3, 4, 5; expected some of each of 3"
    ):
        check_folds(some(*FOLDS, *FOLDS), ["dog", "cat", "rain"])


@pytest.mark.parametrize(("folds", "found"), [((1, 1, 2, 2, 3, 3, 5, 5), 0), ((*FOLDS, 1, 2, 3, 5), 1)])
def test_a_fold_with_one_clip_or_none_is_refused(folds, found):
    with pytest.raises(ConfigError, match=f"fold 4 of own has {found} clips; expected at least 2; add"):
        check_folds(some(*folds))


def test_a_clip_of_every_real_set_has_its_stated_length(data_dir):
    for module in (esc50, gtzan, mir1k, music_speech, speech):
        found = module.recordings(data_dir)
        recording = found[len(found) // 2]
        assert len(decode(recording)) >= recording.min_seconds * 16_000


def test_real_folds_keep_singers_speakers_and_originals_together(data_dir):
    origin = {
        "esc50": lambda r: (r.name.split("-")[1], r.category),  # number of the original recording
        "mir1k": lambda r: r.name.split("_")[0],
        "speech": lambda r: r.category,
    }
    for module in (esc50, mir1k, speech):
        found = module.recordings(data_dir)
        folds = {(origin[r.source](r), r.fold) for r in found}
        assert len({name for name, _ in folds}) == len(folds), found[0].source
        assert {r.fold for r in found} == set(FOLDS)


def test_mir1k_holds_out_the_singers_it_always_did_and_deals_the_others_evenly(data_dir):
    found = mir1k.recordings(data_dir)
    singers = {split: {r.name.split("_")[0] for r in found if r.split == split} for split in SPLITS}
    assert singers["validation"] == {"annar", "bobon"}
    assert singers["test"] == {"ariel", "davidson", "heycat"}
    clips = Counter(r.fold for r in found if r.split == "train")
    assert max(clips.values()) < 1.15 * min(clips.values())


def test_real_folds_share_no_recording(data_dir, cache_dir):
    paths = {
        fold: {p for r in unambiguous_recordings(data_dir, cache_dir, [fold]) for p in r.paths}
        for fold in FOLDS
    }
    assert all(paths.values())
    assert sum(map(len, paths.values())) == len(set().union(*paths.values()))


def test_real_sets_have_the_known_sizes(data_dir):
    assert len(esc50.recordings(data_dir)) == 2_000
    assert set(Counter(r.category for r in esc50.esc10(data_dir)).values()) == {40}
    assert Counter(r.fold for r in esc50.esc10(data_dir)) == dict.fromkeys(FOLDS, 80)
    assert len(gtzan.recordings(data_dir)) == 50
    assert Counter(r.kind for r in music_speech.recordings(data_dir)) == {"music": 40, "speech": 40}
    assert len(mir1k.recordings(data_dir)) == 3 * 880
    assert len(speech.recordings(data_dir)) == 240
