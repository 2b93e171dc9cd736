"""Architectures of kept libraries: shapes, gradients, learning of a few clips, frozen blocks, weights, and export."""

import importlib
import sys
import warnings
from importlib.util import find_spec

import numpy as np
import onnxruntime
import pytest
import torch
import torch.nn.functional as F

from models import torchaudio_cpu
from models.reference.sound_ast import SoundAst, SoundAstConfig
from models.reference.sound_conformer import SoundConformer, SoundConformerConfig
from models.reference.sound_efficientnet import SoundEfficientNet, SoundEfficientNetConfig, library_sizes
from models.reference.sound_inception import SoundInception, SoundInceptionConfig
from models.reference.sound_resnet import SoundResNet, SoundResNetConfig
from models.reference.transformers_library import transformers
from streamer.errors import ConfigError

BANDS, FRAMES, LABELS = 16, 40, 8
RESNET = SoundResNetConfig(32, 72, stem=8, channels=(16, 32), depths=(1, 2), dropout=0.0)
MODELS = {
    "resnet": (SoundResNet, RESNET),
    "efficientnet": (
        SoundEfficientNet,
        SoundEfficientNetConfig(32, 72, 0.5, 1.0, repeats=(1, 1), drop_path=0.0, dropout=0.0),
    ),
    "ast": (
        SoundAst,
        SoundAstConfig(32, 72, patch=8, stride=8, features=16, heads=2, hidden=32, layers=2),
    ),
    "conformer": (
        SoundConformer,
        SoundConformerConfig(8, features=16, heads=2, hidden=32, layers=2, kernel=7, dropout=0.0),
    ),
}
of_transformers = pytest.mark.skipif(
    find_spec("transformers") is None, reason="transformers is not installed"
)


def made(name):
    network, config = MODELS[name]
    torch.manual_seed(0)
    return network(config, BANDS, LABELS)


@pytest.fixture(
    params=[name if name == "conformer" else pytest.param(name, marks=of_transformers) for name in MODELS]
)
def name(request):
    return request.param


@pytest.fixture
def clips():
    return torch.randn(8, BANDS, FRAMES, generator=torch.Generator().manual_seed(1))


def update(model, clips, learnt_blocks=None, steps=1):
    optimiser = torch.optim.AdamW(model.parameters(), 1e-2)
    for _ in range(steps):
        optimiser.zero_grad()
        F.cross_entropy(model.train()(clips, learnt_blocks), torch.arange(8)).backward()
        optimiser.step()


def bytes_of(block):
    return [tensor.numpy().tobytes() for tensor in block.state_dict().values()]


def test_a_clip_gets_a_logit_for_each_label_and_all_weights_a_gradient(name, clips):
    model = made(name)
    logits = model(clips)
    assert logits.shape == (8, LABELS)
    F.cross_entropy(logits, torch.arange(8)).backward()
    assert all(weights.grad is not None for weights in model.parameters())
    assert all(weights.grad.abs().sum() > 0 for weights in model.parameters() if weights.ndim > 1)


def test_eight_clips_are_learnt_by_heart(name, clips):
    model = made(name)
    update(model, clips, steps=80)
    assert model.eval()(clips).argmax(1).tolist() == list(range(8))


@pytest.mark.parametrize("learnt", [0, 1])
def test_blocks_that_do_not_learn_stay_byte_for_byte(name, clips, learnt):
    model = made(name)
    before = [bytes_of(block) for block in model.blocks]
    head = bytes_of(model.head)
    update(model, clips, learnt, steps=2)
    changed = [old != bytes_of(block) for old, block in zip(before, model.blocks, strict=True)]
    kept = len(changed) - learnt
    assert changed == [False] * kept + [True] * learnt
    assert bytes_of(model.head) != head
    update(model, clips)
    assert all(old != bytes_of(block) for old, block in zip(before, model.blocks, strict=True))


