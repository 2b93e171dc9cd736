"""The configuration file: its keys, and values that are refused in one line that names the key."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from streamer.config import Config, StreamConfig
from streamer.config_file import read_config
from streamer.config_sections import EngineConfig, ModelsConfig, PcmConfig, PublishConfig, StemsConfig
from streamer.errors import ConfigError
from streamer.head_slots import HEAD_SLOTS, DecisionConfig, LabelThresholds


def read(tmp_path: Path, content: str) -> Config:
    path = tmp_path / "streamer.toml"
    path.write_text(content, encoding="utf-8")
    return read_config(path)


def test_an_empty_file_is_the_default(tmp_path: Path) -> None:
    assert read(tmp_path, "") == Config()


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_byte_order_mark_is_no_part_of_the_file(tmp_path: Path, ends: str) -> None:
    path = tmp_path / "streamer.toml"
    path.write_bytes(f"[gate]{ends}on = 0.9 # über{ends}".encode("utf-8-sig"))
    assert read_config(path).decisions["gate"] == DecisionConfig(on=0.9)


@pytest.mark.parametrize(
    ("encoding", "match"),
    [
        ("utf-16", "is in UTF-16; expected UTF-8: choose that where your editor saves it"),
        ("utf-16-le", "is in UTF-16, or no text at all; expected UTF-8"),
        ("utf-32", "is in UTF-32; expected UTF-8"),
        ("latin-1", "has the byte 0xfc in line 2, which is no UTF-8; expected UTF-8"),
    ],
)
def test_another_encoding_is_named(tmp_path: Path, encoding: str, match: str) -> None:
    path = tmp_path / "streamer.toml"
    path.write_bytes("[gate]\non = 0.9 # über".encode(encoding))
    with pytest.raises(ConfigError, match=rf"streamer\.toml {match}"):
        read_config(path)


def test_what_is_set_is_taken(tmp_path: Path) -> None:
    config = read(
        tmp_path,
        "[[stream]]\ndevice = 'usb'\nname = 'Küche_1.a-b'\nrate_hz = 48000\nchannels = 1\n"
        "[[stream]]\ndevice = '-'\n[gate]\non = 1\n",
    )
    first, second = config.stream
    assert (first.device, first.name, first.rate_hz, first.channels) == ("usb", "Küche_1.a-b", 48_000, 1)
    assert (second.device, second.name, second.rate_hz, second.channels) == ("-", "", 0, 0)
    assert config.decisions["gate"] == DecisionConfig(on=1.0)


def test_a_section_changes_only_what_it_says(tmp_path: Path) -> None:
    config = read(tmp_path, "[sounds]\non = 0.4\n[genre]\nmin_off_ms = 9\n[models]\ngenre = 'off'\n")
    assert config.decisions["sounds"] == replace(Config().decisions["sounds"], on=0.4)
    assert config.decisions["genre"] == replace(Config().decisions["genre"], min_off_ms=9.0)
    assert config.decisions["sounds"].min_on_ms < Config().decisions["gate"].min_on_ms  # a knock is short
    assert config.models == ModelsConfig({"genre": "off"})


def test_a_stream_has_its_own_where_it_says_so(tmp_path: Path) -> None:
    config = read(
        tmp_path,
        """
        [[stream]]
        name = "hall"
        models.genre = "off"
        gate.on = 0.9
        [[stream]]
        name = "yard"
        [gate]
        on = 0.8
        off = 0.3
        [models]
        prefer = "precision"
        """,
    )
    hall, yard = config.stream
    assert config.of(hall).models == ModelsConfig({"genre": "off"}, "precision")
    assert config.of(hall).decisions["gate"] == DecisionConfig(on=0.9, off=0.3)
    assert config.of(hall).decisions["sounds"] == config.decisions["sounds"]
    assert config.of(yard) == config
    assert config.of(StreamConfig("mic")) == config


def test_labels_and_their_thresholds_are_read_and_a_stream_adds_its_own(tmp_path: Path) -> None:
    config = read(
        tmp_path,
        """
        [sounds]
        labels = ["Dog", "/m/09x0r"]
        thresholds = { Dog = { on = 0.4, off = 0.2 }, "Vehicle horn, car horn, honking" = { on = 0.3 } }
        [[stream]]
        sounds.labels = ["Dog"]
        sounds.thresholds.Dog.on = 0.6
        """,
    )
    shared = config.decisions["sounds"]
    assert shared.labels == ("Dog", "/m/09x0r")
    horn = LabelThresholds(0.3)
    assert shared.thresholds == {"Dog": LabelThresholds(0.4, 0.2), "Vehicle horn, car horn, honking": horn}
    own = config.of(config.stream[0]).decisions["sounds"]
    assert own.labels == ("Dog",)
    assert own.thresholds == {"Dog": LabelThresholds(0.6, 0.2), "Vehicle horn, car horn, honking": horn}
    assert own.min_on_ms == shared.min_on_ms == 80


@pytest.mark.parametrize(
    ("content", "turn_s"),
    [("", 0.1), ("[stems]\nto = 'd'", 0.01), ("[stems]\npublish = true\n[engine]\nturn_ms = 25", 0.025)],
)
def test_stems_that_are_wanted_are_heard_in_shorter_turns(
    tmp_path: Path, content: str, turn_s: float
) -> None:
    assert read(tmp_path, content).turn_s == turn_s


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (
            "[models]\nprefer = 'best'",
            r"\[models\]: prefer is 'best'; expected one of balanced, precision, recall",
        ),
        (
            "[[stream]]\ngate.onn = 1",
            r"unknown key 'stream\[1\]\.gate\.onn'; did you mean 'stream\[1\]\.gate\.on'",
        ),
        (
            "[[stream]]\nmodels = 'yamnet'",
            r"stream\[1\]\.models is 'yamnet'; expected a table, \[stream\.models\]",
        ),
        (
            "[[stream]]\nmodels.prefer = 'best'",
            r"\[stream\[1\]\.models\]: prefer is 'best'; expected one of balanced",
        ),
        ("[models]\npre_roll_s = 61", r"\[models\]: pre_roll_s is 61\.0; expected 0 to 60 seconds"),
        ("[models]\nsound = 'x'", r"unknown key 'models\.sound'; did you mean 'models\.sounds'"),
        ("[publish]\nscores_hz = nan", r"publish\.scores_hz is nan; expected a finite number"),
        ("[publish]\nheartbeat_s = 0", r"\[publish\]: heartbeat_s is 0\.0; expected seconds above 0"),
        ("[publish]\ntop = 0", r"\[publish\]: top is 0; expected 1 or more labels"),
        ("[publish]\nheartbeat_s = inf", r"publish\.heartbeat_s is inf; expected a finite number"),
        ("[gate]\nmin_on_ms = -inf", r"gate\.min_on_ms is -inf; expected a finite number"),
        ("[gate]\nwarm_up_ms = nan", r"gate\.warm_up_ms is nan; expected a finite number"),
        ("[engine]\nring_s = inf", r"engine\.ring_s is inf; expected a finite number"),
        ("[engine]\nturn_ms = 0", r"\[engine\]: turn_ms is 0\.0; expected 1 to 100, or none of the key"),
        ("stream = []", r"stream is empty; expected at least one \[\[stream\]\]"),
        ("[[stream]]\nname = 'a/b'", r"\[stream\[1\]\]: stream name is 'a/b'; expected letters, digits"),
        ("[[stream]]\nname = 'a b'", r"\[stream\[1\]\]: stream name is 'a b'; expected letters, digits"),
        ('[[stream]]\nname = "a\\n"', r"\[stream\[1\]\]: stream name is 'a\\n'; expected letters, digits"),
        (
            "[[stream]]\nrate_hz = -1",
            r"\[stream\[1\]\]: stream rate_hz is -1 and channels is 0; expected 1 or more, or 0 for",
        ),
        (
            "[[stream]]\nchannels = -2",
            r"\[stream\[1\]\]: stream rate_hz is 0 and channels is -2; expected 1 or more",
        ),
        (
            "[[stream]]\n[[stream]]\nrate_hz = 44100.0",
            r"stream\[2\]\.rate_hz is 44100\.0; expected a whole number",
        ),
        (f"[gate]\nupdate_ms = 1{'0' * 400}", r"gate\.update_ms is 10+; expected a finite number"),
        ("[publish]\nspectrum = 1", r"publish\.spectrum is 1; expected true or false"),
        ("[gate]\non = true", r"gate\.on is true; expected a number"),
        ("[gate]\non = 2026-05-04", r"gate\.on is 2026-05-04; expected a number"),
        (
            "[gate]\non = 1.5",
            r"\[gate\]: thresholds are on = 1\.5, off not set; expected 0 <= off <= on <= 1",
        ),
        ("[sounds]\nlabels = 'Dog'", r"sounds\.labels is 'Dog'; expected a list as \['Dog'\]"),
        ("[sounds]\nlabels = [1]", r"sounds\.labels\[1\] is 1; expected text"),
        (
            "[sounds]\nthresholds = 0.5",
            r"sounds\.thresholds is 0\.5; expected a table, as sounds\.thresholds = \{",
        ),
        ("[sounds]\nthresholds.Dog = 0.5", r"sounds\.thresholds\.Dog is 0\.5; expected a table"),
        (
            "[sounds]\nthresholds.Dog.onn = 0.5",
            r"unknown key 'sounds\.thresholds\.Dog\.onn'; did you mean 'sounds\.thresholds\.Dog\.on'",
        ),
        (
            "[sounds]\nthresholds.Dog = { on = 0.2, off = 0.3 }",
            r"\[sounds\.thresholds\.Dog\]: thresholds are on = 0\.2, off = 0\.3; expected 0 <= off <= on <= 1",
        ),
        ("[[stream]]\ndevice = '-'\n" * 2, r"2 streams have the device '-'; expected at most one"),
    ],
)
def test_what_cannot_be_used_is_refused(tmp_path: Path, content: str, match: str) -> None:
    with pytest.raises(ConfigError, match=rf"streamer\.toml: {match}") as refusal:
        read(tmp_path, content)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("kind", "values", "match"),
    [
        (
            Config,
            {"stream": StreamConfig()},
            r"stream is StreamConfig\(.*\); expected a tuple of StreamConfig",
        ),
        (Config, {"stream": ("mic",)}, r"stream\[1\] is 'mic'; expected StreamConfig"),
        (Config, {"models": "off"}, "models is 'off'; expected ModelsConfig"),
        (Config, {"decisions": None}, "decisions is None; expected a mapping of names to settings"),
        (Config, {"decisions": {"gate": 0.5}}, r"decisions\['gate'\] is 0.5; expected DecisionConfig"),
        (ModelsConfig, {"names": {"gate": 3}}, r"names\['gate'\] is 3; expected text or None"),
        (StreamConfig, {"device": 3}, "device is 3; expected text"),
        (DecisionConfig, {"on": "0.5"}, "on is '0.5'; expected a number or None"),
        (DecisionConfig, {"min_on_ms": float("nan")}, "min_on_ms is nan; expected a finite number"),
        (PublishConfig, {"top": 1.5}, "top is 1.5; expected a whole number"),
        (PublishConfig, {"spectrum": "yes"}, "spectrum is 'yes'; expected true or false"),
        (EngineConfig, {"threads": True}, "threads is True; expected a whole number"),
        (StemsConfig, {"to": 3}, "to is 3; expected text"),
        (PcmConfig, {"rate_hz": "16000"}, "rate_hz is '16000'; expected a whole number"),
    ],
)
def test_a_value_of_another_type_is_refused_from_python_too(
    kind: type, values: dict[str, Any], match: str
) -> None:
    with pytest.raises(ConfigError, match=match):
        kind(**values)


def test_numbers_of_other_libraries_are_numbers() -> None:
    assert DecisionConfig(on=np.float32(0.5), min_on_ms=100, update_ms=np.int64(5)).on == 0.5


def test_two_standard_inputs_are_refused_from_the_command_line_too() -> None:
    with pytest.raises(ConfigError, match="there is one standard input"):
        Config(stream=(StreamConfig("-", "a"), StreamConfig("-", "b")))


def test_every_head_slot_has_its_keys_in_the_file(tmp_path: Path) -> None:
    for slot in HEAD_SLOTS:
        content = (
            f"[models]\n{slot.name} = 'x'\n[{slot.section}]\non = 0.9\n[[stream]]\n{slot.section}.off = 0.2\n"
        )
        config = read(tmp_path, content)
        assert config.models.names == {**ModelsConfig().names, slot.name: "x"}
        assert config.decisions == {**Config().decisions, slot.section: replace(slot.decisions, on=0.9)}
        own = config.of(config.stream[0]).decisions[slot.section]
        assert own == replace(slot.decisions, on=0.9, off=0.2)


def test_settings_of_a_head_that_is_in_no_slot_are_refused() -> None:
    with pytest.raises(ConfigError, match="models has the key 'sound'; expected gate, sounds, genre"):
        ModelsConfig({"sound": "off"})
    for kind in (Config, StreamConfig):
        with pytest.raises(
            ConfigError, match="has the key 'sound'; expected gate, sounds, genre, taught, voice"
        ):
            kind(decisions={"sound": DecisionConfig()})
