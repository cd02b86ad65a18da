"""From noise to sound: grids of noise levels, samplers, and classifier-free guidance (lessons 04 and 08).

A sampler needs only `denoise(x_t, t) -> x_0` with signals `[B, C, L]` and one time for the whole batch. It is a
generator that yields a `Step` after every network call, so the caller can plot, play, count or stop.
"""

from collections import deque
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from tad_course.diffusion import alpha_sigma, eps_from_x_0, log_snr, snr_db, t_from_snr_db

Denoiser = Callable[[Tensor, Tensor], Tensor]


class Step(NamedTuple):
    """One step of a sampler: the new noisy sound `x_t` at time `t`, and the clean sound `x_0` foreseen."""

    index: int
    t: Tensor
    x_t: Tensor
    x_0: Tensor


def linear_grid(num_steps: int, start: float = 1.0) -> Tensor:
    """Return times `[num_steps + 1]` falling evenly from `start` to 0, the library's own grid."""
    _check_grid(num_steps, start)
    return torch.linspace(start, 0.0, num_steps + 1)


def log_snr_grid(num_steps: int, start: float = 1.0, max_snr_db: float = 60.0, min_snr_db: float = -40.0) -> Tensor:
    """Return times `[num_steps + 1]` whose log-SNR rises evenly from that of `start` to `max_snr_db`; the last is 0.

    On the linear grid the last hop leaves noise of sin(π / 2N) to one step; here the last hop starts at
    -`max_snr_db` decibels (Lu et al., "DPM-Solver", 2022).
    """
    _check_grid(num_steps, start)
    first = max(float(snr_db(start)), min_snr_db) if start < 1 else min_snr_db
    final = max_snr_db if first < max_snr_db else first + 10  # a start cleaner than the last hop must still fall
    times = t_from_snr_db(torch.linspace(first, final, num_steps, dtype=torch.float64)).float()
    return torch.cat([torch.tensor([float(start)]), times[1:], torch.zeros(1)])


GRIDS = {"linear": linear_grid, "log_snr": log_snr_grid}


def ddim(denoise: Denoiser, x_t: Tensor, grid: Tensor) -> Iterator[Step]:
    """Walk down the grid with DDIM: foresee x_0, keep the noise, go to the next level (Song et al., 2021).

    In the plane of x_0 and eps each step is a rotation. Lesson: 04

    Args:
        denoise: returns x_0 for (x_t, t).
        x_t: noisy sound at `grid[0]`, `[B, C, L]`.
        grid: falling times `[num_steps + 1]`.
    """
    for i, (t, s) in enumerate(pairwise(grid)):
        x_0 = denoise(x_t, t)
        eps = eps_from_x_0(x_t, x_0, t)
        alpha, sigma = alpha_sigma(s)
        x_t = alpha * x_0 + sigma * eps
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


def dpm_solver_3m(denoise: Denoiser, x_t: Tensor, grid: Tensor) -> Iterator[Step]:
    """Walk down the grid with the three-step relative of `dpm_solver_2m`, which also remembers how the heading turned.

    Within a step x_0 is taken for a parabola along the log-SNR axis, through the last three that were foreseen, and
    integrated exactly (Lu et al., "DPM-Solver++", 2022, of order 3; exponential multistep methods: Hochbruck &
    Ostermann, 2010). The last step is DDIM. Lesson: 08
    """
    past = []  # x_0 foreseen before, and the half log-SNR from there on, newest first
    for i, (t, s) in enumerate(pairwise(grid)):
        x_0 = denoise(x_t, t)
        h = (log_snr(s) - log_snr(t)) / 2
        (alpha_s, sigma_s), (_, sigma_t) = alpha_sigma(s), alpha_sigma(t)
        x_t = sigma_s / sigma_t * x_t - alpha_s * torch.expm1(-h) * x_0
        if past and s > 0:
            # In units of h. Pure noise is infinitely far away; but nothing happens there before the grid's second time.
            gaps = [gap / h if gap.isfinite() else 1.0 for _, gap in past]
            points = [x_0, *(x for x, _ in past)]
            slopes = [(points[k] - points[k + 1]) / gap for k, gap in enumerate(gaps)]
            phi_2 = torch.expm1(-h) / h + 1
            x_t = x_t + alpha_s * phi_2 * slopes[0]
            if len(past) == 2:
                bend = (slopes[0] - slopes[1]) / (gaps[0] + gaps[1])
                x_t = x_t + alpha_s * (phi_2 * gaps[0] - phi_2 / h + 0.5) * bend
        yield Step(i, s, x_t, x_0)
        past = [(x_0, h), *past][:2]


