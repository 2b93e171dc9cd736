"""Heads that are built: those that are named, those that are released, and the ear of each."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from streamer.api.configure import configured
from streamer.config import Config, StreamConfig
from streamer.config_sections import ModelsConfig
from streamer.engine.build_streams import build_streams
from streamer.errors import ConfigError, ModelError
from streamer.head_slots import DecisionConfig, LabelThresholds
from streamer.heads.results import HeadResult
from streamer.heads.stage_tree import StageTree
from streamer.inference.manifest_json import write_manifest
from streamer.inference.manifest_parts import SlotLabels, Thresholds
from streamer.inference.model_cache import ModelCache
from streamer.inference.model_folders import read_manifest
from streamer.inference.onnx import OnnxModel
from streamer.pipeline.build_heads import build_heads
from streamer.pipeline.stream_models import StreamModels
from tests.heads.one_stream import step
from tests.toy_model import BANDS, write_toy_ear, write_toy_head, write_toy_model


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """A folder with a gate, an ear, and sounds and genre on it."""
    write_toy_model(tmp_path / "gate")
    ear = write_toy_ear(tmp_path / "ear")
    write_toy_head(tmp_path / "sounds", ear, "sounds")
    write_toy_head(tmp_path / "genre", ear, "genre", exclusive=True)
    return tmp_path


def named(folders: Path, prefer: str = "balanced", **models: str) -> Config:
    names = {name: str(folders / name) for name in ("gate", "sounds", "genre")}
    return Config(models=ModelsConfig(names | models, prefer))


def release(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the folders those that come with the program."""
    monkeypatch.setattr("streamer.inference.model_folders.released_folder", lambda: folders)


def test_all_three_listen_and_the_gate_opens_genre(folders: Path) -> None:
    config = replace(
        named(folders), decisions={"sounds": DecisionConfig(on=0.9), "genre": DecisionConfig(off=0.1)}
    )
    gate, sounds, genre = build_heads(config, ModelCache())
    assert [(h.name, h.kind, h.opened_by) for h in (gate, sounds, genre)] == [
        ("gate", "gate", None),
        ("sounds", "sound", None),
        ("genre", "genre", "gate"),
    ]
    assert (sounds.decisions.on, genre.decisions.off) == (0.9, 0.1)
    assert gate.ear is None
    assert sounds.ear is genre.ear is not None


