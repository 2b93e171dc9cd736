"""Configurations of the reference networks that classify clips by mel images: a class for each network and data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from torch import nn

from models.reference.fma_baselines import Flat, FlatConfig, Plain, PlainConfig
from models.reference.genre_cnn_gru import GenreCnnGru, GenreCnnGruConfig
from models.reference.genre_crnn import GenreCrnn, GenreCrnnConfig
from models.reference.sound_cnn import SoundCnn, SoundCnnConfig
from models.reference.sound_cnn_attention import SoundCnnAttention, SoundCnnAttentionConfig
from train.tasks.reference.config import FmaRunConfig, GtzanRunConfig, ImageRunConfig


@dataclass(frozen=True)
class SoundCnnRunConfig(ImageRunConfig):
    """Configuration of a run of the convolutional network for everyday sounds."""

    task: ClassVar[str] = "sound_cnn"
    network: ClassVar[type[nn.Module]] = SoundCnn
    model: SoundCnnConfig = field(default_factory=SoundCnnConfig)


@dataclass(frozen=True)
class SoundCnnAttentionRunConfig(ImageRunConfig):
    """Configuration of a run of the convolutional network with attention over its last convolution."""

    task: ClassVar[str] = "sound_cnn_attention"
    network: ClassVar[type[nn.Module]] = SoundCnnAttention
    model: SoundCnnAttentionConfig = field(default_factory=SoundCnnAttentionConfig)


@dataclass(frozen=True)
class GenreCnnRunConfig(GtzanRunConfig):
    """Configuration of a run of the convolutional network for genres."""

    task: ClassVar[str] = "genre_cnn"
    network: ClassVar[type[nn.Module]] = SoundCnn
    model: SoundCnnConfig = field(default_factory=SoundCnnConfig)


@dataclass(frozen=True)
class GenreCrnnRunConfig(GtzanRunConfig):
    """Configuration of a run that learns genres by convolutions over time and an LSTM."""

    task: ClassVar[str] = "genre_crnn"
    network: ClassVar[type[nn.Module]] = GenreCrnn
    model: GenreCrnnConfig = field(default_factory=GenreCrnnConfig)


@dataclass(frozen=True)
class GenreCnnGruRunConfig(GtzanRunConfig):
    """Configuration of a run that learns genres by convolutions beside a bidirectional GRU."""

    task: ClassVar[str] = "genre_cnn_gru"
    network: ClassVar[type[nn.Module]] = GenreCnnGru
    model: GenreCnnGruConfig = field(default_factory=GenreCnnGruConfig)


@dataclass(frozen=True)
class FlatRunConfig(GtzanRunConfig):
    """Configuration of a run that learns genres by FMA's dense baseline."""

    task: ClassVar[str] = "genre_flat"
    network: ClassVar[type[nn.Module]] = Flat
    model: FlatConfig = field(default_factory=FlatConfig)


@dataclass(frozen=True)
class PlainRunConfig(GtzanRunConfig):
    """Configuration of a run that learns genres by FMA's plain convolutional baseline."""

    task: ClassVar[str] = "genre_plain"
    network: ClassVar[type[nn.Module]] = Plain
    model: PlainConfig = field(default_factory=PlainConfig)


@dataclass(frozen=True)
class FmaCrnnRunConfig(FmaRunConfig):
    """Configuration of a run that learns FMA's genres by convolutions over time and an LSTM."""

    task: ClassVar[str] = "fma_crnn"
    network: ClassVar[type[nn.Module]] = GenreCrnn
    model: GenreCrnnConfig = field(default_factory=GenreCrnnConfig)


@dataclass(frozen=True)
class FmaCnnGruRunConfig(FmaRunConfig):
    """Configuration of a run that learns FMA's genres by convolutions beside a bidirectional GRU."""

    task: ClassVar[str] = "fma_cnn_gru"
    network: ClassVar[type[nn.Module]] = GenreCnnGru
    model: GenreCnnGruConfig = field(default_factory=GenreCnnGruConfig)


@dataclass(frozen=True)
class FmaFlatRunConfig(FmaRunConfig):
    """Configuration of a run that learns FMA's genres by its dense baseline."""

    task: ClassVar[str] = "fma_flat"
    network: ClassVar[type[nn.Module]] = Flat
    model: FlatConfig = field(default_factory=lambda: FlatConfig(frames=646))


@dataclass(frozen=True)
class FmaPlainRunConfig(FmaRunConfig):
    """Configuration of a run that learns FMA's genres by its plain convolutional baseline."""

    task: ClassVar[str] = "fma_plain"
    network: ClassVar[type[nn.Module]] = Plain
    model: PlainConfig = field(default_factory=PlainConfig)
