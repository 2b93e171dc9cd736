"""Tiny Debian archives of sound that the test makes, and an apt-get that hands them out."""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path

from tests.train.toy_data import write
from train.data.debian.packages import Label, Package

CONTROL = (
    "Package: {name}\nVersion: 1.0-1\nArchitecture: all\nMaintainer: A <a@example.org>\nDescription: a\n"
)
MUSIC = Package("toy-music", 2, 1, (Label("*", "music", "music"),), small=True)
MIXED = Package("toy-mixed", 4, 1, (Label("*/voices/*", "speech", "speech"), Label("*", "sound", "effects")))
APT_GET = """#!/bin/sh
# The last argument names the package.
for name; do :; done
echo "$name" >> "{shelf}/asked"
if [ -f "{shelf}/$name" ]; then echo "E: $(cat "{shelf}/$name")" >&2; exit 100; fi
if ! ls "{shelf}/$name"_*.deb > /dev/null 2>&1; then echo "E: Unable to locate package $name" >&2; exit 100; fi
cp "{shelf}/$name"_*.deb .
"""


def build(tree: Path, name: str, shelf: Path) -> Path:
    """Build a package of what lies in ``tree/NAME``."""
    root = tree / name
    (root / "DEBIAN").mkdir(parents=True)
    (root / "DEBIAN" / "control").write_text(CONTROL.format(name=name))
    shelf.mkdir(exist_ok=True)
    archive = shelf / f"{name}_1.0-1_all.deb"
    subprocess.run(["dpkg-deb", "-Znone", "--build", root, archive], check=True, capture_output=True)
    return archive


def licence(tree: Path, name: str) -> None:
    path = tree / name / "usr" / "share" / "doc" / name / "copyright"
    path.parent.mkdir(parents=True)
    path.write_text("CC0\n")


def make_music(tree: Path, shelf: Path) -> Path:
    """A long track in stereo's place, a link to it, a copy of it, and what is no sound."""
    licence(tree, MUSIC.name)
    games = tree / MUSIC.name / "usr" / "share" / "games"
    write(games / "long.wav", seconds=70.0, rate_hz=8_000, pitch_hz=440.0)
    (games / "link.wav").symlink_to("long.wav")
    (games / "copy.wav").write_bytes((games / "long.wav").read_bytes())
    (games / "broken.ogg").write_bytes(b"no sound at all")
    (games / "cover.png").write_bytes(b"a picture")
    return build(tree, MUSIC.name, shelf)


def make_mixed(tree: Path, shelf: Path) -> Path:
    """Effects and voices, some of them in an archive within the package, and what is silent or too short."""
    licence(tree, MIXED.name)
    base = tree / MIXED.name / "usr" / "share" / "base"
    write(base / "effect.flac", seconds=1.0)
    write(base / "click.wav", seconds=0.05)
    write(tree / "hello.wav", seconds=0.5, rate_hz=22_050)
    with zipfile.ZipFile(base / "0snd.pk3", "w") as archive:
        archive.write(tree / "hello.wav", "sound/voices/hello.wav")
        archive.writestr("sound/readme.txt", "hello")
        archive.write(tree / "hello.wav", "../../escaped.wav")
    return build(tree, MIXED.name, shelf)


def install_apt_get(bin_folder: Path, shelf: Path) -> None:
    """Write a program in the place of apt-get that gives what lies on a shelf."""
    bin_folder.mkdir(exist_ok=True)
    program = bin_folder / "apt-get"
    program.write_text(APT_GET.format(shelf=shelf))
    program.chmod(0o755)
