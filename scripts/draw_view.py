"""Draw the terminal view at some second of the bundled recording as an SVG for the README.

python scripts/draw_view.py docs/view.svg
"""

from __future__ import annotations

import io
import threading
from pathlib import Path

import click
from rich.console import Console, RenderableType

from streamer.config import Config, StreamConfig
from streamer.demo_recording import DEMO_PATH
from streamer.engine.build_streams import build_streams
from streamer.engine.engine import Engine
from streamer.engine.warm_up import get_ready
from streamer.events.kinds import Event
from streamer.inference.model_cache import ModelCache
from streamer.sinks.sink import Sink
from streamer.sinks.view import View


class PictureAt(Sink):
    """A sink that keeps a picture of the view once a given second is reached, and then sets `stop`."""

    def __init__(self, view: View, second: float, stop: threading.Event) -> None:
        self._view, self._second, self._stop = view, second, stop
        self.picture: RenderableType = ""

    def open(self) -> None:
        pass

    def send(self, event: Event) -> None:
        if not self._stop.is_set() and event.rate and event.stop >= self._second * event.rate:
            self.picture = self._view.picture()
            self._stop.set()

    def close(self) -> None:
        pass


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--second", default=33.0, show_default=True, help="Second of the recording.")
def main(out: Path, second: float) -> None:
    """Listen to the bundled recording in real time for a while, and draw the view."""
    config = Config(stream=(StreamConfig(f"file:{DEMO_PATH}", "mic"),))
    view, stop = View(lambda: f"streamer · publishing on {config.publish.bind}"), threading.Event()
    streams = build_streams(config, realtime=True, duration_s=float("inf"), models=ModelCache(config.engine))
    get_ready(streams, config.publish)
    camera = PictureAt(view, second, stop)
    Engine(streams, [view, camera], config).run(stop)
    console = Console(record=True, width=110, file=io.StringIO())
    console.print(camera.picture)
    console.save_svg(str(out), title="streamer listen")


if __name__ == "__main__":
    main()
