"""Make the bundled recording of music, speech, everyday sounds and silence, with the times of each.

``python scripts/make_demo.py`` writes ``demo.ogg`` (mono Vorbis, 32 kHz) and ``demo.json`` (the true times)
into ``streamer/data``. It needs four Debian packages: fluidsynth and fluid-soundfont-gm (FluidR3_GM.sf2, MIT
licence) for the music, espeak-ng for the speech, ffmpeg to encode. The tune is the theme of the last movement
of Beethoven's ninth symphony (1824), arranged here. The same versions of the tools give the same files, byte for
byte; the bundled ones were made with Debian 12.

``demo.json`` has ``rate_hz``, ``samples`` and ``segments``, each with ``label`` (music, speech, noise or
silence), ``start`` and ``stop`` in samples. A sound starts with the first and stops with the last 10 ms whose
RMS level is above -60 dBFS: each is cut there before it is placed. Everywhere there is a noise floor at -75 dBFS.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import click
import numpy as np
import soundfile
import soxr

RATE_HZ = 32_000
SEED = 9
AUDIBLE_DBFS, FLOOR_DBFS, PEAK_DBFS = -60.0, -75.0, -2.0
FRAME_SAMPLES = RATE_HZ // 100
FADE_SAMPLES = RATE_HZ // 200
SOUNDFONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
DATA = Path(__file__).resolve().parent.parent / "streamer" / "data"
TOOLS = ("fluidsynth", "espeak-ng", "ffmpeg")  # Debian's packages have the same names
TICKS_PER_BEAT = 480
DRUMS = 9  # the channel for percussion in General MIDI
KICK, SNARE, CLOSED_HAT = 36, 38, 42

# Notes and chords, each followed by its length in beats, in the key of the theme, D major.
THEME = "F#5 1 F#5 1 G5 1 A5 1 A5 1 G5 1 F#5 1 E5 1 D5 1 D5 1 E5 1 F#5 1 E5 1.5 D5 .5 D5 2"
THEME_CHORDS = "D 2 A7 2 D 2 A7 2 Bm 2 Em 2 A7 2 D 2"
MIDDLE = "E5 1 E5 1 F#5 1 D5 1 E5 1 F#5 .5 G5 .5 F#5 1 D5 1 E5 1 F#5 .5 G5 .5 F#5 1 E5 1 D5 1 E5 1 A4 2 D5 2"
MIDDLE_CHORDS = "A7 2 D 2 A7 2 D 2 A7 2 F#7 2 Bm 1 E7 1 A7 2 D 2"
CHORDS = {
    "D": "D3 A3 D4 F#4 A4",
    "Em": "E3 B3 E4 G4 B4",
    "E7": "E3 B3 D4 G#4 B4",
    "F#7": "F#3 A#3 C#4 E4 A#4",
    "A7": "A2 A3 C#4 E4 G4",
    "Bm": "B2 B3 D4 F#4 B4",
}
WELCOME = "Streamer listens to live sound, and says, while it is still sounding, what it is: music, or not."
GOODBYE = "That was the demonstration."


@dataclass(frozen=True)
class Note:
    """A note: `start` and `length` are in beats, `pitch` and `velocity` are MIDI's 0 to 127."""

    start: float
    length: float
    channel: int
    pitch: int
    velocity: int


@dataclass(frozen=True)
class Band:
    """A band: General MIDI programs (from 0) of melody, chords and bass, the tempo, and whether there are drums."""

    programs: tuple[int, int, int]
    beats_per_minute: int
    drums: bool


# Strings, horn and contrabass; flute, piano, double bass and drums.
ORCHESTRA = Band(programs=(48, 60, 43), beats_per_minute=116, drums=False)
COMBO = Band(programs=(73, 0, 32), beats_per_minute=138, drums=True)


def midi_pitch(name: str) -> int:
    """Return the MIDI number of a note such as ``F#5``; ``C4`` is 60."""
    semitones = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
    return 12 * (int(name[-1]) + 1) + semitones[name[0]] + name.count("#")


