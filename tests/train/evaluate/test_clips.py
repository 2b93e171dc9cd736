import shutil
import subprocess

import numpy as np
import pytest
import soundfile

from tests.conftest import DEADLINE_S
from tests.train.toy_data import RATE_HZ, write
from train.data.decode import ClipError, decode
from train.data.recordings import Recording


def clip(*paths, least_s: float = 0.1) -> Recording:
    return Recording("own", paths[0].stem, paths, "sound", "dog", 1, least_s)


def test_decode_resamples_and_averages(tmp_path):
    write(tmp_path / "high.wav", seconds=1.0, rate_hz=22_050, pitch_hz=1_000)
    write(tmp_path / "same.wav", seconds=1.0, pitch_hz=1_000)
    sound = decode(clip(tmp_path / "high.wav")).astype(np.float64)
    assert len(sound) == RATE_HZ
    assert np.abs(np.fft.rfft(sound)).argmax() == 1_000
    half_same = soundfile.read(tmp_path / "same.wav", dtype="float32")[0] * 16_384
    pair = decode(clip(tmp_path / "high.wav", tmp_path / "same.wav"))
    np.testing.assert_allclose(pair, sound / 2 + half_same, atol=2)


def test_channels_are_averaged(tmp_path):
    left = np.linspace(-0.5, 0.5, RATE_HZ)
    soundfile.write(tmp_path / "x.wav", np.stack([left, np.zeros(RATE_HZ)], axis=1), RATE_HZ, "FLOAT")
    np.testing.assert_allclose(decode(clip(tmp_path / "x.wav")), left * 16_384, atol=0.51)


@pytest.mark.parametrize(
    ("samples", "reason"),
    [
        (np.zeros(RATE_HZ), "is silent"),
        (np.zeros(0), "is empty"),
        (np.full(RATE_HZ, np.nan), "not finite"),
        (np.where(np.arange(RATE_HZ) == 9, np.inf, 0.1), "not finite"),
        (np.full(RATE_HZ // 20, 0.1), r"lasts 0\.05 s; own should have at least 0\.1 s"),
    ],
)
def test_a_clip_that_nothing_can_be_learnt_from_says_why(tmp_path, samples, reason):
    soundfile.write(tmp_path / "x.wav", samples, RATE_HZ, "FLOAT")
    with pytest.raises(ClipError, match=rf"x\.wav .*{reason}"):
        decode(clip(tmp_path / "x.wav"))


def test_a_clip_that_is_shorter_than_its_set_says_is_refused(tmp_path):
    write(tmp_path / "x.wav", seconds=1.5)
    assert len(decode(clip(tmp_path / "x.wav"))) == 24_000
    with pytest.raises(ClipError, match=r"lasts 1\.50 s; own should have at least 4\.9 s"):
        decode(clip(tmp_path / "x.wav", least_s=4.9))


@pytest.mark.parametrize("content", [b"", b"this is no sound", b"RIFF\xff\xff\xff\x7fWAVEfmt "])
def test_a_broken_file_says_what_its_readers_said(tmp_path, content):
    (tmp_path / "x.wav").write_bytes(content)
    with pytest.raises(ClipError, match=r"x\.wav cannot be read: .* ffmpeg: "):
        decode(clip(tmp_path / "x.wav"))


def test_without_ffmpeg_the_way_out_is_said(tmp_path, monkeypatch):
    (tmp_path / "x.m4a").write_bytes(b"no sound")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ClipError, match="with ffmpeg installed, more formats can"):
        decode(clip(tmp_path / "x.m4a"))


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(ClipError, match=r"x\.wav is not there"):
        decode(clip(tmp_path / "x.wav"))


def test_what_libsndfile_cannot_read_ffmpeg_does(tmp_path):
    assert shutil.which("ffmpeg"), "apt install ffmpeg"
    write(tmp_path / "x.wav", seconds=2.0, pitch_hz=1_000)
    command = ["ffmpeg", "-v", "error", "-i", "x.wav", "-c:a", "aac", "x.m4a"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=DEADLINE_S)
    with pytest.raises(soundfile.LibsndfileError):
        soundfile.read(tmp_path / "x.m4a")
    sound = decode(clip(tmp_path / "x.m4a"))
    assert len(sound) == pytest.approx(2 * RATE_HZ, abs=2_100)
    assert np.abs(np.fft.rfft(sound[:RATE_HZ].astype(float))).argmax() == 1_000
