"""Forward diffusion walks a quarter circle; x_0, eps and v are three views of one thing (lessons 03 and 04)."""

import math

import pytest
import torch
from audio_diffusion_pytorch import VDiffusion
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from tad_course.model.diffusion import (
    ExactDenoiser,
    alpha_sigma,
    eps_from_v,
    eps_from_x_0,
    log_snr,
    noise_levels,
    q_sample,
    snr_db,
    t_from_log_snr,
    t_from_snr_db,
    v_from_x_0,
    x_0_from_v,
)

TIMES = torch.linspace(0.01, 0.99, 25)


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_signal_and_noise_stand_on_a_quarter_circle():
    alpha, sigma = alpha_sigma(torch.linspace(0, 1, 101))
    assert torch.allclose(alpha**2 + sigma**2, torch.ones(101))
    assert (alpha.diff() < 0).all() and (sigma.diff() > 0).all()
    assert (alpha[0], sigma[0]) == (1, 0) and abs(alpha[-1]) < 1e-6 and sigma[-1] == 1
    assert alpha[50] == pytest.approx(float(sigma[50])) == pytest.approx(math.sqrt(0.5))


def test_the_variance_of_unit_noise_is_kept_at_every_time():
    for t in TIMES:
        assert q_sample(noise(1, 2, 50_000), t, noise(1, 2, 50_000, seed=1)).var() == pytest.approx(1, abs=0.03)


def test_a_jump_equals_walking_there_step_by_step():
    grid = torch.linspace(0, 0.8, 41, dtype=torch.float64)
    signal, variance = torch.tensor(1.0).double(), torch.tensor(0.0).double()
    for s, t in zip(grid, grid[1:], strict=False):
        (alpha_s, sigma_s), (alpha_t, sigma_t) = alpha_sigma(s), alpha_sigma(t)
        keep = alpha_t / alpha_s
        added = sigma_t**2 - keep**2 * sigma_s**2  # the noise that each step brings in anew
        assert added > 0
        signal, variance = signal * keep, variance * keep**2 + added
    alpha, sigma = alpha_sigma(grid[-1])
    assert signal == pytest.approx(float(alpha)) and variance == pytest.approx(float(sigma**2))


@pytest.mark.parametrize("t", [TIMES, TIMES.double()])
def test_log_snr_and_time_are_inverse_to_each_other(t):
    assert torch.allclose(t_from_log_snr(log_snr(t)), t, rtol=1e-5)
    assert torch.allclose(t_from_snr_db(snr_db(t)), t, rtol=1e-5)


def test_log_snr_falls_from_plus_to_minus_infinity_and_is_zero_half_way():
    values = log_snr(torch.linspace(0, 1, 101))
    assert values[0] == math.inf and values[-1] == -math.inf and (values.diff() < 0).all()
    assert abs(values[50]) < 1e-6
    assert t_from_log_snr(math.inf) == 0 and t_from_log_snr(-math.inf) == 1


def test_decibels_are_those_of_a_power_ratio():
    t = t_from_snr_db(60.0)
    alpha, sigma = alpha_sigma(t)
    assert alpha**2 / sigma**2 == pytest.approx(1e6, rel=1e-3)
    assert snr_db(0.5) == pytest.approx(0, abs=1e-5)


class Spy(torch.nn.Module):
    """A network that remembers its input and always outputs 0."""

    def forward(self, x_t, t):
        self.x_t, self.t = x_t, t
        return torch.zeros_like(x_t)


def test_x_t_and_v_are_those_of_the_library():
    x_0, net = noise(5, 2, 100, seed=1), Spy()
    torch.manual_seed(7)
    loss = VDiffusion(net)(x_0)
    torch.manual_seed(7)
    t, eps = torch.rand(5), torch.randn_like(x_0)
    assert torch.equal(net.t, t)
    assert torch.allclose(q_sample(x_0, t, eps), net.x_t, atol=1e-6)
    assert v_from_x_0(x_0, eps, t).square().mean() == pytest.approx(float(loss), rel=1e-5)


