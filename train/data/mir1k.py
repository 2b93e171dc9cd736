"""MIR-1K: karaoke clips, accompaniment and voice apart (Hsu & Jang 2010, no licence stated, for research)."""

from __future__ import annotations

from pathlib import Path

from train.data.recordings import Recording, Split, sound_files

LICENCE = "none stated; research"
VALIDATION_SINGERS = frozenset({"annar", "bobon"})
TEST_SINGERS = frozenset({"ariel", "davidson", "heycat"})


def recordings(root: Path) -> list[Recording]:
    """Accompaniment and mixture (music) and the voice alone (singing) of all clips below ``root/mir1k``.

    Split by singer. (The literature's split for separation trains on two singers; a gate needs more voices.)
    """
    found = []
    for music in sound_files(root / "mir1k" / "music"):
        voice = root / "mir1k" / "voice" / music.name
        singer = music.stem.split("_")[0]
        split: Split = "train"
        if singer in VALIDATION_SINGERS:
            split = "validation"
        elif singer in TEST_SINGERS:
            split = "test"
        found += [
            Recording("mir1k", f"{music.stem}/music", (music,), "music", "accompaniment", split),
            Recording("mir1k", f"{music.stem}/sum", (music, voice), "music", "song", split),
            Recording("mir1k", f"{music.stem}/voice", (voice,), "singing", "voice", split),
        ]
    return found
