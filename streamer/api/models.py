"""`streamer.models`: the models that there are."""

from __future__ import annotations

from streamer.inference.manifest import Manifest
from streamer.inference.model_folders import known_folders, read_manifest


def models() -> list[Manifest]:
    """Return the manifests of all models: of those that come with Streamer, then of the user's own.

    Returns
    -------
    list of Manifest
        Among others, each has a `name`, by which `streamer.listen` finds it, a `task` and its `labels`.

    Raises
    ------
    ModelError
        If a manifest is damaged, or made for another version.

    Examples
    --------
    >>> import streamer
    >>> [model.labels for model in streamer.models() if model.name == "gate"]
    [('music', 'speech', 'singing')]
    """
    return [read_manifest(folder) for folder in known_folders()]
