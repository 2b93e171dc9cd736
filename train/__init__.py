"""Training of the released models: data, features, training, figures, export. See ``python -m train --help``."""
