import json
from importlib.resources import files

import numpy as np
import pytest
import soundfile
import soxr

from streamer.dsp.stage import Chain, offline
from streamer.inference.onnx import OnnxModel
from tests import contract
from tests.conftest import ROOT
from train.data.cache import decode
from train.data.recordings import Recording
from train.data.sets.all_sound import unambiguous_recordings
from train.evaluate.stepped_scores import SteppedScorer

FOLDER = ROOT / "models" / "released" / "gate"
SETTLE_S = 1.0
"""The model is given this long after a change before its scores must be right."""


@pytest.fixture(scope="module")
def model():
    return OnnxModel(FOLDER)


@pytest.fixture(scope="module")
def chain() -> Chain:
    """All stages from samples to scores of music, speech and singing."""
    return SteppedScorer.of(FOLDER, "gate").chain


def test_it_keeps_the_contract(model):
    rng = np.random.default_rng(0)
    frames = rng.normal(-2.0, 1.5, (2, 120, model.manifest.input_size)).astype(np.float32)
    contract.check_stage(model, frames, atol=1e-4)


def test_it_is_small(model):
    assert (FOLDER / "model.onnx").stat().st_size < 1_000_000
    state_bytes = sum(array.nbytes for array in model.init())
    assert state_bytes < 100_000


def test_its_manifest_carries_figures_and_the_command(model):
    assert model.manifest.results["command"].startswith("python -m train evaluate gate")
    assert model.manifest.results["steps"]["auc"] > 0.99
    assert model.manifest.results["seconds"]["speech auc"] > 0.95
    assert model.manifest.results["seconds"]["singing auc"] > 0.95
    assert {data["name"] for data in model.manifest.trained_on} >= {"ESC-50", "GTZAN", "MIR-1K"}


def test_its_card_has_the_manifest_s_figures(model):
    text = (FOLDER / "card.md").read_text(encoding="utf-8")
    assert model.manifest.sha256 in text
    assert f"| auc | {model.manifest.results['patches']['auc']:g} |" in text


def test_digital_silence_is_nothing(model, chain):
    warm_up_steps = -(-model.manifest.warm_up_frames // model.manifest.hop_frames)
    scores = offline(chain, np.zeros((1, 10 * 16_000), np.float32))[0, warm_up_steps:]
    assert (scores.max(axis=0) < [point.off for point in model.manifest.thresholds()]).all()


@pytest.mark.parametrize("label", ["music", "speech"])
def test_it_finds_the_music_and_the_speech_of_the_demo_and_nothing_else(model, chain, label):
    place = model.manifest.labels.index(label)
    point = model.manifest.thresholds()[place]
    folder = files("streamer") / "data"
    truth = json.loads((folder / "demo.json").read_text(encoding="utf-8"))
    with (folder / "demo.ogg").open("rb") as sound_file:
        sound, rate_hz = soundfile.read(sound_file, dtype="float32", always_2d=True)
    mono = soxr.resample(sound.mean(axis=1), rate_hz, 16_000)
    scores = offline(chain, mono[None])[0, :, place]
    step_s = float(chain.hop) / 16_000
    for segment in truth["segments"]:
        start_s, stop_s = segment["start"] / truth["rate_hz"], segment["stop"] / truth["rate_hz"]
        part = scores[round((start_s + SETTLE_S) / step_s) : round(stop_s / step_s) - 1]
        if segment["label"] == label:
            assert np.mean(part >= point.off) > 0.9, segment
            assert part.max() >= point.on, segment
        elif len(part):
            assert part.max() < point.on, segment


CALLED = {
    ("gtzan", "music"): "music",
    ("music_speech", "music"): "music",
    ("speech", "speech"): "speech",
    ("music_speech", "speech"): "speech",
    ("mir1k", "singing"): "singing",
    ("esc50", "sound"): None,
}
"""What recordings of a data set and kind are called."""


def test_real_sound_is_called_what_it_is(model, chain, data_dir, cache_dir):
    """A few recordings of one fold. The gate learnt from all folds, so this tells whether the shipped graph works, not
    how well it hears what is new to it; the card does.
    """
    on = np.array([point.on for point in model.manifest.thresholds()])
    groups: dict[tuple[str, str], list[Recording]] = {kind: [] for kind in CALLED}
    for recording in unambiguous_recordings(data_dir, cache_dir, [5]):
        groups.get((recording.source, recording.kind), []).append(recording)
    called: dict[tuple[str | None, str], list[float]] = {}
    for recording in (r for group in groups.values() for r in group[:: max(1, len(group) // 8)]):
        kind = recording.source, recording.kind
        sound = decode(recording)[: 10 * 16_000].astype(np.float32) / 32_768
        settled = offline(chain, sound[None])[0, round(16_000 / float(chain.hop)) :]
        if len(settled):
            for label, share in zip(model.manifest.labels, np.mean(settled >= on, axis=0), strict=True):
                called.setdefault((CALLED[kind], label), []).append(float(share))
    for label, least in {"music": 0.9, "speech": 0.75, "singing": 0.7}.items():
        assert len(called[label, label]) >= 5
        assert np.mean(called[label, label]) > least, label
        assert np.mean(called[None, label]) < 0.05, label
    assert np.mean(called["speech", "music"]) < 0.05
    assert np.mean(called["speech", "singing"]) < 0.05
    assert np.mean(called["singing", "speech"]) < 0.05
