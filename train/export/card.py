"""Model card ``card.md`` of a released model, generated from its manifest so that no figure is copied by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from streamer.inference.manifest import Manifest
from streamer.inference.manifest_parts import Thresholds
from train.data.sets.catalogue import all_free

ANY_USE = """Every data set's licence allows any use of the sound, a commercial one too, with attribution and, for what
is adapted from GPL, GFDL and CC BY-SA material, under the same licence; the table names further conditions. The model
holds weights and none of the recordings. Whether weights are adapted material is not settled, and not said here."""
"""What the card of a model says if all its data sets are free (`train.data.sets.catalogue.DataSet.is_free`)."""


def format_card(manifest: Manifest, about: str, limits: str) -> str:
    """Return the text of a model's card, in Markdown, with every figure taken from the manifest.

    Parameters
    ----------
    manifest : Manifest
        Manifest of the model. Its results are figures, or tables of figures, by name.
    about, limits : str
        Text about the model and its training, and text about the limits of the model.
    """
    return "\n".join(
        [
            f"# {manifest.name}",
            "",
            about.strip(),
            "",
            "## Operation",
            "",
            *_operation(manifest),
            "",
            "## Trained on",
            "",
            "| data set | licence |",
            "| --- | --- |",
            *(f"| {data['name']} | {data['licence']} |" for data in manifest.trained_on),
            "",
            *_any_use(manifest),
            "## Figures",
            "",
            *_figures(manifest.results),
            "## Limits",
            "",
            limits.strip(),
            "",
        ]
    )


def _any_use(manifest: Manifest) -> list[str]:
    titles = [data["name"] for data in manifest.trained_on]
    return [ANY_USE, ""] if titles and all_free(titles) else []


def _operation(manifest: Manifest) -> list[str]:
    output = "embedding" if manifest.is_ear else "mask" if manifest.is_separation else "score"
    after = " after its ear's own warm-up" if manifest.ear else ""
    given = f"{manifest.embedding_size} numbers" if manifest.is_ear else ", ".join(manifest.labels)
    return [
        f"- Output: {given}.",
        f"- Input: {_input(manifest)}; one {output} every {manifest.hop_frames * manifest.frame_ms:g} ms.",
        *(
            f"- Thresholds, {prefer}: {_point(points)}."
            for prefer, points in manifest.operating_points.items()
        ),
        f"- Warm-up: no decisions in the first {manifest.warm_up_frames * manifest.frame_ms:g} ms{after}.",
        f"- Exported at commit {manifest.commit} (a `+` means with changes); SHA-256 of model.onnx "
        f"{manifest.sha256}.",
    ]


def _input(manifest: Manifest) -> str:
    ear = manifest.ear
    if manifest.is_separation:
        stft = manifest.stft
        window_ms = 1_000 * stft.window_samples / stft.sample_rate_hz
        return (
            f"spectra of {window_ms:g} ms at {stft.sample_rate_hz} Hz, a frame every {manifest.frame_ms:g} ms"
        )
    if ear:
        return f"the embeddings of `{ear.name}` (SHA-256 {ear.sha256}), one every {manifest.frame_ms:g} ms"
    return (
        f"{manifest.log_mel.mel_bands} log-mel bands at {manifest.log_mel.sample_rate_hz} Hz, a frame every "
        f"{manifest.frame_ms:g} ms"
    )


def _point(points: Sequence[Thresholds]) -> str:
    """Format an operating point, or the range over the labels."""
    return ", ".join(f"{name} {_range([getattr(point, name) for point in points])}" for name in ("on", "off"))


def _range(values: Sequence[float]) -> str:
    low, high = min(values), max(values)
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def _figures(results: Mapping[str, Any]) -> list[str]:
    lines = [f"Measured by `{results['command']}`.", ""] if "command" in results else []
    for name, figures in results.items():
        if not isinstance(figures, Mapping):
            continue
        title = figures.get("what", "")
        rows = {key: value for key, value in figures.items() if key != "what"}
        lines += [f"**{name}**{': ' + title if title else ''}", "", "| | |", "| --- | --- |"]
        lines += [f"| {key} | {_cell(value)} |" for key, value in rows.items()]
        lines.append("")
    return lines


def _cell(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_cell(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return ", ".join(map(_cell, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
