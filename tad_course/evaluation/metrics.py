"""Is it any good? Numbers for what ears notice: hiss, tails, attacks, distances between sets of sounds (lesson 09).

Sounds are `[B, 2, N]` at 44.1 kHz, features `[B, F]`. Levels are RMS in dBFS and never below `FLOOR_DBFS`, the level
of 16-bit rounding, below which nobody hears a difference.
"""

import torch
from torch import Tensor

from tad_course.config import SAMPLE_RATE

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


def kernel_distance(a: Tensor, b: Tensor, unbiased: bool = True) -> float:
    """Return the kernel distance (squared MMD, cubic kernel) of two feature sets (Bińkowski et al., 2018).

    The unbiased estimate is 0 on average for two sets of one kind, so it cannot be compared as "so many times the
    floor". The biased one counts each sound's likeness to itself too and, as the Fréchet distance does, comes out
    above 0 by as much as sets of that size differ by chance.
    """
    a, b = a.double(), b.double()

    def kernel(x: Tensor, y: Tensor) -> Tensor:
        return (x @ y.T / x.shape[1] + 1) ** 3

    def within(x: Tensor) -> Tensor:
        values = kernel(x, x)
        return (values.sum() - values.trace()) / (len(x) * (len(x) - 1)) if unbiased else values.mean()

    return float(within(a) + within(b) - 2 * kernel(a, b).mean())


def density_coverage(real: Tensor, made: Tensor, k: int = 5) -> tuple[float, float]:
    """Return density (made sounds lie where real ones do) and coverage (each real one is met), Naeem et al., 2020."""
    radius = torch.cdist(real, real).kthvalue(k + 1, dim=-1).values  # the nearest of all is the sound itself
    inside = torch.cdist(real, made) < radius[:, None]
    return float(inside.float().sum(0).mean() / k), float(inside.any(1).float().mean())


def precision_recall(real: Tensor, made: Tensor, k: int = 5) -> tuple[float, float]:
    """Return precision (made sounds lie among real ones) and recall (the reverse), Kynkäänniemi et al., 2019.

    A sound lies among a set if it is nearer to one of its sounds than that one's k-th neighbour in the set is.
    """

    def among(of: Tensor, those: Tensor) -> float:
        radius = torch.cdist(those, those).kthvalue(k + 1, dim=-1).values
        return float((torch.cdist(of, those) < radius).any(1).float().mean())

    return among(made, real), among(real, made)


def spectral_distance_db(a: Tensor, b: Tensor) -> float:
    """Return how far apart two log-mel spectrograms in dB are: the root of the mean squared difference of all places.

    Of the mean spectrograms of two sets of sounds it says whether they have the same bands at the same times on
    average; of two single sounds it is the log-spectral distance (Gray & Markel, 1976).
    """
    return float((a - b).square().mean().sqrt())


def nearest_distance(of: Tensor, to: Tensor) -> Tensor:
    """Return the distance of each row of `of` `[N, F]` to its nearest row of `to` `[M, F]`, `[N]`.

    A model that copies has made sounds much nearer to the training set than new real sounds are.
    """
    return torch.cdist(of, to).amin(-1)
