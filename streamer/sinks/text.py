"""Events as lines of text for a person."""

from __future__ import annotations

from streamer.events import Decision, Event, Level, Scores, Spectrum, Status, Stem

STATE_WIDTH = 20
"""Of a label and its state: the longest of the released models', ``door_wood_creaks off``."""


def line(event: Event) -> str:
    """One line: where in the sound, which topic, what it says.

    Parameters
    ----------
    event : Event

    Returns
    -------
    str
    """
    return f"{clock(event.stop, event.rate)}  {event.topic:<16} {_said(event)}"


def clock(sample: int, rate: int) -> str:
    """Position of a sample as hours, minutes and seconds to a hundredth."""
    hundredths = round(100 * sample / rate) if rate else 0
    minutes, rest = divmod(hundredths, 6_000)
    return f"{minutes // 60:d}:{minutes % 60:02d}:{rest / 100:05.2f}"


def _said(event: Event) -> str:
    match event:
        case Decision():
            since = clock(event.start, event.rate)
            if not event.label:  # of the model itself
                return f"{event.state:<{STATE_WIDTH}} since {since}"
            return f"{f'{event.label} {event.state}':<{STATE_WIDTH}} since {since}  score {event.score:.2f}"
        case Scores():
            heads = (
                f"{n} " + ", ".join(f"{k} {v:.2f}" for k, v in top.items()) for n, top in event.heads.items()
            )
            return "; ".join(heads)
        case Level():
            return f"rms {event.rms_dbfs:.1f} dBFS  peak {event.peak_dbfs:.1f} dBFS"
        case Spectrum():
            return f"{event.frames.shape[0]} frames of {event.frames.shape[1]} bands"
        case Stem():
            return f"{event.label}  {event.samples.shape[0]} samples of {event.samples.shape[1]} channels"
        case Status():
            told = (
                f"{event.state}  lag {event.lag_ms:.0f} ms  dropped {event.dropped_samples}  "
                f"overruns {event.overruns}  muted {event.muted_samples}  epoch {event.epoch}"
            )
            return f"{told}  {event.message}".rstrip()
        case _:
            return ""
