"""Imports run one way: streamer <- models <- train, within each of them from layer to layer, and listening needs no
training library.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.conftest import DEADLINE_S, ROOT
from tests.imports import imported_by

TRAINING = {"torch", "torchaudio", "tensorflow", "librosa", "onnx", "sklearn"}
AT_WISH = {
    ("streamer/inference/torch_model.py", "torch"),
    ("streamer/inference/torch_model.py", "torch.export.passes"),
}
"""What is imported by who asked for it, and by nobody else: a GPU."""

FORBIDDEN = {
    "streamer": {"models", "train", "tests", "benchmarks", *TRAINING},
    "models": {"train", "tests", "benchmarks"},
    "train": {"tests", "benchmarks"},
}

LAYERS = {
    "streamer": (
        "arrays demo_recording errors inference_backends kernels onnxruntime_reports standard_descriptors",
        "setting_types start_time",
        "head_slots",
        "config_sections",
        "config dsp events",
        "audio config_file history inference wire",
        "custom_sounds heads sinks sources yamnet",
        "separation",
        "events.make_events",
        "pipeline",
        "engine",
        "bench",
        "api",
        "cli",
        "__main__",
    ),
    "streamer.sources": (
        "source url_address",
        "array pipes read_blocks wrappers",
        "ffmpeg formats record timing",
        "devices libsndfile media_file pcm",
        "byte_streams",
        "network",
        "file",
        "piped",
        "open_source",
    ),
    "models": (
        "front_ends layers recurrent torchaudio_cpu zones",
        "ear gate genre heads spectra voice_activity yamnet",
        "cnn_lstm_attention separation_mask",
        "separation_mask_offline",
        "reference",
    ),
    "train": (
        "data errors npz yamnet",
        "data.sets.gtzan loop wheels",
        "teachers",
        "data.sets embedders loop.commands",
        "data.sets.songs",
        "augment",
        "evaluate evaluate.hearing mixing render",
        "mixing.distillation",
        "mixing.patch_embeddings",
        "mixing.doubts",
        "export report tasks",
        "report.hearing tasks.music_tags",
        "tasks.ear tasks.gate tasks.genre tasks.recordings tasks.reference tasks.separation",
        "custom_sounds tasks.sounds",
        "transfer",
        "generation lab",
        "__main__",
    ),
}
"""The parts of each package, a folder or a file each, from the lowest layer to the highest."""

IMPORT_ALL = """
import importlib, pkgutil, sys
import streamer
for module in pkgutil.walk_packages(streamer.__path__, "streamer."):
    importlib.import_module(module.name)
heard = {name.partition(".")[0] for name in sys.modules}
sys.exit(" ".join(sorted(heard & set(sys.argv[1:]))) or None)
"""


@pytest.mark.parametrize("package", FORBIDDEN)
def test_imports_run_one_way(package: str) -> None:
    files = sorted((ROOT / package).rglob("*.py"))
    assert files, f"no files in {package}"
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in files
        for line, name in imported_by(path)
        if name.partition(".")[0] in FORBIDDEN[package] and (str(path.relative_to(ROOT)), name) not in AT_WISH
    ]
    assert not wrong, "\n".join(wrong)


def part_of(package: str, module: str) -> str:
    """The part that a module belongs to: the longest name in `LAYERS` that its own begins with."""
    within = module.removeprefix(f"{package}.")
    parts = [part for layer in LAYERS[package] for part in layer.split()]
    own = [part for part in parts if within == part or within.startswith(f"{part}.")]
    assert own, f"{module} is in no layer; add it to LAYERS, above all that it imports"
    return max(own, key=len)


@pytest.mark.parametrize("package", LAYERS)
def test_imports_run_down_the_layers(package: str) -> None:
    level = {part: n for n, layer in enumerate(LAYERS[package]) for part in layer.split()}
    wrong, seen = [], set()
    for path in sorted(ROOT.joinpath(*package.split(".")).rglob("*.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        if module == package or module == "models.released":
            continue
        own = part_of(package, module)
        seen.add(own)
        for line, name in imported_by(path):
            if name.startswith(f"{package}."):
                other = part_of(package, name)
                if other != own and level[other] >= level[own]:
                    wrong.append(f"{path.relative_to(ROOT)}:{line} ({own}) imports {name}, of no lower layer")
    assert not wrong, "\n".join(wrong)
    assert seen == set(level), f"{sorted(set(level) - seen)} in LAYERS are no parts of {package}"


def test_streamer_loads_no_training_library() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, *sorted(FORBIDDEN["streamer"])],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert done.returncode == 0, f"importing all of streamer loads or fails with: {done.stderr}"
