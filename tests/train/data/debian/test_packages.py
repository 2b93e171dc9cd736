from collections import Counter

import pytest

from train.data.debian.games import GAMES
from train.data.debian.packages import DOUBTFUL, PACKAGES
from train.data.recordings import FOLDS

BY_NAME = {package.name: package for package in PACKAGES}
GAME_FOLDER = "usr/share/games"


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
        ("widelands-data", f"{GAME_FOLDER}/widelands/data/music/menu.ogg", "music", "music"),
        ("widelands-data", f"{GAME_FOLDER}/widelands/data/sound/animals/fox.ogg", "sound", "effects"),
        (
            "hedgewars-data",
            f"{GAME_FOLDER}/hedgewars/Data/Sounds/voices/Pirate/Amazing.ogg",
            "speech",
            "speech",
        ),
        (
            "hedgewars-data",
            f"{GAME_FOLDER}/hedgewars/Data/Sounds/voices/Singer/Amazing.ogg",
            "singing",
            "sung_words",
        ),
        ("hedgewars-data", f"{GAME_FOLDER}/hedgewars/Data/Sounds/1C.ogg", "music", "notes"),
        (
            "fillets-ng-data",
            f"{GAME_FOLDER}/fillets-ng/sound/cancan/en/kan-klavir-music.ogg",
            "music",
            "music",
        ),
        ("fillets-ng-data", f"{GAME_FOLDER}/fillets-ng/sound/elk/en/deu-l-ja.ogg", "speech", "speech"),
        ("megaglest-data", f"{GAME_FOLDER}/megaglest/techs/x/sounds/archer_ack1.wav", "sound", "voices"),
        ("sonic-pi-samples", "usr/share/sonic-pi/samples/loop_amen.flac", "music", "loops"),
        ("sonic-pi-samples", "usr/share/sonic-pi/samples/perc_door.flac", "sound", "effects"),
        ("sonic-pi-samples", "usr/share/sonic-pi/samples/perc_bell.flac", "music", "strokes"),
        ("gnome-audio", "usr/share/sounds/phone.wav", "sound", "effects"),
        ("gnome-audio", "usr/share/sounds/startup3.wav", "music", "jingles"),
        ("ufoai-sound", f"{GAME_FOLDER}/ufoai/base/0snd.pk3/sound/ambience/disco.ogg", "music", "jingles"),
        (
            "widelands-data",
            f"{GAME_FOLDER}/widelands/data/sound/military/under_attack.ogg",
            "music",
            "jingles",
        ),
        ("supertux-data", f"{GAME_FOLDER}/supertux2/sounds/brick.wav", "sound", "effects"),
    ],
)
def test_a_file_is_labelled_by_its_path(package, path, kind, category):
    label = BY_NAME[package].label(path)
    assert (label.kind, label.category) == (kind, category)


def test_no_game_that_is_measured_on_is_learnt_from():
    assert not {game.name for game in GAMES} & set(BY_NAME)
    assert {game.fold for game in GAMES} == set(FOLDS)
    assert all(game.labels[-1].pattern == "*" and game.labels[0].kind == "music" for game in GAMES)


@pytest.mark.parametrize(
    ("game", "path", "kind"),
    [
        ("frozen-bubble-data", f"{GAME_FOLDER}/frozen-bubble/snd/introzik.ogg", "music"),
        ("frozen-bubble-data", f"{GAME_FOLDER}/frozen-bubble/snd/snore.ogg", "sound"),
        ("tuxmath-data", "usr/share/tuxmath/sounds/01_rush.ogg", "music"),
        ("tumiki-fighters-data", f"{GAME_FOLDER}/tumiki-fighters/sounds/ship_shot.wav", "sound"),
        (
            "fretsonfire-songs-muldjord",
            f"{GAME_FOLDER}/fretsonfire/data/songs/muldjord/x/guitar.ogg",
            "sound",
        ),
    ],
)
def test_the_music_of_a_game_is_told_by_its_path(game, path, kind):
    assert next(g for g in GAMES if g.name == game).label(path).kind == kind
