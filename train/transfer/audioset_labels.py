"""AudioSet's labels for the classes of other data sets, by which YAMNet's own scores are measured."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from train.data.recordings import Recording

ESC50_LABELS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "airplane": ("Fixed-wing aircraft, airplane", "Jet engine"),
        "breathing": ("Breathing",),
        "brushing_teeth": ("Toothbrush", "Electric toothbrush"),
        "can_opening": (),
        "car_horn": ("Vehicle horn, car horn, honking", "Toot"),
        "cat": ("Cat", "Meow", "Caterwaul", "Purr"),
        "chainsaw": ("Chainsaw",),
        "chirping_birds": ("Bird vocalization, bird call, bird song", "Chirp, tweet"),
        "church_bells": ("Church bell", "Change ringing (campanology)"),
        "clapping": ("Clapping", "Applause"),
        "clock_alarm": ("Alarm clock",),
        "clock_tick": ("Tick", "Tick-tock", "Clock"),
        "coughing": ("Cough",),
        "cow": ("Cattle, bovinae", "Moo"),
        "crackling_fire": ("Fire", "Crackle"),
        "crickets": ("Cricket",),
        "crow": ("Crow", "Caw"),
        "crying_baby": ("Baby cry, infant cry",),
        "dog": ("Dog", "Bark", "Bow-wow", "Yip"),
        "door_wood_creaks": ("Creak",),
        "door_wood_knock": ("Knock",),
        "drinking_sipping": (),
        "engine": ("Engine", "Idling", "Medium engine (mid frequency)", "Accelerating, revving, vroom"),
        "fireworks": ("Fireworks", "Firecracker"),
        "footsteps": ("Walk, footsteps",),
        "frog": ("Frog", "Croak"),
        "glass_breaking": ("Shatter", "Glass"),
        "hand_saw": ("Sawing",),
        "helicopter": ("Helicopter",),
        "hen": ("Cluck",),
        "insects": ("Fly, housefly", "Bee, wasp, etc.", "Buzz", "Mosquito"),
        "keyboard_typing": ("Typing", "Computer keyboard"),
        "laughing": ("Laughter", "Baby laughter", "Belly laugh", "Chuckle, chortle", "Giggle", "Snicker"),
        "mouse_click": ("Clicking",),
        "pig": ("Pig", "Oink"),
        "pouring_water": ("Pour", "Fill (with liquid)"),
        "rain": ("Rain", "Rain on surface", "Raindrop"),
        "rooster": ("Crowing, cock-a-doodle-doo",),
        "sea_waves": ("Waves, surf", "Ocean"),
        "sheep": ("Sheep", "Bleat"),
        "siren": (
            "Siren",
            "Police car (siren)",
            "Ambulance (siren)",
            "Fire engine, fire truck (siren)",
            "Civil defense siren",
        ),
        "sneezing": ("Sneeze",),
        "snoring": ("Snoring",),
        "thunderstorm": ("Thunderstorm", "Thunder"),
        "toilet_flush": ("Toilet flush",),
        "train": ("Train", "Rail transport", "Railroad car, train wagon"),
        "vacuum_cleaner": ("Vacuum cleaner",),
        "washing_machine": (),
        "water_drops": ("Drip",),
        "wind": ("Wind", "Wind noise (microphone)"),
    }
)
"""Labels of each class of ESC-50, the one that names it first; three classes have none. They were written down by the
meaning of their names before anything was measured."""
KIND_LABELS: Mapping[str, str] = MappingProxyType(
    {"music": "Music", "speech": "Speech", "singing": "Singing"}
)
"""Label of each kind of recording."""
MAY_SOUND: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "Bird vocalization, bird call, bird song": frozenset({"crow", "hen", "rooster", "crickets", "frog"}),
        "Breathing": frozenset({"snoring", "sneezing", "laughing", "crying_baby"}),
        "Church bell": frozenset({"music"}),
        "Clicking": frozenset({"clock_tick", "keyboard_typing"}),
        "Engine": frozenset({"airplane", "car_horn", "chainsaw", "helicopter", "train", "vacuum_cleaner"}),
        "Music": frozenset({"church_bells", "singing"}),
        "Rain": frozenset({"thunderstorm", "water_drops", "toilet_flush", "pouring_water"}),
        "Singing": frozenset({"music"}),
        "Speech": frozenset({"music", "singing", "laughing", "crying_baby"}),
        "Wind": frozenset({"sea_waves", "thunderstorm"}),
    }
)
"""Classes and kinds in which a label may sound or not: they count neither for nor against it."""


def group_of(recording: Recording) -> str:
    """Return the class of a recording of ESC-50, and the kind of any other."""
    return recording.category if recording.source == "esc50" else recording.kind


def naming_labels() -> dict[str, str]:
    """Return the label that names a class of ESC-50 or a kind, by the class or the kind, where there is one."""
    classes = {name: labels[0] for name, labels in ESC50_LABELS.items() if labels}
    return {**classes, **KIND_LABELS}
