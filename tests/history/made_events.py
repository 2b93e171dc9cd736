"""Events of a stream ``mic`` at 16 kHz that began at noon, for tests of the history."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

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
    return Decision(
        kind=kind,
        stream="mic",
        epoch=0,
        start=round(start_s * RATE_HZ),
        stop=round(stop_s * RATE_HZ),
        rate=RATE_HZ,
        time=NOON + timedelta(seconds=stop_s),
        state=state,
        label=label,
        score=score,
        model="toy",
    )


def scores(stop_s: float, **labels: float) -> Scores:
    return Scores(
        kind="scores",
        stream="mic",
        epoch=0,
        start=0,
        stop=round(stop_s * RATE_HZ),
        rate=RATE_HZ,
        time=NOON + timedelta(seconds=stop_s),
        heads={"sounds": labels},
    )


def level(start_s: float, stop_s: float, rms_dbfs: float, peak_dbfs: float = -3.0) -> Level:
    return Level(
        kind="level",
        stream="mic",
        epoch=0,
        start=round(start_s * RATE_HZ),
        stop=round(stop_s * RATE_HZ),
        rate=RATE_HZ,
        time=NOON + timedelta(seconds=stop_s),
        rms_dbfs=rms_dbfs,
        peak_dbfs=peak_dbfs,
    )


def status(at_s: float, state: str = "running", dropped_samples: int = 0, message: str = "") -> Status:
    return Status(
        kind="status",
        stream="mic",
        epoch=0,
        start=0,
        stop=round(at_s * RATE_HZ),
        rate=RATE_HZ,
        time=NOON + timedelta(seconds=at_s),
        state=state,  # type: ignore[arg-type]
        dropped_samples=dropped_samples,
        message=message,
    )
