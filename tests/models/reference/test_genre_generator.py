"""Generator of frames and its adversary: shapes, gradients, causality, seeds, learning by heart, and export."""

import warnings

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn

from models.reference.genre_discriminator import GenreDiscriminator, GenreDiscriminatorConfig, hinge_losses
from models.reference.genre_generator import (
    LIMIT,
    FrameMixture,
    GenreGenerator,
    GenreGeneratorConfig,
    cosine_transform,
    number_likelihood,
)
from train.export.onnx_operations import translations

BANDS, FRAMES, CLIPS, GENRES = 16, 20, 8, 8
CONFIG = GenreGeneratorConfig(BANDS, genre_size=4, units=24, components=3, dropout=0.0)
GENRE = torch.arange(CLIPS)


def made():
    torch.manual_seed(0)
    return GenreGenerator(CONFIG, GENRES)


@pytest.fixture
def generator():
    return made()


@pytest.fixture
def clips():
    return torch.randn(CLIPS, FRAMES, BANDS, generator=torch.Generator().manual_seed(1))


def before(clips):
    return torch.cat([torch.zeros(len(clips), 1, BANDS), clips[:, :-1]], 1)


def test_each_frame_gets_a_mixture_and_all_weights_a_gradient(generator, clips):
    mixture, state = generator(before(clips), GENRE)
    assert mixture.logits.shape == (CLIPS, FRAMES, 3)
    assert mixture.means.shape == mixture.log_deviations.shape == (CLIPS, FRAMES, 3, BANDS)
    assert [part.shape for part in state] == [(CLIPS, 24)] * 4
    likelihood = number_likelihood(mixture, clips)
    assert likelihood.shape == (CLIPS, FRAMES)
    (-likelihood.mean()).backward()
    assert all(weights.grad.abs().sum() > 0 for weights in generator.parameters())


def test_a_frame_depends_on_those_before_it_and_on_the_genre_alone(generator, clips):
    changed = clips.clone()
    changed[:, 12] += 1.0
    whole, other = (generator(x, GENRE)[0].means for x in (clips, changed))
    torch.testing.assert_close(whole[:, :12], other[:, :12])
    assert not torch.allclose(whole[:, 12], other[:, 12])
    assert not torch.allclose(whole, generator(clips, GENRE.flip(0))[0].means)


def test_steps_give_what_the_whole_gives(generator, clips):
    whole, _ = generator(clips, GENRE)
    state, parts = None, []
    for frame in clips.split(1, dim=1):
        mixture, state = generator(frame, GENRE, state)
        parts.append(mixture)
    for name in FrameMixture._fields:
        stepped = torch.cat([getattr(part, name) for part in parts], 1)
        torch.testing.assert_close(stepped, getattr(whole, name))


def test_the_density_is_that_of_torch_s_mixture(generator, clips):
    mixture, _ = generator(before(clips), GENRE)
    components = torch.distributions.Independent(
        torch.distributions.Normal(mixture.means, mixture.log_deviations.exp()), 1
    )
    own = torch.distributions.MixtureSameFamily(
        torch.distributions.Categorical(logits=mixture.logits), components
    )
    torch.testing.assert_close(mixture.log_likelihood(clips), own.log_prob(clips), rtol=1e-4, atol=1e-4)


def test_the_transform_keeps_lengths_and_so_the_density_of_frames(clips):
    matrix = cosine_transform(BANDS)
    torch.testing.assert_close(matrix @ matrix.T, torch.eye(BANDS), atol=1e-5, rtol=0)


def test_samples_have_the_mixture_s_shares_means_and_deviations():
    logits = torch.tensor([0.2, 0.8]).log().expand(20_000, 2)
    means = torch.tensor([[-10.0], [10.0]]).expand(20_000, 2, 1)
    mixture = FrameMixture(logits, means, torch.full((20_000, 2, 1), 0.5).log())
    drawn = mixture.sample(1.0, torch.Generator().manual_seed(0))
    assert float((drawn > 0).float().mean()) == pytest.approx(0.8, abs=0.02)
    assert float(drawn[drawn > 0].std()) == pytest.approx(0.5, abs=0.02)
    assert set(mixture.sample(0.0).flatten().tolist()) == {10.0}


