"""Where sound comes from: one file for each kind of input."""
