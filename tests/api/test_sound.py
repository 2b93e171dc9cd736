"""Arrays that are given as sound: what is taken, and what is refused with the way out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import streamer
from streamer.api.sound import checked_rate, checked_samples

GOOD = np.zeros(16_000, np.float32)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (np.array([0.5, -1.0], np.float32), [0.5, -1.0]),
        (np.array([0.5, -1.0], np.float64), [0.5, -1.0]),
        (np.array([0.5, -1.0], np.float16), [0.5, -1.0]),
        (np.array([16_384, -32_768], np.int16), [0.5, -1.0]),
        (np.array([2**30, -(2**31)], np.int32), [0.5, -1.0]),
        (np.array([64, -128], np.int8), [0.5, -1.0]),
        (np.array([192, 0], np.uint8), [0.5, -1.0]),
        ([0.5, -1.0], [0.5, -1.0]),
        (np.array([0.5, 0.0, -1.0, 0.0])[::2], [0.5, -1.0]),
    ],
)
def test_samples_become_floats_of_full_scale_1(given: Any, expected: list[float]) -> None:
    samples = checked_samples(given)
    assert samples.dtype == np.float32
    assert samples.flags.c_contiguous
    assert samples[:, 0].tolist() == expected


def test_samples_are_copied_so_that_the_caller_may_write_to_them() -> None:
    given = np.zeros((4, 2), np.float32)
    samples = checked_samples(given)
    given[:] = 1.0
    assert not samples.any()
    assert samples.shape == (4, 2)


class BytesPath:
    def __fspath__(self) -> bytes:
        return b"a.wav"


@pytest.mark.parametrize(
    ("samples", "match"),
    [
        (np.zeros(0), r"samples has shape \(0,\); expected at least 1 sample of 1 channel"),
        (np.zeros((5, 0)), r"samples has shape \(5, 0\); expected at least 1 sample"),
        (
            np.zeros((2, 3, 4)),
            r"samples has shape \(2, 3, 4\); expected \(samples,\) or \(samples, channels\)",
        ),
        (np.float32(0.5), r"samples has shape \(\); expected \(samples,\)"),
        (np.zeros((2, 16_000)), r"more channels than samples; expected \(samples, channels\): .*samples\.T"),
        (
            np.array([0.0, np.nan, 1.0]),
            "samples has 1 values that are no sound, the first nan at sample 1; expected",
        ),
        (np.array([np.inf, 1.0]), "the first inf at sample 0; expected finite"),
        (np.array([0.0, 1e300]), "the first inf at sample 1; expected finite"),
        (
            np.array([0, 1]),
            "samples is an array of int64; expected a path, or an array of floats .* samples.astype",
        ),
        (np.array([True]), "samples is an array of bool; expected"),
        (np.array([1j]), "samples is an array of complex128; expected"),
        (np.array(["a"]), "samples is an array of <U1; expected"),
        ("", "the sound is an empty text; expected the path of a file, or an array"),
        (None, "samples is of type NoneType; expected a path"),
        (b"RIFF", "samples is of type bytes; expected"),
        (BytesPath(), "samples is of type BytesPath; expected a path"),
        (3, "samples is of type int; expected a path"),
        ([1, 2], "samples is of type list, with values of int64; expected a path"),
        (
            np.ma.masked_array([0.1, 9.0, 0.2], [False, True, False]),
            "samples has masked values, which are no sound",
        ),
        ([[0.0, 1.0], [0.0]], "samples is of type list and makes no array"),
    ],
)
def test_what_is_no_sound_is_refused(samples: Any, match: str) -> None:
    for call in (streamer.analyze, streamer.separate, streamer.log_mel):
        with pytest.raises(streamer.StreamError, match=match):
            call(samples, 16_000)
    with pytest.raises(streamer.StreamError, match=match):
        streamer.teach("bell", [samples], 16_000)


@pytest.mark.parametrize(
    ("rate_hz", "match"),
    [
        (None, "rate_hz is missing; expected the samples' rate in Hz"),
        (0, "samples has a sample rate of 0 Hz; expected 4000 to 384000 Hz"),
        (-16_000, "samples has a sample rate of -16000 Hz"),
        (1_000_000, "samples has a sample rate of 1000000 Hz"),
        (44_100.5, "rate_hz is 44100.5; expected a whole number of Hz"),
        (float("nan"), "rate_hz is nan; expected a whole number"),
        (float("inf"), "rate_hz is inf; expected a whole number"),
        ("16000", "rate_hz is '16000'; expected a whole number"),
        (True, "rate_hz is True; expected a whole number"),
        (10**400, "rate_hz is 10+; expected a whole number"),
    ],
)
def test_a_rate_that_cannot_be_is_refused(rate_hz: Any, match: str) -> None:
    for call in (streamer.analyze, streamer.separate, streamer.log_mel):
        with pytest.raises(streamer.StreamError, match=match):
            call(GOOD, rate_hz)


@pytest.mark.parametrize("rate_hz", [48_000, 48_000.0, np.int32(48_000), np.float64(48_000)])
def test_whole_rates_of_any_type_are_taken(rate_hz: Any) -> None:
    rate = checked_rate(rate_hz)
    assert (rate, type(rate)) == (48_000, int)


@pytest.mark.parametrize("call", [streamer.analyze, streamer.separate, streamer.log_mel])
def test_a_url_is_no_whole_sound(call: Callable[..., Any]) -> None:
    with pytest.raises(
        streamer.StreamError, match=r"is a URL; expected the path of a file.*streamer\.listen"
    ):
        call("https://user:secret@example.org/a.mp3")
    with pytest.raises(streamer.StreamError, match=r"^the sound is a URL"):
        streamer.teach("bell", ["https://example.org/a.mp3"])


@pytest.mark.parametrize("call", [streamer.analyze, streamer.separate, streamer.log_mel])
def test_files_have_their_own_rate_and_must_be_there(call: Callable[..., Any], tmp_path: Path) -> None:
    with pytest.raises(
        streamer.StreamError, match=r"rate_hz is 16000 for the file .*demo\.ogg; expected none"
    ):
        call(streamer.DEMO_PATH, 16_000)
    with pytest.raises(streamer.StreamError, match=r"absent\.wav' cannot be opened"):
        list(call(tmp_path / "absent.wav"))
    (tmp_path / "text.wav").write_text("no sound" * 100)
    with pytest.raises(streamer.StreamError, match=r"text\.wav cannot be read by libsndfile"):
        list(call(str(tmp_path / "text.wav")))
