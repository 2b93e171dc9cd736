"""Hear the default microphone: that of the sound server or, where none runs, PortAudio's."""

from __future__ import annotations

import logging

from streamer.audio.pulse import NoSoundServerError, server_is_expected
from streamer.sources.devices.microphone import MicrophoneSource
from streamer.sources.devices.pulse import PulseSource
from streamer.sources.wrappers.wrapper import SourceWrapper

logger = logging.getLogger(__name__)


class DefaultMicrophone(SourceWrapper):
    """The default source of the sound server, at its own rate; PortAudio's default device where no server runs.

    Through PortAudio, a source behind a sound server would have the rate of ALSA's plug-in, and its changes would go
    unnoticed. Once the server was heard, its end is an outage: PortAudio would take the device that the server needs
    when it starts again.

    Parameters
    ----------
    pulse : PulseSource
    portaudio : MicrophoneSource
    """

    def __init__(self, pulse: PulseSource, portaudio: MicrophoneSource) -> None:
        super().__init__(pulse)
        self._pulse, self._portaudio = pulse, portaudio
        self._server_was_heard = False

    def open(self) -> None:
        try:
            self._inner = self._pulse
            super().open()
            self._server_was_heard = True
        except NoSoundServerError as error:
            if self._server_was_heard:
                raise
            self._inner = self._portaudio
            super().open()
            if server_is_expected():
                logger.warning(
                    "the microphone is heard through PortAudio, perhaps at another rate: %s", error
                )
