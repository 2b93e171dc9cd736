"""Readers of GTZAN: whole tracks, log-mel frames of more tracks, and cut-outs."""
