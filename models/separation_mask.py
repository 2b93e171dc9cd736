"""The separation network: it maps spectra to a complex mask that lets the voice through."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from models.layers import StreamingModel, TorchState
from models.recurrent import Lstm
from models.spectra import Levelled, analyse, as_features, synthesise, without_offset
from models.voice_activity import VoiceActivity
from streamer.dsp.stft import StftConfig
from streamer.errors import ConfigError


@dataclass(frozen=True)
class MaskConfig:
    """Sizes of the network.

    Attributes
    ----------
    stft : StftConfig
        Transform that gives the input spectra.
    zones : tuple of (int, int)
        Bands, and bins in each band, from the lowest bin up. Together they are all bins but the last.
    channels : int
        Numbers per band between the blocks.
    memory : int
        Units of the LSTM in each block.
    reach : int
        Kernel of the convolution across bands in each block; odd.
    hidden : int
        Units of the hidden layer that works within a band.
    blocks : int
        Number of blocks.
    voice_memory : int
        Units of the LSTM that detects a voice.
    level_frames : int
        Frames whose mean power normalises the level.

    Raises
    ------
    ConfigError
        If the zones do not cover the bins, `reach` is even, or a size is below 1.
    """

    stft: StftConfig = field(default_factory=StftConfig)
    zones: tuple[tuple[int, int], ...] = ((20, 4), (10, 8), (10, 16))
    channels: int = 48
    memory: int = 96
    reach: int = 13
    hidden: int = 96
    blocks: int = 3
    voice_memory: int = 32
    level_frames: int = 200

    def __post_init__(self) -> None:
        sizes = ("channels", "memory", "reach", "hidden", "blocks", "voice_memory", "level_frames")
        if wrong := [name for name in sizes if getattr(self, name) < 1]:
            raise ConfigError(f"{wrong[0]} is {getattr(self, wrong[0])}; expected at least 1")
        covered = sum(bands * width for bands, width in self.zones)
        if covered != self.stft.bins - 1:
            raise ConfigError(
                f"zones {self.zones} have {covered} bins together; expected {self.stft.bins - 1}, half of the window"
            )
        if self.reach % 2 == 0:
            raise ConfigError(f"reach is {self.reach} bands; expected an odd number: as many above as below")

    @property
    def bands(self) -> int:
        """Number of bands in all zones."""
        return sum(bands for bands, _ in self.zones)


class Mask(StreamingModel):
    """Causal band-split network: blocks of an LSTM along time and a convolution across bands.

    The bands and the LSTM, here in one direction, are those of Luo and Yu (2023), "Music source separation with
    band-split RNN"; the layers across bands are those of Liu et al. (2022), "A ConvNet for the 2020s". The level of the
    last frames is normalised first, and complex values are compressed by the power 0.3.

    Parameters
    ----------
    config : MaskConfig
    """

    hop_frames = 1
    latency_frames = 1

    def __init__(self, config: MaskConfig = MaskConfig()) -> None:
        super().__init__()
        self.config = config
        self.level = Levelled(config.level_frames)
        self.encoders = nn.ModuleList(Zone(3 * width, config.channels) for _, width in config.zones)
        self.blocks = nn.ModuleList(BandBlock(config) for _ in range(config.blocks))
        self.norm = nn.LayerNorm(config.channels)
        self.decoders = nn.ModuleList(nn.Linear(config.channels, 4 * width) for _, width in config.zones)
        zone_bins = [bands * width for bands, width in config.zones]
        self.voice = VoiceActivity(zone_bins, config.channels, config.voice_memory)
        block_states = 2 * config.blocks * ((config.bands, config.memory),)
        self.state_shapes = self.level.state_shapes + block_states + self.voice.state_shapes

    def forward(self, x: Tensor, state: TorchState | None = None) -> tuple[Tensor, TorchState]:
        """Return masks for the spectra of `models.spectra.as_features`.

        Parameters
        ----------
        x : Tensor, shape (batch, frames, 2 * bins)
        state : tuple of Tensor, optional
            State after the frames before; a fresh one if absent.

        Returns
        -------
        y : Tensor, shape (batch, frames, 2 * bins + 1)
            Real parts of the voice's mask, its imaginary parts, and the logit of a voice. The accompaniment is what
            the voice's mask leaves.
        state : tuple of Tensor
        """
        state = self.init(x) if state is None else state
        spectra, level = self.level(x, state[:1])
        x = self._encode(spectra)
        after = list(level)
        for block, hidden, cell in zip(self.blocks, state[1:-2:2], state[2:-2:2], strict=True):
            x, *own = block(x, hidden, cell)
            after += own
        y, *own = self._estimate(spectra, x, *state[-2:])
        return y, (*after, *own)

    def _estimate(
        self, spectra: Tensor, x: Tensor, hidden: Tensor, cell: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return masks with the logit of a voice, and the state; `x` has shape (batch, bands, frames, channels)."""
        x = self.norm(x)
        mask = self._decode(x)
        logit, hidden, cell = self.voice(spectra, mask, x.mean(1), hidden, cell)
        return torch.cat([mask, logit], dim=2), hidden, cell

    def _encode(self, x: Tensor) -> Tensor:
        """Map (batch, frames, 2 * bins) to (batch, bands, frames, channels)."""
        # Without the last bin, at half the sample rate, the bins divide into bands.
        real, imaginary = x.unflatten(2, (2, -1))[..., :-1].unbind(2)
        power = real.square() + imaginary.square() + 1e-6
        gain = power.pow(-0.35)  # with the amplitude, |x| * |x| ** -0.7: compression by the power 0.3
        parts = torch.stack([power.pow(0.15), real * gain, imaginary * gain], dim=3)
        encoded, first = [], 0
        for encoder, (bands, width) in zip(self.encoders, self.config.zones, strict=True):
            zone = parts[:, :, first : first + bands * width]
            encoded.append(encoder(zone.unflatten(2, (bands, width)).flatten(3).transpose(1, 2)))
            first += bands * width
        return torch.cat(encoded, dim=1)

    def _decode(self, x: Tensor) -> Tensor:
        """Map (batch, bands, frames, channels) to (batch, frames, 2 * bins)."""
        zones = x.split([bands for bands, _ in self.config.zones], dim=1)
        masks = [
            nn.functional.glu(decoder(zone), dim=3).unflatten(3, (2, -1))
            for decoder, zone in zip(self.decoders, zones, strict=True)
        ]
        # (batch, bands, frames, 2, bins of a band) to (batch, frames, 2, bins)
        parts = torch.cat([mask.permute(0, 2, 3, 1, 4).flatten(3) for mask in masks], dim=3)
        return torch.cat([parts, parts[..., -1:]], dim=3).flatten(
            2
        )  # the last bin takes its neighbour's mask


