"""Import torchaudio without its compiled extension.

torchaudio loads a compiled extension when it is imported, and fails beside a torch build that it was not
compiled for, such as the CPU wheels. Its mel spectrogram needs none of it: it is written in torch. A stand-in
for ``torchaudio._extension`` says that there is no extension, which is a case that torchaudio provides for.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from types import ModuleType


def load() -> ModuleType:
    """Return the module torchaudio, imported with a stand-in for its extension if it was not imported before."""
    if "torchaudio" not in sys.modules:
        sys.modules.setdefault("torchaudio._extension", _stand_in())
    return importlib.import_module("torchaudio")


def _stand_in() -> ModuleType:
    module = ModuleType("torchaudio._extension")
    vars(module).update(_IS_TORCHAUDIO_EXT_AVAILABLE=False, fail_if_no_align=_unavailable)
    return module


def _unavailable(function: Callable[..., object]) -> Callable[..., object]:
    def refuse(*_args: object, **_kwargs: object) -> object:
        raise RuntimeError(f"{function.__name__} needs torchaudio's compiled extension, which is not loaded")

    return refuse
