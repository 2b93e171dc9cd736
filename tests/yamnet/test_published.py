"""Test the published weights on real sound."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from streamer.arrays import Array
from streamer.dsp.log_mel import LogMel
from streamer.dsp.stage import Chain, offline
from streamer.errors import ModelError
from streamer.inference.onnx import OnnxModel
from streamer.yamnet.weights import Weights
from tests import contract
from train.data.decode import decode
from train.data.recordings import Recording
from train.data.sets import esc50
from train.data.sets.all_sound import unambiguous_recordings
from train.export.import_yamnet import import_yamnet, import_yamnet_command
from train.yamnet.npz import read_npz
from train.yamnet.torch_reference import TorchYAMNet

NAMES = {"A": "yamnet_weights.npz", "B": "lite/yamnet_weights.npz"}


def sound(recording: Recording, seconds: float = 5.0) -> Array:
    return decode(recording)[: int(seconds * 16_000)].astype(np.float32) / np.float32(32_768)


@pytest.fixture(scope="module", params=NAMES)
def weights(data_dir: Path, request: pytest.FixtureRequest) -> Weights:
    return read_npz(data_dir / "yamnet" / NAMES[request.param])


@pytest.fixture(scope="module")
def folder(
    data_dir: Path, cache_dir: Path, weights: Weights, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Import the weights as a user does, and compare them with torch on held-out recordings."""
    found = tmp_path_factory.mktemp("imported") / "yamnet"
    chosen = unambiguous_recordings(data_dir, cache_dir, [5])[::150]
    (difference,) = import_yamnet(weights.source, 100, found, chosen)
    assert difference.windows > 20
    assert difference.score_largest < 2e-5
    return found


def windows_of(category: str, data_dir: Path, count: int = 6) -> Array:
    clips = [sound(r) for r in esc50.recordings(data_dir) if r.category == category][:count]
    return np.concatenate([clip[: len(clip) // 15_600 * 15_600].reshape(-1, 15_600) for clip in clips])


@pytest.mark.parametrize(
    ("category", "name"),
    [
        ("dog", "Dog"),
        ("rain", "Rain"),
        ("clock_alarm", "Alarm clock"),
        ("crying_baby", "Baby cry, infant cry"),
    ],
)
def test_it_knows_everyday_sounds(data_dir: Path, weights: Weights, category: str, name: str) -> None:
    """The class that was heard is among the ten likeliest of 521, for what sounds loudest in most clips."""
    windows = windows_of(category, data_dir)
    loudest = windows[np.argsort(-np.abs(windows).mean(axis=1))[: len(windows) // 2]]
    scores, _ = TorchYAMNet(weights)(loudest)
    likeliest = [[weights.class_names[i] for i in row] for row in np.argsort(-scores, axis=1)[:, :10]]
    assert np.mean([name in row for row in likeliest]) > 0.5


def test_relu6_weights_under_plain_relu_are_silently_wrong(data_dir: Path, cache_dir: Path) -> None:
    """Why the activation is part of the weights: nothing fails, scores move a little and embeddings a lot."""
    lite = read_npz(data_dir / "yamnet" / NAMES["B"])
    pieces = [r for r in unambiguous_recordings(data_dir, cache_dir, [5]) if r.source == "gtzan"]
    windows = np.array([sound(piece)[:15_600] for piece in pieces])
    scores, embeddings = TorchYAMNet(lite)(windows)
    plain_scores, plain_embeddings = TorchYAMNet(Weights(lite.arrays, math.inf, lite.class_names, "plain"))(
        windows
    )
    assert np.abs(scores - plain_scores).max() > 0.01
    assert np.abs(embeddings - plain_embeddings).max() > 0.1 * embeddings.max()


def test_the_imported_folder_keeps_the_contract(data_dir: Path, cache_dir: Path, folder: Path) -> None:
    piece = next(r for r in unambiguous_recordings(data_dir, cache_dir, [5]) if r.kind == "music")
    frames = offline(LogMel(), sound(piece, 1.5)[None])[:, :60]
    contract.check_stage(OnnxModel(folder), frames, atol=1e-4)


def test_it_tells_music_from_all_else(data_dir: Path, cache_dir: Path, folder: Path) -> None:
    model = OnnxModel(folder)
    (point,), music = model.manifest.for_slot("gate").thresholds(), model.manifest.labels.index("Music")
    chain = Chain(LogMel(model.manifest.front_end), model)
    shares = []
    for kinds, count in ((("music",), 4), (("speech", "sound"), 8)):
        held_out = [r for r in unambiguous_recordings(data_dir, cache_dir, [5]) if r.kind in kinds]
        chosen = held_out[:: len(held_out) // count]
        scores = [offline(chain, sound(recording)[None])[0, 10:, music] for recording in chosen]
        shares.append(np.mean([np.mean(one >= point.on) for one in scores]))
    assert shares[0] > 0.9
    assert shares[1] < 0.05


def test_the_command_says_what_it_measured(data_dir: Path, tmp_path: Path) -> None:
    clip = esc50.recordings(data_dir)[0].paths[0]
    source = str(data_dir / "yamnet" / NAMES["A"])
    out = tmp_path / "mine"
    arguments = [source, "--out", str(out), "--hop-ms", "480", "--sound", str(clip)]
    result = CliRunner().invoke(import_yamnet_command, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    assert "windows against torch, window by window: scores differ by" in result.output
    assert f"{out}: ready" in result.output
    assert OnnxModel(out).manifest.hop_frames == 48


@pytest.mark.parametrize("source", ["absent.npz", "absent", "absent.tflite"])
def test_an_absent_source_is_named(tmp_path: Path, source: str) -> None:
    with pytest.raises(ModelError, match=rf"{source} is not there; expected a TensorFlow Hub handle"):
        import_yamnet(str(tmp_path / source), 100, tmp_path / "out", [])


def test_an_npz_does_not_run_by_itself(data_dir: Path, tmp_path: Path) -> None:
    source = str(data_dir / "yamnet" / NAMES["A"])
    with pytest.raises(
        ModelError, match="is an npz, which does not run; expected a SavedModel or a tflite file"
    ):
        import_yamnet(source, 100, tmp_path / "out", [], against=source)
