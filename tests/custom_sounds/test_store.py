"""The store of taught sounds."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from streamer.custom_sounds.store import SoundStore, as_kept, checked_label
from streamer.errors import ConfigError, StreamError
from tests.custom_sounds.toy_background import RATE_HZ, tone


@pytest.fixture
def store(tmp_path: Path) -> SoundStore:
    return SoundStore(tmp_path / "taught")


def test_recordings_come_back_to_the_bit(store: SoundStore) -> None:
    samples = as_kept(1.2 * tone(300.0, level=1.0))
    assert np.abs(samples).max() <= 1.0
    store.add("kettle", "my kettle (1)", samples, RATE_HZ)
    (recording,) = store.recordings("kettle")
    assert (recording.name, recording.seconds) == ("my-kettle-1", 2.0)
    assert np.array_equal(recording.samples(RATE_HZ), samples)


def test_the_same_sound_is_kept_once(store: SoundStore) -> None:
    samples = as_kept(tone(300.0))
    assert not store.holds("kettle", samples)
    store.add("kettle", "a", samples, RATE_HZ)
    assert store.holds("kettle", samples)
    assert not store.holds("dog", samples)
    assert not store.holds("kettle", as_kept(tone(301.0)))


def test_labels_are_those_with_recordings(store: SoundStore) -> None:
    assert store.labels() == []
    for label in ("dog", "Großmutters Uhr", "dog"):
        store.add(label, "a", as_kept(tone(300.0 + len(store.recordings(label)))), RATE_HZ)
    (store.folder / "empty").mkdir()
    assert store.labels() == ["Großmutters Uhr", "dog"]
    assert [len(found) for _, found in store.all()] == [1, 2]


def test_a_folder_copied_from_another_file_system_may_spell_accents_otherwise(store: SoundStore) -> None:
    store.add("T\u00fcr", "door", np.full(800, 0.5, np.float32), 16_000)
    (store.folder / "T\u00fcr").rename(store.folder / "Tu\u0308r")
    assert [(label, [one.name for one in found]) for label, found in store.all()] == [("T\u00fcr", ["door"])]
    assert store.holds("T\u00fcr", np.full(800, 0.5, np.float32))
    assert store.remove("T\u00fcr") == ["door"]
    assert store.labels() == []


def test_a_label_is_removed_with_its_recordings(store: SoundStore) -> None:
    store.add("dog", "a", as_kept(tone(300.0)), RATE_HZ)
    store.add("cat", "a", as_kept(tone(300.0)), RATE_HZ)
    assert store.remove("dog") == ["a"]
    assert store.labels() == ["cat"]
    with pytest.raises(ConfigError, match=r"no taught sound 'dog'; expected one of cat in"):
        store.remove("dog")
    assert store.remove("cat") == ["a"]
    with pytest.raises(ConfigError, match=r"no taught sound 'cat'; there is none in"):
        store.remove("cat")


def test_nothing_outside_the_folder_is_removed(store: SoundStore, tmp_path: Path) -> None:
    SoundStore(tmp_path).add("precious", "a", as_kept(tone(300.0)), RATE_HZ)
    with pytest.raises(ConfigError, match="no taught sound"):
        store.remove("../precious")
    assert SoundStore(tmp_path).labels() == ["precious"]


@pytest.mark.parametrize(
    "text", ["kettle", " kettle ", "K2", "it's on", "front-door_2", "Türklingel", "x" * 40]
)
def test_labels_that_can_be(text: str) -> None:
    assert checked_label(text) == text.strip()


@pytest.mark.parametrize(
    "text", ["", "  ", "..", "a/b", "../x", "-x", "x-", "_", "a.b", "a\nb", "x" * 41, "a\x00b"]
)
def test_labels_that_cannot_be(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^label is .*; expected 1 to 40 letters, digits, spaces"):
        checked_label(text)


def test_a_damaged_recording_is_named(store: SoundStore) -> None:
    recording = store.add("dog", "a", as_kept(tone(300.0)), RATE_HZ)
    recording.path.write_bytes(b"no sound")
    for read in (lambda: recording.samples(RATE_HZ), lambda: recording.seconds):
        with pytest.raises(
            StreamError, match=r"taught recording .*flac cannot be read .*remove 'dog' and teach"
        ):
            read()


def test_a_recording_of_another_rate_is_refused(store: SoundStore) -> None:
    recording = store.add("dog", "a", as_kept(tone(300.0)), RATE_HZ)
    soundfile.write(recording.path, np.zeros((100, 2)), 8_000, format="FLAC")
    with pytest.raises(
        StreamError, match=r"has 100 samples of 2 channels at 8000 Hz; expected one channel at 16000"
    ):
        recording.samples(RATE_HZ)


def test_a_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StreamError, match=r"cannot be written .*--folder"):
        SoundStore(tmp_path / "file").add("dog", "a", as_kept(tone(300.0)), RATE_HZ)


@pytest.mark.parametrize(
    ("known", "other"), [("kettle", "Kettle"), ("KETTLE", "kettle"), ("T\u00fcr", "T\u00dcR")]
)
def test_labels_that_differ_in_case_alone_are_refused(store: SoundStore, known: str, other: str) -> None:
    store.add(known, "a", as_kept(tone(300.0)), RATE_HZ)
    with pytest.raises(
        ConfigError,
        match=f"label is '{other}' and '{known}' is taught already; expected labels that differ by more",
    ):
        store.add(other, "b", as_kept(tone(310.0)), RATE_HZ)
    assert store.labels() == [known]
    store.add(known, "b", as_kept(tone(310.0)), RATE_HZ)
    assert len(store.recordings(known)) == 2
    store.remove(known)
    store.add(other, "b", as_kept(tone(310.0)), RATE_HZ)
    assert store.labels() == [other]


def test_words_that_differ_by_more_than_case_are_two_labels(store: SoundStore) -> None:
    store.add("Masse", "a", as_kept(tone(300.0)), RATE_HZ)
    store.add("Ma\u00dfe", "a", as_kept(tone(300.0)), RATE_HZ)
    assert store.labels() == ["Masse", "Ma\u00dfe"]


def test_both_of_two_labels_that_came_with_a_copy_can_still_be_taught(store: SoundStore) -> None:
    store.add("kettle", "a", as_kept(tone(300.0)), RATE_HZ)
    twin = store.folder / "Kettle"
    if twin.exists():
        pytest.skip("this file system does not tell capital from small letters")
    shutil.copytree(store.folder / "kettle", twin)
    for label in ("kettle", "Kettle"):
        store.add(label, "b", as_kept(tone(310.0)), RATE_HZ)
    assert [len(found) for _, found in store.all()] == [2, 2]
