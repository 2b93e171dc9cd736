"""Augmentation: changes of level, room, microphone, noise, speed and codec, and masks and mixtures of features.

Functions on sound take and return float32 samples, shape (samples,), full scale -1 to 1, and never change their input.
`train.augment.features` works on batches of features. All randomness comes from the generator that is passed in, so
that the same seed gives the same sound.
"""

from train.augment.codecs import CODECS, mu_law, transcode
from train.augment.levels import (
    active_level,
    apply_gain,
    audible_mask,
    block_levels,
    clip,
    db_to_amplitude,
    mix_at_snr,
    quantise,
    set_level,
)
from train.augment.mastering import compression_gain, double_voice, saturation_gain
from train.augment.noise import COLOURS, add_noise, add_noise_at_snr
from train.augment.rooms import equalise, far_microphone, limit_band, random_filter, reverberate
from train.augment.speed import change_pitch, change_speed, fit_length, shift, stretch

__all__ = [
    "CODECS",
    "COLOURS",
    "active_level",
    "add_noise",
    "add_noise_at_snr",
    "apply_gain",
    "audible_mask",
    "block_levels",
    "change_pitch",
    "change_speed",
    "clip",
    "compression_gain",
    "db_to_amplitude",
    "double_voice",
    "equalise",
    "far_microphone",
    "fit_length",
    "limit_band",
    "mix_at_snr",
    "mu_law",
    "quantise",
    "random_filter",
    "reverberate",
    "saturation_gain",
    "set_level",
    "shift",
    "stretch",
    "transcode",
]
