"""Figures of lesson 03: drums that become the same noise, and the noise level at which each octave drowns."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from tad_course.config import SAMPLE_RATE
from tad_course.display import plots

Stages = Mapping[float, Mapping[str, Tensor]]  # t -> name of a drum -> x_t [2, n]


def draw_spectrograms(stages: Stages) -> None:
    """Show a row of spectrograms for each noise level: a column for each drum. Lesson: 03"""
    columns = len(next(iter(stages.values())))
    fig, grid = plots.figure(len(stages), columns, 5.6, sharex=True, sharey=True, squeeze=False)
    for number, (row, (t, sounds)) in enumerate(zip(grid, stages.items(), strict=True)):
        for ax, (name, x) in zip(row, sounds.items(), strict=True):
            image = plots.draw_spectrogram(ax, 0.1 * x, block=4096)
            ax.set(xlabel="", ylabel="", title="" if number else name, xticks=(0, 300, 600))
        row[0].set_ylabel(f"t = {t}\nfrequency (Hz)", fontsize=10)
        row[0].set_yticks(
            [math.log(hz / 40) / math.log(SAMPLE_RATE / 80) for hz in (100, 1000, 10_000)], ["100", "1k", "10k"]
        )
    for ax in grid[-1]:
        ax.set_xlabel("time (ms)")
    plots.color_bar(fig, image, list(grid.flat))
    levels = ", ".join(str(t) for t in stages)
    plots.show(
        fig,
        f"Spectrograms of {', '.join(sounds)} at t = {levels}. At the first they differ; then the loud parts stand out "
        "of the noise; then only traces do; at the last, all show the same kind of even noise.",
    )


def draw_histograms(stages: Stages) -> None:
    """Show for each noise level the histogram of the samples of each drum, beside the Gaussian. Lesson: 03"""
    fig, axes = plots.figure(1, len(stages), 2.7, sharey=True)
    edges = torch.linspace(-4, 4, 41)
    gauss = torch.exp(-(edges**2) / 2) / math.sqrt(2 * math.pi)
    for ax, (t, sounds) in zip(axes, stages.items(), strict=True):
        for name, x in sounds.items():
            ax.plot((edges[:-1] + edges[1:]) / 2, torch.histogram(x.flatten(), edges, density=True).hist, label=name)
        ax.plot(edges, gauss, color="black", linewidth=0.8, label="Gaussian")
        ax.set(title=f"t = {t}", xlabel="sample value", yscale="log", ylim=(1e-3, 10))
    axes[0].set_ylabel("probability density")
    axes[-1].legend(fontsize=9, loc="lower center")
    plots.show(
        fig,
        f"Histograms of the samples of {', '.join(sounds)}. At t = 0 tall spikes at 0 with different long tails; with "
        "growing t they come near to the bell curve of the Gaussian, and at the end all lie on it.",
    )


def draw_octaves(lost: Mapping[str, Tensor], labels: Sequence[str], top: float = 60.0) -> None:
    """Show down to which SNR in dB each octave of a sound lasts: a bar hangs from the clean end, `top`. Lesson: 03

    Args:
        lost: name of a sound -> `[octaves]`, the SNR at which each drowns.
        labels: of the octaves.
    """
    fig, ax = plots.figure(height=3.2)
    octaves, shifts = np.arange(len(labels)), torch.linspace(-0.2, 0.2, len(lost)).tolist()
    for shift, (name, snr), color, hatch in zip(
        shifts, lost.items(), plots.PALETTE, ("", "///", "...", "xx"), strict=False
    ):
        look = {"color": color, "hatch": hatch, "edgecolor": "white", "label": name}
        ax.bar(octaves + shift, np.asarray(snr) - top, 0.38, bottom=top, **look)
    ax.set(xticks=octaves, xticklabels=labels, xlabel="middle of the octave (Hz)", ylim=(-42, top))
    ax.set(ylabel="SNR of the whole (dB)", title="each bar ends where its octave drowns")
    ax.legend(loc="lower left", bbox_to_anchor=(0.38, 0))
    ends = "; ".join(f"{name}: " + ", ".join(f"{v:+.0f}" for v in snr.tolist()) for name, snr in lost.items())
    plots.show(fig, f"Bars hang from {top:.0f} dB, clean, down to where an octave drowns, from low to high. {ends} dB.")
