"""Tasks that models are trained for, a folder each: data and loss (`task`), measurement (`figures`), `release`."""
