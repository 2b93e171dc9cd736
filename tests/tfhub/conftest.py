"""These tests run in the environment of the extra ``[tfhub]`` (make test-tfhub), and nowhere else."""

from __future__ import annotations

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("tensorflow_hub") else ["test_*.py"]
