import pickle

import pytest
import torch
from torch import nn

from streamer.dsp.log_mel import LogMelConfig
from streamer.errors import ModelError
from train.loop.checkpoint import (
    CHECKPOINT_SCHEMA,
    Identity,
    Progress,
    describe_checkpoint,
    load,
    load_weights,
    save,
)

LINE = Identity("line", LogMelConfig())


def content(identity=LINE, **changes):
    about = describe_checkpoint(identity, {"loop": {"steps": 3}, "sizes": (1, 2)}, Progress(7, [0.5], 1.25))
    return {**about, "weights": {"w": torch.ones(1_000)}, **changes}


def test_a_checkpoint_says_what_it_is_of(tmp_path):
    save(content(), tmp_path / "best.pt")
    read = load(tmp_path / "best.pt", LINE)
    assert torch.equal(read.pop("weights")["w"], torch.ones(1_000))
    assert read == {
        "schema": CHECKPOINT_SCHEMA,
        "task": "line",
        "front_end": LogMelConfig().fingerprint,
        "config": {"loop": {"steps": 3}, "sizes": (1, 2)},
        "step": 7,
        "scores": [0.5],
        "seconds": 1.25,
    }


def test_a_crash_while_saving_leaves_the_old_one(tmp_path, monkeypatch):
    save(content(), tmp_path / "last.pt")
    before = (tmp_path / "last.pt").read_bytes()

    def crash(content, out):
        out.write(b"half of it")
        raise OSError("no space left on device")

    monkeypatch.setattr(torch, "save", crash)
    with pytest.raises(OSError, match="no space left"):
        save(content(step=8), tmp_path / "last.pt")
    assert (tmp_path / "last.pt").read_bytes() == before
    assert load(tmp_path / "last.pt", LINE)["step"] == 7


@pytest.mark.parametrize(
    ("identity", "said"),
    [
        (
            Identity("circle", LogMelConfig()),
            r"best\.pt is a checkpoint of task 'line'; expected one of 'circle': `python -m train list`",
        ),
        (
            Identity("line", LogMelConfig(mel_bands=32)),
            f"trained on front end {LogMelConfig().fingerprint[:12]}; this program computes "
            f"{LogMelConfig(mel_bands=32).fingerprint[:12]}: train again",
        ),
        (Identity("line", None), "this program computes none: train again"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, identity, said):
    save(content(), tmp_path / "best.pt")
    with pytest.raises(ModelError, match=said):
        load(tmp_path / "best.pt", identity)


def test_another_schema_is_refused(tmp_path):
    save(content(schema=0), tmp_path / "best.pt")
    with pytest.raises(ModelError, match=rf"has schema 0; expected {CHECKPOINT_SCHEMA}: train again"):
        load(tmp_path / "best.pt", LINE)


def test_weights_alone_are_refused(tmp_path):
    torch.save({"w": torch.ones(1)}, tmp_path / "best.pt")
    with pytest.raises(ModelError, match="has schema None"):
        load(tmp_path / "best.pt", LINE)


@pytest.mark.parametrize("keep", [0, 100, -10])
def test_a_damaged_checkpoint_is_refused(tmp_path, keep):
    path = tmp_path / "best.pt"
    save(content(), path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ModelError, match=r"best\.pt is not a complete checkpoint \(\w+\); train again"):
        load(path, LINE)


def test_code_is_refused(tmp_path):
    path = tmp_path / "best.pt"
    path.write_bytes(pickle.dumps({"schema": CHECKPOINT_SCHEMA, "weights": print}, protocol=2))
    with pytest.raises(ModelError, match="is not a complete checkpoint"):
        load(path, LINE)


def test_an_absent_checkpoint_says_why(tmp_path):
    with pytest.raises(ModelError, match=r"no .*best\.pt; the run has not reached its first validation"):
        load(tmp_path / "best.pt", LINE)


def test_weights_are_given_to_the_model_whose_they_are(tmp_path):
    layer = nn.Linear(2, 1)
    save(content(weights={f"ear.{k}": v for k, v in layer.state_dict().items()}), tmp_path / "best.pt")
    model = nn.Linear(2, 1)
    load_weights(model, tmp_path / "best.pt", LINE, prefix="ear.")
    assert torch.equal(model.weight, layer.weight)


@pytest.mark.parametrize("weights", [{"w": torch.ones(3)}, nn.Linear(3, 1).state_dict()])
def test_weights_of_another_model_are_refused(tmp_path, weights):
    save(content(weights=weights), tmp_path / "best.pt")
    with pytest.raises(
        ModelError, match=r"best\.pt does not fit this program's Linear \(.+\); expected weights of"
    ):
        load_weights(nn.Linear(2, 1), tmp_path / "best.pt", LINE)