def ddim_inverse(
    denoise: Denoiser, x_0: Tensor, grid: Tensor, eps: Tensor, tolerance_db: float = -65.0, most: int = 12
) -> Iterator[Step]:
    """Walk `grid` upwards, from a sound to the noise from which `ddim` would make it.

    The hop of DDIM from t down to s is x_s = F(x_t) = σ_s/σ_t·x_t + c·D(x_t). On the way up x_s is known and x_t is
    sought. The first guess takes x_0 from the hop before (Song et al., 2021); then x_t follows the miss x_s - F(x_t)
    until it is small, by fixed-point iteration (Pan et al., 2023) with Anderson's acceleration (1965). For Gaussian
    sounds the slope of F lies between σ_s/σ_t in silence and more by c times the Wiener filter's gain in the loudest
    place; a step of one over the middle converges best. Lesson: 08

    The last hop of DDIM forgets the noise below the sound, so the way up starts at `grid[-2]`, with noise `eps` of
    that level added.

    Args:
        denoise: returns x_0 for (x_t, t); without guidance, which pushes sounds away from where they came from.
        x_0: sound `[B, C, L]`.
        grid: the falling times `[num_steps + 1]` of the way down.
        eps: noise `[B, C, L]`.
        tolerance_db: a hop is done when its miss is that far below the sound that is in x_s.
        most: network calls a hop.
    """
    size, loudest = x_0.norm(), x_0.square().max()
    alpha, sigma = alpha_sigma(grid[-2])
    x_t = alpha * x_0 + sigma * eps
    for i, (s, t) in enumerate(pairwise(grid[:-1].flip(0))):
        (alpha_s, sigma_s), (alpha_t, sigma_t) = alpha_sigma(s), alpha_sigma(t)
        c = alpha_s - sigma_s * alpha_t / sigma_t
        gain = alpha_t * loudest / (alpha_t**2 * loudest + sigma_t**2)
        tolerance = 10 ** (tolerance_db / 20) * alpha_s * size
        x_s, x_t = x_t, sigma_t / sigma_s * (x_t - c * x_0)
        x_before, step_before = None, None
        for _ in range(most):
            x_0 = denoise(x_t, t)
            miss = x_s - sigma_s / sigma_t * x_t - c * x_0
            if miss.norm() < tolerance:
                break
            step = miss / (sigma_s / sigma_t + c * gain / 2)
            x_before, step_before, x_t = x_t, step, _accelerated(x_t, step, x_before, step_before)
        yield Step(i, t, x_t, x_0)


def _accelerated(x: Tensor, step: Tensor, x_before: Tensor | None, step_before: Tensor | None) -> Tensor:
    """Return the next guess of a fixed-point iteration: from the mix of the last two whose step would be smallest."""
    if x_before is None:
        return x + step
    change = step - step_before
    share = (step * change).sum() / change.square().sum().clamp(min=1e-30)
    return x + step - share * (x - x_before + change)


def repaint(
    denoise: Denoiser, x_t: Tensor, grid: Tensor, turns: int, generator: torch.Generator | None = None
) -> Iterator[Step]:
    """DDIM that takes each hop `turns` times, with fresh noise to climb back in between (Lugmayr et al., 2022).

    What is made anew and what is `keeping` get that many chances to agree at each level.
    """
    index = 0
    for t, s in pairwise(grid):
        for turn in range(turns if s > 0 and t < 1 else 1):
            if turn:
                x_t = _climb(x_t, s, t, generator)
            x_0 = denoise(x_t, t)
            eps = eps_from_x_0(x_t, x_0, t)
            alpha, sigma = alpha_sigma(s)
            x_t = alpha * x_0 + sigma * eps
            yield Step(index, s, x_t, x_0)
            index += 1


