"""Folders of single sounds with a table of labels."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import soundfile

from streamer.errors import ConfigError
from train.data.sets import labelled_folders
from train.data.sets.catalogue import DATA_SETS

HALF_SECOND = 8_000
"""Samples at 16 kHz."""


def write_table(root, folder: str, *lines: str) -> None:
    (root / folder).mkdir(parents=True)
    (root / folder / "labels.csv").write_text("\n".join(lines) + "\n")


def test_kinds_and_categories_of_ambience_come_from_the_table(tmp_path):
    write_table(
        tmp_path,
        "ambience",
        "file,sound,group,esc50,music,source,seconds",
        "a_rain.ogg,rain,,rain,non-music,a,40",
        "b_rain.ogg,rain,,rain,non-music,b,40",
        "a_church.ogg,church,,,unsure,a,40",
        "a_piano.ogg,piano,,,music,a,40",
        "a_cafe.ogg,cafe,,,non-music,a,40",
    )
    found = {r.name: r for r in labelled_folders.ambiences(tmp_path)}
    assert {name: (r.kind, r.category) for name, r in found.items()} == {
        "a_rain": ("sound", "rain"),
        "b_rain": ("sound", "rain"),
        "a_church": ("sound", "unsure"),
        "a_piano": ("music", "piano"),
        "a_cafe": ("sound", "cafe"),
    }
    assert found["a_rain"].fold == found["b_rain"].fold


def test_neighbouring_takes_of_an_animal_share_a_fold(tmp_path):
    rows = [f"cat_{n}.ogg,cat,cat,16000,1" for n in range(60)]
    write_table(
        tmp_path, "animals", "file,animal,esc50,source_rate,seconds", *rows, "lion_1.ogg,lion,,16000,1"
    )
    found = labelled_folders.animals(tmp_path)
    folds = [r.fold for r in found[:60]]
    assert all(len(set(folds[n : n + 10])) == 1 for n in range(0, 60, 10))
    assert set(folds) == {1, 2, 3, 4, 5}
    assert found[-1].category == "lion"


@pytest.mark.parametrize(
    ("sound", "kind", "category"),
    [
        ("cow_moo_02", "sound", "cow"),
        ("piano", "music", "piano"),
        ("mermaid_song_01", "sound", "unsure"),
        ("laser_3", "sound", "laser"),
    ],
)
def test_effects_are_classes_of_esc50_where_their_name_says_so(tmp_path, sound, kind, category):
    write_table(tmp_path, "labelled_effects", "file,sound,seconds", f"x.ogg,{sound},1")
    (found,) = labelled_folders.effects(tmp_path)
    assert (found.kind, found.category) == (kind, category)


def test_an_effect_that_is_a_clip_of_esc50_is_left_out(tmp_path):
    rows = ("sounds_watch_tick.ogg,watch_tick,1", "sounds_clock_tick.ogg,clock_tick,1")
    write_table(tmp_path, "labelled_effects", "file,sound,seconds", *rows)
    assert [r.name for r in labelled_folders.effects(tmp_path)] == ["sounds_watch_tick"]


def test_the_effect_that_is_left_out_is_the_recording_of_that_clip(data_dir):
    effect, clip = (
        np.diff(soundfile.read(data_dir / path)[0])
        for path in ("labelled_effects/sounds_clock_tick.ogg", "esc50/audio/4-188033-A-38.ogg")
    )
    loudest = np.convolve(effect**2, np.ones(HALF_SECOND), "valid").argmax()
    part = effect[loudest : loudest + HALF_SECOND]
    power = np.convolve(clip**2, np.ones(HALF_SECOND), "valid")
    correlation = np.correlate(clip, part, "valid") / np.sqrt(
        np.maximum(power, 1e-3 * power.max()) * np.sum(part**2)
    )
    assert abs(correlation).max() > 0.9


def test_takes_of_a_song_and_the_reading_of_its_words_are_in_one_fold_and_the_songs_in_all(tmp_path):
    songs = [f"pjs00{n}" for n in range(1, 7)]
    rows = [
        row
        for song in songs
        for row in (
            f"{song}_song.ogg,singing,pjs",
            f"{song}_song_2.ogg,singing,pjs",
            f"{song}_speech.ogg,speech,pjs",
        )
    ]
    write_table(tmp_path, "pjs_singing", "file,kind,singer", *rows)
    found = labelled_folders.pjs(tmp_path)
    assert [r.kind for r in found[:3]] == ["singing", "singing", "speech"]
    assert {r.category for r in found} == {"pjs"}
    folds = [{r.fold for r in found if r.name.startswith(song)} for song in songs]
    assert folds == [{1}, {2}, {3}, {4}, {5}, {1}]


def test_a_folder_without_a_table_and_a_table_without_a_column_are_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"instruments/labels\.csv is not there; point STREAMER_DATA at"):
        labelled_folders.instruments(tmp_path)
    write_table(tmp_path, "instruments", "file,seconds", "a.ogg,1")
    with pytest.raises(ConfigError, match=r"has no column 'instrument'; expected the table of instruments"):
        labelled_folders.instruments(tmp_path)


@pytest.mark.parametrize("name", ["instruments", "pjs", "ambience", "animals", "effects", "babies"])
def test_every_file_of_the_real_folders_is_there(name, data_dir, tmp_path):
    found = DATA_SETS[name].recordings(data_dir, tmp_path)
    assert all(r.paths[0].is_file() for r in found)
    assert {r.source for r in found} == {name}
    assert set(Counter(r.fold for r in found)) == {1, 2, 3, 4, 5}
