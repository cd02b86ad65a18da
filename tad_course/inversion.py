"""Backwards: from a sound to the noise from which DDIM would make it (lesson 08)."""

from collections.abc import Iterator
from itertools import pairwise

from torch import Tensor

from tad_course.model.diffusion import alpha_sigma
from tad_course.model.samplers import Denoiser, Step


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
