import pytest

from streamer.errors import ConfigError
from train.data.sets.all_sound import DEFAULT_DATA_SETS, with_default_sets
from train.data.sets.catalogue import DATA_SETS, all_free, check_apart, find_data_set, whole_of


@pytest.mark.parametrize("data", ["speech", "fma_huge", "no/such/folder", ""])
def test_what_cannot_be_learnt_is_refused(data):
    with pytest.raises(
        ConfigError,
        match=f"data is '{data}'; expected one of esc50, gtzan, music_speech, mir1k, instruments, ambience, ",
    ):
        find_data_set(data, "sound")


def test_a_data_set_is_known_by_name():
    found = find_data_set("esc50", "sound")
    assert (found.title, found.licence) == ("ESC-50", "CC BY-NC 3.0")


def test_a_folder_of_folders_is_known_by_its_path_and_is_the_user_s_own(tmp_path):
    for category in ("bell", "door"):
        (tmp_path / "mine" / category).mkdir(parents=True)
        (tmp_path / "mine" / category / "a.wav").touch()
    found = find_data_set(str(tmp_path / "mine"), "music")
    assert (found.title, found.licence, found.has_duplicates) == ("mine", "the user's own", False)
    recordings = found.recordings(tmp_path / "elsewhere", tmp_path / "cache")
    assert [(r.kind, r.category, r.source) for r in recordings] == [
        ("music", "bell", "mine"),
        ("music", "door", "mine"),
    ]


@pytest.mark.parametrize(
    ("data", "first", "second"),
    [
        (("speech", "esc50", "esc10"), "esc50", "esc10"),
        (("esc10", "gtzan", "esc50"), "esc10", "esc50"),
        (("fma_small", "fma_medium_sub_genres"), "fma_small", "fma_medium_sub_genres"),
        (("gtzan", "gtzan"), "gtzan", "gtzan"),
    ],
)
def test_sets_that_have_recordings_in_common_are_not_learnt_together(data, first, second):
    with pytest.raises(
        ConfigError,
        match=f"data names {first} and {second}, which have .* in common; expected one of them: leave",
    ):
        check_apart("data", data)


def test_sets_that_are_apart_are_learnt_together():
    check_apart("data", DEFAULT_DATA_SETS)
    check_apart("data", ("speech", "esc10", "debian", "rendered", "pjs", "fma_small"))


def test_a_part_is_of_a_set_that_is_a_part_of_none():
    parts = {name: found.part_of for name, found in DATA_SETS.items() if found.part_of}
    assert parts["esc10"] == "esc50"
    assert all(whole_of(whole) == whole for whole in parts.values())
    assert whole_of("no/such/set") == "no/such/set"


def test_only_sets_of_free_licences_are_free():
    free = {name for name, found in DATA_SETS.items() if found.is_free}
    assert free == {"speech", "debian", "rendered", "pjs", "esc10", "instruments", "effects"}
    assert all_free(DATA_SETS[name].title for name in free)
    assert not all_free(["ESC-10", "ESC-50"])
    assert not all_free(["ESC-10", "my own sounds"])


def test_what_is_measured_has_the_default_sets_and_no_part_beside_its_whole():
    assert with_default_sets((*DEFAULT_DATA_SETS, "debian")) == (*DEFAULT_DATA_SETS, "debian")
    measured = with_default_sets(("speech", "esc10", "pjs"))
    assert measured == ("speech", "pjs", "gtzan", "music_speech", "mir1k", "esc50")
