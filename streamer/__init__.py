"""Label live audio in real time, and split voice from music.

``docs/python.md`` introduces this interface. ``import streamer`` loads nothing else: each name is loaded when it is
first asked for. It only keeps ONNX Runtime from reporting to its maker, which must come before that is imported.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from streamer import onnxruntime_reports

if TYPE_CHECKING:
    from streamer.api.analyze import analyze
    from streamer.api.devices import input_devices, output_devices
    from streamer.api.event_iterator import EventIterator
    from streamer.api.listen import listen
    from streamer.api.log_mel import log_mel
    from streamer.api.models import models
    from streamer.api.separate import Separated, separate
    from streamer.api.teach import forget, taught_sounds, teach
    from streamer.config import Config, StreamConfig
    from streamer.config_sections import EngineConfig, ModelsConfig, PcmConfig, PublishConfig, StemsConfig
    from streamer.demo_recording import DEMO_PATH
    from streamer.errors import ConfigError, DeviceError, ModelError, StreamerError, StreamError
    from streamer.events.kinds import Decision, Event, Level, Scores, Spectrum, Status, Stem
    from streamer.head_slots import DecisionConfig, LabelThresholds
    from streamer.wire.subscriber import Subscriber, subscribe

    __version__: str

__all__ = [
    "DEMO_PATH",
    "Config",
    "ConfigError",
    "Decision",
    "DecisionConfig",
    "DeviceError",
    "EngineConfig",
    "Event",
    "EventIterator",
    "LabelThresholds",
    "Level",
    "ModelError",
    "ModelsConfig",
    "PcmConfig",
    "PublishConfig",
    "Scores",
    "Separated",
    "Spectrum",
    "Status",
    "Stem",
    "StemsConfig",
    "StreamConfig",
    "StreamError",
    "StreamerError",
    "Subscriber",
    "__version__",
    "analyze",
    "forget",
    "input_devices",
    "listen",
    "log_mel",
    "models",
    "output_devices",
    "separate",
    "subscribe",
    "taught_sounds",
    "teach",
]

onnxruntime_reports.turn_off()

_MODULES = {
    "streamer.api.analyze": ("analyze",),
    "streamer.api.devices": ("input_devices", "output_devices"),
    "streamer.api.event_iterator": ("EventIterator",),
    "streamer.api.listen": ("listen",),
    "streamer.api.log_mel": ("log_mel",),
    "streamer.api.models": ("models",),
    "streamer.api.separate": ("Separated", "separate"),
    "streamer.api.teach": ("forget", "taught_sounds", "teach"),
    "streamer.config": (
        "Config",
        "EngineConfig",
        "ModelsConfig",
        "PcmConfig",
        "PublishConfig",
        "StemsConfig",
        "StreamConfig",
    ),
    "streamer.demo_recording": ("DEMO_PATH",),
    "streamer.errors": ("ConfigError", "DeviceError", "ModelError", "StreamError", "StreamerError"),
    "streamer.events.kinds": ("Decision", "Event", "Level", "Scores", "Spectrum", "Status", "Stem"),
    "streamer.head_slots": ("DecisionConfig", "LabelThresholds"),
    "streamer.wire.subscriber": ("Subscriber", "subscribe"),
}
"""Public names by the module that defines them. No module of `streamer` has a public name: it would hide it."""

_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version  # takes longer than all the rest: only when asked for

        return version("streamer")
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'streamer' has no attribute {name!r}")
    return getattr(import_module(_MODULE_OF[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