def test_weights_reload_and_the_graph_gives_the_same_numbers(name, clips, tmp_path):
    model = made(name)
    update(model, clips)
    torch.save(model.state_dict(), tmp_path / "weights.pt")
    again = made(name)
    again.load_state_dict(torch.load(tmp_path / "weights.pt", weights_only=True))
    with torch.no_grad():
        expected = model.eval()(clips).numpy()
        np.testing.assert_array_equal(again.eval()(clips).numpy(), expected)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter itself uses deprecated functions
        torch.onnx.export(model, (clips,), str(tmp_path / "model.onnx"), dynamo=True, verbose=False)
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    (found,) = session.run(None, {session.get_inputs()[0].name: clips.numpy()})
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_conformer_layers_are_those_of_torchaudio(clips):
    model = made("conformer").eval()
    whole = torchaudio_cpu.load().models.Conformer(16, 2, 32, 2, 7).eval()
    for own, theirs in zip(model.blocks[1:], whole.conformer_layers, strict=True):
        theirs.load_state_dict(own.layer.state_dict())
    with torch.no_grad():
        steps = model.blocks[0](clips.unsqueeze(1))
        expected, _ = whole(steps.transpose(0, 1), torch.full((8,), len(steps)))
        torch.testing.assert_close(model(clips), model.head(expected.transpose(0, 1)))


@of_transformers
def test_an_image_does_not_fade_on_its_way_through_efficientnet(clips):
    """With the library's own random weights, the constant of a batch norm is more than what is left of the image."""
    torch.manual_seed(0)
    model = SoundEfficientNet(SoundEfficientNetConfig(32, 72), BANDS, LABELS)
    norms, shares = [layer for layer in model.modules() if isinstance(layer, torch.nn.BatchNorm2d)], []
    for norm in norms:
        norm.register_forward_pre_hook(
            lambda layer, given: shares.append(given[0].var((0, 2, 3)).mean().item() / layer.eps)
        )
    with torch.no_grad():
        model(clips)
    assert len(shares) == len(norms) > 70
    assert min(shares) > 10


@of_transformers
def test_the_ast_is_that_of_transformers(clips):
    model, library = made("ast").eval(), transformers()
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    image = {"patch_size": 8, "frequency_stride": 8, "time_stride": 8, "max_length": 72, "num_mel_bins": 32}
    whole = library.ASTForAudioClassification(library.ASTConfig(**sizes, **image, num_labels=LABELS)).eval()
    inner, blocks = whole.audio_spectrogram_transformer, model.blocks
    for own, theirs in zip(
        (blocks[0].embeddings, *blocks[1:3], blocks[3], model.head.norm, model.head.dense),
        (
            inner.embeddings,
            *inner.layers,
            inner.layernorm,
            whole.classifier.layernorm,
            whole.classifier.dense,
        ),
        strict=True,
    ):
        theirs.load_state_dict(own.state_dict())
    image = F.interpolate(clips.unsqueeze(1), (32, 72), mode="bilinear")[:, 0]
    with torch.no_grad():
        torch.testing.assert_close(model(clips), whole(image.transpose(1, 2)).logits)


@of_transformers
@pytest.mark.parametrize("kind", ["resnet", "efficientnet", "ast"])
def test_blocks_get_the_weights_of_a_folder_and_the_head_none(kind, tmp_path):
    """The folder is that of a classifier of the library, with a head of its own, as those that are published."""
    torch.manual_seed(7)
    save(kind, tmp_path)
    model = made(kind)
    before, head = [bytes_of(block) for block in model.blocks], bytes_of(model.head)
    model.load_pretrained(tmp_path)
    given = torch.nn.ModuleList(model.pretrained_blocks(tmp_path))
    assert all(bytes_of(own) == bytes_of(new) for own, new in zip(model.blocks, given, strict=True))
    assert before != [bytes_of(block) for block in model.blocks]
    assert bytes_of(model.head) == head


