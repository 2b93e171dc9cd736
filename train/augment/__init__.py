"""What happens to sound between its source and a model: level, room, microphone, noise, speed, codec, masks.

Functions on sound take and give float32 samples, shape (samples,), full scale -1 to 1, and never change their input;
`train.augment.features` works on batches of features. What is random comes from the generator given, so that the
same seed gives the same sound.
"""

from train.augment.codecs import CODECS, code, mu_law
from train.augment.levels import (
    active_level,
    at_level,
    audible,
    block_levels,
    clip,
    from_db,
    gain,
    mix_at_snr,
    quantise,
)
from train.augment.noise import COLOURS, add_noise, noise_at_snr
from train.augment.rooms import equalise, far_microphone, limit_band, random_filter, reverberate
from train.augment.speed import change_pitch, change_speed, fit, shift, stretch

__all__ = [
    "CODECS",
    "COLOURS",
    "active_level",
    "add_noise",
    "at_level",
    "audible",
    "block_levels",
    "change_pitch",
    "change_speed",
    "clip",
    "code",
    "equalise",
    "far_microphone",
    "fit",
    "from_db",
    "gain",
    "limit_band",
    "mix_at_snr",
    "mu_law",
    "noise_at_snr",
    "quantise",
    "random_filter",
    "reverberate",
    "shift",
    "stretch",
]
