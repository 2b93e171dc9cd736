"""Tell which recordings hold none of ESC-50's classes, by their names, so that a model can learn to name none there.

The rule: music, speech and singing hold none of the classes. An effect holds none if neither its category nor its name
has a word of `WORDS`, and if its names can be read at all (`UNREADABLE`). Sound that is neither clearly music nor
clearly not (`AMBIGUOUS`), such as bells and ring tones, is judged like an effect. What the rule leaves out in vain
costs little; a dog that is learnt as none of the classes costs more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from train.data.recordings import Recording
from train.data.sets.all_sound import AMBIGUOUS

BIRDS = (
    *("duck", "goose", "gull", "loon", "owl", "parrot"),
    *("penguin", "pigeon", "quail", "swan", "toucan", "woodpecker"),
)
WORDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "airplane": ("plane", "jet", "airport", "airship", "flyby", "propeller"),
        "breathing": ("breath", "pant"),
        "brushing_teeth": ("brush", "teeth", "tooth"),
        "can_opening": ("can", "cans"),
        "car_horn": ("horn", "honk"),
        "cat": ("cat", "cats", "kitten", "meow", "purr"),
        "chainsaw": ("saw", "chainsaw", "drill"),
        "chirping_birds": (
            *BIRDS,
            "bird",
            "birds",
            "birdy",
            "chirp",
            "tweet",
            "forest",
            "jungle",
            "day",
            "desertday",
        ),
        "church_bells": ("bell", "bells", "gong"),
        "clapping": ("clap", "applause", "cheer"),
        "clock_alarm": ("alarm", "beep", "ring", "ringing", "phone", "ringtone"),
        "clock_tick": ("tick", "tock", "tiktak", "clock", "watch", "countdown"),
        "coughing": ("cough", "vomit"),
        "cow": ("cow", "cows", "moo", "bull", "ox", "yak", "cattle", "moose"),
        "crackling_fire": ("fire", "flame", "burn", "crackl", "furnace", "torch", "ignite", "lava"),
        "crickets": ("cricket", "cicada", "grasshopper", "night", "jungle"),
        "crow": ("crow", "crows", "raven"),
        "crying_baby": ("baby", "cry", "crying", "weep", "sob"),
        "dog": ("dog", "dogs", "puppy", "bark", "howl", "wolf", "coyote"),
        "door_wood_creaks": ("door", "creak", "squeak", "hinge"),
        "door_wood_knock": ("knock",),
        "drinking_sipping": ("drink", "gulp", "sip", "slurp"),
        "engine": ("engine", "motor", "diesel", "machine", "generator", "idle", "car", "truck", "vehicle"),
        "fireworks": ("firework", "firecracker", "rocket", "explo", "grenade"),
        "footsteps": ("step", "steps", "footstep", "walk", "run", "gravel"),
        "frog": ("frog", "toad", "croak"),
        "glass_breaking": ("glass", "shatter", "shard"),
        "hand_saw": ("saw", "sawing", "sawmill", "benchsaw", "toolsmith"),
        "helicopter": ("helicopter", "copter", "rotor"),
        "hen": ("hen", "hens", "chicken", "cluck", "turkey"),
        "insects": ("insect", "bee", "bees", "beehive", "fly", "wasp", "mosquito", "buzz", "jungle"),
        "keyboard_typing": ("key", "keys", "keyboard", "typing", "typewriter", "office"),
        "laughing": ("laugh", "giggle", "chuckle", "tavern", "hyena"),
        "mouse_click": ("click", "mouse"),
        "pig": ("pig", "pigs", "hog", "boar", "sow"),
        "pouring_water": ("pour", "water", "bubble", "bubbles", "splash", "liquid", "river", "boat"),
        "rain": ("rain",),
        "rooster": ("rooster", "cock"),
        "sea_waves": ("sea", "wave", "waves", "ocean", "surf", "beach"),
        "sheep": ("sheep", "lamb", "goat", "farm"),
        "siren": ("siren", "redalert"),
        "sneezing": ("sneez",),
        "snoring": ("snor",),
        "thunderstorm": ("thunder", "storm", "lightning"),
        "toilet_flush": ("toilet", "flush"),
        "train": ("train", "locomotive", "railway", "subway"),
        "vacuum_cleaner": ("vacuum", "hoover", "ventilation"),
        "washing_machine": ("washing", "laundry"),
        "water_drops": ("drip", "droplet"),
        "wind": ("wind", "breeze", "gust", "steam", "sail"),
    }
)
"""Words in the names of sounds that belong to a class, or are easily taken for it, by the class."""
LONG = 4
"""Length from which on a word is also found within another, as in ``breakglass01``; shorter ones stand alone."""
UNREADABLE = ("colobot-common-sounds", "fillets-ng-data")
"""Packages of Debian whose effects are numbered or named by abbreviations in Czech."""


def names_a_class(name: str) -> bool:
    """Return whether a name has a word of `WORDS`, such as ``breakglass01`` or ``data/farm/cow_die2.ogg``.

    Parameters
    ----------
    name : str
        Name or path of a sound; capitals, digits and all signs but letters separate words.
    """
    parts = re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)
    found, text = {part.lower() for part in parts}, name.lower()
    words = (word for words in WORDS.values() for word in words)
    return any(word in found or (len(word) >= LONG and word in text) for word in words)


def none_of_classes(recordings: Iterable[Recording]) -> list[Recording]:
    """Return the recordings that hold none of ESC-50's classes, by the rule at the head of this module."""
    return [recording for recording in recordings if _is_none(recording)]


def _is_none(recording: Recording) -> bool:
    if recording.source == "esc50":
        return False
    pairs = {(recording.source, recording.category), (recording.source, recording.name)}
    if recording.kind != "sound" and not AMBIGUOUS & pairs:
        return True
    if recording.name.startswith(UNREADABLE):
        return False
    return not any(map(names_a_class, (recording.category, recording.name, *recording.tags)))
