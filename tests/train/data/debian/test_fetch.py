import os
import shutil

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from streamer.errors import ConfigError, StreamError
from tests.train.data.debian.toy_packages import (
    MIXED,
    MUSIC,
    build,
    install_apt_get,
    licence,
    make_mixed,
    make_music,
)
from tests.train.toy_data import write
from train.__main__ import main
from train.data.debian import fetch as fetch_module
from train.data.debian.fetch import default_folder, fetch
from train.data.debian.labels import hours, read_labels
from train.data.decode import decode
from train.data.sets import debian

pytestmark = pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="dpkg-deb builds the packages")


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """The archives that apt-get has; both packages, and no others, are known."""
    shelf = tmp_path / "shelf"
    make_music(tmp_path / "tree", shelf)
    make_mixed(tmp_path / "tree", shelf)
    install_apt_get(tmp_path / "bin", shelf)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setattr(fetch_module, "PACKAGES", (MUSIC, MIXED))
    monkeypatch.setattr("train.data.debian.command.PACKAGES", (MUSIC, MIXED))
    return shelf


def asked(shelf):
    """The packages that apt-get was asked for, in their order."""
    return (shelf / "asked").read_text().split() if (shelf / "asked").is_file() else []


def test_packages_become_labelled_pieces_at_16_khz(shelf, tmp_path):
    folder = tmp_path / "debian"
    rows = fetch(folder, (MUSIC, MIXED))
    assert rows == read_labels(folder)
    said = [(r.package, r.source.rpartition("/")[2], r.kind, r.fold, r.first_s, r.seconds) for r in rows]
    assert said == [
        ("toy-music", "copy.wav", "music", 2, 0.0, 23.333),
        ("toy-music", "copy.wav", "music", 2, 23.333, 23.333),
        ("toy-music", "copy.wav", "music", 2, 46.667, 23.333),
        ("toy-mixed", "escaped.wav", "sound", 4, 0.0, 0.5),
        ("toy-mixed", "effect.flac", "sound", 4, 0.0, 1.0),
    ]
    for row in rows:
        info = soundfile.info(folder / row.file)
        assert (info.samplerate, info.channels, info.subtype) == (16_000, 1, "VORBIS")
        assert info.duration == pytest.approx(row.seconds, abs=1e-3)
    assert hours(rows) == pytest.approx(
        {"music": 70 / 3600, "speech": 0, "sound": 1.5 / 3600, "singing": 0}, abs=1e-6
    )
    assert sorted(path.name for path in folder.iterdir()) == [
        "archives",
        "labels.csv",
        "toy-mixed",
        "toy-music",
    ]
    assert not list((folder / "archives").iterdir())
    assert not list(tmp_path.rglob("escaped.wav"))  # a name in an archive leads nowhere
    assert (folder / "toy-music" / "copyright").read_text() == "CC0\n"


def test_a_file_within_an_archive_within_a_package_is_labelled_by_its_whole_path(shelf, tmp_path):
    tree = tmp_path / "more"
    licence(tree, "toy-mixed")
    shutil.copy(tmp_path / "tree" / "toy-mixed" / "usr" / "share" / "base" / "0snd.pk3", tree)
    shutil.move(tree / "0snd.pk3", tree / "toy-mixed" / "usr")
    write(tree / "toy-mixed" / "usr" / "voices" / "word.wav", seconds=0.3)
    build(tree, "toy-mixed", shelf)
    rows = fetch(tmp_path / "debian", (MIXED,))
    assert [(r.source, r.kind) for r in rows] == [
        ("usr/0snd.pk3/../../escaped.wav", "sound"),
        ("usr/voices/word.wav", "speech"),
    ]


