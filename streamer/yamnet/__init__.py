"""Convert YAMNet, Google's network for AudioSet's classes, from its published weights to a model folder."""
