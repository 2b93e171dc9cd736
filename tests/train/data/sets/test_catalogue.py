import pytest

from streamer.errors import ConfigError
from train.data.sets.catalogue import find_data_set


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