def separate(model: nn.Module, mixture: Tensor, config: StftConfig) -> tuple[Tensor, Tensor, Tensor]:
    """Separate whole sounds into voice and accompaniment, which add up to the mixture.

    Parameters
    ----------
    model : Module
        A `Mask`, or a wrapper of one.
    mixture : Tensor, shape (batch, samples)
    config : StftConfig
        The model's transform.

    Returns
    -------
    voice, music : Tensor, shape (batch, samples)
    logits : Tensor, shape (batch, hops)
        Logits of a voice, one per hop.
    """
    spectra = without_offset(analyse(mixture, config), config)
    y = model(as_features(spectra))[0].float()  # torch has no complex numbers in half precision
    real, imaginary, logit = y.split([config.bins, config.bins, 1], dim=2)
    voice = synthesise(torch.complex(real, imaginary) * spectra, config, mixture.shape[1])
    # The last frames only complete the synthesis of hops before them; they have no hop of their own.
    return voice, mixture - voice, logit[:, : 1 - config.synthesis_hops, 0]


class Zone(nn.Module):
    """Apply a linear layer, shared by all bands of a zone, to each band and its two neighbours.

    Because the bands share weights, what is learnt at one pitch holds at others. The lowest and the highest band of a
    zone are their own neighbours.

    Parameters
    ----------
    channels_in, channels_out : int
    """

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.linear = nn.Linear(3 * channels_in, channels_out)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, bands, frames, channels_in) to (batch, bands, frames, channels_out)."""
        below, above = torch.cat([x[:, :1], x[:, :-1]], dim=1), torch.cat([x[:, 1:], x[:, -1:]], dim=1)
        y: Tensor = self.linear(torch.cat([below, x, above], dim=3))
        return y


class BandLayers(nn.Module):
    """Layers of a block: one along time, then those within a frame.

    Parameters
    ----------
    config : MaskConfig
    time : Module
        Layer along time; its input has `config.channels` numbers in a step.
    time_width : int
        Numbers in a step of what `time` returns.
    """

    def __init__(self, config: MaskConfig, time: nn.Module, time_width: int) -> None:
        super().__init__()
        channels = config.channels
        self.time_norm, self.band_norm, self.channel_norm = (nn.LayerNorm(channels) for _ in range(3))
        self.time = time
        self.time_out = nn.Linear(time_width, channels)
        reach = config.reach
        self.across = nn.Conv2d(channels, channels, (reach, 1), padding=(reach // 2, 0), groups=channels)
        self.across_out = nn.Linear(channels, channels)
        self.within = nn.Sequential(
            nn.Linear(channels, config.hidden), nn.GELU(), nn.Linear(config.hidden, channels)
        )

    def within_frames(self, x: Tensor) -> Tensor:
        """Apply the layers across and within bands, (batch, bands, frames, channels) to the same shape."""
        y = self.across(self.band_norm(x).permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        x = x + self.across_out(nn.functional.gelu(y))
        mixed: Tensor = x + self.within(self.channel_norm(x))
        return mixed


class BandBlock(BandLayers):
    """Apply an LSTM along time that all bands share, a convolution across bands, and a perceptron within each band.

    Parameters
    ----------
    config : MaskConfig
    """

    def __init__(self, config: MaskConfig) -> None:
        super().__init__(config, Lstm(config.channels, config.memory), config.memory)

    def forward(self, x: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Map (batch, bands, frames, channels) to the same shape; `hidden` and `cell` are (batch, bands, memory)."""
        batch = x.shape[0]
        y, hidden, cell = self.time(self.time_norm(x).flatten(0, 1), hidden.flatten(0, 1), cell.flatten(0, 1))
        x = x + self.time_out(y).unflatten(0, (batch, -1))
        return self.within_frames(x), hidden.unflatten(0, (batch, -1)), cell.unflatten(0, (batch, -1))