def test_pieces_of_a_file_add_up_to_it(shelf, tmp_path):
    folder = tmp_path / "debian"
    fetch(folder, (MUSIC,))
    found = debian.recordings(tmp_path)
    assert {(r.source, r.kind, r.category, r.fold) for r in found} == {("debian", "music", "music", 2)}
    sound = np.concatenate([decode(r) for r in found]) / 32_768
    t = np.arange(70 * 16_000) / 16_000
    assert len(sound) == len(t)
    error = sound - 0.3 * np.sin(2 * np.pi * 440 * t)
    assert np.sqrt(np.mean(error**2)) < 0.02  # some -24 dB of Vorbis


def test_what_is_left_out_is_counted_and_named_with_its_reason(shelf, tmp_path, caplog):
    caplog.set_level("INFO", "train")
    fetch(tmp_path / "debian", (MUSIC, MIXED))
    music = (tmp_path / "debian" / "toy-music" / "skipped.csv").read_text()
    assert "long.wav,it is the same file as usr/share/games/copy.wav" in music
    assert "broken.ogg,it cannot be read" in music
    assert "link.wav" not in music
    mixed = (tmp_path / "debian" / "toy-mixed" / "skipped.csv").read_text()
    assert "click.wav,it lasts 0.05 s; toy-mixed should have at least 0.1 s" in mixed
    assert "toy-music: 3 pieces, 0.02 h; skipped 2 files" in caplog.text


def test_a_long_silence_in_a_file_is_left_out(shelf, tmp_path):
    licence(tmp_path / "quiet", "toy-music")
    path = tmp_path / "quiet" / "toy-music" / "usr" / "quiet.wav"
    soundfile.write(path, np.r_[np.full(320_000, 0.1), np.zeros(640_000)], 16_000)
    build(tmp_path / "quiet", "toy-music", shelf)
    (row,) = fetch(tmp_path / "debian", (MUSIC,))
    assert (row.first_s, row.seconds) == (0.0, 30.0)
    skipped = (tmp_path / "debian" / "toy-music" / "skipped.csv").read_text()
    assert '"it is silent from 30.0 s on, for 30.0 s"' in skipped


def test_a_second_fetch_downloads_only_what_is_missing_and_labels_anew(shelf, tmp_path, monkeypatch):
    folder = tmp_path / "debian"
    fetch(folder, (MUSIC,))
    (folder / "toy-mixed.partial").mkdir()  # of a fetch that was killed
    (folder / "toy-mixed.partial" / "00000-000.ogg").touch()
    rows = fetch(folder, (MUSIC, MIXED))
    assert asked(shelf) == ["toy-music", "toy-mixed"]
    assert {row.package for row in rows} == {"toy-music", "toy-mixed"}
    assert not (folder / "toy-mixed.partial").exists()
    other = MUSIC.__class__("toy-music", 5, 1, MIXED.labels)
    monkeypatch.setattr(fetch_module, "PACKAGES", (other,))
    monkeypatch.setenv("PATH", "")  # nothing is missing, so no program is needed
    assert {(row.kind, row.fold) for row in fetch(folder, (other,))} == {("sound", 5)}


def test_one_package_that_is_gone_keeps_no_other_from_being_fetched(shelf, tmp_path, caplog):
    (shelf / "toy-music_1.0-1_all.deb").unlink()
    with pytest.raises(
        StreamError, match=r"1 of 2 packages are missing, toy-music, .* run the same command again"
    ):
        fetch(tmp_path / "debian", (MUSIC, MIXED))
    assert "Unable to locate package toy-music; expected it in the lists of Debian 12" in caplog.text
    assert "run `apt-get update`" in caplog.text
    assert {row.package for row in read_labels(tmp_path / "debian")} == {"toy-mixed"}


def test_a_mirror_that_fails_midway_leaves_nothing_half(shelf, tmp_path, caplog):
    (shelf / "toy-music").write_text("Failed to fetch http://x/toy-music.deb  Connection failed")
    with pytest.raises(StreamError, match="toy-music"):
        fetch(tmp_path / "debian", (MUSIC,))
    assert "Connection failed; expected a whole archive: fetch again" in caplog.text
    assert not list((tmp_path / "debian" / "archives").iterdir())
    (shelf / "toy-music").unlink()
    assert len(fetch(tmp_path / "debian", (MUSIC,))) == 3


