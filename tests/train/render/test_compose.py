import numpy as np
import pytest

from train.render.arrange import arrange
from train.render.compose import FORMS, draw_harmony
from train.render.drum_patterns import PATTERNS, STEPS, STYLES, drums, rolls, strokes
from train.render.instruments import FAMILIES, family_of, range_of
from train.render.packages import SOUNDFONTS
from train.render.perform import Part, perform
from train.render.score import DRUM_CHANNEL, is_note

BARS = 8


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("seed", range(20))
def test_every_form_fills_its_bars_in_its_key(form, seed):
    rng = np.random.default_rng(seed)
    harmony = draw_harmony(rng)
    notes = FORMS[form](rng, harmony, BARS)
    last = max(note.start for note in notes)
    assert 0 <= min(note.start for note in notes) <= harmony.beats
    assert (BARS - 3) * harmony.beats <= last < BARS * harmony.beats
    assert all(note.length > 0 and 12 <= note.pitch <= 115 and 1 <= note.velocity <= 127 for note in notes)
    scale = (0, 2, 4, 5, 7, 9, 11) if form == "tune" else harmony.scale
    assert {(note.pitch - harmony.tonic) % 12 for note in notes} <= set(scale)


@pytest.mark.parametrize("form", FORMS)
def test_the_same_seed_writes_the_same_score_and_another_seed_another(form):
    first, again, other = (
        FORMS[form](np.random.default_rng(seed), draw_harmony(np.random.default_rng(seed)), BARS)
        for seed in (1, 1, 2)
    )
    assert first == again != other


def test_a_tune_ends_on_the_tonic():
    rng = np.random.default_rng(3)
    harmony = draw_harmony(rng)
    last = max(FORMS["tune"](rng, harmony, BARS), key=lambda note: note.start)
    assert (last.pitch - harmony.tonic) % 12 == 0


def test_drum_styles_are_bars_of_sixteenths_and_drums_of_general_midi():
    assert all(len(strokes) == STEPS for style in STYLES for strokes in style.values())


@pytest.mark.parametrize("pattern", PATTERNS)
def test_drum_parts_fill_their_bars_with_drums_of_general_midi(pattern):
    for seed in range(20):
        beats = 3 + seed % 2
        notes = pattern(np.random.default_rng(seed), BARS, beats)
        assert len(notes) >= BARS
        assert all(35 <= note.pitch <= 81 and 1 <= note.velocity <= 127 for note in notes)
        last = max(note.start for note in notes)
        assert (BARS - 1) * beats <= last < (BARS + 2) * beats


def test_a_roll_is_dense_on_one_drum_and_swells_or_fades():
    changes = []
    for seed in range(20):
        notes = rolls(np.random.default_rng(seed), BARS, 4)
        assert len({note.pitch for note in notes}) == 1
        gaps = np.diff([note.start for note in notes])
        assert np.median(gaps) <= 1 / 6 + 1e-9
        end = (
            int(np.flatnonzero(gaps > gaps.min() + 1e-6)[0]) if gaps.max() > gaps.min() + 1e-6 else len(gaps)
        )
        changes.append(notes[end].velocity - notes[0].velocity)
    assert min(changes) < -20
    assert max(changes) > 20


def test_drums_alone_are_grooves_rolls_and_strokes():
    sources = {
        piece.source
        for seed in range(200)
        if (piece := arrange(np.random.default_rng(seed), SOUNDFONTS[0], ())).kind == "drums"
    }
    assert sources == {"own/drums", "own/rolls", "own/strokes"}


def test_single_strokes_are_of_one_drum_and_apart():
    for seed in range(20):
        notes = strokes(np.random.default_rng(seed), BARS, 4)
        assert len({note.pitch for note in notes}) == 1
        assert np.diff([note.start for note in notes]).min() >= 0.25


def test_instruments_cover_general_midi_without_effects_and_each_has_a_range():
    programmes = sorted(programme for family in FAMILIES for programme in family.programmes)
    left_out = {31, *range(96, 104), *range(119, 128)}
    assert programmes == [programme for programme in range(128) if programme not in left_out]
    for family in FAMILIES:
        for programme in family.programmes:
            low, high = range_of(family, programme)
            assert family_of(programme) is family
            assert high - low >= 12
            assert set(family.forms) <= set(FORMS)


def test_parts_are_played_within_the_range_of_their_instruments():
    rng = np.random.default_rng(5)
    harmony = draw_harmony(rng)
    bass = Part(32, tuple(FORMS["walking"](rng, harmony, BARS)), 28, 52)
    flute = Part(73, tuple(FORMS["melody"](rng, harmony, BARS)), 60, 96, sustained=True)
    kit = Part(8, tuple(drums(rng, BARS, harmony.beats)), is_drums=True)
    score = perform(rng, [bass, flute, kit], 100.0)
    assert score.programmes == {0: 32, 1: 73, DRUM_CHANNEL: 8}
    for channel, low, high in ((0, 28, 52), (1, 60, 96)):
        assert {low <= m.note <= high for m in score.messages if is_note(m) and m.channel == channel} == {
            True
        }
    assert score.seconds == pytest.approx(BARS * harmony.beats * 0.6, abs=4.0)
