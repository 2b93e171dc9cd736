"""Remixes: what they are made of, at which levels, and the same for the same seed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import soundfile

from streamer.errors import ConfigError
from train.augment import active_level
from train.data.cache import SoundCache
from train.data.decode import RATE_HZ
from train.data.recordings import Recording
from train.data.sets.songs.song_catalogue import find_songs
from train.data.songs import Songs
from train.loop.config import read_config
from train.mixing.lone_stems import LoneStems
from train.mixing.remixes import CHANCES, RemixConfig, Remixes
from train.tasks.separation.config import SeparationRunConfig

PLAIN = RemixConfig(
    seconds=1.0,
    own=0.0,
    voice_only=0.0,
    music_only=0.0,
    speed=0.0,
    pitch=0.0,
    doubled=0.0,
    equaliser=0.0,
    filter=0.0,
    room=0.0,
    noise=0.0,
    compressed=0.0,
    hot=0.0,
    codec=0.0,
)


@pytest.fixture
def songs(tmp_path):
    """Three songs; a voice is a tone of 200 to 400 Hz, its accompaniment one ten times as high."""
    t = np.arange(2 * RATE_HZ) / RATE_HZ
    for n in (2, 3, 4):
        folder = tmp_path / "mine" / f"song {n}"
        folder.mkdir(parents=True)
        soundfile.write(folder / "vocals.wav", 0.3 * np.sin(2 * np.pi * 100 * n * t), RATE_HZ)
        soundfile.write(folder / "accompaniment.wav", 0.3 * np.sin(2 * np.pi * 1_000 * n * t), RATE_HZ)
    return Songs(find_songs([str(tmp_path / "mine")], tmp_path), tmp_path / "cache")


def made(songs, config, count=40):
    remixes = Remixes(songs, config)
    rng = np.random.default_rng(0)
    return [remixes.make(rng) for _ in range(count)]


def pitch_hz(x):
    return float(np.argmax(np.abs(np.fft.rfft(x))) * RATE_HZ / len(x))


def test_the_mixture_is_the_sum_of_its_stems(songs):
    for remix in made(songs, PLAIN):
        assert len(remix.mixture) == RATE_HZ
        np.testing.assert_allclose(remix.mixture, remix.voice + remix.music, atol=1e-6)


def test_voices_meet_other_accompaniments_or_keep_their_own(songs):
    def pairs(config):
        return {
            (round(pitch_hz(r.voice) / 100), round(pitch_hz(r.music) / 1_000)) for r in made(songs, config)
        }

    assert pairs(PLAIN) == {(voice, music) for voice in (2, 3, 4) for music in (2, 3, 4)}
    assert pairs(replace(PLAIN, own=1.0)) == {(2, 2), (3, 3), (4, 4)}


def test_what_is_kept_together_changes_speed_together(songs):
    for remix in made(songs, replace(PLAIN, own=1.0, speed=1.0)):
        assert pitch_hz(remix.music) == pytest.approx(10 * pitch_hz(remix.voice), rel=0.02)


def test_levels_are_within_what_was_asked_for(songs):
    config = replace(PLAIN, voice_db=(-6.0, 3.0), level_db=(-30.0, -10.0))
    for remix in made(songs, config):
        ratio_db = 20 * np.log10(active_level(remix.voice) / active_level(remix.music))
        level_db = 20 * np.log10(active_level(remix.mixture))
        assert -6.1 < ratio_db < 3.1
        assert -30.1 < level_db < -9.9


def test_loud_mixtures_are_not_clipped(songs):
    for remix in made(songs, replace(PLAIN, level_db=(-1.0, 6.0))):
        assert np.abs(remix.mixture).max() <= 1.0 + 1e-6
        np.testing.assert_allclose(remix.mixture, remix.voice + remix.music, atol=1e-6)


@pytest.mark.parametrize("change", ["doubled", "compressed", "hot"])
def test_what_a_studio_does_leaves_the_mixture_the_sum_of_its_stems(songs, change):
    plain, changed = (made(songs, replace(PLAIN, **{change: chance}), 10) for chance in (0.0, 1.0))
    for remix in changed:
        np.testing.assert_allclose(remix.mixture, remix.voice + remix.music, atol=1e-6)
    assert any(
        not np.allclose(
            one.voice / np.abs(one.voice).max(), other.voice / np.abs(other.voice).max(), atol=1e-3
        )
        for one, other in zip(plain, changed, strict=True)
    )


@pytest.fixture
def lone(tmp_path):
    """A lone voice of 1,500 Hz and a lone accompaniment of 7,000 Hz, which no song has."""
    t = np.arange(3 * RATE_HZ) / RATE_HZ
    found = []
    for kind, hz in (("singing", 1_500), ("music", 7_000)):
        soundfile.write(tmp_path / f"{kind}.wav", 0.3 * np.sin(2 * np.pi * hz * t), RATE_HZ)
        recording = Recording("mine", kind, (tmp_path / f"{kind}.wav",), kind, "any", 1)
        found.append(LoneStems(SoundCache([recording], tmp_path / "cache")))
    return found


def test_lone_stems_get_into_remixes_by_their_chances(songs, lone):
    for chances, expected in (((1.0, 0.0), (True, False)), ((0.0, 1.0), (False, True))):
        config = replace(PLAIN, lone_voice=chances[0], lone_music=chances[1])
        remixes, rng = Remixes(songs, config, *lone), np.random.default_rng(0)
        for remix in [remixes.make(rng) for _ in range(10)]:
            found = abs(pitch_hz(remix.voice) - 1_500) < 2, abs(pitch_hz(remix.music) - 7_000) < 2
            assert found == expected
            np.testing.assert_allclose(remix.mixture, remix.voice + remix.music, atol=1e-6)


def test_a_song_that_is_sped_up_lasts_to_the_end(songs):
    for remix in made(songs, replace(PLAIN, own=1.0, speed=1.0, speed_factor=(1.17, 1.18))):
        assert np.abs(remix.voice[-200:]).max() > 1e-3


def test_either_stem_may_be_silent(songs):
    found = made(songs, replace(PLAIN, voice_only=0.5, music_only=0.5))
    alone = [(bool(r.voice.any()), bool(r.music.any())) for r in found]
    assert set(alone) == {(True, False), (False, True)}


def test_everything_at_once_stays_finite_and_within_full_scale(songs):
    config = replace(RemixConfig(seconds=0.5), **dict.fromkeys(CHANCES, 1.0))
    for remix in made(songs, config, 6):
        assert np.isfinite(remix.mixture).all()
        assert np.abs(remix.mixture).max() <= 1.0
        assert remix.mixture.dtype == remix.voice.dtype == np.float32


def test_either_stem_is_equalised_by_itself(tmp_path):
    t = np.arange(2 * RATE_HZ) / RATE_HZ
    for stem in ("vocals", "accompaniment"):
        (tmp_path / "mine" / "song").mkdir(parents=True, exist_ok=True)
        tones = sum(0.1 * np.sin(2 * np.pi * hz * t) for hz in (200, 4_000))
        soundfile.write(tmp_path / "mine" / "song" / f"{stem}.wav", tones, RATE_HZ)
    songs = Songs(find_songs([str(tmp_path / "mine")], tmp_path), tmp_path / "cache")
    config = replace(PLAIN, own=1.0, equaliser=1.0, equaliser_db=6.0)

    def tilt_db(stem):
        spectrum = np.abs(np.fft.rfft(stem))
        return 20 * np.log10(spectrum[4_000] / spectrum[200])

    tilts = np.array([[tilt_db(remix.voice), tilt_db(remix.music)] for remix in made(songs, config, 10)])
    assert np.all(np.ptp(tilts, axis=0) > 2)
    assert np.abs(tilts).max() < 12.5
    assert np.abs(tilts[:, 0] - tilts[:, 1]).max() > 1


def test_noise_is_the_accompaniments(songs):
    for remix in made(songs, replace(PLAIN, noise=1.0, noise_db=(-20.0, -20.0), voice_db=(0.0, 0.0)), 5):
        spectra = [np.abs(np.fft.rfft(stem)) for stem in (remix.voice, remix.music)]
        between = slice(2_000, 6_000)  # a tone each, on either side: what is there is noise
        assert spectra[0][:1_500].max() > 100 * spectra[0][between].max()
        assert spectra[1][between].mean() > 10 * spectra[0][between].mean()


def test_a_seed_makes_the_same_remixes(songs):
    first, second = (made(songs, RemixConfig(seconds=0.5), 5) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.mixture, other.mixture)


def test_no_songs_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="no songs to learn from; expected at least one"):
        Remixes(Songs([], tmp_path), PLAIN)


def test_impossible_shares_are_refused():
    with pytest.raises(
        ConfigError, match=r"0\.7 voice alone, 0\.6 music alone; expected .* at most 1 together"
    ):
        RemixConfig(voice_only=0.7, music_only=0.6)


def test_an_unknown_set_of_songs_names_those_that_are(tmp_path):
    with pytest.raises(
        ConfigError, match="data names 'musdb'; expected some of mir1k, mir1k_literature, musdb18"
    ):
        find_songs(["musdb"], tmp_path)


@pytest.mark.parametrize("text", ["[3]", "[1, 2, 3]"])
def test_a_range_has_two_ends(text):
    with pytest.raises(ConfigError, match=r"remixes.voice_db is \[.*\]; expected 2 in the list"):
        read_config(SeparationRunConfig, None, [f"remixes.voice_db={text}"])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"own": 3.0}, "own is 3.0; expected a chance, 0 to 1"),
        ({"codec": -0.1}, "codec is -0.1; expected a chance, 0 to 1"),
        ({"lone_music": 2.0}, "lone_music is 2.0; expected a chance, 0 to 1"),
        (
            {"compressor_db": (-9.0, 3.0)},
            r"compressor_db is \(-9.0, 3.0\), .*; expected thresholds of at most 0",
        ),
        ({"compressor_ratio": (0.5, 2.0)}, r"compressor_ratio \(0.5, 2.0\); .* ratios of at least 1"),
        ({"voice_db": (8.0, -8.0)}, r"voice_db is \(8.0, -8.0\); expected the least first, then the most"),
        ({"speed_factor": (0.0, 1.0)}, r"speed_factor is \(0.0, 1.0\), .*; expected speeds above 0"),
        (
            {"pitch_semitones": -1.0},
            "pitch_semitones -1; expected speeds above 0, and no less than 0 of the others",
        ),
    ],
)
def test_what_cannot_be_mixed_is_refused(wrong, said):
    with pytest.raises(ConfigError, match=said):
        replace(RemixConfig(), **wrong)
