"""The sampler that follows the Wiener filter and asks the network seldom (lesson 08)."""

from functools import partial

import pytest
import torch
from torch import Tensor, nn

from tad_course.denoisers import Counting, Keeping, ModelDenoiser, WienerDenoiser, Within
from tad_course.diffusion import alpha_sigma, q_sample, t_from_snr_db
from tad_course.generate import Settings, generate, way_of
from tad_course.model import DrumModel, ModelConfig
from tad_course.sampling import (
    MAX_SNR_DB,
    _hops,
    dpm_solver_3m,
    last,
    log_snr_grid,
    looks_grid,
    seeded_noise,
    snr_db,
    wiener_flow,
)
from tad_course.wiener import WienerPlugin


class Says(nn.Module):
    """A network that says one number everywhere and counts how often it is asked."""

    def __init__(self, in_channels: int, out_channels: int, says: float = 0.0):
        super().__init__()
        self.out_channels, self.says, self.asked = out_channels, says, 0

    def forward(self, x: Tensor, time: Tensor, **_) -> Tensor:
        self.asked += 1
        return x.new_full((len(x), self.out_channels, x.shape[-1]), self.says)


def gaussian(says: float = 0.0, variance: Tensor | None = None) -> tuple[WienerDenoiser, Says]:
    """Return the denoiser of Gaussian sounds `[B, 2, 64]` of known variance, and its network."""
    net = WienerPlugin(partial(Says, says=says))(in_channels=2)
    known = {"variance": torch.ones(1, 2, 64) if variance is None else variance}
    return WienerDenoiser(net, [known]), net.net


@pytest.mark.parametrize("looks", [1, 3])
def test_for_gaussian_sounds_the_way_has_a_closed_form_and_is_found_with_any_number_of_looks(looks):
    variance = torch.logspace(-3, 1, 128).view(1, 2, 64)
    grid, x_t = looks_grid(looks), seeded_noise((2, 64), [0])
    denoise, _ = gaussian(variance=variance)
    # Every place keeps its quantile: x_s / std(x_s) = x_t / std(x_t), down to the last level, where x_0 is foreseen.
    alpha, sigma = alpha_sigma(t_from_snr_db(torch.tensor(MAX_SNR_DB)))
    total = alpha**2 * variance + sigma**2
    expected = x_t * alpha * variance / total.sqrt()
    assert torch.allclose(last(wiener_flow(denoise, x_t, grid, hop_db=1.0)), expected, rtol=0.02, atol=1e-4)


def test_a_network_is_asked_as_often_as_it_was_said_and_every_hop_is_told():
    denoise, net = gaussian(says=0.1)
    grid = looks_grid(4)
    steps = list(wiener_flow(denoise, seeded_noise((2, 64), [0]), grid, hop_db=5.0))
    assert net.asked == 4
    assert [step.index for step in steps] == list(range(len(steps))) and len(steps) > 12
    assert all(any(torch.equal(step.t, t) for step in steps) for t in grid[1:])  # every look is one of the stops
    assert torch.equal(steps[-1].x_t, steps[-1].x_0)


def test_where_the_network_is_asked_held_and_asked_foresee_the_same():
    denoise, _ = gaussian(says=0.3)
    x_t, t = seeded_noise((2, 64), [1]), torch.tensor(0.4)
    assert torch.equal(denoise.look(x_t, t)(x_t, t), denoise(x_t, t))
    assert not torch.allclose(denoise.look(x_t, t, ask=False)(x_t, t), denoise(x_t, t))


def test_guidance_holds_both_answers():
    net = WienerPlugin(lambda in_channels, out_channels: Labelled(out_channels))(in_channels=2)
    conditions = [{"variance": torch.ones(1, 2, 64), "label": label} for label in (0.0, 1.0)]
    x_t, t = seeded_noise((2, 64), [1]), torch.tensor(0.4)
    alone = [ModelDenoiser(net, [condition])(x_t, t) for condition in conditions]
    guided = WienerDenoiser(net, conditions, guidance_scale=1.5)
    for found in (guided(x_t, t), guided.look(x_t, t)(x_t, t)):
        assert torch.allclose(found, alone[0] + 1.5 * (alone[1] - alone[0]), atol=1e-5)


class Labelled(nn.Module):
    def __init__(self, out_channels: int):
        super().__init__()
        self.out_channels = out_channels

    def forward(self, x: Tensor, time: Tensor, label: float = 0.0, **_) -> Tensor:
        return x.new_full((len(x), self.out_channels, x.shape[-1]), label)


