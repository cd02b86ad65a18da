"""Is it any good? Numbers for what ears notice: hiss, tails, attacks, distances between sets of sounds (lesson 09).

Sounds are `[B, 2, N]` at 44.1 kHz, features `[B, F]`. Levels are RMS in dBFS and never below `FLOOR_DBFS`, the level
of 16-bit rounding, below which nobody hears a difference.
"""

import torch
from torch import Tensor

from tad_course.synthesis import SAMPLE_RATE

FLOOR_DBFS = -96.0


def hiss_dbfs(audio: Tensor, above_hz: float = 10_000.0, start_s: float = 0.5, stop_s: float = 0.7) -> Tensor:
    """Return the level above 10 kHz between 0.5 and 0.7 s, `[B]`: where a drum has faded and only hiss is left."""
    part = audio[..., round(start_s * SAMPLE_RATE) : round(stop_s * SAMPLE_RATE)]
    window = torch.hann_window(part.shape[-1])
    spectrum = torch.fft.rfft(part * window)
    keep = torch.fft.rfftfreq(part.shape[-1], 1 / SAMPLE_RATE) > above_hz
    # Parseval: twice the positive frequencies, over n and over the window's energy
    power = 2 * (spectrum.abs().square() * keep).sum(-1) / part.shape[-1] / window.square().sum()
    return _dbfs(power.mean(-1))


def tail_dbfs(audio: Tensor, last_s: float = 0.14) -> Tensor:
    """Return the level of the last 140 ms, `[B]`."""
    return _dbfs(audio[..., -round(last_s * SAMPLE_RATE) :].square().mean((-1, -2)))


def attack_ms(audio: Tensor, hop: int = 44) -> Tensor:
    """Return how long the sound takes from 10 % to 90 % of its highest short-time level, `[B]`, in milliseconds."""
    envelope = audio.square().mean(-2).unfold(-1, 2 * hop, hop).mean(-1).sqrt()
    envelope = envelope / envelope.amax(-1, keepdim=True).clamp(min=1e-9)
    first_10 = (envelope >= 0.1).float().argmax(-1)
    first_90 = (envelope >= 0.9).float().argmax(-1)
    return (first_90 - first_10) * hop * 1000 / SAMPLE_RATE


def _dbfs(power: Tensor) -> Tensor:
    return 10 * torch.log10(power.clamp(min=10 ** (FLOOR_DBFS / 10)))


def frechet_distance(a: Tensor, b: Tensor) -> float:
    """Return the Fréchet distance between Gaussians fitted to two feature sets `[N, F]` and `[M, F]`.

    |μ_a - μ_b|² + tr(Σ_a + Σ_b - 2 (Σ_a Σ_b)^½) (Dowson & Landau, 1982; Heusel et al., 2017).
    """
    a, b = a.double(), b.double()
    cov_a, cov_b = torch.cov(a.T), torch.cov(b.T)
    # the eigenvalues of Σ_a Σ_b are those of the symmetric Σ_a^½ Σ_b Σ_a^½, whose roots are real
    values, vectors = torch.linalg.eigh(cov_a)
    root_a = vectors * values.clamp(min=0).sqrt() @ vectors.T
    cross = torch.linalg.eigvalsh(root_a @ cov_b @ root_a).clamp(min=0).sqrt().sum()
    return float((a.mean(0) - b.mean(0)).square().sum() + cov_a.trace() + cov_b.trace() - 2 * cross)


def kernel_distance(a: Tensor, b: Tensor) -> float:
    """Return the kernel distance (squared MMD, cubic kernel, unbiased) of two feature sets (Bińkowski et al., 2018)."""
    a, b = a.double(), b.double()

    def kernel(x: Tensor, y: Tensor) -> Tensor:
        return (x @ y.T / x.shape[1] + 1) ** 3

    n, m = len(a), len(b)
    within_a = (kernel(a, a).sum() - kernel(a, a).diagonal().sum()) / (n * (n - 1))
    within_b = (kernel(b, b).sum() - kernel(b, b).diagonal().sum()) / (m * (m - 1))
    return float(within_a + within_b - 2 * kernel(a, b).mean())


def density_coverage(real: Tensor, made: Tensor, k: int = 5) -> tuple[float, float]:
    """Return density (made sounds lie where real ones do) and coverage (each real one is met), Naeem et al., 2020."""
    radius = torch.cdist(real, real).kthvalue(k + 1, dim=-1).values  # the nearest of all is the sound itself
    inside = torch.cdist(real, made) < radius[:, None]
    return float(inside.float().sum(0).mean() / k), float(inside.any(1).float().mean())


def nearest_distance(of: Tensor, to: Tensor) -> Tensor:
    """Return the distance of each row of `of` `[N, F]` to its nearest row of `to` `[M, F]`, `[N]`.

    A model that copies has made sounds much nearer to the training set than new real sounds are.
    """
    return torch.cdist(of, to).amin(-1)
