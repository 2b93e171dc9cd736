import subprocess
import sys

from models import torchaudio_cpu
from tests.conftest import DEADLINE_S, ROOT


def test_torchaudio_loads_without_its_extension_and_once():
    torchaudio = torchaudio_cpu.load()
    assert torchaudio.transforms.MelSpectrogram(n_mels=4).n_mels == 4
    assert torchaudio_cpu.load() is torchaudio


PROGRAM = """
import torch
from models.torchaudio_cpu import load
functional = load().functional
print(functional.mu_law_encoding(torch.zeros(1), 256).item())
try:
    functional.forced_align(torch.zeros(1, 4, 3), torch.ones(1, 2, dtype=torch.int32))
except RuntimeError as error:
    print(error)
"""


def test_it_loads_first_thing_in_a_fresh_process_and_what_needs_the_extension_says_so():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "128",
        "forced_align needs torchaudio's compiled extension, which is not loaded",
    ]
