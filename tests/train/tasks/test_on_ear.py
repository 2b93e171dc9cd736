from dataclasses import replace

import pytest

from streamer.errors import ConfigError
from streamer.inference.manifest_json import write_manifest
from streamer.inference.model_folders import read_manifest
from tests.toy_model import write_toy_ear
from train.tasks.on_ear import check_ear_holds_out, load_ear


@pytest.fixture
def ear(tmp_path):
    folder = write_toy_ear(tmp_path / "ear")
    held_out = {"held out": {"fold": 5, "validation_fold": 4}}
    write_manifest(folder, replace(read_manifest(folder), results=held_out))
    return load_ear(str(folder))


@pytest.mark.parametrize(("fold", "validation_fold"), [(5, 4), (5, 0), (0, 0)])
def test_an_ear_may_hold_out_more_than_its_head(ear, fold, validation_fold):
    check_ear_holds_out(ear, "ear", fold, validation_fold)


@pytest.mark.parametrize(("fold", "validation_fold"), [(3, 0), (5, 3), (4, 5), (4, 0)])
def test_an_ear_has_neither_learnt_nor_chosen_by_what_its_head_is_measured_on(ear, fold, validation_fold):
    said = rf"ear='x' holds out .*5.*4.*; expected .*{fold}.*{validation_fold}.*, since an ear must not be trained on"
    with pytest.raises(ConfigError, match=said):
        check_ear_holds_out(ear, "x", fold, validation_fold)
