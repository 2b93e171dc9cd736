import pytest

from streamer.errors import ConfigError
from train.data.sets.own_sounds import fold_by_hash, recordings


def place(folder, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_the_outermost_folder_is_the_class_and_hidden_and_other_files_are_none(tmp_path):
    place(
        tmp_path,
        "door/a.wav",
        "door/old/house/b.m4a",
        "bell/a.MP3",
        "bell/._a.mp3",
        "bell/notes.txt",
        ".x/c.wav",
    )
    found = recordings(tmp_path, "sound")
    assert [(r.name, r.category) for r in found] == [
        ("bell/a.MP3", "bell"),
        ("door/a.wav", "door"),
        ("door/old/house/b.m4a", "door"),
    ]
    assert found[2].paths == (tmp_path / "door/old/house/b.m4a",)
    assert {r.source for r in found} == {tmp_path.name}


def test_variants_of_one_sound_share_a_fold_wherever_they_lie():
    for stem in ("knock", "knock-1", "Knock-12", "knock-1-2"):
        assert fold_by_hash(stem) == fold_by_hash("knock")
    assert fold_by_hash("knock1") == fold_by_hash("knock1-7")


def test_folds_are_even_and_depend_on_the_stem_alone(tmp_path):
    folds = [fold_by_hash(f"recording {n}") for n in range(1_000)]
    assert {folds.count(fold) > 150 for fold in range(1, 6)} == {True}
    place(tmp_path, "a/x.wav", "b/y.wav")
    before = {r.name: r.fold for r in recordings(tmp_path, "sound")}
    place(tmp_path, "a/w.wav", "c/z.wav")
    after = {r.name: r.fold for r in recordings(tmp_path, "sound")}
    assert before.items() <= after.items()
    assert fold_by_hash("x") == 1  # SHA-256, the same on every machine and for ever


def test_a_folder_that_is_no_data_set_says_what_to_do(tmp_path):
    with pytest.raises(
        ConfigError, match="nowhere is no folder; expected one with a folder of sounds for each"
    ):
        recordings(tmp_path / "nowhere", "sound")
    place(tmp_path, "door/a.wav")
    with pytest.raises(ConfigError, match="has 1 folders; expected at least two"):
        recordings(tmp_path, "sound")
    (tmp_path / "bell").mkdir()
    with pytest.raises(ConfigError, match="bell has no sound files; add some of bell, or remove the folder"):
        recordings(tmp_path, "sound")
    place(tmp_path, "stray.wav")
    with pytest.raises(ConfigError, match=r"stray.wav is in no class; move it into a folder"):
        recordings(tmp_path, "sound")
