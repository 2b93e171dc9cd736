"""The separation network: it maps spectra to a complex mask that lets the voice through."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from models.layers import StreamingModel, TorchState
from models.recurrent import Lstm
from models.spectra import Levelled, analyse, as_features, synthesise, without_offset
from models.voice_activity import VoiceActivity
from models.zones import Zone, mask_pieces, with_neighbours
from streamer.dsp.stft import StftConfig
from streamer.errors import ConfigError


@dataclass(frozen=True)
class MaskConfig:
    """Sizes of the separation network, `Mask`.

    Attributes
    ----------
    stft : StftConfig
        Transform that gives the input spectra.
    zones : tuple of (int, int)
        Zones of the spectrum from the lowest bin up: the number of bands in the zone, and the bins in each band.
        Together the zones hold all bins but the last.
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
        Frames, the present one and those before it, by whose mean power the input is scaled to a power of 1.

    Raises
    ------
    ConfigError
        If the zones do not cover the bins, one has a single band, `reach` is even, or a size is below 1.
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
        if any(bands < 2 for bands, _ in self.zones):
            raise ConfigError(
                f"zones {self.zones} have one of a single band; expected 2 bands or more in each"
            )
        if self.reach % 2 == 0:
            raise ConfigError(f"reach is {self.reach} bands; expected an odd number: as many above as below")

    @property
    def bands(self) -> int:
        """Number of bands in all zones together."""
        return sum(bands for bands, _ in self.zones)


