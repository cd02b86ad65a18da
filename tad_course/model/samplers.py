"""From noise to sound: grids of noise levels and samplers (lessons 04 and 08).

A sampler needs only `denoise(x_t, t) -> x_0` with coefficients `[B, C, L]` and one time for the whole batch. It is a
generator that yields a `Step` after every network evaluation, so the caller can plot, play, count or stop.
"""

from collections import deque
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from tad_course.model.diffusion import alpha_sigma, eps_from_x_0, log_snr, snr_db, t_from_snr_db

Denoiser = Callable[[Tensor, Tensor], Tensor]


class Step(NamedTuple):
    """One step of a sampler: the new noisy `x_t` at time `t`, and the clean `x_0` that was predicted on the way."""

    index: int
    t: Tensor
    x_t: Tensor
    x_0: Tensor


def linear_grid(num_steps: int, start: float = 1.0) -> Tensor:
    """Return times `[num_steps + 1]` falling evenly from `start` to 0, the library's own grid."""
    _check_grid(num_steps, start)
    return torch.linspace(start, 0.0, num_steps + 1)


def log_snr_grid(num_steps: int, start: float = 1.0, max_snr_db: float = 60.0, min_snr_db: float = -45.0) -> Tensor:
    """Return times `[num_steps + 1]` whose log-SNR rises evenly from that of `start` to `max_snr_db`; the last is 0.

    On the linear grid the last step removes noise of sin(π / 2N) at once; here the last step starts at
    -`max_snr_db` decibels (Lu et al., "DPM-Solver", 2022).
    """
    _check_grid(num_steps, start)
    first = max(float(snr_db(start)), min_snr_db) if start < 1 else min_snr_db
    final = max_snr_db if first < max_snr_db else first + 10  # a start cleaner than the last step must still fall
    times = t_from_snr_db(torch.linspace(first, final, num_steps, dtype=torch.float64)).float()
    return torch.cat([torch.tensor([float(start)]), times[1:], torch.zeros(1)])


def ddim_step(x_t: Tensor, x_0: Tensor, t: Tensor, s: Tensor) -> Tensor:
    """Go from time `t` to `s`: keep the predicted sound `x_0` and the noise, change their shares (Song et al., 2021).

    In the plane of x_0 and eps each step is a rotation. Lesson: 04
    """
    alpha, sigma = alpha_sigma(s)
    return alpha * x_0 + sigma * eps_from_x_0(x_t, x_0, t)


def ddim(denoise: Denoiser, x_t: Tensor, grid: Tensor) -> Iterator[Step]:
    """Walk down the grid with DDIM. Lesson: 04

    Args:
        denoise: returns x_0 for (x_t, t).
        x_t: noisy coefficients at `grid[0]`, `[B, C, L]`.
        grid: falling times `[num_steps + 1]`.
    """
    for i, (t, s) in enumerate(pairwise(grid)):
        x_0 = denoise(x_t, t)
        x_t = ddim_step(x_t, x_0, t, s)
        yield Step(i, s, x_t, x_0)


def dpm_solver_2m(denoise: Denoiser, x_t: Tensor, grid: Tensor) -> Iterator[Step]:
    """Walk down the grid with DPM-Solver++(2M): DDIM that also remembers where x_0 was heading.

    Each step uses x_0 extrapolated half a step ahead along the log-SNR axis (Lu et al., "DPM-Solver++", 2022,
    algorithm 2); the first and the last step are DDIM. Lesson: 08
    """
    x_0_before, h_before = None, None
    for i, (t, s) in enumerate(pairwise(grid)):
        x_0 = denoise(x_t, t)
        h = (log_snr(s) - log_snr(t)) / 2
        extrapolate = x_0_before is not None and s > 0
        ahead = x_0 + (x_0 - x_0_before) * (h / (2 * h_before)) if extrapolate else x_0
        (alpha_s, sigma_s), (_, sigma_t) = alpha_sigma(s), alpha_sigma(t)
        x_t = sigma_s / sigma_t * x_t - alpha_s * torch.expm1(-h) * ahead
        yield Step(i, s, x_t, x_0)
        x_0_before, h_before = x_0, h


SAMPLERS = {"dpm_solver_2m": dpm_solver_2m, "ddim": ddim}


def last(steps: Iterator[Step]) -> Tensor:
    """Run a sampler to its end and return the final `x_t`."""
    (step,) = deque(steps, maxlen=1)
    return step.x_t


def seeded_noise(shape: tuple[int, ...], seeds: list[int]) -> Tensor:
    """Return white noise `[B, *shape]`, one seed a sound, so a sound does not depend on its neighbors."""
    return torch.stack([torch.randn(shape, generator=torch.Generator().manual_seed(int(seed))) for seed in seeds])


def _check_grid(num_steps: int, start: float) -> None:
    if num_steps < 1:
        raise ValueError(f"A sampler needs at least 1 step, not {num_steps}.")
    if not 0 < start <= 1:
        raise ValueError(f"Sampling starts at a time above 0 and up to 1, not at {start}.")
