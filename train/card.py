"""A released model's card: ``card.md``, written out of its manifest so that no figure is copied by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from streamer.manifest import Manifest


def card(manifest: Manifest, about: str, limits: str) -> str:
    """The card's text, Markdown.

    Parameters
    ----------
    manifest : Manifest
        Its results are figures, or tables of figures by name.
    about, limits : str
        What it is and how it was trained; what it cannot do.
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
            "## Figures",
            "",
            *_figures(manifest.results),
            "## Limits",
            "",
            limits.strip(),
            "",
        ]
    )


def _operation(manifest: Manifest) -> list[str]:
    front_end = manifest.front_end
    frame_ms = 1_000 * front_end.hop_samples / front_end.sample_rate_hz
    return [
        f"- Labels: {', '.join(manifest.labels)}.",
        f"- Hears {front_end.mel_bands} log-mel bands at {front_end.sample_rate_hz} Hz, a frame every "
        f"{frame_ms:g} ms; one score every {manifest.hop_frames * frame_ms:g} ms.",
        f"- Default thresholds: on {manifest.thresholds.on:g}, off {manifest.thresholds.off:g}; no decision in the "
        f"first {manifest.warm_up_frames * frame_ms:g} ms.",
        f"- Exported at commit {manifest.commit} (with a `+`: and changes to it); SHA-256 of model.onnx "
        f"{manifest.sha256}.",
    ]


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
    return f"{value:g}" if isinstance(value, float) else str(value)
