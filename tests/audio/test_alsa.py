"""Test that a configuration of ALSA with which PortAudio cannot start is an error in a sentence."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from streamer.audio import alsa, portaudio
from streamer.audio.alsa import check_alsa
from streamer.errors import DeviceError


class Library:
    """Stands for libasound, and for the interface by which it is called.

    Parameters
    ----------
    code : int
        What reading the configuration returns.
    names : tuple of str
        Names that the configuration has.
    """

    snd_config = None

    def __init__(self, code: int = 0, names: tuple[str, ...] = ()) -> None:
        self._code, self._names = code, names

    def __call__(self) -> Library:
        return self

    def cdef(self, declarations: str) -> None:
        pass

    def dlopen(self, name: str) -> Library:
        assert name == "libasound.so.2"
        return self

    def new(self, kind: str) -> None:
        pass

    def string(self, text: bytes) -> bytes:
        return text

    def snd_config_update(self) -> int:
        return self._code

    def snd_config_search(self, config: Any, name: bytes, found: Any) -> int:
        return 0 if name.decode() in self._names else -2

    def snd_strerror(self, code: int) -> bytes:
        return b"Invalid argument"


def use(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(alsa, "FFI", library)


def test_a_configuration_without_a_default_device_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use(Library(names=("pcm.other",)), monkeypatch)
    path = tmp_path / "asound.conf"
    path.touch()
    monkeypatch.setenv("ALSA_CONFIG_PATH", str(path))
    with pytest.raises(DeviceError) as refused:
        check_alsa()
    assert str(refused.value) == (
        "ALSA's configuration has no device `default`; expected one, which PortAudio needs: unset ALSA_CONFIG_PATH, "
        f"or mend the file that it names ({path})"
    )
    path.unlink()
    with pytest.raises(DeviceError, match=r"\(\S+asound\.conf, which is not there\)$"):
        check_alsa()


def test_a_fault_of_the_machine_s_own_configuration_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    use(Library(code=-22), monkeypatch)
    monkeypatch.delenv("ALSA_CONFIG_PATH", raising=False)
    with pytest.raises(
        DeviceError,
        match=r"cannot be read \(Invalid argument\); expected one without faults: check /etc/asound\.conf",
    ):
        check_alsa()


@pytest.mark.parametrize("name", alsa.NAMES)
def test_one_device_is_enough(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    use(Library(names=(name,)), monkeypatch)
    check_alsa()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="ALSA is Linux's")
def test_alsa_s_own_configuration_is_right() -> None:
    check_alsa()


def refuse() -> None:
    raise DeviceError("no")


def test_it_is_checked_before_portaudio_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.setattr(portaudio, "check_alsa", refuse)
    with pytest.raises(DeviceError, match=r"^no$"):
        portaudio.portaudio()
    assert "sounddevice" not in sys.modules


def test_it_is_checked_before_devices_are_listed_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    device = portaudio.portaudio()
    calls: list[str] = []
    monkeypatch.setattr(device, "_terminate", lambda: calls.append("terminate"))
    monkeypatch.setattr(portaudio, "check_alsa", refuse)
    with pytest.raises(DeviceError):
        portaudio.list_anew()
    assert calls == []
