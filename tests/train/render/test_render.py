import gzip
import os
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from streamer.errors import ConfigError, StreamError
from tests.train.data.debian.toy_packages import build, install_apt_get, licence
from tests.train.render.toy_scores import LONG, SHORT, TWO_NOTES, UNNAMED, midi
from train.__main__ import main
from train.data.decode import ClipError, read_mono
from train.data.rendered import INDEX, read_index
from train.data.sets import rendered
from train.render import pieces
from train.render.arrange import OWN
from train.render.packages import SCORES, SOUNDFONTS, ScorePackage, Soundfont
from train.render.score import TAIL_S, read_score, with_programmes
from train.render.sources import fetch_sources, local_patches, placed_scores
from train.render.synthesis import check_synthesisers, synthesise

TIM = Path("/usr/share/sounds/sf2/TimGM6mb.sf2")
FONT = Soundfont("toy-font", 2, 6, "GPL-2", small=True)
TOY_SCORES = ScorePackage("toy-scores", 2, 1, "CC0", small=True)
HOURS = 0.005
ROOT = "usr/share/games/toy"

pytestmark = pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="dpkg-deb builds the packages")


@pytest.fixture(scope="session")
def tim() -> Path:
    """A real soundfont, and FluidSynth to play it."""
    if TIM.is_file() and shutil.which("fluidsynth"):
        return TIM
    reason = "to render music, type: apt-get install --no-install-recommends fluidsynth timgm6mb-soundfont"
    if os.environ.get("STREAMER_REQUIRE_DATA") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """The archives that apt-get has: scores, and a soundfont that does not play."""
    tree, shelf = tmp_path / "tree", tmp_path / "shelf"
    licence(tree, "toy-scores")
    place = tree / "toy-scores" / ROOT
    place.mkdir(parents=True)
    (place / "01-long.mid").write_bytes(LONG)
    (place / "02-short.mid.gz").write_bytes(gzip.compress(SHORT))
    (place / "03-copy.mid").write_bytes(SHORT)
    (place / "04-unnamed.mid").write_bytes(UNNAMED)
    (place / "05-broken.mid").write_bytes(LONG[:50])
    (place / "06-broken.mid.gz").write_bytes(gzip.compress(SHORT)[:20])
    build(tree, "toy-scores", shelf)
    licence(tree, "toy-font")
    font = tree / "toy-font" / "usr/share/sounds/sf2/toy.sf2"
    font.parent.mkdir(parents=True)
    font.write_bytes(b"no soundfont")
    build(tree, "toy-font", shelf)
    install_apt_get(tmp_path / "bin", shelf)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setattr("train.render.command.SOUNDFONTS", (FONT,))
    monkeypatch.setattr("train.render.command.SCORES", (TOY_SCORES,))
    monkeypatch.setattr(pieces, "BATCH", 3)
    return shelf


@pytest.fixture
def playing(shelf, tim, tmp_path):
    """The same, with a soundfont that plays."""
    tree = tmp_path / "playing"
    licence(tree, "toy-font")
    font = tree / "toy-font" / "usr/share/sounds/sf2/toy.sf2"
    font.parent.mkdir(parents=True)
    shutil.copy(tim, font)
    build(tree, "toy-font", shelf)
    return shelf


def render(folder, hours=HOURS, *options):
    return CliRunner().invoke(main, ["render", "--hours", str(hours), "--into", str(folder), *options])


def sounds(folder):
    """Sound of every piece; the files themselves have random serial numbers."""
    return {path.name: read_mono(path).tobytes() for path in folder.glob("pieces/*/*.ogg")}


def test_scores_become_labelled_pieces_at_16_khz(playing, tmp_path):
    folder = tmp_path / "data" / "rendered"
    done = render(folder)
    assert done.exit_code == 0, done.output
    rows = read_index(folder / INDEX)
    assert sum(row.seconds for row in rows) >= HOURS * 3600
    drawn = pieces.BATCH * len(list(folder.glob("pieces/1-*")))
    assert f"{len(rows)} pieces; " in done.output
    assert f"; skipped {drawn - len(rows)} pieces and 4 of 6 scores" in done.output
    for row in rows:
        info = soundfile.info(folder / row.file)
        assert (info.samplerate, info.channels, info.subtype) == (16_000, 1, "VORBIS")
        assert info.duration == pytest.approx(row.seconds, abs=1e-3)
        assert np.abs(read_mono(folder / row.file)).max() == pytest.approx(pieces.PEAK, abs=0.1)
        assert (row.fold, row.soundfont, row.soundfont_licence) == (2, "toy-font", "GPL-2")
        assert row.score.startswith((f"{OWN}/", f"toy-scores/{ROOT}/"))
        assert row.room in ("dry", "room")
        assert row.family if row.arrangement in ("solo", "drums") else not row.family
    found = rendered.recordings(tmp_path / "data")
    assert [(r.source, r.kind, r.fold) for r in found] == [("rendered", "music", 2)] * len(rows)
    assert [r.category for r in found] == [row.category for row in rows]
    assert [r.tags for r in found] == [("solo",) if row.arrangement == "solo" else () for row in rows]


