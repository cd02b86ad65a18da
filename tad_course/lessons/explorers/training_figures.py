"""What lesson 07 draws and measures while a net learns: its curves, the hiss of a kick, the distance of two sounds."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from tad_course.audio.levels import dbfs
from tad_course.audio.spectra import mel_db
from tad_course.config import SAMPLE_RATE
from tad_course.display import plots
from tad_course.lessons.explorers.training_explorer import smooth

HELD_OUT = ("held-out, weights", "held-out, EMA", "training, EMA")


def learning_curves(
    losses: Sequence[float],
    fixed: Mapping[int, tuple[float, float, float]],
    measured: Mapping[int, tuple[float, float]],
    alt: str,
) -> None:
    """Show the loss of a run beside two measures of its sounds.

    Args:
        losses: one a step.
        fixed: step -> three losses with fixed noise: held-out with the weights and with their average, training.
        measured: step -> share of the note, 0 to 1, and hiss in dBFS.
        alt: what the figure shows, in words.
    """
    fig, axes = plots.figure(1, 3, height=3.2)
    axes[0].plot(range(1, len(losses) + 1), smooth(losses), label="each step, smoothed", linewidth=1)
    for name, values, marker in zip(HELD_OUT, zip(*fixed.values(), strict=True), "osx", strict=True):
        axes[0].plot(list(fixed), values, marker=marker, label=name)
    axes[0].set(title="loss", xlabel="step", yscale="log", ylim=(1, 16))
    axes[0].set_yticks((1, 2, 4, 8, 16), ("1", "2", "4", "8", "16"))
    axes[0].minorticks_off()
    axes[0].legend(fontsize=9)
    shares, hisses = zip(*measured.values(), strict=True)
    for ax, title, values, limits, real in (
        (axes[1], "energy in one note (%)", [100 * share for share in shares], (0, 112), 100),
        (axes[2], "hiss above 2 kHz (dBFS)", hisses, (-104, -20), -96),
    ):
        ax.plot(list(measured), values, marker="o")
        ax.axhline(real, color=plots.PALETTE[5], linestyle=":")
        ax.text(len(losses), real + 1, "real kicks", ha="right", va="bottom", fontsize=9)
        ax.set(title=title, xlabel="step", ylim=limits, xlim=(0, None))
    plots.show(fig, alt)


def hiss_dbfs(audio: Tensor, above_hz: float = 2000) -> float:
    """Return the level above `above_hz` of a kick `[2, n]` from 0.10 to 0.35 s, in dBFS, at least -96."""
    part = audio[:, 4410:15_435]
    spectrum = torch.fft.rfft(part * torch.hann_window(part.shape[-1]))
    spectrum[:, torch.fft.rfftfreq(part.shape[-1], 1 / SAMPLE_RATE) < above_hz] = 0
    return max(-96.0, dbfs(torch.fft.irfft(spectrum)) + 4.3)  # 4.3 dB: what the window takes


def mel_distance(audio: Tensor, other: Tensor) -> float:
    """Return the rms difference of two log-mel spectrograms in dB, wherever one of the two is above -45 dB."""
    a, b = (np.maximum(mel_db(x.mean(0), SAMPLE_RATE), -45) for x in (audio, other))
    return float(np.sqrt(np.square(a - b)[(a > -45) | (b > -45)].mean()))
