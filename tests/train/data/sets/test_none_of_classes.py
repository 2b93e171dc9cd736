from pathlib import Path

import pytest

from train.data.recordings import Recording
from train.data.sets.none_of_classes import WORDS, names_a_class, none_of_classes


def piece(name, kind="sound", source="debian", category="effects", tags=()):
    return Recording(source, name, (Path(name),), kind, category, 1, tags=tags)


@pytest.mark.parametrize(
    "name",
    [
        "sounds/dog.wav",
        "data/sound/animals/sheep_02.ogg",
        "sound/breakglass01.ogg",
        "data/sound/farm/ox_00.ogg",
        "Data/Sounds/BirdyLay.ogg",
        "Data/Sounds/minetick.ogg",
        "sounds/CarHorn.wav",
        "arcticwind",
        "door1-open",
        "sp-bubles/bubbles_00",
        "key10",
    ],
)
def test_a_name_with_a_word_of_a_class_names_it_wherever_the_word_stands(name):
    assert names_a_class(name)


@pytest.mark.parametrize(
    "name", ["laser-large", "catapult_walls", "scanner", "monkey", "dogma", "sword-hit", ""]
)
def test_a_short_word_within_another_names_nothing(name):
    assert not names_a_class(name)


def test_every_class_of_esc50_is_named_by_words_of_its_own():
    assert len(WORDS) == 50
    for name, words in WORDS.items():
        assert words, name
        assert all(word == word.lower() and word.isalpha() for word in words), name
        assert all(map(names_a_class, words)), name


@pytest.mark.parametrize(
    ("recording", "kept"),
    [
        (piece("a/0.ogg", tags=("sound/laser.ogg",)), True),
        (piece("a/0.ogg", tags=("sound/dog.ogg",)), False),
        (piece("a/dog.ogg"), False),
        (piece("a/0.ogg", kind="music", category="music", tags=("music/thunder.ogg",)), True),
        (piece("a/0.ogg", kind="speech", category="speech", tags=("en/dog.ogg",)), True),
        (piece("a/0.ogg", kind="music", category="ring_tones", tags=("ringtones/alarm.ogg",)), False),
        (piece("a/0.ogg", kind="music", category="jingles", tags=("jingles/victory.ogg",)), True),
        (piece("colobot-common-sounds/0.wav", tags=("sounds/sound012.wav",)), False),
        (piece("a", source="ambience", category="rain"), False),
        (piece("a", source="ambience", category="busy-street"), True),
        (piece("a", source="ambience", category="jungle"), False),
        (piece("a", source="ambience", category="seagulls"), False),
        (piece("a", source="effects", category="balloon_pop"), False),  # in vain: a loon is a bird
        (piece("a", source="animals", category="lion"), True),
        (piece("1-1-A-0", source="esc50", category="dog"), False),
    ],
)
def test_music_and_speech_are_none_of_the_classes_and_effects_are_judged_by_their_names(recording, kept):
    assert none_of_classes([recording]) == [recording] * kept
