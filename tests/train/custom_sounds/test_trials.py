"""Teaching tried out: what is shown and asked, backgrounds made of clips, and figures of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from streamer.arrays import Array
from streamer.custom_sounds.background import Background, read_background
from streamer.custom_sounds.embedder import Embedder, RecordingEmbeddings
from streamer.inference.onnx import OnnxModel
from tests.toy_model import BANDS, write_toy_ear
from tests.train.toy_data import make_toy_data
from train.custom_sounds.background import FALSE_ALARMS, choose_scale, compute_whitening
from train.custom_sounds.few_shot import figures
from train.custom_sounds.trials import EmbeddedClip, embed_clips, run_trials
from train.data.recordings import Recording

STEPS = 20
CLASSES = 4


@pytest.fixture(scope="module")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> Embedder:
    return Embedder(OnnxModel(write_toy_ear(tmp_path_factory.mktemp("models") / "ear")), 3)


def clip(
    rng: np.random.Generator, name: str, centre: Array, kind: str = "sound", spread: float = 0.3
) -> EmbeddedClip:
    pooled = (centre + spread * rng.normal(0.0, 1.0, (STEPS, len(BANDS)))).astype(np.float32)
    recording = Recording("made", name, (Path(name),), kind, name.split("-")[0], 1)  # type: ignore[arg-type]
    return EmbeddedClip(
        recording, 5.0, RecordingEmbeddings(pooled, np.ones(STEPS - 2, bool), pooled.mean(axis=0))
    )


def made_clips(seed: int, spread: float = 0.3) -> list[EmbeddedClip]:
    """Eight clips of each of four classes, each loud in a band of its own, and speech that is like none."""
    rng = np.random.default_rng(seed)
    clips = [
        clip(rng, f"{label}-{n}", 4 * np.eye(len(BANDS))[k], spread=spread)
        for k, label in enumerate("abcd")
        for n in range(8)
    ]
    return clips + [clip(rng, f"talk-{n}", -4 * np.eye(len(BANDS))[n % 4], "speech") for n in range(8)]


@pytest.fixture(scope="module")
def background(embedder: Embedder) -> Background:
    assert isinstance(embedder.ear, OnnxModel)
    return choose_scale(embedder, compute_whitening(embedder.ear, made_clips(0)), made_clips(1, spread=2.0))


def test_whitened_windows_have_unit_variance(background: Background) -> None:
    windows = np.concatenate([one.embeddings.windows for one in made_clips(0)])
    white = (windows - background.mean) @ background.projection.astype(np.float32)
    covariance = np.cov(white, rowvar=False)
    assert np.abs(covariance - np.diag(np.diag(covariance))).max() < 0.15
    assert 0.5 < np.diag(covariance).min() <= np.diag(covariance).max() < 1.1  # the ridge takes some
    np.testing.assert_allclose(np.linalg.norm(background.impostors, axis=1), 1.0, atol=1e-2)


def test_what_was_shown_is_not_asked(embedder: Embedder, background: Background) -> None:
    (one, other) = run_trials(embedder, background, made_clips(2), shots=3, draws=2)
    assert one.similarity.shape == (CLASSES * 5 + 8, CLASSES)
    assert [int((one.truth == n).sum()) for n in range(-1, CLASSES)] == [8, 5, 5, 5, 5]
    assert one.hours == pytest.approx(28 * 5 / 3_600)
    assert not np.array_equal(one.similarity, other.similarity)
    assert np.array_equal(one.is_own.sum(axis=1), one.truth >= 0)


def test_parts_of_what_was_shown_are_told_apart(embedder: Embedder, background: Background) -> None:
    clips = made_clips(2)
    parts = [
        replace(one, recording=replace(one.recording, name=f"1-{n // 2}-{'AB'[n % 2]}-7"))
        for n, one in enumerate(clips)
    ]
    assert [one.origin for one in parts[:3]] == ["0", "0", "1"]
    assert clips[0].origin == "a-0"
    for trial in run_trials(embedder, background, parts, shots=1, draws=2):
        assert trial.same_origin.sum() == CLASSES  # the other part of each clip that was shown
        assert (trial.truth[trial.same_origin] == np.arange(CLASSES)).all()
    assert not any(
        trial.same_origin.any() for trial in run_trials(embedder, background, clips, shots=1, draws=2)
    )


def test_a_clip_is_told_of_by_its_best_step(embedder: Embedder, background: Background) -> None:
    clips = made_clips(2)
    late = clips[0].embeddings.pooled.copy()
    late[:-1] = -late[:-1]
    changed = [replace(clips[0], embeddings=replace(clips[0].embeddings, pooled=late)), *clips[1:]]
    for found in run_trials(embedder, background, changed, shots=7, draws=6):
        assert found.similarity[found.is_own].min() > found.similarity[~found.is_own].max()


def test_the_balanced_point_is_0_5_and_has_the_false_alarms_asked_for(
    embedder: Embedder, background: Background
) -> None:
    points = background.operating_points
    assert points["balanced"].on == 0.5
    assert points["recall"].on < 0.5 < points["precision"].on
    assert all(point.off < point.on for point in points.values())
    found = [
        t
        for shots in (1, 3, 5)
        for t in run_trials(embedder, background, made_clips(1, spread=2.0), shots, 4)
    ]
    others = np.concatenate([trial.similarity[~trial.is_own] for trial in found])
    said = background.slope * others + background.offset > 0
    assert said.mean() == pytest.approx(FALSE_ALARMS["balanced"], rel=0.1)


def test_figures_of_classes_that_lie_apart(embedder: Embedder, background: Background) -> None:
    found = figures(embedder, background, made_clips(3))
    assert list(found) == ["1 shown", "3 shown", "5 shown"]
    assert found["5 shown"]["nearest of 4"] == "1.0000 ± 0.0000"
    balanced = found["5 shown"]["balanced"]
    assert balanced["clips of the sound in which it is said"].startswith(("0.9", "1.0"))
    assert balanced["recordings of music or speech"] == "0.0000 ± 0.0000"


def test_clips_are_heard_from_the_data_sets(embedder: Embedder, tmp_path: Path) -> None:
    found = embed_clips(embedder, make_toy_data(tmp_path / "data"), tmp_path / "cache", [1])
    kinds = {clip.recording.kind for clip in found}
    assert kinds == {"sound", "music", "speech"}
    sound = next(clip for clip in found if clip.is_sound)
    assert sound.seconds == 5.0
    assert len(sound.embeddings.pooled) > len(sound.embeddings.audible) == 62
    assert max(clip.seconds for clip in found) == 10.0


def test_a_background_that_was_made_can_be_read(
    embedder: Embedder, background: Background, tmp_path: Path
) -> None:
    background.write(tmp_path)
    found = read_background(tmp_path, embedder.ear.manifest)
    assert found.operating_points == background.operating_points
    pooled = made_clips(4)[0].embeddings.pooled
    np.testing.assert_allclose(found.directions(pooled), background.directions(pooled), atol=1e-5)
