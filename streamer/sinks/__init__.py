"""Sinks take events: one file for each kind of output, and `open_sinks`, which makes them from the configuration."""
