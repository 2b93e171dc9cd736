"""The genre network learns from a tagger of music, and goes on as a genre model."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result

from models.genre import Genre, GenreConfig
from streamer.errors import ConfigError, ModelError
from tests.train.teachers.toy_musicnn import toy_variables, write_wheel
from tests.train.toy_data import make_toy_data, write
from train.__main__ import main
from train.data.recordings import Recording
from train.loop.config import read_config
from train.mixing.clip_variations import FRAMES
from train.mixing.tagged_music import EXCERPT_SAMPLES, load_tagged_music, spread_over_groups
from train.tasks.genre.task import GenreRunConfig, GenreTask
from train.tasks.music_tags.config import MusicTagsRunConfig
from train.tasks.music_tags.task import MusicTagsTask
from train.tasks.music_tags.warm_start import begin_from
from train.teachers.musicnn import PATCH_SAMPLES, TAGS, Musicnn, frames_of

SIZES = ("model.channels=[2, 3, 4, 5, 6]", "model.memory_steps=40")
TINY = (*SIZES, "loop.steps=4", "loop.batch=4", "loop.validate_every=2", "pieces=5")


def write_debian(root: Path) -> None:
    """Two pieces of music in each of five packages, one a fold, and one of effects; the last piece is a jingle."""
    rows = []
    for fold in range(1, 6):
        for n in range(2):
            file = f"package-{fold}/{n}.ogg"
            write(root / "debian" / file, seconds=13.0, pitch_hz=200.0 * fold + n)
            rows.append([file, f"package-{fold}", f"{n}.ogg", "music", "music", fold, 0, 13])
    rows.append(["package-1/0.ogg", "package-1", "0.ogg", "music", "jingles", 1, 0, 13])
    with (root / "debian" / "labels.csv").open("w", newline="") as out:
        table = csv.writer(out)
        table.writerow(["file", "package", "source", "kind", "category", "fold", "first_s", "seconds"])
        table.writerows(rows)


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = make_toy_data(tmp_path_factory.mktemp("data"))
    write_debian(root)
    write_wheel(root, toy_variables())
    return root


@pytest.fixture
def wheel(toy: Path) -> Path:
    return toy / "musicnn-0.1.0-py3-none-any.whl"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


def settings(*texts: str) -> list[str]:
    return [item for text in texts for item in ("--set", text)]


def recording(name: str, fold: int = 1) -> Recording:
    return Recording("debian", name, (Path(name),), "music", "music", fold)


def test_every_folder_gives_as_many_recordings_and_a_small_one_all() -> None:
    names = [*(f"a/{n:02}" for n in range(30)), *(f"b/{n:02}" for n in range(30)), "c/00", "c/01"]
    chosen = [r.name for r in spread_over_groups([recording(name) for name in reversed(names)], 12)]
    assert [sum(name.startswith(folder) for name in chosen) for folder in "abc"] == [5, 5, 2]
    assert [name for name in chosen if name < "b"] == ["a/00", "a/06", "a/12", "a/18", "a/24"]
    assert len(spread_over_groups([recording(name) for name in names], 1_000)) == len(names)


def test_an_excerpt_has_the_teachers_answers_and_the_fold_of_its_recording(
    toy: Path, wheel: Path, tmp_path: Path
) -> None:
    piece = Recording("debian", "p/0", (tmp_path / "0.wav",), "music", "music", 3)
    write(piece.paths[0], seconds=13.0, pitch_hz=440.0)
    music = load_tagged_music([piece], wheel, tmp_path)
    assert (music.frames.shape, music.fold.tolist()) == ((2, FRAMES, 112), [3, 3])
    t = np.arange(13 * 16_000) / 16_000
    sound = np.round(0.3 * np.sin(2 * np.pi * 440 * t) * 32_767) / 32_768
    third = sound[2 * EXCERPT_SAMPLES :][:PATCH_SAMPLES].astype(np.float32)
    logits, embedding = Musicnn.from_wheel(wheel)(torch.from_numpy(frames_of(third[None])))
    np.testing.assert_allclose(music.logits[1], logits[0].numpy(), atol=1e-2)
    np.testing.assert_allclose(music.embedding[1], embedding[0].numpy(), atol=1e-2)
    wheel_gone = tmp_path / "gone.whl"
    assert load_tagged_music([piece], wheel_gone, tmp_path).digest == music.digest  # from the cache
    with pytest.raises(
        ModelError, match=r"gone\.whl cannot be read \(.*\); expected the wheel of musicnn 0\.1\.0"
    ):
        load_tagged_music([piece], wheel_gone, tmp_path / "another cache")


def test_recordings_that_cannot_be_read_are_left_out_and_named(
    wheel: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole, broken = (
        Recording("debian", f"p/{name}", (tmp_path / f"{name}.wav",), "music", "music", 3)
        for name in ("a", "b")
    )
    write(whole.paths[0], seconds=4.0, pitch_hz=440.0)
    broken.paths[0].write_bytes(b"no sound")
    assert len(load_tagged_music([broken, whole], wheel, tmp_path)) == 1
    assert "p/b is left out: " in caplog.text


@pytest.fixture
def task(toy: Path, wheel: Path) -> MusicTagsTask:
    config = read_config(MusicTagsRunConfig, None, [*TINY, f"wheel={str(wheel)!r}"])
    return MusicTagsTask(config, toy, toy / "cache")


def test_a_batch_comes_from_learnt_folds_and_depends_on_its_number_alone(task: MusicTagsTask) -> None:
    first, again, other = (task.make_batch(1, step, 4) for step in (5, 5, 6))
    assert [tuple(part.shape) for part in first] == [(4, FRAMES, 112), (4, len(TAGS)), (4, 5)]
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0], other[0])
    assert set(task._music.fold[task._learnt].tolist()) == {1, 2, 3}


def test_the_first_answers_are_the_teachers_means_whose_error_is_about_one(task: MusicTagsTask) -> None:
    torch.manual_seed(0)
    model = task.make_model()
    for weights in (model.tagger.head.weight, model.embedding.weight):  # type: ignore[union-attr]
        torch.nn.init.zeros_(weights)  # type: ignore[arg-type]
    learnt = tuple(torch.from_numpy(part) for part in task._rows(task._learnt))
    errors = task.loss(model, learnt)
    assert errors["tags"].item() == pytest.approx(1.0, abs=1e-4)
    varying = learnt[2].std(0) > 1e-3  # made-up layers have units that are always 0, and have no error
    assert errors["embedding"].item() == pytest.approx(varying.float().mean().item(), abs=1e-4)


def test_too_few_folds_are_refused(wheel: Path, tmp_path: Path) -> None:
    write_debian(tmp_path)
    config = read_config(MusicTagsRunConfig, None, [*TINY, f"wheel={str(wheel)!r}", "pieces=1"])
    with pytest.raises(
        ConfigError, match=r"and 0 in fold 4; expected some in both: run python -m train fetch debian"
    ):
        MusicTagsTask(config, tmp_path, tmp_path / "cache")


def test_a_run_without_pieces_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"pieces is 0; expected 1 or more"):
        read_config(MusicTagsRunConfig, None, ["pieces=0"])


def test_a_folder_that_is_no_run_is_no_beginning(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"which has no config\.json; expected the folder of a run: make one by"
    ):
        begin_from(Genre(GenreConfig(), ("a", "b")), tmp_path)


@pytest.mark.slow
def test_the_whole_way_from_the_teacher_to_a_genre_network(
    toy: Path, wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(toy)
    monkeypatch.setenv("STREAMER_DATA", str(toy))
    made = run("music_tags", "--name", "tags", *settings(*TINY, f"wheel={str(wheel)!r}"))
    assert made.exit_code == 0, made.output
    folder = toy / "runs" / "music_tags" / "tags"
    measured = run("evaluate", "music_tags", "--run", "tags")
    assert json.loads(measured.stdout)["teacher"]["excerpts"] == 2
    assert run("release", "music_tags", "--out", "tagger").exit_code == 0
    assert "answer like musicnn 0.1.0" in " ".join((toy / "tagger" / "card.md").read_text().split())

    begun = GenreTask(
        read_config(GenreRunConfig, None, [*SIZES, f"begin={str(folder)!r}"]), toy, toy / "cache"
    )
    weights = torch.load(folder / "best.pt", weights_only=True)["weights"]
    own = begun.make_model().state_dict()
    assert all(
        torch.equal(own[name], weights[f"tagger.{name}"]) for name in own if not name.startswith("head.")
    )
    assert own["head.weight"].shape[0] == 2
    with pytest.raises(
        ConfigError, match=r"with 112 bands and channels \(2, 3, 4, 5, 6\); expected 112 and \(16, 24, "
    ):
        begin_from(Genre(GenreConfig(), ("a", "b")), folder)
