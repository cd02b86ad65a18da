"""A learned front end: a strided convolution around the network (lesson 06)."""

from audio_diffusion_pytorch import LTPlugin


def LearnedPlugin(net_t, block_size: int):
    """Plug a learned transform around a network with the library's `LTPlugin`.

    `block_size` filters a channel, each two blocks long, one frame a block, so `[B, 2, N]` becomes
    `[B, 2·block_size, N / block_size]`. Noise stays on the waveform; gradients flow through both convolutions.
    """
    return LTPlugin(net_t, num_filters=block_size, window_length=2 * block_size, stride=block_size)
