"""Errors of training, each reported in one line."""

from streamer.errors import ConfigError, StreamerError


class TrainingError(StreamerError):
    """Raised when training cannot go on, for example because a loss or a score is not a finite number."""


class AbsentError(ConfigError):
    """Raised if data, weights or a program are absent that the user fetches, and that nothing else needs."""
