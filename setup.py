"""Define the `streamer` distribution.

The wheel contains only the package `streamer` and the released models, as data: top-level modules named `models`
or `train` in site-packages would collide with those of other projects.

If it is built on Linux for x86-64, where numba is installed (`make wheel`), it also brings the machine code of the
kernels. Its tag is that of any platform all the same: the others leave these 0.1 MB aside, the code does not depend on
Python's version, and there is one wheel to build and to install.
"""

import logging
import subprocess
import sys
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).parent

TORCH = ["torch>=2.6,<3"]
TRAIN = [
    "jinja2>=3.1,<4",
    "matplotlib>=3.9,<4",
    "mido>=1.3,<2",
    "museval>=0.4.1,<0.5",
    "onnx>=1.17,<2",
    "onnxscript>=0.3,<1",
    "psutil>=5.9,<8",
    "scikit-learn>=1.5,<2",
    "scipy>=1.15,<2",
    "tensorboard>=2.17,<3",
    *TORCH,
    "torchaudio>=2.6,<3",
    "tqdm>=4.66,<5",
]
BENCH = [
    "kaldi-native-fbank>=1.20,<2",
    "librosa>=0.10,<1",
    "psutil>=5.9,<8",
    "rtmixer>=0.1.7,<0.2",
    "threadpoolctl>=3,<4",
]
LAB = [
    "h5py>=3,<4",
    "librosa>=0.10,<1",
    "transformers>=5.24,<6",
    # The wheel of this name holds no code for GPUs, which is most of the other.
    "xgboost-cpu>=3,<4; sys_platform == 'linux' and platform_machine == 'x86_64'",
    "xgboost>=3,<4; sys_platform != 'linux' or platform_machine != 'x86_64'",
]
MLFLOW = ["mlflow>=3,<4"]  # mlflow-skinny lacks the pages of `mlflow ui`, and the database
TFHUB = [
    "ai-edge-litert>=2,<3",
    "setuptools<81",  # tensorflow-hub imports pkg_resources
    "tensorflow-cpu>=2.16,<3",
    "tensorflow-hub>=0.16,<0.17",
    "tf-keras>=2.16,<3",
]
TEST = ["pytest>=8,<10", "pytest-xdist>=3.6,<4", "librosa>=0.10,<1", "psutil>=5.9,<8"]
LINT = [
    "mypy>=1.14,<3",
    "pre-commit>=4,<5",
    "ruff>=0.9,<1",
    "scipy-stubs>=1.15,<2",
    "setuptools>=77",  # `make wheel` builds in this environment
    "types-psutil>=5.9,<8",
    "types-tqdm>=4.66,<5",
]


class BuildWithMachineCode(build_py):
    """Build the package; add the machine code of its kernels, or say why not."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return  # the sources may change
        folder = Path(self.build_lib, "streamer", "kernels", "x86-64-v3").absolute()
        command = [sys.executable, "-m", "streamer.kernels.bring", folder]
        done = subprocess.run(command, cwd=HERE, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            reason = done.stderr.strip().rpartition("\n")[2]
            logging.warning("the wheel brings no machine code, so a first start compiles it: %s", reason)


setup(
    name="streamer",
    version="0.1.0",
    description="Labels live audio in real time, and splits voice from music",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11",
    cmdclass={"build_py": BuildWithMachineCode},
    packages=[*find_packages(include=["streamer", "streamer.*"]), "streamer.released"],
    package_dir={"streamer.released": "models/released"},
    package_data={
        "streamer": ["py.typed", "data/*"],
        "streamer.released": ["*/model.onnx", "*/manifest.json", "*/card.md", "*/background.npz"],
    },
    install_requires=[
        "cffi>=1.16,<3",
        "click>=8.1,<9",
        "numba>=0.61,<1",
        "numpy>=2.0,<3",
        "onnxruntime>=1.20,<2",
        "orjson>=3.10,<4",
        "platformdirs>=4,<5",
        "pyzmq>=26,<28",
        "rich>=13.7,<16",
        "rocket-fft>=0.4,<0.5",
        "sounddevice>=0.5,<0.6",
        "soundfile>=0.12,<1",
        "soxr>=0.5,<2",
    ],
    extras_require={
        "train": TRAIN,
        "lab": [*TRAIN, *LAB],
        "mlflow": [*TRAIN, *MLFLOW],
        "tfhub": TFHUB,
        "torch": TORCH,
        "bench": BENCH,
        "test": TEST,
        "dev": [*TRAIN, *LAB, *BENCH, *TEST, *LINT],
    },
    entry_points={"console_scripts": ["streamer = streamer.__main__:main"]},
    classifiers=[
        "Development Status :: 4 - Beta",
        "Environment :: Console",
        "License :: OSI Approved :: Apache Software License",
        "Operating System :: MacOS",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3",
        "Topic :: Multimedia :: Sound/Audio :: Analysis",
        "Typing :: Typed",
    ],
)