def test_an_interrupted_run_goes_on_and_gives_what_one_run_gives(playing, tmp_path):
    parts, whole = tmp_path / "parts", tmp_path / "whole"
    assert render(parts, 0.001).exit_code == 0
    first = sounds(parts)
    killed = parts / "pieces" / "partial-1-00001"
    killed.mkdir()
    (killed / "000003.ogg").write_bytes(b"half a piece")
    asked = (playing / "asked").read_text()
    assert render(parts, 0.02).exit_code == 0
    assert (playing / "asked").read_text() == asked
    assert len(sounds(parts)) > len(first)
    assert not list(parts.glob("pieces/partial-*"))
    assert render(whole, 0.02).exit_code == 0
    assert sounds(whole) == sounds(parts)
    assert read_index(whole / INDEX) == read_index(parts / INDEX)


def test_another_seed_adds_other_pieces(playing, tmp_path):
    assert render(tmp_path / "out", 0.001).exit_code == 0
    first = sounds(tmp_path / "out")
    held = sum(row.seconds for row in read_index(tmp_path / "out" / INDEX)) / 3600
    assert render(tmp_path / "out", held + 0.001, "--seed", "2").exit_code == 0
    rows = read_index(tmp_path / "out" / INDEX)
    assert {row.seed for row in rows} == {1, 2}
    assert len({row.file for row in rows}) == len(rows) > len(first)


def test_useless_scores_are_named_with_the_reason(shelf, tmp_path):
    fetch_sources(tmp_path / "out", (FONT,), (TOY_SCORES,))
    placed, dropped = placed_scores(tmp_path / "out", (TOY_SCORES,))
    assert [(s.name, s.fold, s.licence) for s in placed] == [
        (f"toy-scores/{ROOT}/01-long.mid", 2, "CC0"),
        (f"toy-scores/{ROOT}/02-short.mid.gz", 2, "CC0"),
    ]
    reasons = {Path(row.source).name: row.reason for row in dropped}
    assert sorted(reasons) == ["03-copy.mid", "04-unnamed.mid", "05-broken.mid", "06-broken.mid.gz"]
    assert reasons["03-copy.mid"] == f"it has the same notes as toy-scores/{ROOT}/02-short.mid.gz"
    assert "names no instrument" in reasons["04-unnamed.mid"]
    assert "no MIDI file that can be read" in reasons["05-broken.mid"]
    assert "it is damaged" in reasons["06-broken.mid.gz"]


def test_a_score_keeps_its_fold_whatever_its_number_and_folder(tmp_path, shelf):
    free = ScorePackage("toy-scores", 0, 1, "CC0")
    fetch_sources(tmp_path / "out", (), (free,))
    table = tmp_path / "out" / "scores" / "toy-scores" / "scores.csv"
    before = {s.name: s.fold for s in placed_scores(tmp_path / "out", (free,))[0]}
    table.write_text(table.read_text().replace("01-long", "elsewhere/77_Long"))
    after = {s.name: s.fold for s in placed_scores(tmp_path / "out", (free,))[0]}
    assert [*before.values()] == [*after.values()]


def test_the_lumps_of_a_doom_archive_are_scores(tmp_path, shelf):
    tree = tmp_path / "doom"
    licence(tree, "toy-doom")
    directory = struct.pack("<ii8s", 12, len(LONG), b"D_E1M1") + struct.pack("<ii8s", 12, 4, b"THINGS")
    wad = struct.pack("<4sii", b"IWAD", 2, 12 + len(LONG)) + LONG + directory
    (tree / "toy-doom" / "usr" / "toy.wad").write_bytes(wad)
    build(tree, "toy-doom", shelf)
    package = ScorePackage("toy-doom", 0, 1, "BSD-3-Clause")
    fetch_sources(tmp_path / "out", (), (package,))
    assert [s.name for s in placed_scores(tmp_path / "out", (package,))[0]] == [
        "toy-doom/usr/toy.wad/D_E1M1.mid"
    ]