def _climb(x_s: Tensor, s: Tensor, t: Tensor, generator: torch.Generator | None) -> Tensor:
    """Add noise to x_s so that it becomes x_t: what forward diffusion does between two times."""
    (alpha_s, sigma_s), (alpha_t, sigma_t) = alpha_sigma(s), alpha_sigma(t)
    kept = alpha_t / alpha_s
    fresh = torch.randn(x_s.shape, generator=generator).to(x_s)
    return kept * x_s + (sigma_t**2 - kept**2 * sigma_s**2).clamp(min=0).sqrt() * fresh


def within(interval_db: tuple[float, float], inside: Denoiser, outside: Denoiser) -> Denoiser:
    """Return a denoiser that is `inside` while the SNR lies between two levels in dB, and `outside` elsewhere.

    With a guided and a plain one this is guidance in a limited interval: at high noise guidance narrows the choice
    of sounds, at low noise it does nothing (Kynkäänniemi et al., 2024). Lesson: 08
    """
    low, high = interval_db
    return lambda x_t, t: (inside if low <= snr_db(t) <= high else outside)(x_t, t)


def keeping(denoise: Denoiser, x_0: Tensor, new: Tensor) -> Denoiser:
    """Return a denoiser that knows the sound `x_0` wherever the mask `new` is False.

    A sampler started from `q_sample(x_0, t, eps)` then keeps that part of x_t equal to the noised original at every
    level, as inpainting asks (Lugmayr et al., "RePaint", 2022).

    Args:
        denoise: fills in the rest.
        x_0: the sound to keep, `[B, C, L]`.
        new: True where the sound is to be made anew; of a shape that spreads to `[B, C, L]`.
    """
    return lambda x_t, t: torch.where(new, denoise(x_t, t), x_0)


def slerp(first: Tensor, second: Tensor, amount: float) -> Tensor:
    """Return the noise that lies `amount` of the way from one noise to another, on the arc between them.

    On the straight line between two noises half of the variance is lost in the middle; on the arc none is
    (Shoemake, 1985; White, 2016). The length goes evenly from that of the first to that of the second. Lesson: 08

    Args:
        first: noise of any shape.
        second: noise of the same shape.
        amount: 0 returns the first, 1 the second.
    """
    if amount in (0, 1):
        return second if amount else first
    a, b = first.norm(), second.norm()
    angle = torch.acos(((first / a) * (second / b)).sum().clamp(-1, 1))
    if angle < 1e-3:
        return torch.lerp(first, second, amount)
    way = torch.sin((1 - amount) * angle) * first / a + torch.sin(amount * angle) * second / b
    return torch.lerp(a, b, amount) / torch.sin(angle) * way


SAMPLERS = {"ddim": ddim, "dpm_solver_2m": dpm_solver_2m, "dpm_solver_3m": dpm_solver_3m}


def last(steps: Iterator[Step]) -> Tensor:
    """Run a sampler to its end and return the final `x_t`."""
    (step,) = deque(steps, maxlen=1)
    return step.x_t


def seeded_noise(shape: tuple[int, ...], seeds: list[int]) -> Tensor:
    """Return white noise `[B, *shape]`, one seed a sound, so a sound does not depend on its neighbours."""
    return torch.stack([torch.randn(shape, generator=torch.Generator().manual_seed(int(seed))) for seed in seeds])


def _check_grid(num_steps: int, start: float) -> None:
    if num_steps < 1:
        raise ValueError(f"A sampler needs at least 1 step, not {num_steps}.")
    if not 0 < start <= 1:
        raise ValueError(f"Sampling starts at a time above 0 and up to 1, not at {start}.")
