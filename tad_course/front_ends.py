"""Three ways to make 32,768 samples short enough for a small network, and the whitening after them (lesson 06).

A front end turns stereo `[B, 2, N]` into `[B, C, L]` with C·L = 2·N numbers (`encode`) and back (`decode`).
`Patching` and `LappedTransform` are orthonormal: they rotate the signal, so white noise stays white and
diffusion behind them is still diffusion of the waveform. (Behind `gain_shape.GainShape` it no longer is.)
"""

import math
from collections.abc import Iterable
from itertools import pairwise

import torch
from torch import Tensor, nn


class Identity(nn.Module):
    """Leave the waveform as it is: C = 2, L = N."""

    def __init__(self, block_size: int = 1):
        super().__init__()
        self.block_size = 1

    def encode(self, x: Tensor) -> Tensor:
        return x

    def decode(self, z: Tensor) -> Tensor:
        return z


class Patching(nn.Module):
    """Cut each channel into blocks and stack the samples of a block as channels: C = 2·block_size."""

    def __init__(self, block_size: int = 64):
        super().__init__()
        self.block_size = block_size

    def encode(self, x: Tensor) -> Tensor:
        """Turn `[B, 2, N]` into `[B, 2·block_size, N / block_size]`.

        Raises:
            ValueError: if N is not a multiple of the block size.
        """
        return _channels_from_blocks(blocks_of(x, self.block_size))

    def decode(self, z: Tensor) -> Tensor:
        """Undo `encode`: `[B, 2·block_size, L]` to `[B, 2, L·block_size]`."""
        return _blocks_from_channels(z, self.block_size).flatten(-2)


