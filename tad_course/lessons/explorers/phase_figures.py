"""Figures of lesson 02: delays of frequencies, overlapping windows, spectrograms that the learner computed."""

from collections.abc import Mapping

import numpy as np
from torch import Tensor

from tad_course.audio.spectra import magnitude_db
from tad_course.config import SAMPLE_RATE
from tad_course.display import plots


def draw_riddle(sounds: Mapping[str, Tensor]) -> None:
    """Show short sounds `[n]`: waveforms, each at its own scale, over spectrograms with a linear axis. Lesson: 02"""
    fig, axes = plots.figure(2, len(sounds), 4, height_ratios=(1, 1.5))
    for column, (top, below), (name, x) in zip(range(len(sounds)), axes.T, sounds.items(), strict=True):
        plots.draw_waveform(top, x, full_scale=False)
        top.set(title=name, xlabel="", ylabel="" if column else "amplitude")
        length_ms = len(x) / SAMPLE_RATE * 1000
        image = plots.draw_map(below, magnitude_db(x, 256), length_ms, SAMPLE_RATE / 2000, (-85, -40))
        below.set_ylabel("" if column else "frequency (kHz)")
    plots.color_bar(fig, image, list(axes[1]))
    plots.show(fig, alt="Click: an upright line at 93 ms. Sweep: a straight rising line. Hiss: an even cloud.")


def draw_delays(delays_ms: Mapping[str, Tensor]) -> None:
    """Show the group delay of each frequency `[k]` in ms, and the phase of which it is the slope. Lesson: 02

    The phase is the sum of the slopes, in cycles; where these are random it is left out.
    """
    fig, (left, right) = plots.figure(1, 2, 3.4)
    for number, (name, delay) in enumerate(delays_ms.items()):
        khz = np.linspace(0, SAMPLE_RATE / 2000, len(delay))
        style = {"color": plots.PALETTE[number], "linestyle": plots.LINE_STYLES[number]}
        if delay.diff().abs().median() > 5:
            style = {"color": plots.PALETTE[5], "linestyle": "", "marker": ".", "markersize": 2}
            khz, delay = khz[::8], delay[::8]
        else:
            left.plot(khz, -np.cumsum(delay) * (khz[1] - khz[0]) / 1000, **style)
        right.plot(khz, delay, label=name, **style)
    left.set(xlabel="frequency (kHz)", ylabel="phase (1,000 cycles)", title="Phase, unwrapped")
    right.set(xlabel="frequency (kHz)", ylabel="group delay (ms)", title="Group delay: minus the slope")
    right.legend(loc="upper left", bbox_to_anchor=(1, 1), markerscale=4)
    plots.show(
        fig,
        "Phase: two straight lines, the shifted click's steeper, and a curve for the sweep. Group delay: two level "
        "lines, a line that rises from 0 to 186 ms for the sweep, and scattered dots for the hiss.",
    )


def draw_framing(x: Tensor, window: Tensor, hop: int) -> None:
    """Show the first blocks of `x` `[n]`, the windows that fade them, and the sum of the squared windows. Lesson: 02"""
    block, count = len(window), 7
    n = block + hop * (count - 1)
    ms = np.arange(n) / SAMPLE_RATE * 1000
    fig, (top, below) = plots.figure(2, 1, 3.6, sharex=True)
    top.plot(ms, x[:n], color="#888888", linestyle="-", linewidth=0.9)
    total = np.zeros(n)
    for m in range(count):
        part = slice(m * hop, m * hop + block)
        color = plots.PALETTE[m % 3]
        for ax, values in ((top, window * x.abs().max()), (below, window**2)):
            ax.plot(ms[part], values, color=color, linestyle=plots.LINE_STYLES[m % 3], linewidth=1.4)
        total[part] += (window**2).numpy()
    below.plot(ms, total, color="black", linestyle="-", linewidth=2)
    top.set(
        title=f"{count} blocks of {block}, each {hop} samples after the last, and their windows", ylabel="amplitude"
    )
    below.set(title="The squared windows, and their sum in black", xlabel="time (ms)", xlim=(0, ms[-1]), ylim=(0, 1.7))
    plots.show(
        fig, "Bell curves, each a quarter of its width after the last. Where four overlap, their squares sum to 1.5."
    )


def draw_levels(levels: Mapping[int, Tensor], length_ms: float) -> None:
    """Show spectrograms, block -> level in dB `[bins, frames]`, up to 2 kHz and 300 ms. Lesson: 02"""
    fig, axes = plots.figure(1, len(levels), 3.1, sharey=True)
    for number, (ax, (block, level)) in enumerate(zip(axes, levels.items(), strict=True)):
        image = plots.draw_map(ax, level, length_ms, SAMPLE_RATE / 2000, (-90, 0))
        title = f"block {block} ({block / SAMPLE_RATE * 1000:.0f} ms)\nbin width {SAMPLE_RATE / block:.0f} Hz"
        ax.set(title=title, xlim=(0, 300), ylim=(0, 2), ylabel="" if number else "frequency (kHz)")
    plots.color_bar(fig, image, list(axes))
    plots.show(
        fig,
        "A snare that hits at 100 ms. Block 256: a sharp upright edge, a fat tone at the bottom. "
        "Block 4096: the edge is smeared over tens of milliseconds before and after, the tone is a thin line.",
    )


def draw_three_maps(magnitude: Tensor, phase: Tensor, noise: Tensor, hop: int) -> None:
    """Show a magnitude in dB, a phase and random phases, all `[bins, frames]`, up to 2 kHz. Lesson: 02"""
    block = 2 * (len(magnitude) - 1)
    top = round(2000 / SAMPLE_RATE * block)
    length_ms = magnitude.shape[1] * hop / SAMPLE_RATE * 1000
    fig, axes = plots.figure(1, 3, 3.1, sharey=True)
    level = plots.draw_map(axes[0], magnitude[:top], length_ms, 2, (-90, 0))
    for ax, image in zip(axes[1:], (phase, noise), strict=True):
        shown = plots.draw_map(ax, image[:top], length_ms, 2, (-np.pi, np.pi), "", "twilight")
    for ax, title in zip(axes, ("magnitude", "phase", "random numbers"), strict=True):
        ax.set(title=title)
    plots.color_bar(fig, level, [axes[0]])
    plots.color_bar(fig, shown, list(axes[1:]), "phase (radians)")
    plots.show(
        fig,
        "Magnitude: lines and areas. Phase: grains that look like the random numbers beside it, "
        "except for even stripes in the lowest bins.",
    )


def draw_hit(sounds: Mapping[str, Tensor], start_ms: float, end_ms: float, hit_ms: float, alt: str) -> None:
    """Show waveforms `[n]` around a hit, below each other, with a line where the original begins. Lesson: 02"""
    fig, axes = plots.figure(len(sounds), 1, 1 + 1.1 * len(sounds), sharex=True, sharey=True)
    for ax, (title, x), color in zip(axes, sounds.items(), plots.PALETTE, strict=False):
        plots.draw_waveform(ax, x, color=color, full_scale=False)
        ax.axvline(hit_ms, color="black", linestyle=":")
        ax.set(title=title, xlabel="", ylabel="amplitude", xlim=(start_ms, end_ms))
    ax.set(xlabel="time (ms); dotted: where the hit begins")
    plots.show(fig, alt)
