import torch

from models.gate import HOP_FRAMES, Gate, GateConfig

SMALL = GateConfig(mel_bands=16, spectral_channels=(2, 3, 4), channels=6, dilations=(1, 2))


def small_gate() -> Gate:
    torch.manual_seed(0)
    gate = Gate(SMALL)
    gate.set_normalisation(torch.full((16,), -2.0), torch.full((16,), 1.5))
    return gate.eval()


def frames(count: int, batch: int = 2) -> torch.Tensor:
    return torch.randn(batch, count, 16, generator=torch.Generator().manual_seed(1)) - 2.0


def test_a_logit_of_each_label_for_each_hop():
    y, _ = small_gate()(frames(10 * HOP_FRAMES))
    assert y.shape == (2, 10, 3)


def test_hop_by_hop_is_the_whole():
    gate, x = small_gate(), frames(20 * HOP_FRAMES)
    with torch.no_grad():
        whole, _ = gate(x)
        state, parts = None, []
        for block in x.split(HOP_FRAMES, dim=1):
            y, state = gate(block, state)
            parts.append(y)
    torch.testing.assert_close(torch.cat(parts, dim=1), whole, rtol=1e-5, atol=1e-6)


def test_memory_is_finite():
    gate, x = small_gate(), frames(100 * HOP_FRAMES, batch=1)
    other = x.clone()
    other[:, : 50 * HOP_FRAMES] = 5.0
    # its own time convolutions see back memory_frames; the spectral ones before them a few frames more
    reach = gate.memory_frames // HOP_FRAMES + 5
    with torch.no_grad():
        y, z = gate(x)[0], gate(other)[0]
    assert torch.equal(y[:, 50 + reach :], z[:, 50 + reach :])
    assert not torch.allclose(y[:, 50:52], z[:, 50:52])


def test_neighbours_in_a_batch_are_not_heard():
    gate, x = small_gate(), frames(8 * HOP_FRAMES)
    with torch.no_grad():
        both, alone = gate(x)[0][:1], gate(x[:1])[0]
    torch.testing.assert_close(both, alone, rtol=1e-5, atol=1e-6)


def test_default_size_is_below_its_limit():
    assert Gate().parameter_count < 200_000


def test_normalisation_is_what_was_set():
    gate = small_gate()
    loud = Gate(SMALL)
    loud.load_state_dict(gate.state_dict())
    loud.set_normalisation(torch.full((16,), 3.0), torch.full((16,), 1.5))
    x = frames(4 * HOP_FRAMES)
    with torch.no_grad():
        torch.testing.assert_close(loud.eval()(x + 5.0)[0], gate(x)[0], rtol=1e-4, atol=1e-5)
