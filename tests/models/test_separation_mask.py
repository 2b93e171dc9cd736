"""The mask network and the transform around it in torch: the same numbers as the stages that listen."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from models.recurrent import Lstm
from models.separation_mask import Mask, MaskConfig, separate
from models.separation_mask_offline import OfflineMask
from models.spectra import analyse, synthesise
from models.zones import Zone
from streamer.dsp.stage import offline
from streamer.dsp.stft import Stft, StftConfig
from streamer.errors import ConfigError
from streamer.inference.onnx import OnnxModel
from streamer.separation.separator import Separator
from train.export.to_onnx import describe, export

SMALL = StftConfig(hop_samples=8, window_samples=32)
CONFIG = MaskConfig(
    SMALL, zones=((4, 2), (2, 4)), channels=6, memory=7, reach=3, hidden=9, blocks=2, level_frames=6
)


def noise(samples=16_037):
    return 0.1 * torch.randn(2, samples, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("config", [StftConfig(), StftConfig(hop_samples=64, synthesis_hops=4), SMALL])
def test_spectra_are_those_of_the_stage_that_listens(config):
    x = noise()
    expected = offline(Stft(config), x.numpy()[..., None])[:, :, 0]
    torch.testing.assert_close(analyse(x, config), torch.from_numpy(expected), rtol=0, atol=1e-5)


@pytest.mark.parametrize("config", [StftConfig(), StftConfig(hop_samples=64, synthesis_hops=4), SMALL])
def test_sound_comes_back_whole(config):
    x = noise()
    torch.testing.assert_close(synthesise(analyse(x, config), config, x.shape[1]), x, rtol=0, atol=1e-6)


def test_stems_add_up_and_have_the_length_of_the_sound():
    torch.manual_seed(0)
    x = noise(1_003)
    voice, music, logits = separate(Mask(CONFIG), x, SMALL)
    assert voice.shape == music.shape == x.shape
    assert logits.shape == (2, 126)
    torch.testing.assert_close(voice + music, x)


@torch.no_grad()
def test_level_changes_neither_mask_nor_logit():
    torch.manual_seed(0)
    model, x = Mask(CONFIG).eval(), noise(2_000)
    loud, soft = (separate(model, gain * x, SMALL) for gain in (1.0, 0.01))
    torch.testing.assert_close(0.01 * loud[0], soft[0], rtol=0, atol=1e-5)
    torch.testing.assert_close(loud[2], soft[2], rtol=0, atol=1e-3)


@torch.no_grad()
def test_silence_gives_finite_masks():
    y, _ = Mask(CONFIG)(torch.zeros(1, 20, 2 * SMALL.bins))
    assert torch.isfinite(y).all()


@torch.no_grad()
def test_the_offline_network_knows_what_is_to_come_and_does_not_step():
    torch.manual_seed(0)
    model, x = OfflineMask(CONFIG).eval(), noise(2_000)
    whole = separate(model, x, SMALL)[0]
    cut = separate(model, x[:, :1_000], SMALL)[0]
    assert whole.shape == x.shape
    assert (whole[:, :900] - cut[:, :900]).abs().max() > 1e-4
    torch.testing.assert_close(separate(model, 0.01 * x, SMALL)[0], 0.01 * whole, rtol=0, atol=1e-5)
    with pytest.raises(ValueError, match="got a state of 1 tensors; expected none"):
        model(torch.zeros(1, 4, 2 * SMALL.bins), (torch.zeros(1),))


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    """A network, and the folder that it is exported to."""
    torch.manual_seed(0)
    config = MaskConfig(zones=((10, 8), (5, 48)), channels=6, memory=7, reach=3, hidden=9, blocks=1)
    model, folder = Mask(config).eval(), tmp_path_factory.mktemp("released")
    export(model, describe(model, "separation", ("voice",), config.stft, warm_up_frames=6), folder)
    return model, folder


@torch.no_grad()
@pytest.mark.parametrize("offset", [0.0, 0.2])
def test_stems_and_logits_are_those_of_what_listens(released, offset):
    model, folder = released
    x = noise() + offset
    found = separate(model, x, StftConfig())
    heard = Separator(OnnxModel(folder), 16_000, channels=1).whole(x.numpy()[..., None])
    expected = heard.voice[..., 0], heard.music[..., 0], heard.voiced
    for one, other in zip((*found[:2], found[2].sigmoid()), expected, strict=True):
        torch.testing.assert_close(one, torch.from_numpy(other), rtol=0, atol=1e-5)


def test_every_weight_is_learnt():
    torch.manual_seed(0)
    model = Mask(CONFIG)
    voice, _, logits = separate(model, noise(1_000), SMALL)
    (voice.square().sum() + logits.sum()).backward()
    for name, weights in model.named_parameters():
        assert weights.grad is not None, name
        assert weights.grad.abs().max() > 0, name


def test_zones_that_are_not_the_bins_are_refused():
    with pytest.raises(ConfigError, match="have 8 bins together; expected 16, half of the window"):
        MaskConfig(SMALL, zones=((4, 2),))


@pytest.mark.parametrize("name", ["channels", "blocks", "level_frames"])
def test_a_network_without_a_size_is_refused(name):
    with pytest.raises(ConfigError, match=f"{name} is 0; expected at least 1"):
        replace(CONFIG, **{name: 0})


def test_a_zone_of_one_band_is_refused():
    with pytest.raises(ConfigError, match="have one of a single band; expected 2 bands or more in each"):
        MaskConfig(SMALL, zones=((6, 2), (1, 4)))


def test_a_reach_that_is_even_is_refused():
    with pytest.raises(ConfigError, match="reach is 4 bands; expected an odd number: as many above as below"):
        replace(CONFIG, reach=4)


@torch.no_grad()
def test_the_bands_of_a_zone_share_their_weights():
    zone = Zone(width=4, channels=5).eval()
    x = torch.randn(2, 3, 1, 6 * 4)  # four bands, and a neighbour on either side
    y = zone(x)
    assert y.shape == (2, 1, 4, 5)
    torch.testing.assert_close(zone(x[..., 4:]), y[:, :, 1:])
    bands = x[:, :, 0].transpose(1, 2).unflatten(1, (6, 4)).flatten(2)
    first = zone.linear(torch.cat([bands[:, 0], bands[:, 1], bands[:, 2]], dim=1))
    torch.testing.assert_close(y[:, 0, 0], first)


@torch.no_grad()
def test_each_bin_has_the_mask_of_the_decoder_of_its_band():
    torch.manual_seed(0)
    model = Mask(CONFIG)
    x = torch.randn(2 * CONFIG.bands, CONFIG.channels)
    found = model._decode(x)
    zones = x.view(2, CONFIG.bands, -1).split([bands for bands, _ in CONFIG.zones], dim=1)
    decoded = [
        torch.nn.functional.glu(decoder(zone), dim=2).unflatten(2, (2, -1)).transpose(1, 2).flatten(2)
        for decoder, zone in zip(model.decoders, zones, strict=True)
    ]
    expected = torch.cat([*decoded, decoded[-1][..., -1:]], dim=2)
    torch.testing.assert_close(found, expected.unsqueeze(2))


def test_a_whole_sound_is_analysed_as_numpy_would():
    x = np.arange(64, dtype=np.float32)
    window = SMALL.windows[0]
    first = np.fft.rfft(np.concatenate([np.zeros(24), x[:8]]) * window)
    np.testing.assert_allclose(analyse(torch.from_numpy(x)[None], SMALL)[0, 0], first, atol=1e-4)


def test_a_memory_forgets_little_at_first():
    torch.manual_seed(0)
    layer = Lstm(3, 4)
    zeros = torch.zeros(1, 4)
    _, _, cell = layer(torch.zeros(1, 1, 3), zeros, torch.full((1, 4), 10.0))
    assert (cell / 10 > 0.55).all()  # torch's own begin around a half