class LappedTransform(nn.Module):
    """A lapped orthogonal transform (the MDCT) of mid and side: C = 2·block_size.

    Two steps, both rotations. First, across every border between two blocks, each sample is mixed with its
    mirror image, more gently the farther they lie from the border: now neighbouring blocks overlap.
    Then each block is replaced by its cosine spectrum (DCT-IV). The outer ends of the signal are not
    folded, so nothing wraps around. Malvar, "Signal Processing with Lapped Transforms" (1992);
    Princen & Bradley (1986) for the window condition c² + s² = 1. Lesson: 06

    Args:
        block_size: samples a block, an even number; as many bands.
        window: "sine" or "vorbis", see `WINDOWS`.
    """

    def __init__(self, block_size: int = 64, window: str = "sine"):
        super().__init__()
        self.block_size = block_size
        n = torch.arange(block_size, dtype=torch.float64)
        basis = torch.cos(math.pi / block_size * (n[:, None] + 0.5) * (n[None, :] + 0.5))
        rise = WINDOWS[window](block_size).float()
        self.register_buffer("basis", (math.sqrt(2 / block_size) * basis).float(), persistent=False)
        self.register_buffer("c", rise[block_size // 2 :], persistent=False)
        self.register_buffer("s", rise[: block_size // 2].flip(0), persistent=False)

    def encode(self, x: Tensor) -> Tensor:
        """Turn `[B, 2, N]` into `[B, 2·block_size, N / block_size]`: the bands of mid, then those of side.

        Raises:
            ValueError: if N is not a multiple of the block size.
        """
        blocks = self._fold(blocks_of(mid_side(x), self.block_size), self.s)
        return _channels_from_blocks(blocks @ self.basis)

    def decode(self, z: Tensor) -> Tensor:
        """Undo `encode`: `[B, 2·block_size, L]` to `[B, 2, L·block_size]`."""
        blocks = _blocks_from_channels(z, self.block_size) @ self.basis
        return mid_side(self._fold(blocks, -self.s).flatten(-2))

    def groups(self) -> Tensor:
        """Return which channel belongs to which group of bands, `[G, C]`."""
        return torch.block_diag(*[groups_of_bands(self.block_size)] * 2)

    def _fold(self, blocks: Tensor, s: Tensor) -> Tensor:
        """Rotate the mirror pairs across each border of `[..., L, block_size]` by the angle of (c, s)."""
        half = self.block_size // 2
        before = blocks[..., :-1, half:].flip(-1)
        after = blocks[..., 1:, :half]
        folded = blocks.clone()
        folded[..., :-1, half:] = (self.c * before - s * after).flip(-1)
        folded[..., 1:, :half] = self.c * after + s * before
        return folded


def sine_window(block_size: int) -> Tensor:
    """Return the rising half `[block_size]` of the sine window: neighbouring bands are told apart best."""
    n = torch.arange(block_size, dtype=torch.float64)
    return torch.sin(math.pi / (2 * block_size) * (n + 0.5))


def vorbis_window(block_size: int) -> Tensor:
    """Return the rising half `[block_size]` of Vorbis's window (Xiph.Org, "Vorbis I specification", section 4.3.1).

    It is smoother at its ends than the sine, so a loud tone leaks far less into bands a few away.
    """
    return torch.sin(math.pi / 2 * sine_window(block_size) ** 2)


WINDOWS = {"sine": sine_window, "vorbis": vorbis_window}


def groups_of_bands(bands: int, share: int = 2, first: int = 0) -> Tensor:
    """Return which band belongs to which group, `[G, bands]`, 1 where it does: single low bands, wider groups above.

    64 bands have groups of 1, 1, 1, 1, 2, 2, 4, 4, 8, 8, 16 and 16 bands, two an octave.

    Args:
        bands: how many there are.
        share: how many groups an octave has, a power of 2.
        first: so many more bands lie below them.
    """
    edges = [first]
    while edges[-1] < first + bands:
        octave = 1 << edges[-1].bit_length() >> 1
        edges.append(min(first + bands, edges[-1] + max(1, octave // share)))
    groups = torch.zeros(len(edges) - 1, bands)
    for group, (start, stop) in enumerate(pairwise(edges)):
        groups[group, start - first : stop - first] = 1
    return groups


def mid_side(x: Tensor) -> Tensor:
    """Rotate left/right `[..., 2, N]` into mid/side (and back: it is its own inverse)."""
    left, right = x.unbind(-2)
    return torch.stack([left + right, left - right], dim=-2) * math.sqrt(0.5)


def blocks_of(x: Tensor, block_size: int, name: str = "blocks") -> Tensor:
    """Cut `[..., N]` into `[..., N / block_size, block_size]`, or say (with their `name`) that it does not divide."""
    if x.shape[-1] % block_size:
        raise ValueError(
            f"A length of {x.shape[-1]} samples does not divide into {name} of {block_size}; "
            f"cut or pad the sound to {max(1, round(x.shape[-1] / block_size)) * block_size} samples."
        )
    return x.unflatten(-1, (-1, block_size))


def _channels_from_blocks(blocks: Tensor) -> Tensor:
    return blocks.transpose(-1, -2).flatten(-3, -2)  # [B, 2, L, M] -> [B, 2·M, L]


def _blocks_from_channels(z: Tensor, block_size: int) -> Tensor:
    return z.unflatten(-2, (2, block_size)).transpose(-1, -2)


class Whitening(nn.Module):
    """Divide every place of `[B, C, L]` by a power of how loud drums of that class are there (lesson 06).

    With power 1 every place would have unit variance and the loss would care about silence as much as about
    the attack; with power 0 the quiet places would drown. In between lies the cure for hiss. The result has
    unit variance on average, as v-diffusion wants its data.

    Args:
        classes: how many classes of sounds there are, each with a scale of its own.
        share: a class also counts this much of the loudness of all classes together, so that a foreign sound (a
            snare on its way to become a kick) is not blown up where this class is silent.
    """

    def __init__(
        self, classes: int, channels: int, length: int, power: float, share: float = 0.03, floor: float = 1e-5
    ):
        super().__init__()
        self.power, self.share, self.floor = power, share, floor
        self.register_buffer("scale", torch.ones(classes, channels, length))
        self.register_buffer("variance", torch.ones(classes, channels, length))  # what is left after the scaling

    @torch.no_grad()
    def fit_to(self, sounds: Iterable[tuple[Tensor, Tensor]]) -> None:
        """Set the scales from batches of encoded sounds `[B, C, L]` and their classes `[B]`."""
        total, count = torch.zeros_like(self.scale), torch.zeros(len(self.scale), 1, 1)
        for z, labels in sounds:
            total.index_add_(0, labels, z.square())
            count.index_add_(0, labels, torch.ones(len(labels), 1, 1))
        self.fit(total / count)

    @torch.no_grad()
    def fit(self, mean_square: Tensor) -> None:
        """Set the scales from the mean squares `[classes, C, L]` of encoded training sounds."""
        shared = mean_square + self.share**2 * mean_square.mean(0)
        scale = shared.sqrt().clamp(min=self.floor) ** self.power
        self.scale.copy_(scale * (mean_square / scale.square()).mean().sqrt())
        self.variance.copy_(mean_square / self.scale.square())

    def variance_of(self, labels: Tensor) -> Tensor:
        """Return the mean square of every scaled place `[B, C, L]`."""
        return blend(self.variance, labels)

    def encode(self, z: Tensor, labels: Tensor) -> Tensor:
        """Scale `[B, C, L]` of classes `labels` down to even loudness; a shorter sound takes the first frames."""
        return z / blend(self.scale[..., : z.shape[-1]], labels)

    def decode(self, z: Tensor, labels: Tensor) -> Tensor:
        """Undo `encode`."""
        return z * blend(self.scale[..., : z.shape[-1]], labels)


def blend(table: Tensor, labels: Tensor) -> Tensor:
    """Return the loudness `[B, C, L]` of classes from a table `[classes, C, L]`.

    Args:
        table: positive numbers.
        labels: class indices `[B]`, or shares `[B, classes]` that sum to 1: half way between two classes is half way
            in decibels.
    """
    if labels.ndim == 1:
        return table[labels]
    return torch.einsum("bk,kcl->bcl", labels, table.clamp(min=1e-30).log()).exp()
