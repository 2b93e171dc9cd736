import numpy as np
import pytest

from models.front_ends import music_front_end
from streamer.dsp.log_mel import LogMel
from streamer.dsp.stage import offline
from tests.train.toy_data import write_mels
from train.data.sets.gtzan import gtzan_mels
from train.mixing.mel_music import ALONE_DB, MelMusic, level_db, match_file_precision
from train.mixing.presence import IGNORE, NAMES, OTHER, PRESENT

BANDS, HOP_FRAMES, STEPS, WAIT_STEPS = 112, 4, 60, 3
MUSIC, SPEECH, SINGING = range(3)


@pytest.fixture
def mels(tmp_path):
    (tmp_path / "gtzan").mkdir()
    write_mels(tmp_path / "gtzan" / "mels.npz")
    return gtzan_mels.load(tmp_path)


def scenes(count, power=-5.0):
    frames = np.full((count, STEPS * HOP_FRAMES, BANDS), power, np.float32)
    return frames, np.full((count, STEPS, len(NAMES)), OTHER, np.int8)


def test_frames_change_where_the_label_does_and_nowhere_else(mels):
    frames, labels = scenes(20)
    MelMusic(mels, [1, 2, 3], BANDS, -10.0).mix_into(np.random.default_rng(0), frames, labels, WAIT_STEPS)
    length = 130 // HOP_FRAMES
    for scene, steps in zip(frames, labels[..., MUSIC], strict=True):
        changed = (scene != -5.0).any(axis=1).reshape(STEPS, HOP_FRAMES).all(axis=1)
        first = int(np.argmax(changed))
        assert changed.sum() == length
        assert (steps[:first] == OTHER).all()
        assert (steps[first : first + WAIT_STEPS] == IGNORE).all()
        assert len(set(steps[first + WAIT_STEPS : first + length])) == 1
        assert (steps[first + length : first + length + WAIT_STEPS] == IGNORE).all()
        assert (steps[first + length + WAIT_STEPS :] == OTHER).all()


def test_music_far_below_the_rest_is_ignored(mels):
    frames, labels = scenes(200)
    MelMusic(mels, [1], BANDS, 0.0).mix_into(np.random.default_rng(0), frames, labels, WAIT_STEPS)
    over = frames.max(axis=(1, 2))
    drowned = ~(labels[..., MUSIC] == PRESENT).any(axis=1)
    assert 0.25 < drowned.mean() < 0.6
    assert over[drowned].max() < over[~drowned].max()


def test_music_too_faint_to_hear_is_ignored(mels):
    faint = -8.5  # -59 dB re full scale: what is put 3 dB below it or more cannot be heard
    frames, labels = scenes(200, faint)
    MelMusic(mels, [1], BANDS, -99.0).mix_into(np.random.default_rng(0), frames, labels, WAIT_STEPS)
    ignored = ~(labels[..., MUSIC] == PRESENT).any(axis=1)
    assert 0.2 < ignored.mean() < 0.5


def test_voices_are_ignored_where_the_music_hides_them_and_singing_where_nobody_knows(mels):
    frames, labels = scenes(100)
    labels[..., SPEECH] = PRESENT
    MelMusic(mels, [1], BANDS, -1.0).mix_into(np.random.default_rng(0), frames, labels, WAIT_STEPS)
    mixed = (frames != -5.0).any(axis=2).reshape(len(frames), STEPS, HOP_FRAMES).all(axis=2)
    mixed &= np.roll(mixed, WAIT_STEPS, axis=1)  # past the wait, in which nothing is known
    assert (labels[mixed][:, SINGING] == IGNORE).all()
    spoken = [steps[place, SPEECH] for steps, place in zip(labels, mixed, strict=True)]
    hidden = np.array([(steps == IGNORE).all() for steps in spoken])
    kept = np.array([(steps == PRESENT).all() for steps in spoken])
    assert (hidden | kept).all()
    over = frames.max(axis=(1, 2))
    assert 0.3 < hidden.mean() < 0.8
    assert over[hidden].mean() > over[kept].mean()


def test_music_in_digital_silence_has_a_level_of_its_own(mels):
    frames, labels = scenes(50, np.log(1e-10))
    MelMusic(mels, [1], BANDS, -10.0).mix_into(np.random.default_rng(0), frames, labels, WAIT_STEPS)
    length = 130 // HOP_FRAMES * HOP_FRAMES
    heard = np.array([level_db(scene) + 10 * np.log10(len(scene) / length) for scene in frames])
    assert (labels[..., MUSIC] == PRESENT).any(axis=1).all()
    assert ALONE_DB[0] - 0.1 < heard.min() < -40
    assert -15 < heard.max() < ALONE_DB[1] + 0.1


def test_levels_of_frames_are_those_of_the_sound():
    """Of noise that falls by 6 dB an octave, which is nearer to music than white noise."""
    rng = np.random.default_rng(0)
    sound = np.cumsum(rng.normal(size=48_000)).astype(np.float32)
    sound = sound - np.convolve(sound, np.ones(400) / 400, "same")
    sound *= 10 ** (-30 / 20) / np.sqrt(np.mean(np.square(sound)))
    frames = offline(LogMel(music_front_end()), sound[None].astype(np.float32))[0]
    assert level_db(frames) == pytest.approx(-30, abs=2)


def test_only_the_folds_that_are_given_are_heard(mels):
    put = []
    for folds in ([1], [5]):
        frames, labels = scenes(1)
        MelMusic(mels, folds, BANDS, -10.0).mix_into(np.random.default_rng(0), frames, labels, WAIT_STEPS)
        put.append(frames)
    assert not np.array_equal(*put)


def test_what_is_as_filed_has_its_floor_and_its_rounding():
    frames = np.random.default_rng(0).normal(-5.0, 8.0, (2, 50, BANDS)).astype(np.float32)
    filed = match_file_precision(frames)
    assert filed.min() >= frames.max(axis=(1, 2)).min() - 19.0
    assert [len(np.unique(scene)) < 250 for scene in filed] == [True, True]
    kept = frames > frames.max(axis=(1, 2), keepdims=True) - 18.0
    assert np.abs(filed - frames)[kept].max() < 0.15