def test_a_package_that_is_not_there_stops_the_command_and_says_what_to_do(shelf, tmp_path, monkeypatch):
    monkeypatch.setattr("train.render.command.SOUNDFONTS", (FONT, Soundfont("toy-absent", 1, 1, "MIT")))
    done = render(tmp_path / "out")
    assert done.exit_code == 1
    assert "1 of 2 packages are missing, toy-absent" in done.output
    assert "run the same command again" in done.output


def test_a_broken_soundfont_stops_the_command(shelf, tim, tmp_path):
    done = render(tmp_path / "out")
    assert done.exit_code == 1
    assert "none of 3 pieces can be rendered: fluidsynth failed: fluidsynth: error: " in done.output


def test_an_absent_synthesiser_says_how_to_install_it(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ConfigError, match="fluidsynth is not installed; install it, on Debian by"):
        check_synthesisers([TIM])
    with pytest.raises(ConfigError, match="wildmidi is not installed"):
        check_synthesisers([Path("freepats.cfg")])


def test_two_notes_sound_at_their_pitches(tim):
    sound = synthesise(read_score(TWO_NOTES), tim)
    assert len(sound) >= (1.0 + TAIL_S) * 16_000
    for note, hz in ((0, 261.6), (1, 392.0)):
        spectrum = np.abs(np.fft.rfft(sound[8_000 * note + 1_600 : 8_000 * note + 8_000]))
        loudest = int(spectrum.argmax()) * 16_000 / 6_400
        assert min(abs(loudest / hz - harmonic) for harmonic in (1, 2, 3)) < 0.03


def test_an_instrument_that_a_soundfont_lacks_is_not_replaced_by_another(tim):
    lacking = with_programmes(read_score(midi(*[(9, 36, 1.0)] * 4)), {9: 100})
    with pytest.raises(ClipError, match=r"fluidsynth failed: .*substituted"):
        synthesise(lacking, tim)


def test_a_silent_rendering_says_so(tim):
    silent = read_score(TWO_NOTES)
    quiet = type(silent)(tuple(m.copy(velocity=0) if m.type == "note_on" else m for m in silent.messages))
    with pytest.raises(ClipError, match=r"the rendering by TimGM6mb\.sf2 is silent"):
        synthesise(quiet, tim)


def test_patches_are_found_where_they_were_unpacked():
    config = "dir /usr/share/midi/freepats\nbank 0\n 0\tTone_000/000_Piano.pat amp=120\n"
    files = {"usr/share/midi/freepats/Tone_000/000_Piano.pat": Path("/cache/7.pat")}
    assert local_patches(config, files) == "bank 0\n 0\t/cache/7.pat amp=120"


def test_without_an_index_the_data_set_says_what_to_run(tmp_path):
    (tmp_path / "rendered").mkdir()
    with pytest.raises(ConfigError, match=r"index\.csv is not there; run `python -m train render`"):
        rendered.recordings(tmp_path)


def test_a_wrong_row_of_the_index_is_named(tmp_path):
    (tmp_path / INDEX).write_text("file,fold\na.ogg,9\n")
    with pytest.raises(
        ConfigError, match=r"index\.csv, line 2, cannot be used: fold 9; expected the columns"
    ):
        read_index(tmp_path / INDEX)


def test_folds_of_soundfonts_are_all_there_and_licences_are_named():
    assert {soundfont.fold for soundfont in SOUNDFONTS} == {1, 2, 3, 4, 5}
    assert all(source.licence and source.megabytes > 0 for source in (*SOUNDFONTS, *SCORES))
    assert any(s.small for s in SOUNDFONTS)
    assert any(s.small for s in SCORES)


def strokes(seconds, every_s):
    sound = np.zeros(int(seconds * 16_000), np.float32)
    for start in np.arange(0.0, seconds, every_s):
        sound[int(start * 16_000) :][:1_600] = 0.5
    return sound


@pytest.mark.parametrize(
    ("sound", "reason"),
    [
        (
            strokes(0.05, 1.0),
            r"the rendering lasts 0\.05 s and is audible for 100% of it; expected 1 s or more",
        ),
        (
            strokes(10.0, 3.0),
            r"the rendering lasts .* s and is audible for [2-4].% of it; expected 1 s or more",
        ),
    ],
)
def test_a_batch_of_useless_renderings_is_an_error_and_no_endless_loop(tmp_path, monkeypatch, sound, reason):
    monkeypatch.setattr(pieces, "BATCH", 2)
    monkeypatch.setattr(pieces, "synthesise", lambda *_: sound)
    with pytest.raises(StreamError, match=f"none of 2 pieces can be rendered: {reason}"):
        pieces.render_pieces(tmp_path, pieces.Orchestra(((FONT, TIM),), ()), 1.0, 1)