class Mask(StreamingModel):
    """Separation network: from spectra, it gives a complex mask of the voice and the logit that a voice sounds.

    It is causal and splits the spectrum into bands (Luo and Yu 2023, "Music source separation with band-split RNN").
    Each block is an LSTM along time, here in one direction, and layers across bands (Liu et al. 2022, "A ConvNet for
    the 2020s"). The input is first scaled by the power of the last frames, and complex values are compressed by the
    power 0.3.

    Parameters
    ----------
    config : MaskConfig
        Sizes of the network.
    """

    hop_frames = 1
    latency_frames = 1

    def __init__(self, config: MaskConfig = MaskConfig()) -> None:
        super().__init__()
        self.config = config
        self.level = Levelled(config.level_frames)
        self.encoders = nn.ModuleList(Zone(width, config.channels) for _, width in config.zones)
        self.blocks = nn.ModuleList(BandBlock(config) for _ in range(config.blocks))
        self.norm = nn.LayerNorm(config.channels)
        self.decoders = nn.ModuleList(nn.Linear(config.channels, 4 * width) for _, width in config.zones)
        zone_bins = [bands * width for bands, width in config.zones]
        self.voice = VoiceActivity(zone_bins, config.channels, config.voice_memory)
        self.piece_bins = math.gcd(*(width for _, width in config.zones))
        self.mask_pieces: Tensor
        self.register_buffer("mask_pieces", mask_pieces(config.zones, self.piece_bins), persistent=False)
        block_states = 2 * config.blocks * ((config.bands, config.memory),)
        self.state_shapes = self.level.state_shapes + block_states + self.voice.state_shapes

    def forward(self, x: Tensor, state: TorchState | None = None) -> tuple[Tensor, TorchState]:
        """Return the mask of the voice and the logit that a voice sounds, for each frame.

        Parameters
        ----------
        x : Tensor, shape (batch, frames, 2 * bins)
            Spectra of the mixture as `models.spectra.as_features` gives them.
        state : tuple of Tensor, optional
            State after the frames before; a fresh one if absent.

        Returns
        -------
        y : Tensor, shape (batch, frames, 2 * bins + 1)
            Real parts of the voice's mask, imaginary parts of the mask, and the logit that a voice sounds. The
            spectrum times the mask is the voice; the rest of the spectrum is the accompaniment.
        state : tuple of Tensor
            State after the last of these frames, for the next call.
        """
        state = self.init(x) if state is None else state
        x, level = self.level(x, state[:1])
        spectra, power = self._spectra(x)
        y, after = self._encode(spectra, power), list(level)
        for block, hidden, cell in zip(self.blocks, state[1:-2:2], state[2:-2:2], strict=True):
            y, *own = block(y, x.shape[1], hidden, cell)
            after += own
        y, *own = self._estimate(power, y, x.shape[1], *state[-2:])
        return y, (*after, *own)

    @staticmethod
    def _spectra(x: Tensor) -> tuple[Tensor, Tensor]:
        """Map (batch, frames, 2 * bins) to real and imaginary parts, (rows, 2, 1, bins), and power, (rows, 1, 1, bins).

        A row is a frame of one stream. The frames are the outer axis, as LSTMs need them.
        """
        spectra = x.transpose(0, 1).reshape(-1, 2, 1, x.shape[2] // 2)
        return spectra, spectra.square().sum(1, keepdim=True)

    def _encode(self, spectra: Tensor, power: Tensor) -> Tensor:
        """Map what `_spectra` returns to (rows * bands, channels)."""
        power = power + 1e-6
        # With the amplitude, |x| * |x| ** -0.7: compression by the power 0.3.
        parts = torch.cat([power.sqrt(), spectra], dim=1) * power.pow(-0.35)
        wide = with_neighbours(parts, self.config.zones)
        encoded = [encoder(zone) for encoder, zone in zip(self.encoders, wide, strict=True)]
        return torch.cat(encoded, dim=2).reshape(-1, self.config.channels)

    def _estimate(
        self, power: Tensor, x: Tensor, frames: int, hidden: Tensor, cell: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return masks with the logit of a voice, (batch, frames, 2 * bins + 1), and the voice detector's state.

        `power` is that of the spectra, (rows, 1, 1, bins), and `x` has shape (rows * bands, channels).
        """
        x = self.norm(x)
        mask = self._decode(x)
        features = x.view(-1, self.config.bands, x.shape[1]).mean(1)
        logit, hidden, cell = self.voice(power, mask, features, frames, hidden, cell)
        y = torch.cat([mask.flatten(1), logit], dim=1)
        return y.reshape(frames, -1, y.shape[1]).transpose(0, 1), hidden, cell

    def _decode(self, x: Tensor) -> Tensor:
        """Map (rows * bands, channels) to real and imaginary parts of a mask, (rows, 2, 1, bins)."""
        # All bands pass the decoders of all zones: one product takes less time than a small one for each zone.
        weight, bias = self._all_decoders("weight"), self._all_decoders("bias")
        decoded = nn.functional.glu(nn.functional.linear(x, weight, bias), dim=1)
        pieces = decoded.view(-1, self.config.bands * decoded.shape[1] // self.piece_bins, self.piece_bins)
        mask = pieces.index_select(1, self.mask_pieces).view(-1, 2, 1, self.config.stft.bins - 1)
        return torch.cat([mask, mask[..., -1:]], dim=3)  # the last bin takes its neighbour's mask

    def _all_decoders(self, name: str) -> Tensor:
        """Return weights or biases of all decoders, first those of the parts of the mask, then those of their gates."""
        halves = [decoder.get_parameter(name).unflatten(0, (2, -1)) for decoder in self.decoders]
        return torch.cat(halves, dim=1).flatten(0, 1)


def separate(model: nn.Module, mixture: Tensor, config: StftConfig) -> tuple[Tensor, Tensor, Tensor]:
    """Separate whole sounds into voice and accompaniment, which add up to the mixture sample by sample.

    Parameters
    ----------
    model : Module
        A `Mask`, or a wrapper of one.
    mixture : Tensor, shape (batch, samples)
        Sounds of voice and accompaniment together.
    config : StftConfig
        Short-time Fourier transform with which the model was trained.

    Returns
    -------
    voice, music : Tensor, shape (batch, samples)
        Estimated voice and accompaniment.
    logits : Tensor, shape (batch, hops)
        Logits that a voice sounds, one for each hop of the transform.
    """
    spectra = without_offset(analyse(mixture, config), config)
    y = model(as_features(spectra))[0].float()  # torch has no complex numbers in half precision
    real, imaginary, logit = y.split([config.bins, config.bins, 1], dim=2)
    voice = synthesise(torch.complex(real, imaginary) * spectra, config, mixture.shape[1])
    # The last frames only complete the synthesis of hops before them; they have no hop of their own.
    return voice, mixture - voice, logit[:, : 1 - config.synthesis_hops, 0]


class BandLayers(nn.Module):
    """Layers of a block: one along time, and then layers within a frame, across bands and within each band.

    Parameters
    ----------
    config : MaskConfig
        Sizes of the network.
    time : Module
        Layer along time; its input has `config.channels` numbers in a step.
    time_width : int
        Numbers in a step of the output of `time`.
    """

    def __init__(self, config: MaskConfig, time: nn.Module, time_width: int) -> None:
        super().__init__()
        channels = config.channels
        self.bands = config.bands
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
        """Return `x`, (rows * bands, channels), after the layers across and within bands, in the same shape."""
        y = self.band_norm(x).view(-1, self.bands, 1, x.shape[1]).permute(0, 3, 1, 2)
        y = self.across(y).permute(0, 2, 3, 1).reshape(x.shape)
        x = x + self.across_out(nn.functional.gelu(y))
        mixed: Tensor = x + self.within(self.channel_norm(x))
        return mixed


class BandBlock(BandLayers):
    """Apply an LSTM along time that all bands share, a convolution across bands, and a perceptron within each band.

    Parameters
    ----------
    config : MaskConfig
        Sizes of the network.
    """

    def __init__(self, config: MaskConfig) -> None:
        super().__init__(config, Lstm(config.channels, config.memory), config.memory)

    def forward(self, x: Tensor, frames: int, hidden: Tensor, cell: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the block's output for `x`, (rows * bands, channels), in the same shape; and the LSTM's state.

        A row is a frame of one stream; there are so many `frames`, the outer axis. `hidden` and `cell`, the state, have
        the shape (batch, bands, memory).
        """
        steps = self.time_norm(x).reshape(frames, -1, x.shape[1])
        y, hidden, cell = self.time(steps, hidden.flatten(0, 1), cell.flatten(0, 1))
        x = x + self.time_out(y.flatten(0, 1))
        return (
            self.within_frames(x),
            hidden.unflatten(0, (-1, self.bands)),
            cell.unflatten(0, (-1, self.bands)),
        )
