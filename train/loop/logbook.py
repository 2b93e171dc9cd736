"""Log of a run in progress: ``metrics.jsonl``, TensorBoard's event file and a progress bar."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from train.loop.run import METRICS, read_metrics


class Logbook:
    """Log of a run in progress: it writes ``metrics.jsonl`` and TensorBoard's file, and shows a progress bar.

    It is a context manager.

    Parameters
    ----------
    folder : Path
        Folder of the run. Lines of steps after `step` are dropped: they stem from a run that was killed after it wrote
        a line and before it wrote the checkpoint.
    step, steps : int
        Steps done so far, and steps of the whole run.
    """

    def __init__(self, folder: Path, step: int, steps: int) -> None:
        self._metrics = folder / METRICS
        _drop_after(self._metrics, step)
        # TensorBoard hides events from this step on, which a killed run may have left in older files.
        self._board = SummaryWriter(str(folder), purge_step=step + 1)
        self._bar = tqdm(total=steps, initial=step, desc=folder.name, unit="step", disable=None)
        self._redirect = logging_redirect_tqdm()
        self._sums: dict[str, float] = defaultdict(float)
        self._count = 0

    def __enter__(self) -> Logbook:
        self._redirect.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._redirect.__exit__(kind, error, trace)
        self._bar.close()
        self._board.close()

    def add(self, losses: Mapping[str, float]) -> None:
        """Add the losses of one step to the means that the next line will have, and move the progress bar."""
        for name, value in losses.items():
            self._sums[name] += value
        self._count += 1
        self._bar.update()

    def note(self, step: int, figures: Mapping[str, float]) -> dict[str, float]:
        """Write a line to ``metrics.jsonl`` with the step, the mean of each loss since the last line, and `figures`.

        Returns
        -------
        dict
            Line that was written: each value by its name.
        """
        losses = {name: total / self._count for name, total in self._sums.items()}
        self._sums.clear()
        self._count = 0
        line = {"step": step, **losses, **figures}
        with self._metrics.open("a", encoding="utf-8") as out:
            out.write(json.dumps(line) + "\n")
        for name, value in line.items():
            if name != "step":
                self._board.add_scalar(name, value, step)
        self._board.flush()
        self._bar.set_postfix({name: f"{line[name]:.4f}" for name in ("loss", "score") if name in line})
        return line


def _drop_after(path: Path, step: int) -> None:
    kept = [json.dumps(line) + "\n" for line in read_metrics(path.parent) if line["step"] <= step]
    partial = path.with_suffix(".partial")
    partial.write_text("".join(kept), encoding="utf-8")
    partial.replace(path)