def test_the_same_seed_makes_the_same_clips_and_another_others(generator):
    with torch.no_grad():
        first, again, other = (
            generator.make(GENRE, 30, draw=torch.Generator().manual_seed(seed)) for seed in (3, 3, 4)
        )
    assert first.shape == (CLIPS, 30, BANDS)
    assert first.abs().max() <= LIMIT
    torch.testing.assert_close(first, again, rtol=0, atol=0)
    assert not torch.allclose(first, other)


def test_a_clip_is_continued_as_if_it_had_been_made(generator):
    with torch.no_grad():
        whole = generator.make(GENRE, 12, temperature=0.0)
        _, state = generator(before(whole[:, :7]), GENRE)
        after = generator.make(GENRE, 5, temperature=0.0, begun=(whole[:, 6], state))
    torch.testing.assert_close(after, whole[:, 7:])


def test_eight_clips_are_learnt_by_heart(generator, clips):
    """White noise cannot be foretold but by heart: a normal distribution gives a number -1.42 nats."""
    generator.set_change(clips)
    optimiser = torch.optim.AdamW(generator.parameters(), 1e-2)
    for _ in range(150):
        optimiser.zero_grad()
        mixture, _ = generator(before(clips), GENRE)
        (-number_likelihood(mixture, clips).mean()).backward()
        optimiser.step()
    with torch.no_grad():
        own, other = (generator(before(clips), genre)[0] for genre in (GENRE, GENRE.flip(0)))
    likelihood = number_likelihood(own, clips).mean(1)
    assert likelihood.mean() > -0.6
    assert (likelihood > number_likelihood(other, clips).mean(1)).all()


def test_weights_reload_and_the_graph_gives_the_same_numbers_for_a_step(generator, clips, tmp_path):
    generator.eval().set_change(clips)
    torch.save(generator.state_dict(), tmp_path / "weights.pt")
    again = GenreGenerator(CONFIG, GENRES)
    again.load_state_dict(torch.load(tmp_path / "weights.pt", weights_only=True))
    step = _Step(again.eval())
    with torch.no_grad():
        _, state = generator(clips[:, :5], GENRE)
        mixture, after = generator(clips[:, 5:6], GENRE, state)
        expected = [*mixture, *after]
        for found, wanted in zip(step(clips[:, 5:6], GENRE, *state), expected, strict=True):
            torch.testing.assert_close(found, wanted, rtol=0, atol=0)
    given = (clips[:, 5:6], GENRE, *state)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter itself uses deprecated functions
        torch.onnx.export(
            step,
            given,
            str(tmp_path / "model.onnx"),
            custom_translation_table=dict(translations()),
            opset_version=18,
            dynamo=True,
            verbose=False,
        )
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    names = [each.name for each in session.get_inputs()]
    outputs = session.run(None, {n: part.numpy() for n, part in zip(names, given, strict=True)})
    for found, wanted in zip(outputs, expected, strict=True):
        np.testing.assert_allclose(found, wanted.numpy(), atol=1e-4)


class _Step(nn.Module):
    """The generator with plain tensors in and out."""

    def __init__(self, generator):
        super().__init__()
        self.generator = generator

    def forward(self, frame, genre, *state):
        mixture, after = self.generator(frame, genre, state)
        return (*mixture, *after)


def test_the_discriminator_scores_clips_by_their_genre_and_learns_to_tell_them():
    torch.manual_seed(0)
    discriminator = GenreDiscriminator(GenreDiscriminatorConfig((4, 8, 8, 8)), GENRES)
    real, fake = torch.randn(CLIPS, 32, BANDS), 0.1 * torch.randn(CLIPS, 32, BANDS)
    scores = discriminator(real, GENRE)
    assert scores.shape == (CLIPS,)
    assert not torch.allclose(scores, discriminator(real, GENRE.flip(0)))
    scores.exp().sum().backward()
    assert all(weights.grad.abs().sum() > 0 for weights in discriminator.parameters())
    optimiser = torch.optim.AdamW(discriminator.parameters(), 1e-2)
    for _ in range(60):
        optimiser.zero_grad()
        hinge_losses(discriminator(real, GENRE), discriminator(fake, GENRE)).backward()
        optimiser.step()
    assert (discriminator(real, GENRE) > discriminator(fake, GENRE)).all()


def test_the_hinge_loss_is_two_where_nothing_is_told_and_none_where_all_is():
    assert hinge_losses(torch.zeros(4), torch.zeros(4)) == 2.0
    assert hinge_losses(torch.ones(4), -torch.ones(4)) == 0.0
