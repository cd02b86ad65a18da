"""Forward diffusion, the three views of one noisy sound, and the exact denoiser (lessons 03 and 04).

Time t runs from 0 (clean) to 1 (noise) on a quarter circle: x_t = alpha·x_0 + sigma·eps with
alpha = cos(πt/2), sigma = sin(πt/2), as in `audio_diffusion_pytorch.VDiffusion`
(Salimans & Ho, "Progressive Distillation for Fast Sampling of Diffusion Models", 2022).
`t` is a float or a tensor `[B]`; signals are `[B, C, L]`.
"""

import math

import torch
from torch import Tensor


def alpha_sigma(t: Tensor | float, ndim: int = 0) -> tuple[Tensor, Tensor]:
    """Return how much signal and how much noise there is at time `t`: the point on the quarter circle.

    Args:
        t: time in [0, 1], a number or `[B]`.
        ndim: number of dimensions to shape the result for, so that it multiplies signals `[B, C, L]` (3).
    """
    angle = torch.as_tensor(t) * (math.pi / 2)
    if ndim and angle.ndim:
        angle = angle.reshape(-1, *[1] * (ndim - 1))
    return torch.cos(angle), torch.sin(angle)


def log_snr(t: Tensor | float) -> Tensor:
    """Return the log signal-to-noise ratio ln(alpha² / sigma²) at time `t` (Kingma et al., 2021)."""
    alpha, sigma = alpha_sigma(t)
    return 2 * (torch.log(alpha.clamp(min=0)) - torch.log(sigma))  # cos(π/2) is a hair below 0 in float32


def snr_db(t: Tensor | float) -> Tensor:
    """Return the signal-to-noise ratio at time `t` in decibels, for a signal of unit variance."""
    return log_snr(t) * (10 / math.log(10))


def t_from_log_snr(value: Tensor | float) -> Tensor:
    """Return the time at which the log signal-to-noise ratio is `value`: the inverse of `log_snr`."""
    return torch.atan(torch.exp(-torch.as_tensor(value) / 2)) * (2 / math.pi)


def t_from_snr_db(value: Tensor | float) -> Tensor:
    """Return the time at which the signal-to-noise ratio is `value` decibels."""
    return t_from_log_snr(torch.as_tensor(value) * (math.log(10) / 10))


def q_sample(x_0: Tensor, t: Tensor | float, eps: Tensor) -> Tensor:
    """Jump from the clean sound to time `t`: x_t = alpha·x_0 + sigma·eps. Lesson: 03"""
    alpha, sigma = alpha_sigma(t, x_0.ndim)
    return alpha * x_0 + sigma * eps


def v_from_x_0(x_0: Tensor, eps: Tensor, t: Tensor | float) -> Tensor:
    """Return the velocity v = alpha·eps - sigma·x_0, what the network learns to predict. Lesson: 04"""
    alpha, sigma = alpha_sigma(t, x_0.ndim)
    return alpha * eps - sigma * x_0


def x_0_from_v(x_t: Tensor, v: Tensor, t: Tensor | float) -> Tensor:
    """Return the clean sound that `v` implies: x_0 = alpha·x_t - sigma·v. Lesson: 04"""
    alpha, sigma = alpha_sigma(t, x_t.ndim)
    return alpha * x_t - sigma * v


def eps_from_v(x_t: Tensor, v: Tensor, t: Tensor | float) -> Tensor:
    """Return the noise that `v` implies: eps = sigma·x_t + alpha·v. Lesson: 04"""
    alpha, sigma = alpha_sigma(t, x_t.ndim)
    return sigma * x_t + alpha * v


def eps_from_x_0(x_t: Tensor, x_0: Tensor, t: Tensor | float) -> Tensor:
    """Return the noise left when `x_0` is taken out of `x_t`: eps = (x_t - alpha·x_0) / sigma. Lesson: 04"""
    alpha, sigma = alpha_sigma(t, x_t.ndim)
    return (x_t - alpha * x_0) / sigma


def noise_levels(count: int, min_snr_db: float = -45.0, max_snr_db: float = 60.0) -> Tensor:
    """Return random times `[count]` to train at: half of them even in decibels of SNR, half near -5 dB.

    Times drawn evenly in t put only 0.64 % of the draws below sigma = 0.01, where hiss is decided. The even half
    reaches all levels; the other half goes where most of a sound is decided (Karras et al., 2022, draw the logarithm
    of the level from a normal distribution too). Each half is spread out, so that no batch has one level many times
    and another never (Kingma et al., "Variational diffusion models", 2021). Lesson: 07
    """
    half = (count + int(torch.randint(2, ()))) // 2
    u, v = ((torch.rand(()) + torch.arange(n) / max(n, 1)) % 1 for n in (half, count - half))
    even = min_snr_db + (max_snr_db - min_snr_db) * u
    normal = math.sqrt(2) * torch.erfinv((2 * v - 1).clamp(-0.9999, 0.9999))
    return t_from_snr_db(torch.cat([even, 12 * normal - 5])[torch.randperm(count)])


class ExactDenoiser:
    """The best possible denoiser when the only sounds in the world are the K given ones (lesson 04).

    The posterior mean of x_0 given x_t is a weighted mean of the known sounds; the weights are a softmax of
    how well each explains x_t (Karras et al., 2022, appendix B.3).

    Args:
        sounds: `[K, C, L]`.
    """

    def __init__(self, sounds: Tensor):
        self.sounds = sounds

    def weights(self, x_t: Tensor, t: Tensor | float) -> Tensor:
        """Return the posterior probability of each known sound, `[B, K]`."""
        alpha, sigma = alpha_sigma(t, 2)
        distance = torch.cdist(x_t.flatten(1), (alpha * self.sounds.flatten(1)).to(x_t)).square()
        return torch.softmax(-distance / (2 * sigma.clamp(min=1e-6) ** 2), dim=-1)  # at t = 0 the nearest one

    def __call__(self, x_t: Tensor, t: Tensor | float) -> Tensor:
        """Return E[x_0 | x_t], `[B, C, L]`; `t` is one number for the whole batch."""
        return (self.weights(x_t, t) @ self.sounds.flatten(1).to(x_t)).unflatten(1, self.sounds.shape[1:])
