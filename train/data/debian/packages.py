"""Table of the Debian packages that the trainer fetches, with the labels of their files.

No other package is fetched: others are reserved for measuring.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from train.data.recordings import Kind

DOUBTFUL = ("atmospheres", "jingles", "notes", "ring_tones", "strokes", "sung_words")
"""Categories that are neither clearly music nor clearly not, so that no label of music is learnt from them."""


@dataclass(frozen=True)
class Label:
    """Rule that gives a kind and a category of sound to the files of a package whose path matches a pattern.

    Attributes
    ----------
    pattern : str
        Pattern of `fnmatch` for the path in the package, in which ``*`` also matches slashes. A file in an archive
        within the package has the archive's path before its own.
    kind : {"music", "speech", "sound", "singing"}
        Kind of sound.
    category : str
        Class of sound in this table's own terms, such as ``music``, ``effects``, ``speech``, ``jingles`` or ``notes``.
    """

    pattern: str
    kind: Kind
    category: str


@dataclass(frozen=True)
class Package:
    """A Debian package whose sound files are used as training data, with the labels of the files.

    Attributes
    ----------
    name : str
        Name of the package in Debian's archive.
    fold : int
        Fold, 1 to 5, of all files of the package, since they have authors, takes and motifs in common. Packages of one
        project have the same fold.
    megabytes : int
        Size of the download in MB.
    labels : tuple of Label
        Labels, of which the first one that matches a file's path applies; the last one matches every path.
    small : bool
        Whether the package belongs to the small selection, which has every kind of sound and is fetched in minutes.
    """

    name: str
    fold: int
    megabytes: int
    labels: tuple[Label, ...]
    small: bool = False

    def label(self, path: str) -> Label:
        """Return the kind and category of sound of a file of this package: the first of `labels` that matches `path`.

        There always is one, since the last of `labels` matches every path.

        Parameters
        ----------
        path : str
            Path of the file in the package, such as ``usr/share/games/supertux2/music/forest.ogg``.
        """
        return next(label for label in self.labels if fnmatchcase(path, label.pattern))


MUSIC = Label("*", "music", "music")
EFFECTS = Label("*", "sound", "effects")
SPEECH = Label("*", "speech", "speech")
MUSIC_FOLDERS = Label("*/music/*", "music", "music")
PACKAGES = (
    Package("warzone2100-music", 1, 86, (MUSIC,)),
    Package("wesnoth-1.16-music", 1, 153, (MUSIC,)),
    Package(
        "fillets-ng-data",
        1,
        71,
        (
            Label("*/fillets-ng/music/*", "music", "music"),
            Label("*-music.ogg", "music", "music"),
            Label("*/sound/music/*", "music", "jingles"),
            Label("*/sound/elk/*/deu-*", "speech", "speech"),
            Label("*/sound/warcraft/*", "speech", "speech"),
            EFFECTS,
        ),
    ),
    Package("fillets-ng-data-cs", 1, 39, (SPEECH,), small=True),
    Package(
        "sonic-pi-samples",
        1,
        22,
        (
            Label("*/loop_3d_printer*", "sound", "effects"),
            Label("*/loop_*", "music", "loops"),
            Label("*/guit_*", "music", "notes"),
            Label("*/bass_*", "music", "notes"),
            Label("*/ambi_*", "music", "atmospheres"),
            Label("*/misc_*", "sound", "effects"),
            Label("*/vinyl_*", "sound", "effects"),
            Label("*/mehackit_*", "sound", "effects"),
            Label("*/perc_[dist]*", "sound", "effects"),  # doors, impacts, snaps, swooshes, a till
            Label("*/rand-stream*", "sound", "effects"),
            Label("*", "music", "strokes"),
        ),
        small=True,
    ),
    Package("drascula-music", 2, 36, (MUSIC,)),
    Package("ufoai-music", 2, 210, (MUSIC,)),
    Package(
        "ufoai-sound",
        2,
        19,
        (
            Label("*/ambience/disco*", "music", "jingles"),
            Label("*/ambience/jingle*", "music", "jingles"),
            Label("*/ambience/*_atm.ogg", "music", "atmospheres"),
            Label("*/ambience/alienatmo*", "music", "atmospheres"),
            Label("*/ambience/droning*", "music", "atmospheres"),
            Label("*/ambience/sand-city*", "music", "atmospheres"),
            Label("*/ambience/bloodspiderwalk*", "music", "atmospheres"),
            Label("*/ambience/tv_newswav*", "music", "jingles"),
            Label("*/geoscape/combat-*", "sound", "effects"),
            Label("*/geoscape/*", "music", "jingles"),
            EFFECTS,
        ),
        small=True,
    ),
    Package("singularity-music", 2, 52, (MUSIC,)),
    Package(
        "gnome-audio",
        2,
        2,
        (
            Label("*/log*", "music", "jingles"),
            Label("*/shutdown*", "music", "jingles"),
            Label("*/startup*", "music", "jingles"),
            EFFECTS,
        ),
        small=True,
    ),
    Package("planetblupi-music-ogg", 3, 60, (MUSIC,)),
    Package(
        "supertux-data",
        3,
        162,
        (
            MUSIC_FOLDERS,
            Label("*/speech/tux_rap*", "singing", "sung_words"),
            Label("*/sounds/grow*", "music", "jingles"),
            Label("*/sounds/invincible_start*", "music", "jingles"),
            Label("*/sounds/lifeup*", "music", "jingles"),
            Label("*/sounds/savebell*", "music", "jingles"),
            Label("*/sounds/tada*", "music", "jingles"),
            Label("*/sounds/upgrade*", "music", "jingles"),
            Label("*/sounds/yeti_finish*", "music", "jingles"),
            EFFECTS,
        ),
    ),
    Package("asterisk-moh-opsound-wav", 3, 14, (MUSIC,), small=True),  # one artist is in megaglest-data too
    Package("colobot-common-sounds", 3, 61, (MUSIC_FOLDERS, EFFECTS)),
    Package(
        "megaglest-data",
        3,
        242,
        (
            MUSIC_FOLDERS,
            Label("*_ack*", "sound", "voices"),  # of soldiers and of monsters
            Label("*_select*", "sound", "voices"),
            EFFECTS,
        ),
    ),
    Package(
        "fretsonfire-songs-sectoid",
        3,
        29,
        (Label("*/guitar.ogg", "music", "guitar"), Label("*", "music", "without_guitar")),
        small=True,
    ),
    Package(
        "widelands-data",
        4,
        381,
        (
            Label("*/data/music/*", "music", "music"),
            Label("*/sound/lobby_*", "music", "jingles"),
            Label("*/sound/message_*", "music", "jingles"),
            Label("*/sound/military/*", "music", "jingles"),
            EFFECTS,
        ),
    ),
    Package(
        "hedgewars-data",
        4,
        145,
        (
            Label("*/Data/Music/*", "music", "music"),
            Label("*/voices/Singer/*", "singing", "sung_words"),
            Label("*/voices/*", "speech", "speech"),
            Label("*/Sounds/[1-9][A-G].ogg", "music", "notes"),
            Label("*/Sounds/ride_of_the_valkyries*", "music", "music"),
            Label("*/Sounds/hogchant*", "singing", "sung_words"),
            Label("*/Sounds/Whistle*", "sound", "jingles"),
            EFFECTS,
        ),
    ),
    Package(
        "lomiri-sounds",
        4,
        19,
        (Label("*/camera/*", "sound", "effects"), Label("*", "music", "ring_tones")),
        small=True,
    ),
    Package("nexuiz-music", 5, 84, (MUSIC,)),
    Package("ktuberling-data", 5, 47, (SPEECH,)),
    Package("hydrogen-drumkits-effects", 5, 141, (Label("*", "music", "guitar_strums"),)),
    Package(
        "sound-theme-freedesktop",
        5,
        1,
        (Label("*/service-log*", "music", "jingles"), EFFECTS),
        small=True,
    ),
)
