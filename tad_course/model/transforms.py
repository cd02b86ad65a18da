"""Four ways to hand 32,768 samples to a small network: as they are, in patches, learned, or lapped (lesson 06).

A transform turns stereo `[B, 2, N]` into `[B, C, L]` with C·L = 2·N numbers (`encode`) and back (`decode`).
`Patching` and `LappedTransform` are orthonormal: they rotate the signal, so white noise stays white, and diffusion of
their coefficients is diffusion of the waveform, phase and all.
"""

import math

import torch
from audio_diffusion_pytorch import LTPlugin
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
    mirror image, more gently the farther they lie from the border: now neighboring blocks overlap.
    Then each block is replaced by its cosine spectrum (DCT-IV). The outer ends of the signal are not
    folded, so nothing wraps around. Malvar, "Signal Processing with Lapped Transforms" (1992);
    Princen & Bradley (1986) for the window condition c² + s² = 1. Lesson: 06

    Args:
        block_size: samples a block, an even number; as many bands.
        window: "vorbis" or "sine", see `WINDOWS`.
    """

    def __init__(self, block_size: int = 64, window: str = "vorbis"):
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
        blocks = _blocks_from_channels(z, self.block_size) @ self.basis  # the DCT-IV is its own inverse
        return mid_side(self._fold(blocks, -self.s).flatten(-2))

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
    """Return the rising half `[block_size]` of the sine window: neighboring bands are told apart best."""
    n = torch.arange(block_size, dtype=torch.float64)
    return torch.sin(math.pi / (2 * block_size) * (n + 0.5))


def vorbis_window(block_size: int) -> Tensor:
    """Return the rising half `[block_size]` of Vorbis's window (Xiph.Org, "Vorbis I specification", section 4.3.1).

    It is smoother at its ends than the sine, so a loud tone leaks far less into bands a few away.
    """
    return torch.sin(math.pi / 2 * sine_window(block_size) ** 2)


WINDOWS = {"sine": sine_window, "vorbis": vorbis_window}


def mid_side(x: Tensor) -> Tensor:
    """Rotate left/right `[..., 2, N]` into mid/side (and back: it is its own inverse)."""
    left, right = x.unbind(-2)
    return torch.stack([left + right, left - right], dim=-2) * math.sqrt(0.5)


def blocks_of(x: Tensor, block_size: int) -> Tensor:
    """Cut `[..., N]` into `[..., N / block_size, block_size]`, or say that it does not divide."""
    if x.shape[-1] % block_size:
        raise ValueError(
            f"A length of {x.shape[-1]} samples does not divide into blocks of {block_size}; "
            f"cut or pad the sound to {max(1, round(x.shape[-1] / block_size)) * block_size} samples."
        )
    return x.unflatten(-1, (-1, block_size))


def band_scale(block_size: int, level: float, tilt: float) -> Tensor:
    """Return the loudness `[2·block_size, 1]` that is expected of each band of mid and of side.

    It is one line on logarithmic axes: `level` / (k + 1)^`tilt`. A tilt of 0.5 is a pink spectrum, the same power in
    every octave; the mean spectrum of our drums is roughly so. Divided by it, the bands of drums are far nearer to
    equal loudness, so that the loss does not consist of the lowest alone. Lesson: 06
    """
    k = torch.arange(block_size)
    return (level * (k + 1.0) ** -tilt).repeat(2)[:, None]


def learned_transform(net_t, block_size: int):
    """Plug a learned transform around a network with the library's `LTPlugin`: two strided convolutions.

    `block_size` filters a channel, each two blocks long, one frame a block, so `[B, 2, N]` becomes
    `[B, 2·block_size, N / block_size]`. Noise stays on the waveform; gradients flow through both convolutions.
    """
    return LTPlugin(net_t, num_filters=block_size, window_length=2 * block_size, stride=block_size)


def _channels_from_blocks(blocks: Tensor) -> Tensor:
    return blocks.transpose(-1, -2).flatten(-3, -2)  # [B, 2, L, M] -> [B, 2·M, L]


def _blocks_from_channels(z: Tensor, block_size: int) -> Tensor:
    return z.unflatten(-2, (2, block_size)).transpose(-1, -2)
