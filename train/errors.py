"""What goes wrong while training, on purpose said in one line."""

from streamer.errors import StreamerError


class TrainingError(StreamerError):
    """A training that cannot go on: a loss or a score that is no number."""
