"""The separator at any rate: the contract, sound given back by a mask of ones, and bins above the network's."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile

from streamer.arrays import Array, State
from streamer.demo_recording import DEMO_PATH
from streamer.dsp.model_calls import run_alone
from streamer.dsp.stage import Stage
from streamer.dsp.stft import StftConfig
from streamer.inference.model_folders import find_model
from streamer.inference.onnx import OnnxModel
from streamer.separation.separator import Separator, at_rate
from tests.contract import check_stage
from tests.toy_separation import without_offset, write_toy_separation

DEFAULT = StftConfig()
SMALL = StftConfig(hop_samples=16, window_samples=64)
FAINT = 6  # samples at a window's edge that an impulse moves by less than single precision shows
FORMATS = pytest.mark.parametrize(
    ("rate_hz", "channels"),
    [(16_000, 1), (48_000, 2), (44_100, 2), (22_050, 1), (8_000, 1), (48_000, 6), (11_025, 1)],
)


def separator(
    folder: Path,
    factors: object = 1.0,
    stft: StftConfig = DEFAULT,
    rate_hz: int = 16_000,
    channels: int = 1,
) -> Separator:
    return Separator(OnnxModel(write_toy_separation(folder / "toy", factors, stft)), rate_hz, channels)


def noise(samples: int, channels: int = 1, batch: int = 1) -> Array:
    return 0.1 * np.random.default_rng(0).standard_normal((batch, samples, channels), np.float32)


@dataclass(frozen=True, eq=False)
class VoiceOf(Stage):
    """The voice of a separator, as a stage."""

    separator: Separator
    channels: int
    hop = Fraction(1)

    @property
    def latency(self) -> Fraction:
        return self.separator.latency

    def init(self, batch: int = 1) -> State:
        return self.separator.init(batch)

    def step(self, x: Array, state: State) -> tuple[Array, State]:
        stems, state = run_alone(self.separator.step(x, state))
        return np.concatenate([stems.voice, stems.music], axis=2), state

    def flush(self, state: State) -> Array:
        stems = self.separator.flush(state)
        return np.concatenate([stems.voice, stems.music], axis=2)


@pytest.mark.parametrize("rate_hz", [16_000, 22_050, 8_000])
def test_stems_keep_the_contract(tmp_path: Path, rate_hz: int) -> None:
    factors = np.random.default_rng(1).random(SMALL.bins)
    made = separator(tmp_path, factors, SMALL, rate_hz, channels=2)
    x = noise(7 * made.stft.hop_samples + 5, channels=2, batch=2)
    check_stage(VoiceOf(made, 2), x, atol=1e-6, slack=FAINT)


@pytest.mark.parametrize("rate_hz", [16_000, 44_100])
def test_stems_of_the_released_model_keep_the_contract(rate_hz: int) -> None:
    made = Separator(OnnxModel(find_model("separation")), rate_hz, channels=2)
    x = noise(12 * made.stft.hop_samples + 5, channels=2, batch=2)
    check_stage(VoiceOf(made, 2), x, atol=1e-5, slack=made.stft.hop_samples)


@FORMATS
def test_a_mask_of_ones_gives_all_but_the_offset_back_to_100_db(
    tmp_path: Path, rate_hz: int, channels: int
) -> None:
    x = noise(rate_hz // 2 + 123, channels)
    made = separator(tmp_path, rate_hz=rate_hz, channels=channels)
    stems = made.whole(x)
    assert stems.voice.shape == x.shape
    error = stems.voice[0] - without_offset(x[0], made.stft)
    assert 10 * np.log10(np.sum(np.square(x, dtype=np.float64)) / np.sum(error**2)) > 100


@FORMATS
def test_stems_add_up_to_the_sound(tmp_path: Path, rate_hz: int, channels: int) -> None:
    x = noise(rate_hz // 2 + 123, channels)
    factors = np.random.default_rng(1).random(DEFAULT.bins)
    stems = separator(tmp_path, factors, rate_hz=rate_hz, channels=channels).whole(x)
    np.testing.assert_allclose(stems.voice + stems.music, x, atol=1e-7)


@FORMATS
def test_latency_is_20_ms_at_every_rate(tmp_path: Path, rate_hz: int, channels: int) -> None:
    made = separator(tmp_path, rate_hz=rate_hz, channels=channels)
    assert 0.0195 <= made.latency / rate_hz <= 0.02


@pytest.mark.parametrize("rate_hz", [16_000, 44_100])
def test_an_offset_is_no_voice(tmp_path: Path, rate_hz: int) -> None:
    made = separator(tmp_path, rate_hz=rate_hz)
    x = noise(rate_hz)
    plain, offset = made.whole(x), made.whole(x + np.float32(0.5))
    settled = made.stft.window_samples
    np.testing.assert_allclose(offset.voice[:, settled:-settled], plain.voice[:, settled:-settled], atol=1e-6)


def test_an_offset_does_not_change_what_the_released_model_hears() -> None:
    made = Separator(OnnxModel(find_model("separation")), 16_000, 1)
    x = noise(16_000)
    voiced, offset = made.whole(x).voiced, made.whole(x + np.float32(0.05)).voiced
    np.testing.assert_allclose(offset[:, 50:], voiced[:, 50:], atol=0.05)


def test_stereo_stays_stereo(tmp_path: Path) -> None:
    x = noise(8_000, channels=2)
    x[..., 1] = 0.0
    stems = separator(tmp_path, 0.25, channels=2).whole(x)
    np.testing.assert_allclose(stems.voice[..., 0], 0.25 * without_offset(x[0])[None, :, 0], atol=1e-6)
    assert not stems.voice[..., 1].any()


def test_what_cancels_in_the_mean_of_the_channels_is_heard_in_one_of_them(tmp_path: Path) -> None:
    factors = np.random.default_rng(1).random(DEFAULT.bins)
    x = noise(16_000, channels=2)
    apart = separator(tmp_path, factors, channels=2)
    x[..., 1] = -x[..., 0]
    stems, left = apart.whole(x), separator(tmp_path, factors).whole(x[..., :1])
    chosen = 1_600  # a window of the downmix, in which nothing is trusted yet
    np.testing.assert_allclose(stems.voice + stems.music, x, atol=1e-6)
    assert not stems.voiced[:, : chosen // 160 - 4].any()
    begun = chosen + 640  # and a window of the transform
    np.testing.assert_allclose(stems.voice[:, begun:, 0], left.voice[:, begun:, 0], atol=1e-6)
    np.testing.assert_allclose(stems.voice[:, begun:, 1], -left.voice[:, begun:, 0], atol=1e-6)


def test_the_released_model_hears_a_pair_of_opposite_phase_as_it_hears_one_of_its_channels() -> None:
    sound, rate_hz = soundfile.read(DEMO_PATH, dtype="float32", frames=20 * 32_000)
    network = OnnxModel(find_model("separation"))
    pair = Separator(network, rate_hz, 2).whole(np.stack([sound, -sound], axis=1)[None])
    alone = Separator(network, rate_hz, 1).whole(sound[None, :, None])
    speech = slice(12 * rate_hz, None)  # by then it has forgotten that it missed the first tenth of a second
    found, expected = pair.voice[0, speech, 0], alone.voice[0, speech, 0]
    assert np.square(expected).sum() > 1_000 * np.square(found - expected).sum() > 0
    np.testing.assert_array_equal(pair.voice[..., 0], -pair.voice[..., 1])


def test_channels_that_do_not_cancel_are_mixed_by_their_mean_bit_by_bit(tmp_path: Path) -> None:
    made, x = separator(tmp_path, channels=2), noise(8_000, channels=2)
    added, _ = made._added(x, made._downmix.init())
    assert not added[..., 2].any()


def test_a_channel_from_one_side_is_heard(tmp_path: Path) -> None:
    x = noise(8_000, channels=2)
    apart = separator(tmp_path, 1.0, channels=2)
    x[..., 1] = 0.5 * x[..., 0]  # from one side, and heard
    found = apart.whole(x).voice[0]
    np.testing.assert_allclose(found, without_offset(x[0]), atol=1e-6)


def tone(rate_hz: int, pitch_hz: float) -> Array:
    return (0.3 * np.sin(2 * np.pi * pitch_hz * np.arange(rate_hz) / rate_hz)).astype(np.float32)[
        None, :, None
    ]


def level(x: Array) -> float:
    return float(np.sqrt(np.mean(np.square(x[0, 2_000:-2_000, 0]))))


@pytest.mark.parametrize(("share", "given"), [(0.0, 0.0), (0.3, 0.3), (1.0, 1.0), (1.7, 1.0), (-1.0, 0.0)])
def test_above_8_khz_goes_what_the_mask_lets_through_below(
    tmp_path: Path, share: float, given: float
) -> None:
    factors = np.zeros(DEFAULT.bins)
    factors[200:] = share  # from 5 kHz on
    made = separator(tmp_path, factors, rate_hz=48_000)
    low, high = tone(48_000, 7_000.0), tone(48_000, 12_000.0)
    voice = made.whole(low + high).voice
    assert level(voice - share * low) == pytest.approx(given * level(high), abs=2e-3)


def test_the_mask_is_at_the_same_frequency_at_every_rate(tmp_path: Path) -> None:
    factors = np.zeros(DEFAULT.bins)
    factors[60:] = 1.0  # from 1,500 Hz on
    for rate_hz in (8_000, 16_000, 22_050, 44_100, 48_000):
        made = separator(tmp_path, factors, rate_hz=rate_hz)
        for pitch_hz, share in ((1_300.0, 0.0), (1_700.0, 1.0)):
            x = tone(rate_hz, pitch_hz)
            assert level(made.whole(x).voice) == pytest.approx(share * level(x), abs=0.01)


def test_a_window_of_broken_hops_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match="windows of 640 and hops of 150 samples; expected a window of whole hops"
    ):
        write_toy_separation(tmp_path / "toy", stft=StftConfig(hop_samples=150))


def test_a_voice_is_told_for_each_hop(tmp_path: Path) -> None:
    x = np.concatenate([np.zeros((1, 8_000, 1), np.float32), 50 * noise(8_000)], axis=1)
    voiced = separator(tmp_path).whole(x).voiced[0]
    assert len(voiced) == 100
    assert voiced[:50].max() < 0.5
    assert voiced[-1] > 0.5


@pytest.mark.parametrize("rate_hz", [4_000, 12_345, 96_000, 384_000])
def test_odd_rates_have_transforms_too(rate_hz: int) -> None:
    config = at_rate(StftConfig(hop_samples=80, window_samples=640), rate_hz)
    assert config.hop_samples == pytest.approx(rate_hz / 200, abs=1)
    assert config.window_samples == 8 * config.hop_samples
