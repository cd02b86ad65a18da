"""Long blocks for low bands, short ones for high bands and for the attack (lesson 06).

Only a long block tells a tone from its neighbours, only a short one an attack from what follows, and no block can be
both (Gabor, "Theory of communication", 1946). But tones of drums are low, and drums begin together. So the plane of
time and frequency can be tiled as it suits them, once and for all.
"""

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn

from tad_course.front_ends import WINDOWS, blocks_of, groups_of_bands, mid_side


class Part(NamedTuple):
    """A part of the spectrum."""

    eighths: int  # of the spectrum
    blocks: int  # of time, a frame
    share: int  # groups an octave has that share a gain, a power of two


# Up to 2,756 Hz, where tones of drums begin; up to 8,268 Hz, where those of cowbells and wood blocks end; and the rest.
PARTS = (Part(1, 1, 32), Part(2, 4, 16), Part(5, 8, 2))
WAVES = 2  # so many parts have tones: their groups are narrow, and `quadrature` tells how strong they are


class TiledTransform(nn.Module):
    """A lapped orthogonal transform of mid and side whose blocks suit drums: C = 2·block_size.

    It is made of nothing but the fold and the cosine transform of `front_ends.LappedTransform`, used twice. First the
    *spectrum* of the whole sound is cut into `PARTS`, with soft borders; each part is a signal again, of fewer samples
    (Auscher, Weiss & Wickerhauser, "Local sine and cosine bases of Coifman and Meyer", 1992). Then each is cut
    into blocks of *time*: the high one into eight a frame, the middle one into four, the low one into one, but three in
    the first frame, as audio codecs switch to short blocks at an attack (Edler, 1989). All are rotations: noise stays
    white.

    Args:
        block_size: samples a frame, a multiple of 256.
        window: "sine" or "vorbis", see `front_ends.WINDOWS`.

    Attributes:
        bands: how many numbers of a frame belong to each part.
        waves: how many of them, the lowest, belong to parts with tones.
    """

    def __init__(self, block_size: int = 1024, window: str = "vorbis"):
        super().__init__()
        self.block_size, self.window = block_size, window
        self.bands = tuple(block_size * part.eighths // 8 for part in PARTS)
        self.low, self.waves = self.bands[0], sum(self.bands[:WAVES])
        self.attack = (self.low // 4, self.low // 4, self.low // 2)  # sizes of the first low blocks
        with torch.device("cpu"):  # the order is needed even where no memory is taken for the rest
            widths = groups_of_bands(self.low, PARTS[0].share).sum(1).int().tolist()
        self.register_buffer("rising", attack_order(self.attack, widths), persistent=False)
        self.register_buffer("falling", self.rising.argsort(), persistent=False)

    def encode(self, x: Tensor) -> Tensor:
        """Turn `[B, 2, N]` into `[B, 2·block_size, N / block_size]`: the bands of mid, then those of side.

        A frame holds the low bands, then four places in time of each middle and eight of each high band. In the first
        frame every four groups of low bands are two places in time of bands four times as wide, then two groups of
        bands twice as wide.

        Raises:
            ValueError: if N is not a multiple of the block size.
        """
        frames = blocks_of(x, self.block_size, "frames").shape[-2]
        spectrum = fold(dct_iv(mid_side(x)), self._sizes(frames), self.window, 1 / 4)
        parts = [self._tiles(i, dct_iv(part)) for i, part in enumerate(spectrum.split(self._sizes(frames), -1))]
        return _channels(parts)

    def decode(self, z: Tensor) -> Tensor:
        """Undo `encode`: `[B, 2·block_size, L]` to `[B, 2, L·block_size]`."""
        spectrum = torch.cat([dct_iv(self._signal(i, tiles)) for i, tiles in enumerate(self._parts_of(z))], -1)
        return mid_side(dct_iv(fold(spectrum, self._sizes(z.shape[-1]), self.window, 1 / 4, back=True)))

    def quadrature(self, z: Tensor, back: bool = False) -> Tensor:
        """Return what the `waves` lowest bands `[B, 2·waves, L]`, of mid and side, hold with sines for cosines.

        They are a quarter of a swing apart: the sum of both squares tells how strong a tone is, wherever in its swing a
        block meets it (the modulated complex lapped transform: Malvar, 1999). It is a rotation, too; `back` undoes it.
        """
        signals = (self._signal(i, tiles, sines=back) for i, tiles in enumerate(self._parts_of(z)))
        return _channels([self._tiles(i, signal, sines=not back) for i, signal in enumerate(signals)])

    def groups(self) -> Tensor:
        """Return which channel belongs to which group, `[G, C]`: as `groups_of_bands`, each place in time apart."""
        groups, below = [], 0
        for bands, part in zip(self.bands, PARTS, strict=True):
            of_part = groups_of_bands(bands // part.blocks, part.share, first=below // part.blocks)
            groups.append(torch.kron(of_part, torch.eye(part.blocks)))  # bands come with their places in time
            below += bands
        return torch.block_diag(*groups * 2)

    def _tiles(self, part: int, signal: Tensor, sines: bool = False) -> Tensor:
        """Cut the signal of a part `[B, 2, bands·L]` into blocks of time: `[B, 2, L, bands]`."""
        bands, turn = self.bands[part], dst_iv if sines else dct_iv
        frames, places = signal.shape[-1] // bands, PARTS[part].blocks
        blocks = fold(signal, self._blocks(part, frames), self.window, back=sines).unflatten(-1, (frames, bands))
        if part > 0:
            return turn(blocks.unflatten(-1, (places, -1))).transpose(-1, -2).flatten(-2)
        first = self._each_attack(turn, blocks[..., 0, :])[..., self.rising]
        return torch.cat([first[..., None, :], turn(blocks[..., 1:, :])], -2)

    def _signal(self, part: int, tiles: Tensor, sines: bool = False) -> Tensor:
        """Undo `_tiles`."""
        turn = dst_iv if sines else dct_iv
        if part > 0:
            blocks = turn(tiles.unflatten(-1, (-1, PARTS[part].blocks)).transpose(-1, -2)).flatten(-2)
        else:
            first = self._each_attack(turn, tiles[..., 0, self.falling])
            blocks = torch.cat([first[..., None, :], turn(tiles[..., 1:, :])], -2)
        return fold(blocks.flatten(-2), self._blocks(part, tiles.shape[-2]), self.window, back=not sines)

    def _each_attack(self, turn: Callable[[Tensor], Tensor], first: Tensor) -> Tensor:
        return torch.cat([turn(block) for block in first.split(self.attack, -1)], -1)

    def _parts_of(self, z: Tensor) -> tuple[Tensor, ...]:
        """Return the tiles `[B, 2, L, bands]` of the parts that `z` `[B, C, L]` has: all, or those of waves."""
        tiles = z.unflatten(1, (2, -1)).transpose(-1, -2)
        return tiles.split(self.bands if tiles.shape[-1] == self.block_size else self.bands[:WAVES], -1)

    def _sizes(self, frames: int) -> tuple[int, ...]:
        return tuple(bands * frames for bands in self.bands)

    def _blocks(self, part: int, frames: int) -> tuple[int, ...]:
        """Return the sizes of the blocks of time."""
        if part == 0:
            return (*self.attack, *(self.low,) * (frames - 1))
        return (self.bands[part] // PARTS[part].blocks,) * (PARTS[part].blocks * frames)


def _channels(parts: Sequence[Tensor]) -> Tensor:
    """Return tiles `[B, 2, L, bands]` as channels `[B, C, L]`."""
    return torch.cat(parts, -1).transpose(-1, -2).flatten(1, 2)


def fold(x: Tensor, sizes: tuple[int, ...], window: str, width: float = 1.0, back: bool = False) -> Tensor:
    """Rotate every number of `[..., N]` near a border between blocks of `sizes` with its mirror image (lesson 06).

    Args:
        x: what is cut into blocks.
        sizes: of the blocks, which may differ.
        window: the name of one of `WINDOWS`, whose rising half tells the angles.
        width: share of the smaller block beside a border that takes part, up to its middle.
        back: undo it.
    """
    mirror, c, s = (each.to(x.device) for each in _rotation(sizes, window, width))
    return c * x + (-s if back else s) * x[..., mirror]


@lru_cache(maxsize=16)
@torch.inference_mode(False)  # what is kept must serve where gradients are wanted, too
def _rotation(sizes: tuple[int, ...], window: str, width: float) -> tuple[Tensor, Tensor, Tensor]:
    """Return of every number its mirror image, and the cosine and sine of the angle."""
    mirror = torch.arange(sum(sizes))
    c, s = torch.ones(len(mirror)), torch.zeros(len(mirror))
    border = 0
    for before, after in pairwise(sizes):
        border += before
        half = int(min(before, after) * width) // 2
        near = slice(border - half, border + half)
        rise = WINDOWS[window](2 * half).float()
        mirror[near] = mirror[near].flip(0)
        c[near] = torch.maximum(rise, rise.flip(0))
        s[near] = torch.minimum(rise, rise.flip(0)) * torch.sign(torch.arange(2 * half) - half + 0.5)
    return mirror, c, s


def dct_iv(x: Tensor) -> Tensor:
    """Return the orthonormal DCT-IV of `[..., N]`, N even, by an FFT of half the length; it is its own inverse.

    Source: Malvar, "Signal Processing with Lapped Transforms" (1992).
    """
    if not x.numel():
        return x
    size = x.shape[-1]
    before, after = (each.to(x.device) for each in _twiddles(size))
    y = torch.fft.fft(torch.complex(x[..., 0::2], x[..., 1::2].flip(-1)) * before) * after
    return torch.stack([y.real, -y.imag.flip(-1)], -1).flatten(-2) * math.sqrt(2 / size)


def dst_iv(x: Tensor) -> Tensor:
    """Return the orthonormal DST-IV of `[..., N]`, N even: sines instead of cosines; it is its own inverse, too."""
    y = dct_iv(x.flip(-1))
    return torch.stack([y[..., 0::2], -y[..., 1::2]], -1).flatten(-2)


@lru_cache(maxsize=16)
@torch.inference_mode(False)
def _twiddles(size: int) -> tuple[Tensor, Tensor]:
    k = torch.arange(size // 2, dtype=torch.float64)
    return tuple(torch.exp(-1j * math.pi * (k + shift) / size).to(torch.complex64) for shift in (0.25, 0.0))


def attack_order(sizes: tuple[int, int, int], widths: Sequence[int]) -> Tensor:
    """Return in which order the bands of three blocks, the last twice as long, make one frame that rises like others.

    Args:
        sizes: bands of the blocks.
        widths: of the groups of bands in a frame. Of every four groups of a width the first two hold as many bands of
            the first and of the second block, the others those of the third, so that no gain spans two blocks.
    """
    first, second, third = (list(range(sum(sizes[:i]), sum(sizes[: i + 1]))) for i in range(3))
    order = []
    for width in widths[::4]:
        for block, count in ((first, width), (second, width), (third, 2 * width)):
            order += [block.pop(0) for _ in range(count)]
    return torch.tensor(order)
