import pytest

from train.data.whole_folder import written_whole


def test_a_folder_is_there_once_it_is_complete(tmp_path):
    folder = tmp_path / "cache" / "arrays"
    with written_whole(folder) as partial:
        (partial / "a.npy").write_text("a")
        assert not folder.exists()
    assert [path.name for path in folder.iterdir()] == ["a.npy"]
    assert [path.name for path in folder.parent.iterdir()] == ["arrays"]


def fail(folder):
    with written_whole(folder) as partial:
        (partial / "old.npy").write_text("old")
        raise OSError("the disk is full")


def test_what_a_failed_build_left_is_neither_used_nor_mixed_with_the_next(tmp_path):
    folder = tmp_path / "arrays"
    with pytest.raises(OSError, match="full"):
        fail(folder)
    assert not folder.exists()
    with written_whole(folder) as partial:
        (partial / "new.npy").write_text("new")
    assert [path.name for path in folder.iterdir()] == ["new.npy"]
