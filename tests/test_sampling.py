"""Samplers walk from noise to sound, agree with other people's, and converge as fast as they claim (lesson 08)."""

import math

import pytest
import torch
from audio_diffusion_pytorch import VSampler
from diffusers import DDIMScheduler, DPMSolverMultistepScheduler

from tad_course.audio.levels import dbfs
from tad_course.drums.voices import LABELS, render
from tad_course.model.diffusion import ExactDenoiser, alpha_sigma, q_sample, snr_db, x_0_from_v
from tad_course.model.samplers import (
    ddim,
    dpm_solver_2m,
    last,
    linear_grid,
    log_snr_grid,
    seeded_noise,
)

SAMPLERS = ddim, dpm_solver_2m


class SmoothNet(torch.nn.Module):
    """An untrained network whose v depends on the sound and on the time."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.conv = torch.nn.Conv1d(2, 2, 9, padding=4)

    def forward(self, x_t: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return torch.tanh(self.conv(x_t) + t.reshape(-1, 1, 1)) - 0.3 * x_t

    @torch.no_grad()
    def denoise(self, x_t: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return x_0_from_v(x_t, self(x_t, t.expand(len(x_t))), t)


@pytest.mark.parametrize("num_steps", [1, 2, 20])
def test_ddim_on_the_linear_grid_is_the_sampler_of_the_library(num_steps):
    net, x_t = SmoothNet(), seeded_noise((2, 256), [1, 2, 3])
    ours = last(ddim(net.denoise, x_t, linear_grid(num_steps)))
    assert (ours - VSampler(net)(x_t, num_steps=num_steps)).abs().max() < 1e-4


def walk(scheduler, net: SmoothNet, x_t: torch.Tensor, grid: torch.Tensor) -> torch.Tensor:
    """Sample with one of diffusers' schedulers, told to visit the noise levels of `grid`."""
    for i, t in enumerate(grid[:-1]):
        v = net(x_t, t.expand(len(x_t))).detach()
        x_t = scheduler.step(v, int(scheduler.timesteps[i]), x_t).prev_sample
    return x_t


@pytest.mark.parametrize("grid", [linear_grid(12, start=0.98), log_snr_grid(12, start=0.98)])
def test_ddim_agrees_with_diffusers_on_the_same_noise_levels(grid):
    scheduler = DDIMScheduler(
        num_train_timesteps=12, prediction_type="v_prediction", clip_sample=False, set_alpha_to_one=True
    )
    scheduler.alphas_cumprod = alpha_sigma(grid[:-1].flip(0))[0] ** 2
    scheduler.set_timesteps(12)
    net, x_t = SmoothNet(), seeded_noise((2, 256), [1, 2])
    assert torch.allclose(last(ddim(net.denoise, x_t, grid)), walk(scheduler, net, x_t, grid), atol=1e-4)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # diffusers with NumPy 2
@pytest.mark.parametrize("num_steps", [2, 3, 5, 20])
@pytest.mark.parametrize("make_grid", [linear_grid, log_snr_grid])
def test_dpm_solver_agrees_with_diffusers_on_the_same_noise_levels(make_grid, num_steps):
    grid = make_grid(num_steps, start=0.98)
    scheduler = DPMSolverMultistepScheduler(
        algorithm_type="dpmsolver++", prediction_type="v_prediction", final_sigmas_type="zero", solver_order=2,
        solver_type="midpoint",
    )
    scheduler.set_timesteps(num_steps)
    alpha, sigma = alpha_sigma(grid)
    scheduler.sigmas = sigma / alpha
    net, x_t = SmoothNet(), seeded_noise((2, 256), [1, 2])
    assert torch.allclose(last(dpm_solver_2m(net.denoise, x_t, grid)), walk(scheduler, net, x_t, grid), atol=1e-4)


def spread_at(t: torch.Tensor, spread: torch.Tensor) -> torch.Tensor:
    """Return the standard deviation of x_t when x_0 is Gaussian with `spread`."""
    alpha, sigma = alpha_sigma(t)
    return (alpha**2 * spread**2 + sigma**2).sqrt()


def error_on_gaussian_data(sampler, num_steps: int) -> float:
    """Return how far a sampler ends from the exact solution, known in closed form for Gaussian data."""
    spread = torch.tensor([0.1, 0.5, 2.0], dtype=torch.float64).reshape(1, 3, 1)
    grid = torch.linspace(0.95, 0.05, num_steps + 1, dtype=torch.float64)
    x_t = torch.ones(1, 3, 1, dtype=torch.float64)

    def denoise(x_t, t):
        return alpha_sigma(t)[0] * spread**2 / spread_at(t, spread) ** 2 * x_t

    exact = x_t * spread_at(grid[-1], spread) / spread_at(grid[0], spread)
    return float((last(sampler(denoise, x_t, grid)) - exact).abs().max())


@pytest.mark.parametrize(("sampler", "order"), [(ddim, 1), (dpm_solver_2m, 2)])
def test_twice_the_steps_leave_half_the_error_of_ddim_and_a_quarter_of_that_of_dpm_solver(sampler, order):
    errors = [error_on_gaussian_data(sampler, num_steps) for num_steps in (50, 100, 200)]
    for before, after in zip(errors, errors[1:], strict=False):
        assert math.log2(before / after) == pytest.approx(order, abs=0.2)