def timed(score: str) -> list[tuple[float, float, str]]:
    """Parse a score of names, each followed by its length; return (start, length, name), times in beats."""
    words = score.split()
    lengths = [float(word) for word in words[1::2]]
    starts = np.cumsum([0.0, *lengths[:-1]]).tolist()
    return list(zip(starts, lengths, words[::2], strict=True))


def arranged(melody: str, chords: str, drums: bool) -> list[Note]:
    """Arrange melody on channel 0, chords on 1, bass on 2 and, if wanted, drums, with four beats to the bar."""
    notes = []
    for start, length, name in timed(melody):
        notes.append(Note(start, 0.95 * length, 0, midi_pitch(name), 112 if start % 4 == 0 else 100))
    for start, length, chord in timed(chords):
        bass, *others = (midi_pitch(name) for name in CHORDS[chord].split())
        notes += [Note(start, 0.95 * length, 1, pitch, 72) for pitch in others]
        notes += [Note(start + beat, 0.9, 2, bass - 12 * (beat % 2), 92) for beat in range(round(length))]
    if drums:
        for start in np.arange(0.0, notes_end(notes) - 2, 0.5).tolist():
            notes.append(Note(start, 0.4, DRUMS, CLOSED_HAT, 70 if start % 1 == 0 else 50))
            if start % 1 == 0:
                notes.append(Note(start, 0.4, DRUMS, SNARE if start % 2 == 1 else KICK, 84))
    return notes


def notes_end(notes: list[Note]) -> float:
    """Return the first whole beat at which all notes have ended."""
    return float(np.ceil(max(note.start + note.length for note in notes)))


def midi_file(notes: list[Note], programs: tuple[int, ...], beats_per_minute: int, tail_beats: int) -> bytes:
    """Return a Standard MIDI File (format 0) of `notes`; `programs` are those of channels 0 and up."""
    events = [(0, bytes([0xC0 | channel, program])) for channel, program in enumerate(programs)]
    events.append((0, b"\xff\x51\x03" + round(60e6 / beats_per_minute).to_bytes(3, "big")))
    for note in notes:
        on, off = (round(TICKS_PER_BEAT * beat) for beat in (note.start, note.start + note.length))
        events.append((on, bytes([0x90 | note.channel, note.pitch, note.velocity])))
        events.append((off, bytes([0x80 | note.channel, note.pitch, 0])))
    events.append((round(TICKS_PER_BEAT * (notes_end(notes) + tail_beats)), b"\xff\x2f\x00"))
    events.sort(key=lambda event: event[0])
    waits = [after - before for before, after in pairwise([0, *(tick for tick, _ in events)])]
    track = b"".join(variable_length(wait) + event for wait, (_, event) in zip(waits, events, strict=True))
    header = b"".join(number.to_bytes(2, "big") for number in (0, 1, TICKS_PER_BEAT))
    return b"MThd" + (6).to_bytes(4, "big") + header + b"MTrk" + len(track).to_bytes(4, "big") + track


def variable_length(number: int) -> bytes:
    """Return MIDI's variable-length quantity: seven bits a byte, the top bit set on all but the last."""
    sevens = [number & 0x7F]
    while number := number >> 7:
        sevens.append(0x80 | number & 0x7F)
    return bytes(reversed(sevens))


def music(melody: str, chords: str, band: Band, soundfont: Path, folder: Path) -> np.ndarray:
    """Render a tune by FluidSynth with its reverb."""
    notes = arranged(melody, chords, band.drums)
    (folder / "tune.mid").write_bytes(midi_file(notes, band.programs, band.beats_per_minute, tail_beats=6))
    command = ["fluidsynth", "-n", "-i", "-q", "-g", "0.5", "-r", str(RATE_HZ), "-O", "float", "-T", "wav"]
    run([*command, "-F", str(folder / "tune.wav"), str(soundfont), str(folder / "tune.mid")])
    return read_mono(folder / "tune.wav")


def speech(text: str, voice: str, folder: Path) -> np.ndarray:
    """Let eSpeak NG speak a sentence."""
    run(["espeak-ng", "-v", voice, "-s", "160", "-w", str(folder / "speech.wav"), text])
    return read_mono(folder / "speech.wav")


