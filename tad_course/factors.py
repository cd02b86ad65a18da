"""Groups of sounds that are much alike, and the few ways in which those of a group vary together (lesson 06)."""

import math
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

FEWEST = 30  # sounds of which a component is made
LEAST_SPREAD = 0.3  # of the log levels, 2.6 dB: where all drums are alike, small differences are not blown up


class Rows:
    """Rows that come a few at a time, kept in half precision and in one piece of memory: small pieces between large
    ones that are given back would hold on to all of these (glibc's heap), a gigabyte for a few thousand sounds.
    """

    def __init__(self, shape: tuple[int, ...], count: int = 1000):
        self.rows, self.used = torch.empty(count, *shape, dtype=torch.float16), 0

    def add(self, rows: Tensor) -> None:
        if self.used + len(rows) > len(self.rows):
            self.rows = torch.cat([self.rows, torch.empty_like(self.rows)])
            return self.add(rows)
        self.rows[self.used : self.used + len(rows)] = rows
        self.used += len(rows)

    def all(self) -> Tensor:
        return self.rows[: self.used]


def one_class_each(sounds: Iterable[tuple[Tensor, Tensor]]) -> Iterator[tuple[Tensor, int]]:
    """Split batches `[B, C, L]` with classes `[B]` so that each has one class."""
    for z, labels in sounds:
        for label in labels.unique().tolist():
            yield z[labels == label], label


@torch.no_grad()
def halves(x: Tensor, count: int) -> list[Tensor]:
    """Return `count` equal parts of `x` `[N, ...]`, as indices: halved along the direction in which it varies most.

    Parts of fewer than twice `FEWEST` are not halved any more, but returned several times.
    """
    if count == 1 or len(x) < 2 * FEWEST:
        return [torch.arange(len(x))] * count
    flat = (x - x.mean(0)).flatten(1)
    along = flat @ torch.svd_lowrank(flat, 4, niter=4)[2][:, 0]
    order, middle = along.argsort(), len(x) // 2
    return [part[leaf] for part in (order[:middle], order[middle:]) for leaf in halves(x[part], count // 2)]


def principal_components(x: Tensor, most: int) -> Tensor:
    """Return the strongest directions in which `x` `[N, G, L]` varies, each times its standard deviation.

    Returns:
        `[most, G, L]`, zeros where there are fewer sounds than directions.
    """
    found = x.new_zeros(most, *x.shape[1:])
    count = min(most, *x.flatten(1).shape)
    _, lengths, directions = torch.svd_lowrank(x.flatten(1), count, niter=4)
    found[:count] = (directions * lengths / len(x) ** 0.5).T.unflatten(1, x.shape[1:])
    return found


class Tables(NamedTuple):
    """What is usual for one class of sounds; its components have each a row of some tables, and the rest in common."""

    centre: Tensor  # of the gains [components, G, L]: half of the sounds are softer there, half louder
    below: Tensor  # how far the softer ones lie from there [G, L]
    above: Tensor  # the same of the louder ones
    attack: Tensor  # mean first frame of the shapes [components, C, 1]
    begun: Tensor  # variance of first frames around it [C, 1]
    even: Tensor  # mean square [G, L] of gains less their centre, in units of below and above, as the next two are
    loadings: Tensor  # strongest principal components of their cepstrum [components, K, G, S], each times its deviation
    rest: Tensor  # variance of their cepstrum [G, L] that these leave open


@torch.no_grad()
def tables_of(gains: Tensor, begun: Tensor, components: int, shape: tuple[int, ...]) -> Tables:
    """Return the tables of a class.

    Args:
        gains: `[N, G, L]`, overwritten to save memory.
        begun: first frames of the shapes, `[N, C, 1]`.
        components: how many.
        shape: of the loadings, `[..., K, G, S]`.
    """
    parts, (most, _, slow) = halves(gains, components), shape[-3:]
    centre = torch.stack([gains[part].median(0).values for part in parts])
    attack = torch.stack([begun[part].mean(0) for part in parts])
    around = sum((begun[part] - mean).square().mean(0) for part, mean in zip(parts, attack, strict=True))
    of_part = torch.zeros(len(gains), dtype=torch.long)
    for row, part in enumerate(parts):
        of_part[part] = row
    for row in range(len(parts)):
        gains[of_part == row] -= centre[row]
    below, above = (
        (2 * (side * gains).clamp(min=0).square().mean(0)).sqrt().clamp(min=LEAST_SPREAD) for side in (-1, 1)
    )
    gains = torch.where(gains < 0, gains / below, gains / above)
    loadings, rest = gains.new_zeros(len(parts), most, gains.shape[1], slow), torch.zeros_like(gains[0])
    for row, part in enumerate(parts):
        turned = cepstrum(gains[part])
        loadings[row] = principal_components(turned[..., :slow], most)
        rest += turned.square().mean(0) / len(parts)
    rest[:, :slow] -= loadings.square().sum(1).mean(0)
    even = gains.square().mean(0)
    return Tables(centre, below, above, attack, around / len(parts), even, loadings, rest.clamp(min=0))


class Factors(NamedTuple):
    """The covariance of gains, of their `cepstrum`: a few common factors, and a rest in which each goes its own way."""

    loadings: Tensor  # the factors [B, K, G, S]: only the S slowest coefficients have any
    rest: Tensor  # variances [B, G, L]

    def cut(self, frames: int) -> "Factors":
        """Return what is known of the first frames of sounds."""
        length = self.rest.shape[-1]
        loadings = pad(self.loadings, (0, length - self.loadings.shape[-1]))
        if frames == length:
            return Factors(loadings, self.rest)
        as_slow = torch.arange(frames, device=self.rest.device) * length // frames  # the rest is taken for steady
        return Factors(cepstrum(cepstrum(loadings, back=True)[..., :frames]), self.rest[..., as_slow])


def cepstrum(gains: Tensor, back: bool = False) -> Tensor:
    """Return the cosine transform of gains `[..., G, L]`, those of mid and those of side, over groups and over time.

    Gains of neighbours rise and fall together, their cosine transform hardly does (Davis & Mermelstein, 1980; the name
    is of Bogert, Healy & Tukey, 1963). It is a rotation; `back` undoes it.
    """
    across, along = (_cosines(size).to(gains) for size in (gains.shape[-2] // 2, gains.shape[-1]))
    if back:
        across, along = across.T, along.T
    return (across @ gains.unflatten(-2, (2, -1)) @ along.T).flatten(-3, -2)


def spread_of(variance: Tensor) -> Tensor:
    """Return the variance of each gain `[..., G, L]` whose cepstrum has variances `[..., G, L]` and no covariances."""
    across, along = (_cosines(size).to(variance).square() for size in (variance.shape[-2] // 2, variance.shape[-1]))
    return (across.T @ variance.unflatten(-2, (2, -1)) @ along).flatten(-3, -2)


@lru_cache(maxsize=8)
@torch.inference_mode(False)
def _cosines(size: int) -> Tensor:
    """Return the orthonormal DCT-II as a matrix `[size, size]`, a frequency a row."""
    k = torch.arange(size, dtype=torch.float64)
    cosines = torch.cos(math.pi / size * k[:, None] * (k + 0.5)) * math.sqrt(2 / size)
    cosines[0] /= math.sqrt(2)
    return cosines.float()
