import subprocess
import sys
from pathlib import Path

import pytest
import torch

from streamer.errors import ConfigError
from tests.conftest import DEADLINE_S, ROOT
from tests.train.toy_task import PlainLine, load, run_line
from train.loop.distributed import Ranks, join_processes, single_process
from train.loop.run import read_metrics

CPU = torch.device("cpu")


def test_two_processes_learn_what_one_does(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    run_line(one, PlainLine())
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command = [sys.executable, *launch, "-m", "tests.train.toy_task", "plain", two]
    done = subprocess.run(command, cwd=ROOT, timeout=DEADLINE_S, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    a, b = load(one / "last.pt"), load(two / "last.pt")
    torch.testing.assert_close(a["states"]["averaged"], b["states"]["averaged"], atol=1e-5, rtol=1e-5)
    assert a["states"]["model"].keys() == b["states"]["model"].keys()
    lines = [(n["step"], n["loss"], n["score"]) for n in read_metrics(two)]
    assert len(lines) == 3
    for found, line in zip(lines, read_metrics(one), strict=True):
        assert found == pytest.approx((line["step"], line["loss"], line["score"]), rel=1e-5)


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="only Linux names a process's threads")
def test_a_group_that_was_left_leaves_no_thread_behind():
    code = """
import os, time
from torch import nn, randn
from torch.nn.parallel import DistributedDataParallel
from train.loop.distributed import join_processes

def threads():
    return {open(f"/proc/self/task/{task}/comm").read().strip() for task in os.listdir("/proc/self/task")}

with join_processes("cpu"):
    DistributedDataParallel(nn.Linear(4, 2))(randn(3, 4)).sum().backward()
    assert any("gloo" in name for name in threads()), threads()
until = time.monotonic() + 30  # a thread that was join_processes is still listed for a moment
while any("gloo" in name for name in threads()):
    assert time.monotonic() < until, threads()
    time.sleep(0.01)
"""
    launch = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node=1",
        "--no-python",
    ]
    done = subprocess.run(
        [*launch, sys.executable, "-c", code],
        cwd=ROOT,
        timeout=DEADLINE_S,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_shares_are_the_whole_batch_dealt_out():
    batch = (torch.arange(6), torch.arange(12).reshape(6, 2))
    shares = [Ranks(CPU, rank, 3).share(batch) for rank in range(3)]
    assert sorted(torch.cat([share[0] for share in shares]).tolist()) == list(range(6))
    assert all(torch.equal(share[1][:, 0], 2 * share[0]) for share in shares)


def test_a_batch_that_cannot_be_dealt_out_is_refused():
    with pytest.raises(
        ConfigError, match=r"a batch has 5 clips for 2 processes; expected a multiple: set loop\.batch"
    ):
        Ranks(CPU, 0, 2).share((torch.arange(5),))


def test_alone_without_torchrun(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with join_processes("cpu") as ranks:
        assert ranks == Ranks(CPU, 0, 1)
        assert ranks.first
        assert ranks.device_name == "cpu"


def test_auto_takes_a_gpu_where_there_is_one(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert single_process("auto").device == CPU
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert single_process("auto").device == torch.device("cuda:0")


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "mps"])
def test_an_unknown_device_is_refused(name):
    with pytest.raises(ConfigError, match=f"device is '{name}'; expected auto, cpu, cuda or cuda:N"):
        single_process(name)


def test_a_gpu_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(
        ConfigError, match=r"device is 'cuda:3', this machine has 1 GPUs; set loop\.device=cpu"
    ):
        single_process("cuda:3")
