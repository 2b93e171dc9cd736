"""The errors that Streamer raises on purpose.

Each message is one line that names the thing, what was got, what was expected and the way out. The command
line prints it without a traceback and leaves with :attr:`StreamerError.exit_code`.
"""


class StreamerError(Exception):
    """Base of every error that Streamer raises on purpose."""

    exit_code = 1


class ConfigError(StreamerError):
    """A configuration, an option or a key that cannot be used as given."""

    exit_code = 2


class DeviceError(StreamerError):
    """An audio device that is absent, busy, forbidden or unable to do what was asked."""


class ModelError(StreamerError):
    """A model that is absent, altered or made for another front end."""


class StreamError(StreamerError):
    """Sound that cannot be opened, decoded, read or published."""


class InterruptedByUserError(StreamerError):
    """Asked to stop before the end."""

    exit_code = 130


def fault_of(fault: Exception) -> StreamerError:
    """Return the error that ends a stream: `fault` itself if it says what to do, else one line that names it."""
    if isinstance(fault, StreamerError):
        return fault
    return StreamError(
        f"failed on a fault of this program ({fault!r}); please report it with what it was hearing"
    )
