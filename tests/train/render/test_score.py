import mido
import pytest

from tests.train.render.toy_scores import TWO_NOTES, UNNAMED, midi
from train.render.score import (
    DRUM_CHANNEL,
    ScoreError,
    excerpt,
    in_range,
    is_note,
    only,
    read_score,
    with_programmes,
    write_midi,
)


def notes(score):
    return [(round(m.time, 3), m.channel, m.note) for m in score.messages if is_note(m)]


def test_a_midi_file_is_read_with_its_times_and_programmes():
    score = read_score(TWO_NOTES)
    assert notes(score) == [(0.0, 0, 60), (0.5, 0, 67)]
    assert (score.programmes, score.tempos, score.seconds) == ({0: 73}, ((0.0, 120.0),), 1.0)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"no MIDI at all", "it is no MIDI file that can be read"),
        (TWO_NOTES[: len(TWO_NOTES) // 2], "it is no MIDI file that can be read"),
        (midi(programmes={0: 1}), "it has no notes"),
        (UNNAMED, "it names no instrument; expected a programme"),
    ],
)
def test_a_useless_midi_file_says_why(content, reason):
    with pytest.raises(ScoreError, match=reason):
        read_score(content)


def test_drums_alone_need_no_programme():
    assert set(read_score(midi((DRUM_CHANNEL, 36, 1.0))).notes) == {DRUM_CHANNEL}


def test_bank_selections_are_left_out(tmp_path):
    track = mido.MidiTrack(
        [mido.Message("control_change", control=control, value=8) for control in (0, 32, 7)]
    )
    track += [mido.Message("program_change", program=5), mido.Message("note_on", note=60)]
    written = mido.MidiFile()
    written.tracks.append(track)
    written.save(tmp_path / "a.mid")
    score = read_score((tmp_path / "a.mid").read_bytes())
    assert [m.control for m in score.messages if m.type == "control_change"] == [7]


def test_an_excerpt_knows_the_programme_from_before_it_and_ends_its_notes():
    score = read_score(midi((2, 60, 1.0), (2, 62, 4.0), programmes={2: 40}, tempo_bpm=60.0))
    part = excerpt(score, 0.5, 2.0)
    assert (notes(part), part.programmes) == ([(0.5, 2, 62)], {2: 40})
    assert (part.messages[-1].type, part.messages[-1].time) == ("note_off", 2.0)
    assert part.tempos == ((0.0, 60.0),)


def test_channels_are_chosen_and_get_other_programmes():
    score = read_score(midi((0, 60, 1.0), (1, 62, 1.0), programmes={0: 1, 1: 2}))
    alone = with_programmes(only(score, [1]), {1: 56})
    assert (notes(alone), alone.programmes) == ([(0.5, 1, 62)], {1: 56})


def test_a_channel_moves_by_octaves_into_the_range_of_an_instrument():
    score = read_score(midi((0, 60, 1.0), (0, 64, 1.0), (0, 96, 1.0), programmes={0: 1}))
    assert [pitch for *_, pitch in notes(in_range(score, 0, 28, 52))] == [36, 40, 48]


def test_what_is_written_reads_as_it_was(tmp_path):
    score = read_score(midi((0, 60, 1.0), (3, 64, 0.5), programmes={0: 1, 3: 9}, tempo_bpm=90.0))
    write_midi(score, tmp_path / "a.mid")
    again = read_score((tmp_path / "a.mid").read_bytes())
    assert [pitch for *_, pitch in notes(again)] == [60, 64]
    assert [at for at, *_ in notes(again)] == pytest.approx([at for at, *_ in notes(score)], abs=2e-3)
    assert again.programmes == score.programmes
