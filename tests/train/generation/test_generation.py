"""The commands that make sound of a genre and judge it, on a toy run."""

from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from streamer.errors import ConfigError
from tests.conftest import ROOT
from tests.train.toy_data import make_toy_data
from train.__main__ import main
from train.evaluate.hearing.listeners import Decisions
from train.generation import page
from train.generation.bounds import HeldOutMusic, mean_powers
from train.generation.judgement import Verdict, music_share, summarise
from train.generation.made_sound import SoundMaker

TINY = ["model.units=8", "model.components=2", "loop.batch=4", "loop.steps=2", "loop.validate_every=2"]
SETTINGS = [item for text in TINY for item in ("--set", text)]


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """A folder with data, and a toy run of each task; commands run in it."""
    folder = make_toy_data(tmp_path_factory.mktemp("data"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("STREAMER_DATA", str(folder))
        for task in ("generator", "generator_adversarial"):
            result = CliRunner().invoke(main, [task, *SETTINGS, "--name", "toy"], catch_exceptions=False)
            assert result.exit_code == 0, result.output
    return folder


@pytest.fixture
def invoke(toy, monkeypatch):
    monkeypatch.chdir(toy)
    monkeypatch.setenv("STREAMER_DATA", str(toy))
    return lambda *arguments: CliRunner().invoke(main, arguments)


def test_sound_of_a_genre_is_written_and_the_seed_determines_it(invoke, toy):
    result = invoke("generate", "--genre", "rock", "--seconds", "0.7")
    assert result.exit_code == 0, result.output
    assert result.stdout == "rock.wav\n"
    invoke("generate", "--genre", "rock", "--seconds", "0.7", "--seed", "0", "--out", "again.wav")
    invoke("generate", "--genre", "rock", "--seconds", "0.7", "--seed", "1", "--out", "other.wav")
    invoke("generate", "--genre", "blues", "--seconds", "0.7", "--out", "blues.wav")
    sounds = {
        name: soundfile.read(toy / f"{name}.wav", dtype="float32")
        for name in ("rock", "again", "other", "blues")
    }
    sound, rate_hz = sounds["rock"]
    assert rate_hz == 16_000
    assert sound.shape == (11_200,)
    assert 0.8 < np.abs(sound).max() < 1.0
    np.testing.assert_array_equal(sound, sounds["again"][0])
    assert not np.allclose(sound, sounds["other"][0])
    assert not np.allclose(sound, sounds["blues"][0])


def test_the_adversarial_run_makes_sound_too_and_calm_sound_has_no_chance_in_its_frames(toy, invoke):
    maker = SoundMaker.of_run("generator_adversarial", "toy")
    first, other = (maker.frames("rock", 8_000, seed, temperature=0.0) for seed in (1, 2))
    np.testing.assert_array_equal(first, other)
    result = invoke("generate", "--genre", "rock", "--task", "generator_adversarial", "--run", "toy")
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--genre", "polka"), "no genre 'polka'; expected one of blues, rock"),
        (("--genre", "rock", "--seconds", "0"), "seconds is 0; expected a length above 0, such as 10"),
        (("--genre", "rock", "--seconds", "-3"), "seconds is -3; expected a length above 0"),
        (("--genre", "rock", "--seconds", "nan"), "seconds is nan; expected a length above 0"),
        (("--genre", "rock", "--seconds", "inf"), "seconds is inf; expected a length above 0"),
        (("--genre", "rock", "--temperature", "-1"), "temperature is -1; expected 0 or more, such as 0.8"),
        (("--genre", "rock", "--temperature", "nan"), "temperature is nan; expected 0 or more"),
        (("--genre", "rock", "--seed", "-1"), "seed is -1; expected 0 or more"),
        (("--genre", "rock", "--run", "nix"), "no run 'nix' of task generator; there are toy"),
        (
            ("--genre", "rock", "--run", "runs/generator_adversarial/toy"),
            "runs/generator_adversarial/toy is no run of task generator (unknown key 'discriminator'",
        ),
        (("--genre", "rock", "--out", "absent/a.wav"), "absent/a.wav cannot be written"),
    ],
)
def test_what_cannot_be_made_is_refused_in_one_line(invoke, arguments, words):
    result = invoke("generate", "--seconds", "0.2", *arguments)
    assert result.exit_code != 0
    assert result.stderr.startswith(f"error: {words}")
    assert result.stderr.count("\n") == 1


