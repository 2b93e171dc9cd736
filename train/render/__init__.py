"""Recordings of solo instruments, drums and ensembles, rendered from scores by software synthesisers."""
