import pytest

from streamer.errors import ConfigError
from train.data.sets.catalogue import DATA_SETS, find_data_set


@pytest.mark.parametrize("data", ["speech", "fma_huge", "no/such/folder", ""])
def test_what_cannot_be_learnt_is_refused(data):
    with pytest.raises(
        ConfigError, match=f"data is '{data}'; expected one of esc50, gtzan, music_speech, mir1k, fma_small"
    ):
        find_data_set(data, "sound")


def test_a_data_set_is_known_by_name_and_a_folder_by_its_path(tmp_path):
    assert find_data_set("esc50", "sound").licence == "CC BY-NC 3.0"
    assert find_data_set(str(tmp_path), "sound").licence != DATA_SETS["esc50"].licence
