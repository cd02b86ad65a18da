"""From noise to sound: grids of noise levels, samplers, and classifier-free guidance (lessons 04 and 08).

A sampler needs only `denoise(x_t, t) -> x_0` with signals `[B, C, L]` and one time for the whole batch. It is a
generator that yields a `Step` after every hop, so the caller can plot, play, count or stop.
"""

from collections import deque
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from tad_course.diffusion import alpha_sigma, eps_from_x_0, log_snr, snr_db, t_from_snr_db

Denoiser = Callable[[Tensor, Tensor], Tensor]
LOOKS_DB = (-15.0, 21.0)  # SNRs between which the network is asked when it is asked seldom
MIN_SNR_DB = -45.0  # below it there is nothing but noise
MAX_SNR_DB = 30.0  # above it there is nothing left to decide


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


def looks_grid(num_steps: int, start: float = 1.0) -> Tensor:
    """Return times `[num_steps + 2]` for `wiener_flow`: the start, `num_steps` looks at the sound, and 0.

    The looks lie in the middle of so many equal parts, in decibels, of the range in which a drum is decided.
    """
    _check_grid(num_steps, start)
    first = max(LOOKS_DB[0], float(snr_db(start))) if start < 1 else LOOKS_DB[0]
    part = max(LOOKS_DB[1] - first, 6.0) / num_steps
    looks = t_from_snr_db(first + part * (torch.arange(num_steps, dtype=torch.float64) + 0.5)).float()
    return torch.cat([torch.tensor([float(start)]), looks, torch.zeros(1)])


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


def wiener_flow(denoise: Denoiser, x_t: Tensor, grid: Tensor, hop_db: float = 5.0) -> Iterator[Step]:
    """Walk down the grid with what is known of all sounds, and ask the network only at the times in between.

    If sounds were Gaussian, the Wiener filter would be the whole denoiser, and the way from noise to sound could be
    followed to any precision without a network (Wang & Vastola, "The unreasonable effectiveness of Gaussian score
    approximation for diffusion models", 2024). So the network's word is held from one time of the grid to the next,
    while the filter moves on in small hops. Before the first of them, in deep noise, it has nothing to say. Lesson: 08

    Args:
        denoise: of a model with a Wiener filter around its network (`WienerDenoiser`).
        x_t: noisy sound at `grid[0]`, `[B, C, L]`.
        grid: falling times `[num_steps + 2]`: the start, one for each network call, and 0.
        hop_db: about how far the filter moves on at once; each hop is a step that is told.
    """
    index = 0
    for t, s in pairwise(grid):
        held = denoise.look(x_t, t, ask=index > 0)
        for step in dpm_solver_3m(held, x_t, _hops(t, s, hop_db)):
            yield step._replace(index=index)
            x_t, index = step.x_t, index + 1


def _hops(t: Tensor, s: Tensor, hop_db: float) -> Tensor:
    """Return times from t to s, even in log-SNR; pure noise is taken for `MIN_SNR_DB`, and 0 follows `MAX_SNR_DB`."""
    first, final = max(float(snr_db(t)), MIN_SNR_DB), min(float(snr_db(s)), MAX_SNR_DB)
    if first >= final:
        return torch.stack([t, s])
    hops = max(1, round((final - first) / hop_db))
    return torch.cat([t[None], t_from_snr_db(torch.linspace(first, final, hops + 1)[1 : hops + int(s == 0)]), s[None]])


def repaint(
    denoise: Denoiser, x_t: Tensor, grid: Tensor, turns: int, generator: torch.Generator | None = None
) -> Iterator[Step]:
    """DDIM that takes each hop `turns` times, with fresh noise to climb back in between (Lugmayr et al., 2022).

    What is made anew and what is kept (`denoisers.Keeping`) get that many chances to agree at each level.
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


SAMPLERS = {"wiener_flow": wiener_flow, "dpm_solver_3m": dpm_solver_3m, "dpm_solver_2m": dpm_solver_2m, "ddim": ddim}


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