@pytest.mark.parametrize("left", [0, 50, 4_000, 600_000])
def test_a_damaged_archive_is_removed_and_fetched_anew(shelf, tmp_path, caplog, left):
    archive = shelf / "toy-music_1.0-1_all.deb"
    whole = archive.read_bytes()
    archive.write_bytes(whole[:left])
    with pytest.raises(StreamError, match="toy-music"):
        fetch(tmp_path / "debian", (MUSIC,))
    assert "toy-music_1.0-1_all.deb is damaged: " in caplog.text
    assert "expected a whole archive: it was removed, fetch again" in caplog.text
    archive.write_bytes(whole)
    assert len(fetch(tmp_path / "debian", (MUSIC,))) == 3


def test_a_package_without_sound_or_licence_is_refused(shelf, tmp_path, caplog):
    licence(tmp_path / "a", "toy-music")
    build(tmp_path / "a", "toy-music", shelf)
    with pytest.raises(StreamError):
        fetch(tmp_path / "debian", (MUSIC,))
    assert "toy-music_1.0-1_all.deb holds no sound file" in caplog.text
    shutil.rmtree(tmp_path / "debian")
    write(tmp_path / "b" / "toy-music" / "usr" / "a.wav")
    build(tmp_path / "b", "toy-music", shelf)
    with pytest.raises(StreamError):
        fetch(tmp_path / "debian", (MUSIC,))
    assert "toy-music_1.0-1_all.deb holds no copyright file" in caplog.text


def test_without_apt_get_it_says_where_to_go(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="apt-get is not installed; expected Debian or a system made from"):
        fetch(tmp_path / "debian", (MUSIC,))


def test_a_full_disk_is_said_before_the_download(shelf, tmp_path, monkeypatch, caplog):
    usage = shutil.disk_usage(tmp_path)._replace(free=2_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(StreamError):
        fetch(tmp_path / "debian", (MUSIC,))
    assert "has 2 MB free; toy-music needs 3 MB: make room, or choose a folder on another disk" in caplog.text
    assert not asked(shelf)


def test_the_command_fetches_into_the_users_cache_and_tells_the_hours(shelf, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    run = CliRunner().invoke
    small = run(main, ["fetch", "debian", "--small"], catch_exceptions=False)
    assert small.exit_code == 0, small.output
    assert asked(shelf) == ["toy-music"]
    assert f"{default_folder()}: 3 pieces; music 0.0 h" in small.output
    assert default_folder().is_relative_to(tmp_path)
    run(main, ["fetch", "debian"], catch_exceptions=False)
    assert asked(shelf) == ["toy-music", "toy-mixed"]
    assert len(debian.recordings(tmp_path / "nowhere")) == 5
    elsewhere = run(main, ["fetch", "debian", "--into", str(tmp_path / "here")], catch_exceptions=False)
    assert elsewhere.exit_code == 0, elsewhere.output
    assert (tmp_path / "here" / "labels.csv").is_file()


def test_a_table_that_cannot_be_used_is_refused(tmp_path):
    folder = tmp_path / "debian"
    folder.mkdir()
    with pytest.raises(ConfigError, match=r"labels.csv is not there; run `python -m train fetch debian`"):
        debian.recordings(tmp_path)
    (folder / "labels.csv").write_text(
        "file,package,source,kind,category,fold,first_s,seconds\na,b,c,noise,d,1,0,1\n"
    )
    with pytest.raises(ConfigError, match=r"line 2, cannot be used: kind 'noise' and fold 1; expected"):
        debian.recordings(tmp_path)
    (folder / "labels.csv").write_text("file,package\na,b\n")
    with pytest.raises(ConfigError, match=r"line 2, cannot be used: 'fold'; expected the columns"):
        debian.recordings(tmp_path)
