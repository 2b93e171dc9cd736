"""A gate that learnt from free sound alone is released under its own name, and measured on the other sets too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from streamer.inference.model_folders import read_manifest
from tests.train.toy_data import make_toy_data, write, write_pjs, write_rendered
from train.__main__ import main
from train.data.cache import SoundCache
from train.export.card import ANY_USE
from train.loop.config import read_config
from train.mixing.presence import PRESENT
from train.tasks.gate.config import GateRunConfig
from train.tasks.gate.release import GateRelease
from train.tasks.gate.task import GateTask, sound_of_fold

TINY = [
    'data=["speech", "esc10", "rendered", "pjs"]',
    "mel_share=0.0",
    "model.spectral_channels=[6, 8, 8]",
    "model.channels=16",
    "model.dilations=[1, 2]",
    "scenes.count=8",
    "scenes.checked=12",
    "scenes.scene.seconds=4.0",
    "scenes.scene.weights=[0.3, 0.0, 0.0, 0.2, 0.0, 0.2, 0.0, 0.1, 0.2]",
    "pieces=2",
    "loop.steps=2",
    "loop.batch=4",
    "loop.validate_every=2",
    "loop.average=0.0",
    "loop.schedule.cosine.warm_up_steps=1",
]


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Toy data of all sets, with a singer of MIR-1K in every fold."""
    root = make_toy_data(tmp_path_factory.mktemp("data"))
    for singer in ("abjones", "bug"):
        write(root / "mir1k" / "music" / f"{singer}_1_01.wav", pitch_hz=550)
        write(root / "mir1k" / "voice" / f"{singer}_1_01.wav")
    write_pjs(root)
    write_rendered(root)
    return root


def test_it_learns_from_its_own_sets_alone_and_singing_is_in_every_fold(toy: Path) -> None:
    config = read_config(GateRunConfig, None, TINY)
    sounds: SoundCache = sound_of_fold(config, 4, toy, toy / "cache")
    kinds = {(r.source, r.category, r.kind) for r in sounds.recordings}
    assert {kind[:2] for kind in kinds if kind[2] == "sound"} == {("esc50", "dog")}
    assert {kind[0] for kind in kinds} == {"speech", "esc50", "rendered", "pjs"}
    task = GateTask(config, toy, toy / "cache")
    assert (task._checked.present[:, :, 2] == PRESENT).any()


@pytest.mark.slow
def test_its_release_has_its_folder_s_name_and_figures_of_the_sets_that_it_did_not_learn_from(
    toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STREAMER_DATA", str(toy))

    # After two updates the gate still guesses, and what guesses cannot be calibrated.
    monkeypatch.setattr(GateRelease, "calibration", lambda *_: (1.0, 0.0))

    def run(*words: str) -> str:
        done = CliRunner().invoke(main, words, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    run("gate", "--name", "free", *(word for text in TINY for word in ("--set", text)))
    folder = Path("models", "released", "gate_free")
    run("release", "gate", "--run", "free", "--out", str(folder))
    manifest = read_manifest(folder)
    assert (manifest.name, manifest.task) == ("gate_free", "gate")
    assert [data["name"] for data in manifest.trained_on] == [
        "TSP speech",
        "ESC-10",
        "Music rendered from scores",
        "PJS corpus",
    ]
    measured = manifest.results["recordings with labels"]
    assert {"mir1k singing", "pjs singing", "gtzan music", "rendered music", "esc50 sound"} <= set(measured)
    assert {"singing, mir1k singing", "singing, pjs singing"} <= set(manifest.results["labels found"])
    assert manifest.results["command"] == f"python -m train evaluate gate --model {folder}"
    text = (folder / "card.md").read_text()
    assert text.startswith("# gate_free\n")
    assert ANY_USE in text
    again = json.loads(run("evaluate", "gate", "--model", str(folder)))
    assert again == {
        name: found
        for name, found in manifest.results.items()
        if name not in ("command", "held out", "learnt")
    }
