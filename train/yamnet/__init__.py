"""Readers of YAMNet's weights in formats other than TensorFlow Hub's, and the torch network to compare them with."""
