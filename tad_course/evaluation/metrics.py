"""Is it any good? Numbers for what ears notice: hiss, tails, attacks, distances between sets of sounds (lesson 09).

Sounds are `[B, 2, N]` at 44.1 kHz, features `[B, F]`. Levels are RMS in dBFS and never below `FLOOR_DBFS`, the level
of 16-bit rounding, below which nobody hears a difference.
"""

import torch
from torch import Tensor
from torch.nn.functional import avg_pool1d

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


def envelope_db(audio: Tensor, low_hz: float = 30.0, high_hz: float = 18_000.0, smooth_s: float = 0.015) -> Tensor:
    """Return the envelope of a band of sounds `[B, 2, N]` every millisecond, in dB of its peak, `[B, N / 44]`.

    The magnitude of the analytic signal (Gabor, 1946) behind a Butterworth band-pass without phase, smoothed.
    """
    n = audio.shape[-1]
    hz = torch.fft.rfftfreq(2 * n, 1 / SAMPLE_RATE)  # twice the length: nothing wraps around
    gain = 1 / (1 + ((hz**2 - low_hz * high_hz) / (hz.clamp(min=1e-3) * (high_hz - low_hz))) ** 8)
    spectrum = torch.zeros(len(audio), 2 * n, dtype=torch.cfloat)
    spectrum[:, : n + 1] = 2 * gain * torch.fft.rfft(audio.mean(-2), 2 * n)
    size = round(smooth_s * SAMPLE_RATE) | 1
    envelope = torch.fft.ifft(spectrum).abs()[:, None, :n]
    envelope = avg_pool1d(envelope, size, 1, size // 2, count_include_pad=False)[:, 0, :: SAMPLE_RATE // 1000]
    return 20 * torch.log10(envelope / envelope.amax(-1, keepdim=True).clamp(min=1e-9) + 1e-6)


def _after_peak(level: Tensor) -> Tensor:
    """Return levels `[B, T]` with what lies before the peak set to the peak."""
    before = torch.arange(level.shape[-1]) < level.argmax(-1, keepdim=True)
    return torch.where(before, level.amax(-1, keepdim=True), level)


def double_hit(audio: Tensor, rise_db: float = 8.0, above_db: float = -20.0) -> Tensor:
    """Return for each sound `[B]` whether it is hit again: its level falls, then rises by 8 dB to above -20 dB."""
    level = _after_peak(envelope_db(audio))
    return ((level - level.cummin(-1).values > rise_db) & (level > above_db)).any(-1)


def warble_db(audio: Tensor, fall_db: float = 30.0) -> Tensor:
    """Return by how much the level from 30 to 160 Hz rises in all while it falls by 30 dB, `[B]`, in dB.

    A struck drum only decays: 0. A tone whose waves are not in step from frame to frame swells and fades.
    """
    level = _after_peak(envelope_db(audio, 30.0, 160.0))[:, ::5]
    rises = level.diff(dim=-1).clamp(min=0)
    falling = (level < -fall_db).cumsum(-1)[:, 1:] == 0
    return (rises * falling).sum(-1)


def tone_share(audio: Tensor, width: float = 1.03) -> Tensor:
    """Return the share of the energy that lies within half a semitone of the strongest partial, `[B]`."""
    power = torch.fft.rfft(audio.mean(-2)).abs().square()
    hz = torch.fft.rfftfreq(audio.shape[-1], 1 / SAMPLE_RATE)
    strongest = hz[power[:, 1:].argmax(-1) + 1][:, None]
    near = (hz > strongest / width) & (hz < strongest * width)
    return (power * near).sum(-1) / power.sum(-1).clamp(min=1e-12)


def length_ms(audio: Tensor, down_db: float = 40.0) -> Tensor:
    """Return how long each sound stays within 40 dB of its highest level, `[B]`, in milliseconds."""
    loud = envelope_db(audio) > -down_db
    return (loud * torch.arange(loud.shape[-1])).amax(-1).float()


def brightness_octaves(audio: Tensor) -> Tensor:
    """Return the octaves from 1 kHz to the spectral centroid of each sound, `[B]`."""
    power = torch.fft.rfft(audio.mean(-2)).abs().square()
    hz = torch.fft.rfftfreq(audio.shape[-1], 1 / SAMPLE_RATE)
    return torch.log2((power @ hz / power.sum(-1).clamp(min=1e-12)).clamp(min=20) / 1000)


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

    A sound lies among a set if it is nearer to one of its sounds than that one's k-th neighbor in the set is.
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
