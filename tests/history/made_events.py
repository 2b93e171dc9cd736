"""Events of a stream ``mic`` at 16 kHz that began at noon, for tests of the history."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from streamer.events.kinds import Decision, DecisionState, Level, Scores, Status

RATE_HZ = 16_000
NOON = datetime(2026, 5, 4, 12, 0, 0, tzinfo=UTC)
NOON_S = NOON.timestamp()


def decision(
    state: DecisionState,
    start_s: float,
    stop_s: float,
    score: float = 0.9,
    label: str = "dog",
    kind: str = "sound",
) -> Decision:
    return Decision(state=state, label=label, score=score, model="toy", **fields(kind, start_s, stop_s))


def scores(stop_s: float, **labels: float) -> Scores:
    return Scores(heads={"sounds": labels}, **fields("scores", 0.0, stop_s))


def level(start_s: float, stop_s: float, rms_dbfs: float, peak_dbfs: float = -3.0) -> Level:
    return Level(rms_dbfs=rms_dbfs, peak_dbfs=peak_dbfs, **fields("level", start_s, stop_s))


def status(at_s: float, state: Any = "running", dropped_samples: int = 0, message: str = "") -> Status:
    own = {"state": state, "dropped_samples": dropped_samples, "message": message}
    return Status(**own, **fields("status", 0.0, at_s))


def fields(kind: str, start_s: float, stop_s: float) -> dict[str, Any]:
    """Return the fields of every event, for one that is about the sound between two times since noon."""
    return {
        "kind": kind,
        "stream": "mic",
        "epoch": 0,
        "start": round(start_s * RATE_HZ),
        "stop": round(stop_s * RATE_HZ),
        "rate": RATE_HZ,
        "time": NOON + timedelta(seconds=stop_s),
    }