def test_sound_is_judged_beside_music_and_noise_and_the_table_written(invoke, toy, monkeypatch):
    monkeypatch.setattr("train.generation.judge_command.current_commit", lambda: "c0ffee")
    (toy / "lab.md").write_text("<!-- generated -->\n\n<!-- end generated -->\n")
    result = invoke("judge", "--clips", "2", "--seconds", "4", "--into", "lab")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert list(found) == ["generator", "music vocoded", "music", "noise"]
    for figures in found.values():
        assert figures["clips"] == 4
        assert 0 <= figures["music"] <= 1
        assert figures["genres"].keys() == {"blues", "rock"}
        assert sum(figures["genres"]["rock"]["named"].values()) == 2
    stored = json.loads((toy / "lab" / page.FILE).read_text())
    assert stored["noise"]["commit"] == "c0ffee"
    rows = [line for line in (toy / "lab.md").read_text().splitlines() if line.startswith("| ")]
    assert len(rows) == 2 + 4
    assert rows[0].startswith("| clips | number | music | genre | blues | rock |")
    assert rows[2].startswith("| LSTM, by likelihood | 4 | ")


def test_clips_of_no_number_are_refused(invoke):
    result = invoke("judge", "--clips", "0")
    assert result.stderr == "error: clips is 0; expected 1 or more of each genre\n"


def test_excerpts_are_of_the_tracks_of_the_fold_and_spread_over_them(toy):
    music = HeldOutMusic(("blues", "rock"), 9, toy, toy / "cache")
    excerpts = list(music.excerpts("rock", 3, 16_000))
    assert [len(sound) for sound in excerpts] == [16_000] * 3
    track = next(music.excerpts("rock", 1, 25 * 16_000))
    np.testing.assert_array_equal(excerpts[0], track[:16_000])
    np.testing.assert_array_equal(excerpts[2], track[-16_000:])
    with pytest.raises(
        ConfigError, match="gtzan has no whole track of blues, rock in fold 8 of ten; expected"
    ):
        HeldOutMusic(("blues", "rock"), 8, toy, toy / "cache")


def test_the_mean_power_of_a_genre_is_high_where_its_bands_are(toy):
    from models.front_ends import music_front_end

    powers = mean_powers(("blues", "rock"), (1, 2, 3), music_front_end(), toy)
    assert powers["blues"].shape == (1_025,)
    assert powers["blues"][:100].mean() > powers["rock"][:100].mean()


def test_the_share_of_music_is_of_the_audible_time_past_the_beginning():
    rng = np.random.default_rng(0)
    sound = rng.normal(0, 0.1, 32_000).astype(np.float32)
    called = Decisions([("music", 20_000, 32_000), ("speech", 0, 32_000)])
    assert music_share(called, sound) == pytest.approx(12_000 / 24_000)
    assert music_share(called, np.zeros(32_000, np.float32)) == 0.0


def test_figures_count_clips_by_genre():
    verdicts = [Verdict("jazz", 1.0, "jazz"), Verdict("jazz", 0.5, "blues"), Verdict("rock", 0.0, "")]
    found = summarise(verdicts)
    assert (found["clips"], found["music"], found["right"]) == (3, 0.5, 0.3333)
    assert found["genres"]["jazz"] == {
        "clips": 2,
        "music": 0.75,
        "right": 0.5,
        "named": {"jazz": 1, "blues": 1},
    }
    assert found["genres"]["rock"]["named"] == {"none": 1}


def test_the_laboratory_s_page_has_the_place_of_the_table():
    text = (ROOT / "docs" / "laboratory.md").read_text(encoding="utf-8")
    assert text.count(f"<!-- {page.PLACE} -->") == text.count(f"<!-- end {page.PLACE} -->") == 1