def run(command: list[str]) -> None:
    """Run a tool and check its messages: without the named soundfont, FluidSynth uses another one and exits with 0."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode or "fluidsynth: error" in done.stderr:
        raise click.ClickException(f"{command[0]} failed: {' '.join(done.stderr.split())}")


def read_mono(path: Path) -> np.ndarray:
    """Read a sound file as mono at the recording's rate."""
    sound, rate_hz = soundfile.read(path, always_2d=True)
    return soxr.resample(sound.mean(axis=1), rate_hz, RATE_HZ)


def everyday(rng: np.random.Generator) -> np.ndarray:
    """Make seven seconds of rain that eases off, a clock, a knock at the door, and a wave on the shore."""
    sound = rain(rng, 7.0)
    t = np.arange(len(sound)) / RATE_HZ
    sound *= np.interp(t, [0.0, 0.1, 1.8, 2.6, 6.5, 7.0], [0.0, 0.08, 0.08, 0.005, 0.005, 0.0])
    for k, at_s in enumerate(np.arange(2.0, 4.0, 0.4)):
        add(sound, 0.4 * struck(rng, (2_100.0, 4_700.0) if k % 2 else (2_600.0, 5_300.0), 0.012), at_s)
    for at_s in (3.9, 4.15, 4.4):
        add(sound, 0.9 * struck(rng, (170.0, 310.0, 520.0, 900.0), 0.02), at_s)
    add(sound, 0.25 * wave(rng, 2.5), 4.5)
    return sound


def add(sound: np.ndarray, part: np.ndarray, at_s: float) -> None:
    """Mix `part` into `sound`, in place."""
    first = round(at_s * RATE_HZ)
    sound[first : first + len(part)] += part


def rain(rng: np.random.Generator, length_s: float) -> np.ndarray:
    """Make a hiss of RMS one, and drops that stand out of it."""
    sound = shaped(rng, round(length_s * RATE_HZ), low_hz=300.0, high_hz=9_000.0)
    for at in rng.uniform(0.0, length_s - 0.1, round(60 * length_s)):
        add(sound, rng.uniform(1.0, 6.0) * struck(rng, (rng.uniform(1_500.0, 6_000.0),), 0.002), at)
    return sound


def shaped(rng: np.random.Generator, samples: int, low_hz: float, high_hz: float) -> np.ndarray:
    """Make Gaussian noise of RMS one between two slopes of 6 dB an octave."""
    hz = np.fft.rfftfreq(samples, 1 / RATE_HZ)
    slopes = (hz / np.hypot(hz, low_hz)) / np.hypot(1.0, hz / high_hz)
    noise = np.fft.irfft(np.fft.rfft(rng.standard_normal(samples)) * slopes, samples)
    return noise / np.sqrt(np.mean(noise**2))


def struck(rng: np.random.Generator, modes_hz: tuple[float, ...], decay_s: float) -> np.ndarray:
    """Make the sound of a struck object: decaying modes after a click of noise, with a peak of about one."""
    t = np.arange(round(8 * decay_s * RATE_HZ)) / RATE_HZ
    ring = sum(np.sin(2 * np.pi * hz * t) for hz in modes_hz) / len(modes_hz)
    click_noise = rng.standard_normal(len(t)) * np.exp(-t / (0.2 * decay_s))
    return (0.8 * ring + 0.2 * click_noise) * np.exp(-t / decay_s) * np.minimum(1.0, t / 0.0005)


def wave(rng: np.random.Generator, length_s: float) -> np.ndarray:
    """Make a wave on a shore: noise that is loudest in the middle."""
    t = np.linspace(0.0, 1.0, round(length_s * RATE_HZ))
    swell = np.sin(np.pi * t) / (1 + ((t - 0.5) / 0.2) ** 2)
    return shaped(rng, len(t), low_hz=150.0, high_hz=1_500.0) * swell


def levelled(sound: np.ndarray, rms_dbfs: float) -> np.ndarray:
    """Scale a sound to an RMS level, measured within 40 dB of its peak, or lower so that it keeps `PEAK_DBFS`."""
    peak = np.abs(sound).max()
    rms = np.sqrt(np.mean(sound[np.abs(sound) > 0.01 * peak] ** 2))
    return sound * min(amplitude(rms_dbfs) / rms, amplitude(PEAK_DBFS) / peak)


