"""`streamer models`: what is listed, what is verified, and what fetching needs."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import onnx
import pytest
from click.testing import CliRunner, Result

from streamer.cli.main import main
from streamer.inference.manifest_json import write_manifest
from streamer.inference.manifest_parts import SlotLabels
from streamer.inference.model_folders import read_manifest, released_folder
from tests.programs import refused, streamer
from tests.toy_model import write_toy_ear, write_toy_head, write_toy_model


@pytest.fixture(autouse=True)
def users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the user's models; there is none yet."""
    monkeypatch.setattr("streamer.inference.model_folders.user_folder", lambda: tmp_path / "models")
    return tmp_path / "models"


def models(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["models", *arguments])


def altered(folder: Path) -> str:
    """Give an ear other weights, and a manifest that is true of them; gives the start of its new SHA-256."""
    graph = onnx.load(folder / "model.onnx")
    graph.doc_string = "other weights"
    content = graph.SerializeToString()
    (folder / "model.onnx").write_bytes(content)
    manifest = replace(read_manifest(folder), sha256=hashlib.sha256(content).hexdigest())
    write_manifest(folder, manifest)
    return manifest.sha256[:12]


def test_the_users_ears_and_heads_are_listed_after_the_released(users: Path) -> None:
    released = models("list").stdout
    ear = write_toy_ear(users / "a")
    write_toy_head(users / "b", ear, "sounds")
    write_toy_model(users / "c")
    sha256 = {name: read_manifest(users / name).sha256[:12] for name in "abc"}
    listed = models("list").stdout
    assert released
    assert listed.startswith(released)
    assert listed.removeprefix(released).splitlines() == [
        f"a  ear  every 80 ms  {sha256['a']}  4 numbers",
        f"b  sounds  every 80 ms  {sha256['b']}  on a@{sha256['a']}  low, middle, high, top",
        f"c  gate  every 40 ms  {sha256['c']}  loud",
    ]
    manifest = replace(read_manifest(users / "c"), other_slots={"sounds": SlotLabels({"noise": "loud"}, {})})
    write_manifest(users / "c", manifest)
    assert models("list").stdout.splitlines()[-1] == f"c  gate, sounds  every 40 ms  {sha256['c']}  loud"


def test_all_that_there_are_are_verified(users: Path) -> None:
    ear = write_toy_ear(users / "a")
    write_toy_head(users / "b", ear, "genre", exclusive=True)
    result = models("verify")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    on_ear = f"on a@{read_manifest(ear).sha256[:12]}"
    assert lines[-2:] == [
        f"a: whole, fits, runs ({users / 'a'})",
        f"b: whole, fits, runs {on_ear} ({users / 'b'})",
    ]
    assert models("verify", "b").stdout.splitlines() == lines[-1:]


def test_a_head_without_its_ear_is_not_whole(users: Path) -> None:
    ear = write_toy_ear(users / "a")
    write_toy_head(users / "b", ear, "sounds")
    found = altered(ear)
    result = models("verify", "b")
    assert result.exit_code == 1
    assert f"is given the ear a {found}: release it anew on what it is given" in result.stderr
    (ear / "manifest.json").unlink()
    result = models("verify", "b")
    assert result.exit_code == 1
    assert "no model 'a'; expected a folder with manifest.json" in result.stderr


def test_a_head_that_names_another_front_end_than_its_ear_is_refused(users: Path) -> None:
    ear = write_toy_ear(users / "a")
    manifest = read_manifest(write_toy_head(users / "b", ear, "sounds"))
    other = replace(manifest, front_end=replace(manifest.front_end, log_offset=0.01))
    write_manifest(users / "b", other)
    result = models("verify", "b")
    assert result.exit_code == 1
    ours, theirs = other.front_end.fingerprint[:12], manifest.front_end.fingerprint[:12]
    assert f"model b names front end {ours} and its ear hears {theirs}; expected one" in result.stderr


def test_a_stale_model_is_named(users: Path) -> None:
    folder = write_toy_model(users / "old")
    content = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**content, "schema": 1}))
    result = models("list")
    assert result.exit_code == 1
    assert f"{folder / 'manifest.json'} has schema 1; expected 2" in result.stderr


def test_pulling_something_else_is_refused() -> None:
    result = models("pull", "vggish")
    assert result.exit_code == 2
    assert "'vggish' is not 'yamnet'" in result.stderr


def test_pulling_without_the_extra_says_what_to_install(users: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow_hub", None)
    result = models("pull", "yamnet")
    assert result.exit_code == 1
    assert "pip install 'streamer[tfhub]'" in result.stderr
    assert not users.exists()


def test_a_pulled_yamnet_is_listed_and_runs(data_dir: Path, users: Path) -> None:
    result = models("pull", "yamnet", "--from", str(data_dir / "yamnet" / "savedmodel"), "--hop-ms", "480")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].startswith("16 windows against YAMNet's stored answers: scores differ by ")
    assert lines[1].startswith(
        f"{users / 'yamnet'}: ready, `streamer listen --model sounds=yamnet`, or gate=yamnet;"
    )
    assert "yamnet  sounds, gate  every 480 ms" in models("list").stdout
    assert models("verify", "yamnet").stdout == f"yamnet: whole, fits, runs ({users / 'yamnet'})\n"


def test_pulling_from_no_saved_model_is_one_line(users: Path, tmp_path: Path) -> None:
    result = models("pull", "yamnet", "--from", str(tmp_path))
    assert result.exit_code == 1
    assert result.stderr.startswith(
        f"Error: {tmp_path} has no saved_model.pb; expected the folder of YAMNet's"
    )
    assert result.stderr.count("\n") == 1
    assert not users.exists()


@pytest.mark.parametrize("hop_ms", ["15", "0", "960", "nan"])
def test_a_hop_that_cannot_be_is_refused(hop_ms: str) -> None:
    result = models("pull", "yamnet", "--hop-ms", hop_ms)
    assert result.exit_code == 2
    assert "; expected a multiple of 10 from 10 to 950" in result.stderr


def test_models_are_listed_and_verified() -> None:
    assert b"gate  gate  every " in streamer("models", "list").stdout
    assert b"gate: whole, fits, runs" in streamer("models", "verify", "gate").stdout


def test_an_altered_model(tmp_path: Path, tone: Path) -> None:
    folder = write_toy_model(tmp_path / "altered")
    with (folder / "model.onnx").open("ab") as file:
        file.write(b"x")
    config = tmp_path / "streamer.toml"
    config.write_text(f'[models]\ngate = "{folder}"')
    refused(
        1, r"has SHA-256 .* the manifest says", "listen", "--config", str(config), "--device", f"file:{tone}"
    )
    refused(1, r"has SHA-256 .* the manifest says", "models", "verify", str(folder))


def test_a_model_for_another_front_end(tmp_path: Path) -> None:
    folder = tmp_path / "old"
    shutil.copytree(released_folder() / "gate", folder)
    content = json.loads((folder / "manifest.json").read_text())
    content["front_end_fingerprint"] = "0" * 64
    (folder / "manifest.json").write_text(json.dumps(content))
    refused(1, r"was made for front end 000000000000; .*retrain and export", "models", "verify", str(folder))


def test_a_model_that_there_is_not() -> None:
    refused(
        1,
        r"no model 'gatte'; expected .* one of the released: ear, ear_int8, gate",
        "models",
        "verify",
        "gatte",
    )
