import subprocess
import sys

import pytest
import torch

from tests.conftest import ROOT
from train.augment import torchaudio_cpu


def test_torchaudio_loads_without_its_extension_and_once():
    torchaudio = torchaudio_cpu.load()
    assert torchaudio.transforms.MelSpectrogram(n_mels=4).n_mels == 4
    assert torchaudio_cpu.load() is torchaudio


def test_what_needs_the_extension_says_so():
    functional = torchaudio_cpu.load().functional
    if not torchaudio_cpu.load()._extension._IS_TORCHAUDIO_EXT_AVAILABLE:
        with pytest.raises(RuntimeError, match="forced_align needs torchaudio's compiled extension"):
            functional.forced_align(torch.zeros(1, 4, 3), torch.ones(1, 2, dtype=torch.int32))


def test_it_loads_first_thing_in_a_fresh_process():
    code = "from train import torchaudio_cpu as t; print(t.load().functional.mu_law_encoding.__name__)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout.strip() == "mu_law_encoding", done.stderr
