"""Drums without a network: noise in the loudness that drums have, a baseline that a model must beat (lesson 09).

How loud a drum is in each part of the spectrum and of time is a point in some hundred dimensions. A Gaussian fitted to
such points draws new ones, and white noise is filtered to that loudness. There are no tones in it, no attacks, no
phase: whatever measure finds nothing wrong with these sounds measures loudness alone.
"""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor
from torch.nn.functional import avg_pool1d

from tad_course.audio.levels import limit
from tad_course.drums import LABELS, render
from tad_course.model.transforms import LappedTransform

BANDS = (0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)  # borders of groups of bands, two an octave
FRAMES = (0, 1, 2, 3, 4, 6, 8, 11, 16, 22, 32, 45, 64, 90, 128, 181, 256, 362, 511)  # where the loudness is taken
COMPONENTS = 24  # principal components that are drawn together; what is left over is drawn for each cell alone
FLOOR = 1e-14


class LoudnessBaseline:
    """A Gaussian of the log power in 24 groups of bands (12 of mid, 12 of side) at 19 points in time.

    Between two points in time the loudness in decibels follows a straight line.

    Args:
        sounds: `[n, 2, 32768]` of one instrument, n of at least 2.
    """

    def __init__(self, sounds: Tensor):
        if len(sounds) < 2:
            raise ValueError(f"A Gaussian needs at least 2 sounds, not {len(sounds)}.")
        self.transform = LappedTransform(64)
        x = torch.cat([self._loudness(part) for part in sounds.split(64)])  # [n, D]
        self.mean = x.mean(0)
        u, s, vh = torch.linalg.svd(x - self.mean, full_matrices=False)
        keep = min(COMPONENTS, len(s))
        self.factors = (s[:keep, None] * vh[:keep]) / (len(x) - 1) ** 0.5  # [K, D]
        variance = (x - self.mean).square().sum(0) / (len(x) - 1)
        self.rest = (variance - self.factors.square().sum(0)).clamp(min=0).sqrt()

    def __call__(self, count: int, seed: int) -> Tensor:
        """Return `count` sounds `[count, 2, 32768]`, the same for the same seed."""
        generator = torch.Generator().manual_seed(seed)
        draw = torch.randn(count, len(self.factors), generator=generator) @ self.factors
        log_power = self.mean + draw + self.rest * torch.randn(count, len(self.rest), generator=generator)
        log_power = log_power.unflatten(1, (2, len(BANDS) - 1, len(FRAMES))) @ _lines()
        power = log_power.exp().repeat_interleave(_sizes(BANDS), 2).flatten(1, 2)  # [count, 128, 512]
        noise = torch.randn(power.shape, generator=generator)
        return torch.stack([limit(sound) for sound in self.transform.decode(power.sqrt() * noise)])

    def _loudness(self, sounds: Tensor) -> Tensor:
        """Return the log power of each group of bands at each point in time, `[n, D]`."""
        power = self.transform.encode(sounds).square().unflatten(1, (2, 64))  # [n, 2, 64, 512]
        power = torch.stack([part.mean(2) for part in power.split(_sizes(BANDS).tolist(), 2)], 2)
        smooth = avg_pool1d(power.flatten(0, 1), 5, 1, 2, count_include_pad=False).unflatten(0, (-1, 2))
        smooth[..., :4] = power[..., :4]  # an attack is not smeared
        return (smooth[..., list(FRAMES)] + FLOOR).log().flatten(1)


def baseline_chunks(labels: Iterable[str], per_label: int, fitted_to: int = 500, chunk: int = 32) -> Iterator:
    """Yield `(audio [b, 2, N], labels [b])` of baselines fitted to so many drums of each label."""
    for label in labels:
        draw = LoudnessBaseline(torch.stack([render(label, seed).audio for seed in range(fitted_to)]))
        for start in range(0, per_label, chunk):
            audio = draw(min(chunk, per_label - start), seed=start)
            yield audio, torch.full((len(audio),), LABELS.index(label))


def _sizes(edges: tuple[int, ...]) -> Tensor:
    return torch.tensor(edges).diff()


def _lines() -> Tensor:
    """Return the weights `[19, 512]` that draw straight lines between the points in time."""
    frame, points = torch.arange(512.0), torch.tensor(FRAMES).float()
    after = torch.searchsorted(points, frame).clamp(1)
    share = (frame - points[after - 1]) / (points[after] - points[after - 1])
    lines = torch.zeros(len(FRAMES), 512)
    lines[after - 1, frame.long()] = 1 - share
    lines[after, frame.long()] = share
    return lines
