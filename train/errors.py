"""Errors of training, each reported in one line."""

from streamer.errors import StreamerError


class TrainingError(StreamerError):
    """Raised when training cannot go on, for example because a loss or a score is not a finite number."""
