"""Sources of sound: one file for each kind of input."""