def test_what_is_released_listens_unless_told_otherwise(
    folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release(folders, monkeypatch)
    assert [head.name for head in build_heads(Config(), ModelCache())] == ["gate", "sounds", "genre"]
    (folders / "genre" / "manifest.json").unlink()
    assert [head.name for head in build_heads(Config(), ModelCache())] == ["gate", "sounds"]
    with pytest.raises(ModelError, match="no model 'genre'; expected a folder with"):
        build_heads(Config(models=ModelsConfig({"genre": "genre"})), ModelCache())
    (folders / "gate" / "manifest.json").unlink()
    with pytest.raises(ModelError, match="no model 'gate'"):  # never without it by accident
        build_heads(Config(), ModelCache())


@pytest.mark.parametrize("off", ["off", ""])
def test_a_place_may_be_left_empty(folders: Path, off: str) -> None:
    assert [head.name for head in build_heads(named(folders, sounds=off), ModelCache())] == ["gate", "genre"]
    (_, genre) = build_heads(named(folders, gate=off), ModelCache())
    assert (genre.name, genre.opened_by) == ("genre", None)
    assert build_heads(named(folders, gate=off, sounds=off, genre=off), ModelCache()) == ()


def test_a_model_for_something_else_is_refused(folders: Path) -> None:
    with pytest.raises(
        ModelError,
        match=r"model genre decides 'genre'; expected a model whose task is 'sounds': `streamer models list`",
    ):
        build_heads(named(folders, sounds=str(folders / "genre")), ModelCache())


def test_an_ear_beside_its_head_comes_before_one_that_is_released(
    folders: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    release(folders, monkeypatch)
    other = tmp_path_factory.mktemp("elsewhere")
    write_toy_head(other / "sounds", folders / "ear", "sounds")
    (_, sounds, genre) = build_heads(named(folders, sounds=str(other / "sounds")), ModelCache())
    assert sounds.ear is genre.ear  # there is none beside it
    write_toy_ear(other / "ear")
    (_, sounds, genre) = build_heads(named(folders, sounds=str(other / "sounds")), ModelCache())
    assert sounds.ear is not genre.ear


def test_an_ear_that_was_released_anew_refuses_its_old_heads(folders: Path) -> None:
    graph = onnx.load(folders / "ear" / "model.onnx")
    graph.doc_string = "other weights"
    content = graph.SerializeToString()
    (folders / "ear" / "model.onnx").write_bytes(content)
    manifest = replace(read_manifest(folders / "ear"), sha256=hashlib.sha256(content).hexdigest())
    write_manifest(folders / "ear", manifest)
    with pytest.raises(
        ModelError, match=f"made for the ear ear .* given the ear ear {manifest.sha256[:12]}: release"
    ):
        build_heads(named(folders), ModelCache())


def tagger(folders: Path) -> Path:
    """Make the toy sounds a tagger that can be the gate as well."""
    manifest = read_manifest(folders / "sounds")
    gate = SlotLabels({"loud": "low"}, {"balanced": (Thresholds(0.7, 0.3),)})
    ids = tuple(f"/m/{label}" for label in manifest.labels)
    manifest = replace(manifest, label_ids=ids, other_slots={"gate": gate})
    write_manifest(folders / "sounds", manifest)
    return folders / "sounds"


def test_a_tagger_is_the_gate_too_and_runs_once(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = str(tagger(folders))
    config = named(folders, gate=folder, genre="off", taught="off")
    models = StreamModels(build_heads(config, ModelCache()))
    gate, sounds = models.heads
    assert (gate.manifest.labels, sounds.manifest.labels) == (("loud",), BANDS)
    assert gate.model is sounds.model
    assert models.in_call_order == (gate.ear, gate.model)
    sound = np.random.default_rng(0).normal(0.0, 0.1, 32_000).astype(np.float32)
    called: list[object] = []
    run = OnnxModel.run
    monkeypatch.setattr(OnnxModel, "run", lambda *given: called.append(given[0]) or run(*given))
    tree = StageTree(models.heads, 16_000, with_frames=False)
    results = [result for result in step(tree, sound, tree.init()) if isinstance(result, HeadResult)]
    assert called.count(gate.model) == 1
    scores = {result.head.name: result.scores for result in results if result.scores is not None}
    assert scores["gate"].tolist() == scores["sounds"][:1].tolist()


def test_labels_of_any_head_may_be_chosen(folders: Path) -> None:
    settings = DecisionConfig(labels=("top", "low"), thresholds={"low": LabelThresholds(0.9)})
    config = replace(named(folders), decisions={"sounds": settings})
    (_, sounds, _) = build_heads(config, ModelCache())
    assert sounds.manifest.labels == ("top", "low")
    assert [decider.on for decider in sounds.decisions_at(16_000, 0).deciders] == [0.6, 0.9]
    wrong = replace(config, decisions={"genre": DecisionConfig(labels=("lowest",))})
    with pytest.raises(
        ConfigError,
        match=r"\[genre\] labels has 'lowest'; expected labels of the model genre: did you mean 'low'",
    ):
        build_heads(wrong, ModelCache())


def test_an_operating_point_is_preferred(folders: Path) -> None:
    manifest = read_manifest(folders / "gate")
    points = {**manifest.operating_points, "precision": (Thresholds(0.9, 0.7),)}
    write_manifest(folders / "gate", replace(manifest, operating_points=points))
    off = {"sounds": "off", "genre": "off"}
    (gate,) = build_heads(named(folders, **off, prefer="precision"), ModelCache())
    (decider,) = gate.decisions_at(16_000, 0).deciders
    assert (decider.on, decider.off) == (0.9, 0.7)
    with pytest.raises(
        ModelError, match="model gate has no operating point 'recall', it has balanced, precision"
    ):
        build_heads(named(folders, **off, prefer="recall"), ModelCache())


def test_streams_with_the_same_settings_share_models(folders: Path) -> None:
    config = named(folders)
    own = StreamConfig(
        "file:c.wav",
        models=replace(config.models, names={**config.models.names, "genre": "off"}),
        decisions={"gate": DecisionConfig(on=0.9)},
    )
    config = replace(config, stream=(StreamConfig("file:a.wav"), StreamConfig("file:b.wav"), own))
    first, second, third = build_streams(config, realtime=False, duration_s=1.0, models=ModelCache())
    assert first.models is second.models
    assert [head.name for head in first.models.heads] == ["gate", "sounds", "genre"]
    assert [head.name for head in third.models.heads] == ["gate", "sounds"]
    assert third.models.heads[0].decisions.on == 0.9
    # Each was loaded once, so that they step together.
    assert set(third.models.in_call_order) < set(first.models.in_call_order)
    assert third.models.versions.keys() == {"streamer", "ear", "gate", "sounds"}


def test_what_the_command_line_says_of_models_holds_for_every_stream(tmp_path: Path) -> None:
    path = tmp_path / "streamer.toml"
    path.write_text("[[stream]]\nmodels.sounds = 'off'\n[[stream]]\n", encoding="utf-8")
    config = configured(path, {"genre": "off"}, "recall")
    assert [config.of(stream).models for stream in config.stream] == [
        ModelsConfig({"sounds": "off", "genre": "off"}, "recall"),
        ModelsConfig({"genre": "off"}, "recall"),
    ]