def audible(sound: np.ndarray) -> np.ndarray:
    """Cut a sound to its first and last 10 ms above `AUDIBLE_DBFS`, and fade both ends over 5 ms."""
    frames = sound[: len(sound) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    loud = np.flatnonzero(np.sqrt(np.mean(frames**2, axis=1)) > amplitude(AUDIBLE_DBFS))
    cut = sound[loud[0] * FRAME_SAMPLES : (loud[-1] + 1) * FRAME_SAMPLES]
    position = np.arange(len(cut))
    return cut * np.clip(np.minimum(position, position[::-1]) / FADE_SAMPLES, 0.0, 1.0)


def amplitude(dbfs: float) -> float:
    """Return the amplitude of a level."""
    return float(10 ** (dbfs / 20))


def pieces(soundfont: Path, folder: Path) -> list[tuple[str, np.ndarray]]:
    """Return (label, sound) of all parts in order, with silence before each sound and at the end."""
    sounds = [
        (3.0, "music", music(THEME, THEME_CHORDS, ORCHESTRA, soundfont, folder), -17.5),
        (1.0, "speech", speech(WELCOME, "en-gb", folder), -20.5),
        (1.0, "noise", everyday(np.random.default_rng(SEED)), -22.5),
        (1.0, "music", music(MIDDLE, MIDDLE_CHORDS, COMBO, soundfont, folder), -17.5),
        (2.0, "speech", speech(GOODBYE, "en-us+f3", folder), -20.5),
    ]
    parts = []
    for silence_s, label, sound, rms_dbfs in sounds:
        parts.append(("silence", np.zeros(round(silence_s * RATE_HZ))))
        parts.append((label, audible(levelled(sound, rms_dbfs))))
    return [*parts, ("silence", np.zeros(2 * RATE_HZ))]


def segments(parts: list[tuple[str, np.ndarray]]) -> list[dict[str, str | int]]:
    """Return label, start and stop of each part."""
    stops = np.cumsum([len(sound) for _, sound in parts]).tolist()
    timed_parts = zip(parts, stops, strict=True)
    return [{"label": label, "start": stop - len(x), "stop": stop} for (label, x), stop in timed_parts]


def encode(recording: np.ndarray, path: Path, folder: Path) -> None:
    """Write Ogg Vorbis by ffmpeg, which unlike libsndfile can leave out the random serial number."""
    soundfile.write(folder / "demo.wav", recording, RATE_HZ, subtype="FLOAT")
    exact = ["-map_metadata", "-1", "-fflags", "+bitexact", "-flags:a", "+bitexact"]
    run(["ffmpeg", "-y", "-i", str(folder / "demo.wav"), *exact, "-c:a", "libvorbis", "-q:a", "4", str(path)])


def check_tools(soundfont: Path) -> None:
    """Check that all tools are there, and name the Debian packages of those that are missing."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if not soundfont.is_file():
        missing.append(f"fluid-soundfont-gm (or name a soundfont with --soundfont; none at {soundfont})")
    if missing:
        raise click.ClickException(f"missing {', '.join(missing)}; apt-get install what is named")


@click.command()
@click.option("--soundfont", type=click.Path(path_type=Path), default=SOUNDFONT, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=DATA, help="Folder to write into.")
def main(soundfont: Path, out: Path) -> None:
    """Make demo.ogg, the bundled recording, and demo.json, the times of its parts."""
    check_tools(soundfont)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        parts = pieces(soundfont, Path(scratch))
        recording = np.concatenate([sound for _, sound in parts])
        floor = np.random.default_rng(SEED).standard_normal(len(recording))
        encode(recording + amplitude(FLOOR_DBFS) * floor, out / "demo.ogg", Path(scratch))
    truth = {"rate_hz": RATE_HZ, "samples": len(recording), "segments": segments(parts)}
    (out / "demo.json").write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")
    click.echo(f"wrote {len(recording) / RATE_HZ:.1f} s to {out / 'demo.ogg'} and demo.json")


if __name__ == "__main__":
    main()
