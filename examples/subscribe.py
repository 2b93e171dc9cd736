"""Print what a running `streamer listen` reports: ``python examples/subscribe.py [ADDRESS [TOPIC...]]``."""

from __future__ import annotations

import sys

from streamer import Decision, Event, Level, Scores, Spectrum, Status, Stem, subscribe


def line(event: Event) -> str:
    """Return an event as one line of text."""
    match event:
        case Decision():
            content = f"{event.state} {event.label} {event.score:.2f}"
        case Scores():
            content = " ".join(
                f"{head}: {next(iter(scores))}" for head, scores in event.heads.items() if scores
            )
        case Level():
            content = f"{event.rms_dbfs:.1f} dBFS"
        case Spectrum():
            content = f"{event.frames.shape[0]} x {event.frames.shape[1]} peak {event.frames.max():.2f}"
        case Stem():
            content = f"{event.label} peak {abs(event.samples).max(initial=0.0):.2f}"
        case Status():
            content = f"{event.state} {event.message}"
        case _:
            content = "(a kind that this version does not know)"
    return f"{event.stop / event.rate:9.2f} s  {event.topic}  {content}"


def main(address: str = "tcp://127.0.0.1:7765", *topics: str) -> None:
    """Print events until Ctrl-C."""
    with subscribe(*topics, address=address) as events:
        try:
            for event in events:
                print(line(event), flush=True)
        except KeyboardInterrupt:
            print(f"{events.lost.total()} messages lost")


if __name__ == "__main__":
    main(*sys.argv[1:])
