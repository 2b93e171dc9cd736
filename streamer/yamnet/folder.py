"""Write a model folder from YAMNet's weights, wherever these were read from, and check it."""

from __future__ import annotations

import dataclasses
import hashlib
import math
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from streamer.arrays import Array
from streamer.dsp.log_mel import LogMelConfig
from streamer.errors import ConfigError, ModelError
from streamer.inference.manifest import Manifest
from streamer.inference.manifest_json import write_manifest
from streamer.inference.manifest_parts import SlotLabels, StateSpec
from streamer.inference.onnx import OnnxModel
from streamer.yamnet.graph import graph_with_weights
from streamer.yamnet.parity import Difference, Reference, Tolerance, check, compare
from streamer.yamnet.points import read_points
from streamer.yamnet.weights import LICENCE, MEL_BANDS, PATCH_FRAMES, Weights

HOP_MS = 100
"""Default time from one score to the next."""

CARD = """# {name}

YAMNet is Google's network for the 521 classes of AudioSet (MobileNet v1). Every {hop_ms} ms it scores each of them for
the last 0.96 s: `--model sounds=NAME` reports them, of which `[sounds] labels` chooses some; `--model gate=NAME` takes
`Music` alone, as the gate. Besides `y`, the graph gives `scores` (the same) and `embedding` (1,024).

- Weights: {source}; {licence}.{activation}
- Warm-up: no decisions in the first 0.96 s, while part of the window is silence.
- SHA-256 of model.onnx: {sha256}.

These differences were measured when the folder was written:

{measured}

## Labels

`on` is the threshold of a label by the preference `balanced`. {measured_labels} labels have thresholds that were chosen
for them, on clips of ESC-50 and on recordings of music, speech and singing. All others take the thresholds that were
chosen for the measured ones together, which nobody has tried on their sounds (`default`).

| label | AudioSet | on | |
| --- | --- | --- | --- |
{labels}
"""


@dataclass(frozen=True)
class Check:
    """A comparison that a new model folder must pass before it is written.

    Attributes
    ----------
    reference : Reference
        YAMNet run by another program, whose scores and embeddings the model must give.
    tolerance : Tolerance
        Largest allowed differences from these.
    """

    reference: Reference
    tolerance: Tolerance


def hop_frames_of(hop_ms: float) -> int:
    """Return a hop, given in milliseconds, as a number of frames.

    Raises
    ------
    ConfigError
        If the hop is not a whole number of frames, or not shorter than the window.
    """
    longest = PATCH_FRAMES - 1
    if hop_ms % 10 or not 10 <= hop_ms <= 10 * longest:
        raise ConfigError(f"--hop-ms is {hop_ms:g}; expected a multiple of 10 from 10 to {10 * longest}")
    return round(hop_ms / 10)


def write_folder(
    weights: Weights, hop_frames: int, checks: Sequence[Check], sounds: Sequence[Array], folder: Path
) -> list[Difference]:
    """Write ``model.onnx``, ``manifest.json`` and ``card.md``, and return how far the model is from each reference.

    Parameters
    ----------
    weights : Weights
        Weights of the network.
    hop_frames : int
        Frames from one score to the next, 1 to 95.
    checks : sequence of Check
        References to compare with, at least one.
    sounds : sequence of float32 array, shape (samples,)
        Sounds for the comparison, at 16 kHz.
    folder : Path
        Folder to write, made if absent and left as it is if the model is refused. Its name becomes the model's.

    Returns
    -------
    list of Difference
        The measured differences, one for each check.

    Raises
    ------
    ModelError
        If the model does not run, differs from a reference by more than the tolerance, or cannot be written.
    """
    content = graph_with_weights(weights, tuple(weights.class_names))
    manifest = _manifest(weights, hop_frames, hashlib.sha256(content).hexdigest(), folder.name)
    with TemporaryDirectory() as name:
        trial = Path(name)
        (trial / "model.onnx").write_bytes(content)
        write_manifest(trial, manifest)
        OnnxModel(trial)
        differences = [compare(trial, one.reference, sounds) for one in checks]
        for one, difference in zip(checks, differences, strict=True):
            check(difference, one.tolerance)
        results = {f"against {d.reference}": dataclasses.asdict(d) for d in differences}
        manifest = dataclasses.replace(manifest, results=results)
        write_manifest(trial, manifest)
        (trial / "card.md").write_text(_card(manifest, weights, differences), encoding="utf-8")
        _copy(trial, folder)
    return differences


def _copy(trial: Path, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file in ("model.onnx", "manifest.json", "card.md"):
            shutil.copyfile(trial / file, folder / file)
    except OSError as error:
        raise ModelError(
            f"{folder} cannot be written ({error.strerror}); expected a folder that may be: check its permissions"
        ) from error


def _manifest(weights: Weights, hop_frames: int, sha256: str, name: str) -> Manifest:
    points = read_points(weights.relu_max)
    return Manifest(
        name=name,
        task="sounds",
        labels=tuple(weights.class_names),
        front_end=LogMelConfig(),
        hop_frames=hop_frames,
        latency_frames=hop_frames,
        warm_up_frames=PATCH_FRAMES,
        states=(StateSpec((PATCH_FRAMES - hop_frames, MEL_BANDS)),),
        sha256=sha256,
        commit=f"none: weights of {weights.source}",
        operating_points=points.for_labels(weights.class_names),
        trained_on=({"name": "AudioSet", "licence": LICENCE},),
        label_ids=tuple(weights.class_ids),
        other_slots={
            "gate": SlotLabels({"music": "Music"}, {name: (point,) for name, point in points.gate.items()})
        },
    )


def _card(manifest: Manifest, weights: Weights, differences: Sequence[Difference]) -> str:
    cut = "" if math.isinf(weights.relu_max) else f" Activations are cut at {weights.relu_max:g} (ReLU6)."
    measured = read_points(weights.relu_max).measured
    rows = zip(manifest.labels, manifest.label_ids or manifest.labels, manifest.thresholds(), strict=True)
    return CARD.format(
        name=manifest.name,
        hop_ms=10 * manifest.hop_frames,
        source=weights.source,
        licence=LICENCE,
        activation=cut,
        sha256=manifest.sha256,
        measured="\n".join(f"- {difference}." for difference in differences),
        measured_labels=len(measured),
        labels="\n".join(
            f"| {label} | {label_id} | {point.on:.2f} | {'' if label in measured else 'default'} |"
            for label, label_id, point in rows
        ),
    )
