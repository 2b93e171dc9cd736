"""Measurements, each a command: ``python -m benchmarks.NAME [--out FILE.json] [--smoke]``."""
