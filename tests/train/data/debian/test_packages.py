from collections import Counter

import pytest

from train.data.debian.packages import DOUBTFUL, PACKAGES
from train.data.recordings import FOLDS

BY_NAME = {package.name: package for package in PACKAGES}
GAMES = "usr/share/games"


def test_every_path_has_a_label_and_every_fold_a_package():
    assert len(BY_NAME) == len(PACKAGES)
    assert {package.fold for package in PACKAGES} == set(FOLDS)
    for package in PACKAGES:
        assert package.labels[-1].pattern == "*"
    categories = Counter(label.category for package in PACKAGES for label in package.labels)
    assert set(DOUBTFUL) <= set(categories)
    small = [package for package in PACKAGES if package.small]
    assert sum(package.megabytes for package in small) < 200
    assert {label.kind for package in small for label in package.labels} >= {"music", "speech", "sound"}


@pytest.mark.parametrize(
    ("package", "path", "kind", "category"),
    [
        ("widelands-data", f"{GAMES}/widelands/data/music/menu.ogg", "music", "music"),
        ("widelands-data", f"{GAMES}/widelands/data/sound/animals/fox.ogg", "sound", "effects"),
        ("hedgewars-data", f"{GAMES}/hedgewars/Data/Sounds/voices/Pirate/Amazing.ogg", "speech", "speech"),
        (
            "hedgewars-data",
            f"{GAMES}/hedgewars/Data/Sounds/voices/Singer/Amazing.ogg",
            "singing",
            "sung_words",
        ),
        ("hedgewars-data", f"{GAMES}/hedgewars/Data/Sounds/1C.ogg", "music", "notes"),
        ("fillets-ng-data", f"{GAMES}/fillets-ng/sound/cancan/en/kan-klavir-music.ogg", "music", "music"),
        ("fillets-ng-data", f"{GAMES}/fillets-ng/sound/elk/en/deu-l-ja.ogg", "speech", "speech"),
        ("megaglest-data", f"{GAMES}/megaglest/techs/x/sounds/archer_ack1.wav", "sound", "voices"),
        ("sonic-pi-samples", "usr/share/sonic-pi/samples/loop_amen.flac", "music", "loops"),
        ("sonic-pi-samples", "usr/share/sonic-pi/samples/perc_door.flac", "sound", "effects"),
        ("sonic-pi-samples", "usr/share/sonic-pi/samples/perc_bell.flac", "music", "strokes"),
        ("gnome-audio", "usr/share/sounds/phone.wav", "sound", "effects"),
        ("gnome-audio", "usr/share/sounds/startup3.wav", "music", "jingles"),
        ("ufoai-sound", f"{GAMES}/ufoai/base/0snd.pk3/sound/ambience/disco.ogg", "music", "jingles"),
        ("widelands-data", f"{GAMES}/widelands/data/sound/military/under_attack.ogg", "music", "jingles"),
        ("supertux-data", f"{GAMES}/supertux2/sounds/brick.wav", "sound", "effects"),
    ],
)
def test_a_file_is_labelled_by_its_path(package, path, kind, category):
    label = BY_NAME[package].label(path)
    assert (label.kind, label.category) == (kind, category)
