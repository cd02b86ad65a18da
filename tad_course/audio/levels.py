"""How loud a sound is: levels in dBFS, decibels relative to full scale (lesson 01)."""

import math

import torch
from torch import Tensor
from torch.nn.functional import avg_pool1d, max_pool1d, pad

from tad_course.config import CEILING

AHEAD_SAMPLES = 220  # 5 ms
ONSET_SAMPLES = 22  # 0.5 ms


def _decibels(amplitude: float) -> float:
    return 20 * math.log10(amplitude) if amplitude > 0 else -math.inf


def dbfs(audio: Tensor) -> float:
    """Return the rms level of `audio` `[..., n]` over all its samples and channels, in dBFS.

    0 dBFS is the level of a constant 1, so a sine that just reaches full scale has -3.01 dBFS; silence has -inf.

    Lesson: 01
    """
    return _decibels(torch.as_tensor(audio).double().square().mean().sqrt().item())


def peak_dbfs(audio: Tensor) -> float:
    """Return the level of the largest sample of `audio` `[..., n]` in dBFS; silence has -inf.

    Lesson: 01
    """
    return _decibels(torch.as_tensor(audio).double().abs().max().item())


def at_level(audio: Tensor, level_dbfs: float) -> Tensor:
    """Return `audio` `[..., n]` scaled to an rms level of `level_dbfs`, for instance noise at an ear-safe -20 dBFS.

    Raises:
        ValueError: if the sound is silent or not finite, for no gain can give it a level.

    Lesson: 01
    """
    now = dbfs(audio)
    if not math.isfinite(now):
        raise ValueError(f"A sound with a level of {now} dBFS cannot be brought to {level_dbfs}; it is silent or NaN.")
    return torch.as_tensor(audio) * 10 ** ((level_dbfs - now) / 20)


def limit(audio: Tensor) -> Tensor:
    """Turn a sound `[2, N]` down around peaks above -1 dBFS, five milliseconds ahead, and leave all the rest as it is.

    That is what a look-ahead limiter does: the gain is the least one needed nearby, averaged over as long.
    """
    needed = (CEILING / audio.abs().amax(0, keepdim=True).clamp(min=1e-9)).clamp(max=1)
    least = -max_pool1d(-needed, 2 * AHEAD_SAMPLES + 1, 1, AHEAD_SAMPLES)
    gain = avg_pool1d(pad(least, (AHEAD_SAMPLES, AHEAD_SAMPLES), mode="replicate"), 2 * AHEAD_SAMPLES + 1, 1)
    return (audio * gain).clamp(-CEILING, CEILING)  # what rounding leaves


def finish(audio: Tensor) -> Tensor:
    """Let a made sound `[2, N]` rise from silence within half a millisecond, and `limit` it.

    A sound that is there at once begins with a click of all frequencies.
    """
    rise = torch.ones(audio.shape[-1])
    rise[:ONSET_SAMPLES] = 0.5 - 0.5 * torch.cos(math.pi * torch.arange(ONSET_SAMPLES) / ONSET_SAMPLES)
    return limit(audio * rise)
