"""Look whether ALSA's configuration is one with which PortAudio starts: with some it would end the whole process."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from cffi import FFI

from streamer.errors import DeviceError

NAMES = ("pcm.default", "pcm.dmix")
"""Devices of which PortAudio 19.6 needs one."""

_DECLARATIONS = """
typedef struct _snd_config snd_config_t;
extern snd_config_t *snd_config;
int snd_config_update(void);
int snd_config_search(snd_config_t *config, const char *key, snd_config_t **result);
const char *snd_strerror(int errnum);
"""


def check_alsa() -> None:
    """Refuse a configuration of ALSA with which PortAudio would end this process; do nothing where there is no ALSA.

    Raises
    ------
    DeviceError
        If the configuration cannot be read, or has no default device.
    """
    if not sys.platform.startswith("linux"):
        return
    ffi = FFI()
    ffi.cdef(_DECLARATIONS)
    try:
        alsa = ffi.dlopen("libasound.so.2")
    except OSError:
        return  # PortAudio cannot use it either
    code = alsa.snd_config_update()
    if code < 0:
        reason = ffi.string(alsa.snd_strerror(code)).decode(errors="replace")
        raise DeviceError(
            f"ALSA's configuration cannot be read ({reason}); expected one without faults: {_where()}"
        )
    found = ffi.new("snd_config_t **")
    if not any(alsa.snd_config_search(alsa.snd_config, name.encode(), found) >= 0 for name in NAMES):
        raise DeviceError(
            f"ALSA's configuration has no device `default`; expected one, which PortAudio needs: {_where()}"
        )


def _where() -> str:
    """Say where the fault may be."""
    path = os.environ.get("ALSA_CONFIG_PATH")
    if path is None:
        return (
            "check /etc/asound.conf and ~/.asoundrc, and that ALSA's own files are there (sudo apt-get install "
            "libasound2-data)"
        )
    absent = "" if Path(path).exists() else ", which is not there"
    return f"unset ALSA_CONFIG_PATH, or mend the file that it names ({path}{absent})"