def test_with_a_look_at_every_hop_it_ends_where_other_samplers_end():
    denoise, _ = gaussian(says=0.2)
    x_t = seeded_noise((2, 64), [2])
    often = last(wiener_flow(denoise, x_t, log_snr_grid(30, min_snr_db=-45.0), hop_db=0.2))
    assert torch.allclose(often, last(dpm_solver_3m(denoise, x_t, log_snr_grid(200, min_snr_db=-45.0))), atol=0.01)


def test_what_is_kept_stays_and_every_call_is_counted_in_the_flow():
    denoise, net = gaussian(says=0.1)
    x_0, new, calls = torch.full((1, 2, 64), 0.5), torch.arange(64) > 40, []
    kept = Keeping(Counting(denoise, lambda: calls.append(1)), x_0, new)
    made = last(wiener_flow(kept, seeded_noise((2, 64), [3]), looks_grid(3)))
    assert torch.equal(made[..., :41], x_0[..., :41]) and not torch.allclose(made[..., 41:], x_0[..., 41:])
    assert len(calls) == net.asked == 3


def test_within_an_interval_the_denoiser_of_the_look_is_held():
    inside, outside = gaussian(says=0.3)[0], gaussian(says=-0.3)[0]
    x_t, mixed = seeded_noise((2, 64), [4]), Within((-5.0, 5.0), inside, outside)
    for level, one in ((-10.0, outside), (0.0, inside), (10.0, outside)):
        t = t_from_snr_db(torch.tensor(level))
        assert torch.equal(mixed.look(x_t, t)(x_t, t), one(x_t, t)) and torch.equal(mixed(x_t, t), one(x_t, t))


@pytest.mark.parametrize("start", [1.0, 0.5, 0.1, 0.01])
@pytest.mark.parametrize("looks", [1, 3, 12])
def test_looks_lie_between_the_start_and_the_end(looks, start):
    grid = looks_grid(looks, start)
    assert len(grid) == looks + 2 and grid[0] == pytest.approx(start) and grid[-1] == 0
    assert (grid[:-1] > grid[1:]).all()
    gaps = snr_db(grid[1:-1]).diff()
    assert torch.allclose(gaps, gaps[:1].expand_as(gaps), atol=0.01)


def test_a_start_half_way_stays_near_its_sound():
    denoise, _ = gaussian()
    x_0, eps = seeded_noise((2, 64), [5]), seeded_noise((2, 64), [6])
    errors = []
    for start in (0.02, 0.2, 0.5):
        found = last(wiener_flow(denoise, q_sample(x_0, start, eps), looks_grid(3, start)))
        errors.append(float((found - x_0).square().mean()))
    assert errors[0] < 0.01 and errors == sorted(errors)


def test_the_way_fits_the_model_unless_it_is_asked_for():
    plain = DrumModel(ModelConfig(block_size=64, channels=(8, 8, 8), length_samples=4096))
    assert way_of(plain) == {"sampler": "dpm_solver_3m", "num_steps": 12}
    assert way_of(plain, "ddim") == {"sampler": "ddim", "num_steps": 50}
    assert way_of(plain, "ddim", 3) == {"sampler": "ddim", "num_steps": 3}
    shapes = DrumModel(
        ModelConfig(block_size=64, channels=(8, 8, 8), length_samples=4096, gain_shape=True, window="vorbis")
    )
    assert way_of(shapes)["sampler"] == "wiener_flow"
    sound = generate(shapes.eval(), Settings(**way_of(shapes)))
    assert sound.shape == (2, 4096) and sound.isfinite().all()


def test_a_model_without_a_filter_says_what_to_take_instead():
    reference = DrumModel(ModelConfig(block_size=64, channels=(8, 8, 8), length_samples=4096, wiener=False)).eval()
    with pytest.raises(ValueError, match="no Wiener filter.*dpm_solver_3m"):
        generate(reference, Settings(sampler="wiener_flow"))


@pytest.mark.parametrize("start_db", [-60.0, 3.0, 29.0, 35.0, 50.0])
def test_the_way_to_a_clean_sound_only_falls(start_db):
    times = _hops(t_from_snr_db(torch.tensor(start_db)), torch.tensor(0.0), hop_db=5.0)
    assert times[-1] == 0 and (times.diff() < 0).all()
    assert len(times) > 2 or start_db >= MAX_SNR_DB
