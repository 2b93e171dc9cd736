"""``python -m train yamnet-answers WEIGHTS``: store YAMNet's answers for the bundled recording, to compare with.

Run it after a change of the recording; a test compares the two.
"""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np

from streamer.yamnet.answers import Answers, bundled_sound, recording_sha256, write_answers
from streamer.yamnet.weights import WINDOW_SAMPLES
from train.export.yamnet_graph import SHIPPED
from train.yamnet.npz import read_npz
from train.yamnet.torch_reference import TorchYAMNet

WINDOWS = 16
FIRST_STOP = 2 * WINDOW_SAMPLES
"""End of the first window, in samples at 16 kHz; there must be as much before a window as the longest hop takes."""


@click.command("yamnet-answers")
@click.argument("weights", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=SHIPPED.with_name("yamnet-answers.npz"),
    help="File to write.  [default: the one in the package]",
)
def yamnet_answers_command(weights: Path, out: Path) -> None:
    """Store YAMNet's answers for the bundled recording, from WEIGHTS, an npz file; `models pull` compares with them."""
    sound = bundled_sound()
    stops = np.linspace(FIRST_STOP, len(sound), WINDOWS).astype(np.int64)
    windows = np.stack([sound[stop - WINDOW_SAMPLES : stop] for stop in stops])
    scores, embeddings = TorchYAMNet(read_npz(weights))(windows)
    write_answers(Answers(recording_sha256(), stops, scores, embeddings), out)
    click.echo(out)