@pytest.mark.parametrize("t", [0.3, torch.tensor(0.7), torch.tensor([0.1, 0.5, 0.9])])
def test_each_of_x_0_eps_and_v_follows_from_x_t_and_another(t):
    x_0, eps = noise(2, 3, 2, 50, seed=2)
    x_t = q_sample(x_0, t, eps)
    v = v_from_x_0(x_0, eps, t)
    assert torch.allclose(x_0_from_v(x_t, v, t), x_0, atol=1e-5)
    assert torch.allclose(eps_from_v(x_t, v, t), eps, atol=1e-5)
    assert torch.allclose(eps_from_x_0(x_t, x_0, t), eps, atol=1e-4)


def test_v_is_the_speed_of_x_t_along_the_circle():
    x_0, eps = noise(2, 1, 2, 50).double()
    t, h = torch.tensor(0.4, dtype=torch.float64), 1e-5
    speed = (q_sample(x_0, t + h, eps) - q_sample(x_0, t - h, eps)) / (2 * h * math.pi / 2)
    assert torch.allclose(speed, v_from_x_0(x_0, eps, t), atol=1e-8)


def test_half_of_the_noise_levels_are_even_in_decibels_and_half_lie_near_minus_5():
    torch.manual_seed(0)
    t = noise_levels(200_000, -45.0, 60.0)
    assert t.shape == (200_000,) and t.min() > 0 and t.max() < 1
    levels = snr_db(t)
    # of the even half those above 40 dB count; of the normal half (-5 dB, 12 dB wide) almost none lies there
    assert (levels > 40).float().mean() == pytest.approx(0.5 * 20 / 105, abs=3e-3)
    even, near = (60 + 45) / math.sqrt(12), 12.0  # their standard deviations
    assert levels.mean() == pytest.approx(0.5 * 7.5 + 0.5 * -5, abs=0.2)
    spread = math.sqrt(0.5 * even**2 + 0.5 * near**2 + (12.5 / 2) ** 2)
    assert levels.std() == pytest.approx(spread, rel=0.01)


SOUNDS = noise(4, 2, 3, seed=5)


@pytest.mark.parametrize("t", [0.05, 0.3, 0.6, 0.95])
def test_the_exact_denoiser_follows_the_slope_of_the_probability(t):
    alpha, sigma = alpha_sigma(t)
    mixture = MixtureSameFamily(
        Categorical(logits=torch.zeros(4)),
        Independent(Normal(alpha * SOUNDS.flatten(1), sigma), 1),
    )
    x_t = q_sample(SOUNDS[:1], t, noise(1, 2, 3, seed=6)).requires_grad_()
    (slope,) = torch.autograd.grad(mixture.log_prob(x_t.flatten(1)).sum(), x_t)
    tweedie = (x_t + sigma**2 * slope) / alpha  # Efron, "Tweedie's Formula and Selection Bias" (2011)
    assert torch.allclose(ExactDenoiser(SOUNDS)(x_t.detach(), t), tweedie.detach(), atol=1e-3)


def test_the_exact_denoiser_knows_nothing_in_pure_noise_and_everything_without():
    denoise = ExactDenoiser(SOUNDS)
    mean = SOUNDS.mean(0)
    assert torch.allclose(denoise(noise(3, 2, 3), 1.0), mean.expand(3, -1, -1), atol=1e-5)
    assert torch.equal(denoise(SOUNDS, 0.0), SOUNDS)
    assert torch.allclose(denoise(SOUNDS + 0.01, torch.tensor(1e-3)), SOUNDS, atol=1e-5)


def test_the_weights_of_the_known_sounds_are_probabilities():
    weights = ExactDenoiser(SOUNDS).weights(noise(6, 2, 3, seed=8), 0.5)
    assert weights.shape == (6, 4) and (weights > 0).all()
    assert torch.allclose(weights.sum(1), torch.ones(6))