def save(kind, folder, **changed):
    """Write a classifier of transformers with the sizes of `MODELS`, but for those that are changed."""
    library = transformers()
    if kind == "resnet":
        sizes = {"embedding_size": 8, "hidden_sizes": [16, 32], "depths": [1, 2], **changed}
        library.ResNetForImageClassification(library.ResNetConfig(**sizes)).save_pretrained(folder)
    elif kind == "efficientnet":
        sizes = library_sizes(MODELS[kind][1])
        library.EfficientNetForImageClassification(sizes).save_pretrained(folder)
    else:
        sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
        image = {
            "patch_size": 8,
            "frequency_stride": 8,
            "time_stride": 8,
            "max_length": 72,
            "num_mel_bins": 32,
        }
        library.ASTForAudioClassification(library.ASTConfig(**sizes, **image)).save_pretrained(folder)


@of_transformers
def test_weights_of_other_sizes_or_architectures_are_refused(tmp_path):
    model = made("resnet")
    save("resnet", tmp_path / "whole")
    with pytest.raises(ConfigError, match=r"weights is .*none', which is no folder; expected one with"):
        model.load_pretrained(tmp_path / "none")
    with pytest.raises(
        ConfigError, match=r"has weights of None; expected config.json and model.safetensors of"
    ):
        model.load_pretrained(tmp_path)
    save("resnet", tmp_path / "half")
    (tmp_path / "half" / "model.safetensors").unlink()
    with pytest.raises(
        ConfigError, match=r"half cannot be read .*; expected config.json and model.safetensors"
    ):
        model.load_pretrained(tmp_path / "half")
    save("resnet", tmp_path / "lacking", depths=[1, 1])
    (tmp_path / "lacking" / "config.json").write_bytes((tmp_path / "whole" / "config.json").read_bytes())
    with pytest.raises(ConfigError, match=r"lacking lacks .* more weights; expected config.json"):
        model.load_pretrained(tmp_path / "lacking")
    save("ast", tmp_path / "ast")
    with pytest.raises(
        ConfigError, match=r"has weights of 'audio-spectrogram-transformer'; expected .*ResNet"
    ):
        model.load_pretrained(tmp_path / "ast")
    save("resnet", tmp_path / "broad", hidden_sizes=[16, 64])
    with pytest.raises(ConfigError, match=r"do not fit the blocks of SoundResNet .*; expected the sizes"):
        model.load_pretrained(tmp_path / "broad")


def test_a_conformer_has_no_pretrained_weights(tmp_path):
    with pytest.raises(ConfigError, match="torchaudio has no pretrained weights of this Conformer"):
        made("conformer").load_pretrained(tmp_path)


def test_without_transformers_the_way_to_install_it_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(
        ConfigError, match=r"transformers cannot be imported .*; expected the extra lab: pip install"
    ):
        SoundResNet(RESNET, BANDS, LABELS)


def test_without_torchvision_the_way_to_install_it_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchvision.models", None)
    with pytest.raises(
        ConfigError,
        match=r"torchvision cannot be imported .*; expected the release .* pip install torchvision",
    ):
        SoundInception(SoundInceptionConfig(), BANDS, LABELS)


def test_images_too_small_for_inception_are_refused():
    with pytest.raises(ConfigError, match=r"model.height is 64, model.width 75; expected 75 or more of both"):
        SoundInceptionConfig(64, 75)


def test_inception_learns_and_takes_weights_where_torchvision_is(clips, tmp_path):
    try:
        models = importlib.import_module("torchvision.models")
    except (ImportError, OSError, RuntimeError) as error:
        pytest.skip(f"torchvision cannot be imported: {error}")
    torch.manual_seed(0)
    model = SoundInception(SoundInceptionConfig(75, 75), BANDS, LABELS)
    before = bytes_of(model.blocks[-1])
    update(model, clips, learnt_blocks=0)
    assert bytes_of(model.blocks[-1]) == before
    update(model, clips)
    assert all(weights.grad is not None for weights in model.parameters())
    whole = models.inception_v3(weights=None, aux_logits=True, init_weights=False, num_classes=3)
    torch.save(whole.state_dict(), tmp_path / "inception.pth")
    model.load_pretrained(tmp_path)
    assert bytes_of(model.blocks[-1]) == bytes_of(whole.Mixed_7c)
    (tmp_path / "other.pth").touch()
    with pytest.raises(ConfigError, match=r"has 2 files \*.pth; expected one file"):
        model.load_pretrained(tmp_path)
