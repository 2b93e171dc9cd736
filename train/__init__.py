"""Training of the released models: data, features, training, figures, export. See ``python -m train --help``."""

import streamer  # noqa: F401 - keeps ONNX Runtime from reporting, before a library imports it
