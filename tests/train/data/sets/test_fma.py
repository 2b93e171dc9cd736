import logging
from collections import Counter

import numpy as np
import pytest

from streamer.errors import ConfigError
from tests.train.toy_fma import HEADER, row, write_clip, write_tables
from train.data.cache import SoundCache
from train.data.sets import fma

ROWS = [
    *(row(n, artist=n // 2, split="training") for n in range(2, 14)),
    row(20, 20, "validation", top="Pop", genres="[10]", genres_all="[10]"),
    row(30, 30, "test"),
    row(140, 31, "test", subset="medium"),
    row(150, 2, "training", subset="large", top=""),
]


def test_small_and_medium_have_their_tracks_genres_and_sub_genres(tmp_path):
    write_tables(tmp_path, ROWS)
    write_clip(tmp_path, 2, seconds=1.0)
    write_clip(tmp_path, 2, seconds=1.0, subset="medium")
    small = {r.name: r for r in fma.recordings(tmp_path)}
    assert len(small) == 14
    assert small["000020"].category == "Pop"
    assert small["000020"].paths[0] == tmp_path / "fma" / "fma_small" / "000" / "000020.mp3"
    assert small["000002"].category == "Rock"
    assert small["000002"].tags == ("Punk", "Rock")
    medium = {r.name: r for r in fma.recordings(tmp_path, "medium")}
    assert medium.keys() - small.keys() == {"000140"}
    assert "fma_medium" in str(medium["000140"].paths[0])
    assert fma.tracks(tmp_path, "small")[0].genres == ("Punk",)
    assert ({r.source for r in small.values()}, {r.source for r in medium.values()}) == (
        {"fma_small"},
        {"fma_medium"},
    )


def test_a_sub_genre_is_the_only_one_that_its_artist_chose_and_is_in_every_fold(tmp_path, caplog):
    held_out = [row(30 + n, 30 + n, split) for n, split in enumerate(("validation", "test"))]
    several = row(50, 50, "test", genres="[25, 10]", genres_all="[25, 12, 10]")
    write_tables(tmp_path, [*ROWS[:13], *held_out, several])
    write_clip(tmp_path, 2, seconds=1.0)
    with caplog.at_level(logging.INFO):
        found = fma.sub_genres(tmp_path)
    assert {r.category for r in found} == {"Punk"}  # the only track of Pop is in one fold
    assert [r.name for r in found if r.fold > 3] == ["000030", "000031"]
    assert len(found) == 14
    assert "of 16 FMA tracks 15 are of one genre, 14 of one that each fold has" in caplog.text


def test_its_own_split_is_kept_and_no_artist_is_in_two_folds(tmp_path):
    write_tables(tmp_path, ROWS)
    write_clip(tmp_path, 2, seconds=1.0)
    found = {r.name: r for r in fma.recordings(tmp_path)}
    assert {found["000020"].fold, found["000030"].fold} == {4, 5}
    assert Counter(r.fold for r in found.values()) == {1: 4, 2: 4, 3: 4, 4: 1, 5: 1}
    folds = {(track.artist, found[f"{track.number:06}"].fold) for track in fma.tracks(tmp_path, "small")}
    assert len({artist for artist, _ in folds}) == len(folds)


def test_an_artist_in_two_splits_stays_in_the_one_that_is_held_out_most(tmp_path, caplog):
    write_tables(tmp_path, [*ROWS, row(31, 30, "training"), row(21, 30, "validation")])
    with caplog.at_level(logging.WARNING):
        found = fma.tracks(tmp_path, "small")
    assert [t.number for t in found if t.artist == "30"] == [30]
    assert "left out 2 FMA tracks by artists that are in two splits" in caplog.text


def test_mp3s_are_decoded_and_the_known_short_ones_and_absent_ones_skipped(tmp_path):
    write_tables(tmp_path, ROWS[:4])
    write_clip(tmp_path, 2)
    write_clip(tmp_path, 3, seconds=1.6)
    path = tmp_path / "fma" / "fma_small" / "000" / "000004.mp3"
    path.write_bytes(b"")
    cache = SoundCache(fma.recordings(tmp_path), tmp_path / "cache")
    assert [r.name for r in cache.recordings] == ["000002"]
    assert cache.length(0) == pytest.approx(480_000, abs=1_200)
    sound = cache.samples(0, 16_000, 16_000)
    assert np.abs(np.fft.rfft(sound)).argmax() == 302
    reasons = {s.name: s.reason for s in cache.skipped}
    assert "fma_small should have at least 25 s" in reasons["000003"]
    assert "cannot be read" in reasons["000004"]
    assert "No such file" in reasons["000005"]


def test_what_is_absent_says_what_to_unpack(tmp_path):
    with pytest.raises(ConfigError, match=r"fma_metadata has no tracks.csv; unpack fma_metadata.zip into"):
        fma.recordings(tmp_path)
    write_tables(tmp_path, ROWS)
    with pytest.raises(
        ConfigError, match=r"fma_small has no clips 000/000002.mp3; unpack fma_small.zip into"
    ):
        fma.recordings(tmp_path)


def test_a_table_of_another_kind_is_refused(tmp_path):
    write_tables(tmp_path, ROWS, header=[line[:5] for line in HEADER])
    with pytest.raises(
        ConfigError, match=r"has no track.genre_top, track.genres, track.genres_all; expected FMA's"
    ):
        fma.tracks(tmp_path, "small")
    write_tables(tmp_path, ROWS, header=HEADER[:2])
    with pytest.raises(ConfigError, match="has no track_id; expected FMA's own table, three header lines"):
        fma.tracks(tmp_path, "small")
    write_tables(tmp_path, [row(2, 1, "training", genres="[99]")])
    with pytest.raises(ConfigError, match=r"has track 2 with .*expected FMA's own table"):
        fma.tracks(tmp_path, "small")
    write_tables(tmp_path, [row(2, 1, "holdout")])
    with pytest.raises(ConfigError, match=r"has track 2 with .*holdout"):
        fma.tracks(tmp_path, "small")
    write_tables(tmp_path, [row(2, 1, "training", subset="full")])
    with pytest.raises(ConfigError, match="has no tracks of subset small"):
        fma.tracks(tmp_path, "small")
