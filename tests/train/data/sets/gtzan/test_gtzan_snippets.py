"""Cut-outs of GTZAN's tracks: whose folds they have, and which are left out."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path

import numpy as np
import pytest

from streamer.errors import ConfigError
from tests.train.toy_data import write_snippets
from train.data.sets.gtzan import gtzan_mels, gtzan_snippets
from train.data.sets.gtzan.gtzan_mels import MelTracks


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_snippets(tmp_path / "gtzan")
    return tmp_path


@pytest.fixture
def mels(root: Path) -> MelTracks:
    return gtzan_mels.load(root)


def test_tracks_are_in_the_order_of_a_mac() -> None:
    order = gtzan_snippets.listed(["blues", "rock"])
    assert len(set(order)) == 200
    # The numbers that the mel file has for the tracks whose sound is there
    assert [order.index(f"blues.{n:05}") for n in range(5)] == [67, 70, 74, 73, 65]


def test_the_real_file_numbers_its_tracks_in_that_order(data_dir: Path) -> None:
    mels = gtzan_mels.load(data_dir)
    folds = gtzan_snippets.folds_of_tracks(mels)
    assert len(folds) == len(set(mels.group.tolist()))
    cuts = gtzan_snippets.recordings(data_dir, mels)
    assert len(cuts) == 474
    fold_of_sound = {name: int(fold) for name, fold in zip(mels.audio, mels.ten_fold, strict=True) if name}
    both = [cut for cut in cuts if cut.name in fold_of_sound]
    assert len(both) == 40
    assert all(gtzan_snippets.ten_fold(cut) == fold_of_sound[cut.name] for cut in both)


def test_a_cut_out_has_the_fold_of_its_track(root: Path, mels: MelTracks) -> None:
    cuts = {cut.name: cut for cut in gtzan_snippets.recordings(root, mels)}
    order = gtzan_snippets.listed(mels.genres)
    for group, fold in zip(mels.group.tolist(), mels.ten_fold.tolist(), strict=True):
        cut = cuts[order[group]]
        assert (gtzan_snippets.ten_fold(cut), cut.fold) == (fold, (fold + 1) // 2)
        assert cut.category == order[group].split(".")[0]


def test_a_track_that_is_not_in_the_file_has_no_fold_and_is_left_out(root: Path, mels: MelTracks) -> None:
    with (root / "gtzan" / "snippets" / "labels.csv").open("a", newline="") as out:
        csv.writer(out).writerow(["blues.00099.ogg", "blues", "blues.00099"])
    group = gtzan_snippets.listed(mels.genres).index("blues.00099")
    assert group not in mels.group
    assert "blues.00099" not in {cut.name for cut in gtzan_snippets.recordings(root, mels)}


def test_a_file_of_another_order_is_refused(mels: MelTracks) -> None:
    turned = dataclasses.replace(mels, group=mels.group[::-1])
    with pytest.raises(
        ConfigError,
        match=r"mels\.npz has blues\.\d+ as number \d+; expected rock\.\d+: the tracks of .* by --set snippets=0$",
    ):
        gtzan_snippets.folds_of_tracks(turned)
    beyond = dataclasses.replace(mels, group=np.full_like(mels.group, 5_000))
    with pytest.raises(ConfigError, match=r"as number 5000; expected none: the tracks"):
        gtzan_snippets.folds_of_tracks(beyond)


def test_an_absent_or_foreign_table_is_refused(root: Path, mels: MelTracks) -> None:
    table = root / "gtzan" / "snippets" / "labels.csv"
    table.write_text("file,genre\n")
    with pytest.raises(
        ConfigError, match=r"labels\.csv has no column gtzan_track; expected file, genre, gtzan_track"
    ):
        gtzan_snippets.recordings(root, mels)
    table.unlink()
    with pytest.raises(
        ConfigError, match=r"labels\.csv is not there; .* or learn without, by --set snippets=0"
    ):
        gtzan_snippets.recordings(root, mels)
