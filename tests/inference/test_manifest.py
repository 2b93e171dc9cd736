"""Test that a model folder which is not whole or does not fit is refused, with the way out."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from streamer.dsp.log_mel import LogMelConfig
from streamer.errors import ModelError
from streamer.inference.manifest_json import write_manifest
from streamer.inference.manifest_parts import EarSpec, Thresholds
from streamer.inference.model_folders import find_model, read_manifest, verify_file
from tests.toy_model import write_toy_model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_toy_model(tmp_path / "toy")


def edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = folder / "manifest.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


def test_manifest_comes_back_as_it_was_written(tmp_path: Path) -> None:
    front_end = LogMelConfig(mel_bands=40, mel_scale="slaney", power=2)
    folder = write_toy_model(tmp_path / "toy", front_end, label="siren")
    manifest = read_manifest(folder)
    assert manifest.front_end == front_end
    assert manifest.labels == ("siren",)
    assert manifest.states[0].shape == (1, 1)
    other = replace(manifest, trained_on=({"name": "x", "licence": "CC0"},), results={"auc": 0.5})
    write_manifest(folder, other)
    assert read_manifest(folder) == other


def test_a_manifest_is_shown_in_short(folder: Path) -> None:
    manifest = read_manifest(folder)
    digits = manifest.sha256[:12]
    assert repr(manifest) == f"<Manifest toy: gate, 1 label, SHA-256 {digits}>"
    many = replace(
        manifest, task="sounds", labels=tuple(f"sound {n}" for n in range(521)), operating_points={}
    )
    assert repr(many) == f"<Manifest toy: sounds, 521 labels, SHA-256 {digits}>"


def test_whole_model_is_verified(folder: Path) -> None:
    assert verify_file(folder, read_manifest(folder)) == folder / "model.onnx"


def test_altered_model_is_refused(folder: Path) -> None:
    path = folder / "model.onnx"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"SHA-256 .*, the manifest says .*: the file was altered"):
        verify_file(folder, read_manifest(folder))


def test_model_cut_short_is_refused(folder: Path) -> None:
    path = folder / "model.onnx"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(ModelError, match="cut short; install streamer again or export the model anew"):
        verify_file(folder, read_manifest(folder))


def test_absent_model_is_refused(folder: Path) -> None:
    (folder / "model.onnx").unlink()
    with pytest.raises(ModelError, match=r"toy has no model\.onnx; install streamer again or export"):
        verify_file(folder, read_manifest(folder))


def test_absent_manifest_is_refused(folder: Path) -> None:
    (folder / "manifest.json").unlink()
    with pytest.raises(ModelError, match=r"toy has no manifest\.json; expected a released-model folder"):
        read_manifest(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "no json", "\ufeff{}"])
def test_what_is_no_manifest_is_refused(folder: Path, text: str) -> None:
    (folder / "manifest.json").write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match=r"manifest\.json is no manifest .*; export the model anew"):
        read_manifest(folder)


@pytest.mark.parametrize("bytes_", [b"\xff\xfe\x00", b"\x80"])
def test_manifest_in_another_encoding_is_refused(folder: Path, bytes_: bytes) -> None:
    (folder / "manifest.json").write_bytes(bytes_)
    with pytest.raises(ModelError, match=r"manifest\.json is no manifest"):
        read_manifest(folder)


@pytest.mark.parametrize("schema", [0, 1, None, "2"])
def test_other_schema_is_refused(folder: Path, schema: object) -> None:
    edit(folder, lambda content: content.update(schema=schema))
    with pytest.raises(ModelError, match=f"has schema {schema!r}; expected 2: export the model anew"):
        read_manifest(folder)


@pytest.mark.parametrize("key", ["name", "labels", "front_end", "states", "sha256", "hop_frames"])
def test_manifest_without_a_field_is_refused(folder: Path, key: str) -> None:
    edit(folder, lambda content: content.pop(key))
    with pytest.raises(ModelError, match=f"is no manifest .*{key}"):
        read_manifest(folder)


def test_impossible_front_end_is_refused(folder: Path) -> None:
    edit(folder, lambda content: content["front_end"].update(hop_samples=0))
    with pytest.raises(ModelError, match=r"is no manifest .*hop 0.*; export the model anew"):
        read_manifest(folder)


def test_unknown_front_end_constant_is_refused(folder: Path) -> None:
    edit(folder, lambda content: content["front_end"].update(pre_emphasis=0.97))
    with pytest.raises(ModelError, match=r"is no manifest .*pre_emphasis"):
        read_manifest(folder)


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content.update(front_end_fingerprint="0" * 64),
        lambda content: content.pop("front_end_fingerprint"),
        lambda content: content["front_end"].update(log_offset=0.002),
    ],
    ids=["other version", "none", "other constants"],
)
def test_other_front_end_is_refused(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    edit(folder, change)
    with pytest.raises(ModelError, match=r"model toy in .* was made for front end .*; this program computes"):
        read_manifest(folder)


def test_find_model_takes_a_path(folder: Path) -> None:
    assert find_model(str(folder)) == folder


def test_unknown_model_names_the_released() -> None:
    with pytest.raises(ModelError, match=r"no model 'gaet'; expected a folder with manifest\.json or"):
        find_model("gaet")


@pytest.mark.parametrize("name", ["manifest.json", "model.onnx"])
def test_what_is_no_file_is_refused(folder: Path, name: str) -> None:
    manifest = read_manifest(folder)
    (folder / name).unlink()
    (folder / name).mkdir()
    with pytest.raises(
        ModelError, match=rf"{name} cannot be read \(Is a directory\); expected a file that may"
    ):
        verify_file(folder, manifest) if name == "model.onnx" else read_manifest(folder)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Root may read everything; nobody may not."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65_534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.mark.parametrize("name", ["manifest.json", "model.onnx"])
def test_a_forbidden_file_is_refused(folder: Path, name: str) -> None:
    manifest = read_manifest(folder)
    (folder / name).chmod(0)
    with (
        as_nobody(),
        pytest.raises(ModelError, match=rf"{name} cannot be read \(Permission denied\).*permissions"),
    ):
        verify_file(folder, manifest) if name == "model.onnx" else read_manifest(folder)


def test_a_forbidden_folder_is_not_found(folder: Path) -> None:
    folder.chmod(0)
    try:
        with as_nobody(), pytest.raises(ModelError, match="no model"):
            find_model(str(folder))
    finally:
        folder.chmod(0o700)


def test_thresholds_the_wrong_way_round_are_refused(folder: Path) -> None:
    edit(folder, lambda content: content["operating_points"]["balanced"][0].update(on=0.3))
    with pytest.raises(ModelError, match=r"on = 0\.3, off = 0\.4; expected 0 <= off <= on <= 1"):
        read_manifest(folder)


def test_a_head_and_its_ear_come_back_as_they_were_written(folder: Path) -> None:
    gate = read_manifest(folder)
    ear = replace(gate, name="ear", task="ear", labels=(), embedding_size=12, operating_points={})
    assert ear.as_ear() == EarSpec("ear", gate.sha256, 12, gate.hop_frames)
    head = replace(gate, ear=ear.as_ear(), exclusive=True, temperature=1.5, hop_frames=1, latency_frames=1)
    for manifest in (ear, head):
        write_manifest(folder, manifest)
        assert read_manifest(folder) == manifest
    assert (ear.input_size, ear.output_size, ear.frame_ms) == (64, 12, 10.0)
    assert (head.input_size, head.output_size, head.frame_ms) == (12, 1, 40.0)


def test_a_model_that_is_no_ear_is_none(folder: Path) -> None:
    with pytest.raises(ModelError, match="model toy does 'gate'; expected a model whose task is 'ear'"):
        read_manifest(folder).as_ear()


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"embedding_size": 8}, "task 'gate' has labels .* and embedding size 8; expected"),
        ({"labels": []}, r"task 'gate' has labels \(\) and embedding size None; expected"),
        ({"task": "ear"}, "task 'ear' has labels .* and embedding size None; expected"),
        ({"hop_frames": 0}, "hop 0, latency 4, warm-up 4 frames, temperature 1"),
        ({"temperature": 0.0}, r"temperature 0\.0; expected"),
        (
            {"operating_points": {"best": []}},
            "operating point 'best' has 0 thresholds for 1 labels; expected",
        ),
        (
            {"operating_points": {"recall": [{"on": 0.5, "off": 0.5}] * 2}},
            "operating point 'recall' has 2 thresholds for 1 labels",
        ),
    ],
)
def test_a_manifest_that_contradicts_itself_is_refused(
    folder: Path, change: dict[str, Any], match: str
) -> None:
    edit(folder, lambda content: content.update(change))
    with pytest.raises(ModelError, match=f"is no manifest .*{match}"):
        read_manifest(folder)


def test_an_operating_point_is_for_all_labels_or_for_each(folder: Path) -> None:
    low, high = Thresholds(0.3, 0.2), Thresholds(0.9, 0.8)
    manifest = replace(
        read_manifest(folder),
        labels=("a", "b"),
        operating_points={"balanced": (low,), "precision": (high, low)},
    )
    assert manifest.thresholds() == (low, low)
    assert manifest.thresholds("precision") == (high, low)
    with pytest.raises(
        ModelError,
        match="model toy has no operating point 'recall', it has balanced, precision; prefer one of these",
    ):
        manifest.thresholds("recall")
    with pytest.raises(
        ModelError, match="model toy was exported without thresholds; expected one that was released"
    ):
        replace(manifest, operating_points={}).thresholds()
