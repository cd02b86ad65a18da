"""A region of a sound in seconds, in samples and in frames behind the front end (repainting, lesson 08)."""

import torch
from torch import Tensor

from tad_course.model.network import DrumModel

FADE_SAMPLES = 64  # 1.5 ms


def region_samples(model: DrumModel, audio: Tensor, start_s: float, stop_s: float) -> tuple[int, int]:
    """Return a region in samples, or say what is wrong with it."""
    rate, length = model.config.sample_rate, audio.shape[-1]
    if not 0 <= start_s < stop_s:
        raise ValueError(f"A region needs a start before its end, not {start_s:g} s to {stop_s:g} s.")
    start, stop = round(start_s * rate), min(round(stop_s * rate), length)
    if not frames_within(model, start, stop, length // model.front_end.block_size).any():
        shortest_ms = 1000 * (2 * model.front_end.block_size + 2 * FADE_SAMPLES) / rate
        raise ValueError(
            f"The region from {start_s:g} s to {stop_s:g} s holds too little of this sound of {length / rate:.2f} s; "
            f"choose at least {shortest_ms:.0f} ms inside it."
        )
    return start, stop


def frames_within(model: DrumModel, start: int, stop: int, frames: int) -> Tensor:
    """Return a mask `[L]` of the frames that lie within the samples from `start` to `stop`, overlap and all."""
    size = model.front_end.block_size
    overlap = size // 2 if model.config.in_bands else 0
    first = torch.arange(frames, device=model.device) * size
    inner = (first - overlap >= start) | (first == 0) & (start == 0)
    return inner & ((first + size + overlap <= stop) | (first + size == frames * size) & (stop == frames * size))


def window(start: int, stop: int, length: int) -> Tensor:
    """Return 1 within the region and 0 outside, `[N]`, with half a cosine between; the sound's own ends stay open."""
    n = torch.arange(length)
    rise = (n - start + 1) / FADE_SAMPLES if start > 0 else torch.ones(length)
    fall = (stop - n) / FADE_SAMPLES if stop < length else torch.ones(length)
    inside = torch.minimum(rise, fall).clamp(0, 1)
    return (1 - torch.cos(torch.pi * inside)) / 2