def test_dpm_solver_is_closer_with_a_fifth_of_the_steps_of_ddim():
    assert error_on_gaussian_data(dpm_solver_2m, 40) < error_on_gaussian_data(ddim, 200)


def test_on_the_grid_of_the_course_the_higher_order_ends_nearer_to_the_exact_solution():
    spread = torch.tensor([0.03, 0.1, 0.5, 2.0, 8.0, 16.0], dtype=torch.float64).reshape(1, 6, 1)
    grid = log_snr_grid(24, min_snr_db=-45.0).double()

    def denoise(x_t, t):
        return alpha_sigma(t)[0] * spread**2 / spread_at(t, spread) ** 2 * x_t

    start = torch.ones(1, 6, 1, dtype=torch.float64)
    ends = [last(sampler(denoise, start, grid)) for sampler in (ddim, dpm_solver_2m)]
    first, second = (float((end / spread - 1).abs().max()) for end in ends)
    assert second < 0.25 * first


@pytest.fixture(scope="module")
def drums() -> torch.Tensor:
    """One drum of each label, `[4, 2, 32768]`."""
    return torch.stack([render(label, 0).audio for label in LABELS])


@pytest.mark.parametrize("sampler", SAMPLERS, ids=lambda sampler: sampler.__name__)
@pytest.mark.parametrize("grid", [linear_grid(12), log_snr_grid(8)], ids=["linear", "log_snr"])
def test_with_the_exact_denoiser_every_sampler_ends_on_one_of_the_known_drums(drums, sampler, grid):
    sounds = last(sampler(ExactDenoiser(drums), seeded_noise((2, 32_768), range(3)), grid))
    errors = torch.tensor([[dbfs(sound - drum) for drum in drums] for sound in sounds])
    assert (errors.min(1).values < -50).all()


def test_different_noise_leads_to_different_drums():
    sounds = 0.5 * torch.eye(4).reshape(4, 1, 4)
    ends = last(ddim(ExactDenoiser(sounds), seeded_noise((1, 4), range(40)), linear_grid(50)))
    assert len(torch.cdist(ends.flatten(1), sounds.flatten(1)).argmin(1).unique()) == 4


@pytest.mark.parametrize("sampler", SAMPLERS, ids=lambda sampler: sampler.__name__)
def test_a_sampler_started_half_way_at_its_true_level_returns_to_the_sound_it_came_from(drums, sampler):
    x_t = q_sample(drums, 0.3, seeded_noise((2, 32_768), range(4)))
    assert (last(sampler(ExactDenoiser(drums), x_t, log_snr_grid(8, start=0.3))) - drums).abs().max() < 1e-3


@pytest.mark.parametrize("sampler", SAMPLERS, ids=lambda sampler: sampler.__name__)
def test_a_sampler_yields_every_step_and_evaluates_the_network_once_in_each(sampler):
    times = []

    def denoise(x_t, t):
        times.append(float(t))
        return torch.zeros_like(x_t)

    grid = log_snr_grid(7)
    steps = list(sampler(denoise, torch.ones(1, 2, 8), grid))
    assert times == grid[:-1].tolist()
    assert [step.index for step in steps] == list(range(7)) and [float(step.t) for step in steps] == grid[1:].tolist()
    assert (steps[-1].x_t == 0).all()  # the last step ends on the x_0 that was predicted


@pytest.mark.parametrize("start", [1.0, 0.9, 0.5, 0.1, 0.01, 1e-3, 1e-4])
@pytest.mark.parametrize("num_steps", [1, 2, 8, 100])
@pytest.mark.parametrize("make_grid", [linear_grid, log_snr_grid])
def test_every_grid_falls_from_its_start_to_zero(make_grid, num_steps, start):
    grid = make_grid(num_steps, start)
    assert grid.shape == (num_steps + 1,) and grid[0] == pytest.approx(start) and grid[-1] == 0
    assert (grid.diff() < 0).all()


def test_the_log_snr_grid_is_even_in_decibels_and_leaves_no_hiss_to_the_last_step():
    levels = snr_db(log_snr_grid(20)[1:-1])
    assert torch.allclose(levels.diff(), levels.diff()[0].expand(18), atol=0.1)
    assert levels[-1] == pytest.approx(60, abs=0.01)
    left = alpha_sigma(linear_grid(50)[-2])[1]
    assert 20 * math.log10(left) == pytest.approx(-30, abs=0.1)


@pytest.mark.parametrize("make_grid", [linear_grid, log_snr_grid])
def test_a_grid_that_leads_nowhere_is_refused(make_grid):
    for num_steps in (0, -3):
        with pytest.raises(ValueError, match=f"at least 1 step, not {num_steps}"):
            make_grid(num_steps)
    for start in (0.0, -0.5, 1.5):
        with pytest.raises(ValueError, match="above 0 and up to 1"):
            make_grid(5, start)


def test_the_noise_of_a_seed_is_white_and_does_not_depend_on_its_neighbors():
    together, alone = seeded_noise((2, 10_000), [3, 4, 5]), seeded_noise((2, 10_000), [4])
    assert torch.equal(together[1], alone[0]) and not torch.equal(together[0], together[1])
    assert together.mean() == pytest.approx(0, abs=0.02) and together.std() == pytest.approx(1, abs=0.02)
