"""Define the errors that Streamer raises on purpose.

Each message is one line that names the thing, what was got, what was expected and what to do. The command
line prints it without a traceback and exits with :attr:`StreamerError.exit_code`.
"""


class StreamerError(Exception):
    """Base of every error that Streamer raises on purpose."""

    exit_code = 1


class ConfigError(StreamerError):
    """Raised if a configuration, an option or a key is invalid."""

    exit_code = 2


class DeviceError(StreamerError):
    """Raised if an audio device is absent, busy, forbidden or unable to do what was asked."""


class ModelError(StreamerError):
    """Raised if a model is absent, altered or made for another front end."""


class StreamError(StreamerError):
    """Raised if sound cannot be opened, decoded, read or published."""


class EndedError(StreamError):
    """A live stream has ended: it did not fail, but there is more to hear than came."""

    exit_code = 3


class InterruptedByUserError(StreamerError):
    """Raised if the user asked the program to stop before its end."""

    exit_code = 130


def reason_of(error: Exception) -> str:
    """Return why something failed: the system's words without a number and a path, or else the error's own."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def fault_of(fault: Exception) -> StreamerError:
    """Return `fault` if it is a `StreamerError`, else a `StreamError` that describes `fault` as a bug in one line."""
    if isinstance(fault, StreamerError):
        return fault
    return StreamError(
        f"failed on a fault of this program ({fault!r}); please report it with what it was hearing"
    )
