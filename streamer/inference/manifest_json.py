"""Write a manifest as ``manifest.json``, and make it of what such a file says."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from streamer.dsp.log_mel import LogMelConfig
from streamer.dsp.stft import StftConfig
from streamer.inference.manifest import Manifest
from streamer.inference.manifest_parts import EarSpec, SlotLabels, StateSpec, Thresholds

MANIFEST_SCHEMA = 2
"""Version of the fields of `Manifest`; it is raised whenever one changes its meaning."""


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write a manifest into a model folder, as ``manifest.json``."""
    content = {
        "schema": MANIFEST_SCHEMA,
        **asdict(manifest),
        "front_end_fingerprint": manifest.front_end.fingerprint,
    }
    (folder / "manifest.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def manifest_from_content(content: dict[str, Any]) -> Manifest:
    """Return the manifest in the parsed text of ``manifest.json``; keys that are no fields are ignored.

    Raises
    ------
    KeyError, TypeError, ValueError, AttributeError, ConfigError
        If a field is missing or of another type.
    """
    known = {f.name for f in fields(Manifest)}
    values = {key: value for key, value in content.items() if key in known}
    front_end = StftConfig if values["task"] == "separation" else LogMelConfig
    values["front_end"] = front_end(**values["front_end"])
    values["ear"] = EarSpec(**values["ear"]) if values["ear"] else None
    values["operating_points"] = _points(values["operating_points"])
    values["other_slots"] = {
        slot: SlotLabels(offered["labels"], _points(offered["operating_points"]))
        for slot, offered in values.get("other_slots", {}).items()
    }
    values["label_ids"] = tuple(values.get("label_ids", ()))
    values["states"] = tuple(StateSpec(tuple(s["shape"]), s["dtype"]) for s in values["states"])
    values["labels"] = tuple(values["labels"])
    values["trained_on"] = tuple(values["trained_on"])
    return Manifest(**values)


def _points(content: dict[str, Any]) -> dict[str, tuple[Thresholds, ...]]:
    """Return operating points as a manifest's text has them."""
    return {name: tuple(Thresholds(**point) for point in points) for name, points in content.items()}
