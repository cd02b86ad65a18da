"""Figures and the first walk of lesson 04: what reverse diffusion does, before the learner has built it."""

import math
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from tad_course.display import plots
from tad_course.model.diffusion import ExactDenoiser
from tad_course.model.samplers import ddim, log_snr_grid


def first_walk(drums: Tensor, noise: Tensor, num_steps: int = 16) -> list[Tensor]:
    """Return x_t `[2, n]` before and after each of the steps that the lesson builds, from `noise` `[2, n]`."""
    steps = ddim(ExactDenoiser(drums), noise[None], log_snr_grid(num_steps, min_snr_db=-60))
    return [noise, *(step.x_t[0] for step in steps)]


def draw_sounds(named: Mapping[str, Tensor], alt: str, floor_db: float = -90.0) -> None:
    """Show sounds with one gain for all, the largest peak at 0.9."""
    gain = 0.9 / max(float(x.mean(0).abs().max()) for x in named.values())
    plots.sounds({title: gain * x for title, x in named.items()}, floor_db=floor_db, alt=alt)


def draw_plane(parts: Mapping[str, tuple[float, float]], t: float) -> None:
    """Show the quarter circle with x_t, v as its tangent, and what turning back to x_0 and eps means.

    Args:
        parts: "x_t" and "v" -> (share of x_0, share of eps).
        t: the time of x_t.
    """
    fig, ax = plots.figure(height=3.7, width=4.8)
    phi = np.linspace(0, math.pi / 2, 100)
    ax.plot(np.cos(phi), np.sin(phi), color="#999999", linestyle="-")
    (a, s), (dx, dy) = parts["x_t"], parts["v"]
    arrows = {"$x_t$": ((0, 0), (a, s)), "$v$ (drawn half as long)": ((a, s), (a + dx / 2, s + dy / 2))}
    for (name, (start, end)), color in zip(arrows.items(), plots.PALETTE, strict=False):
        ax.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": color, "lw": 2})
        ax.text(end[0] + 0.03, end[1] + 0.03, name, color=color, fontsize=12)
    ax.set(xlim=(0, 1.35), ylim=(0, 1.35), aspect="equal", xlabel="share of x_0", ylabel="share of eps")
    plots.show(
        fig,
        f"x_t points from the origin to the quarter circle, {90 * t:.0f} degrees above the axis of x_0; v starts at "
        "its tip, at a right angle, and points towards more noise.",
    )


def draw_loss(guess: Tensor, losses: Mapping[str, Tensor], means: Mapping[str, float]) -> None:
    """Show the mean loss over the guess, with a mark on the mean of each mixture; the values are +1 and -1."""
    fig, ax = plots.figure(height=3.0)
    lowest = []
    for (name, loss), marker in zip(losses.items(), "os^", strict=False):
        (line,) = ax.plot(guess, loss, label=name)
        best = int(loss.argmin())
        ax.plot(guess[best], loss[best], marker=marker, color=line.get_color(), markersize=8, linestyle="")
        ax.axvline(means[name], color=line.get_color(), linestyle=":", linewidth=1.2)
        lowest.append(f"{name}: lowest at {float(guess[best]):.1f}, the mean is {means[name]:.1f}")
    ax.set(xlabel="guess", ylabel="mean squared loss", ylim=(0, 4.2), xlim=(float(guess[0]), float(guess[-1])))
    ax.set_title("dotted: the mean of the mixture; marks: the minimum", fontsize=10, loc="left")
    ax.legend(loc="upper right", fontsize=9.5, title="probability of +1 and of -1")
    plots.show(fig, f"Parabolas of the loss over the guess. {'; '.join(lowest)}.")


def draw_error(t: Tensor, off: Mapping[str, Mapping[str, Tensor]]) -> None:
    """Show how far x_0 and eps are off in dB for each prediction target, whose own error is -40 dB at every t."""
    fig, axes = plots.figure(1, 2, height=2.9, sharey=True)
    for ax, (wanted, errors) in zip(axes, off.items(), strict=True):
        for predicted, factor in errors.items():
            ax.plot(t, -40 + 20 * torch.log10(factor), label=f"{predicted} predicted")
        ax.set(xlabel="t", title=f"error of {wanted}", ylim=(-75, 5))
    axes[0].set_ylabel("error (dB)")
    axes[1].legend(loc="lower left")
    plots.show(
        fig,
        "Predicted eps: the error of x_0 explodes near t = 1. Predicted x_0: that of eps explodes near 0. v: neither.",
    )


def draw_decision(levels_db: Tensor, p: Tensor, right: int) -> None:
    """Show the probability of each drum over the SNR, the right one in bold.

    Args:
        levels_db: SNR in dB `[n]`.
        p: `[n, K]`.
        right: the number of the right one.
    """
    fig, ax = plots.figure(height=2.9)
    others = [k for k in range(p.shape[1]) if k != right]
    ax.plot(levels_db, p[:, right], label="snare A, the right one", linewidth=2.6)
    ax.plot(levels_db, p[:, others], color="#999999", linestyle=":", linewidth=1.2)
    ax.plot([], [], color="#999999", linestyle=":", label="the other seven")
    ax.set(xlabel="SNR (dB)", ylabel="probability", ylim=(0, 1.03))
    ax.legend()
    half = float(levels_db[int((p[:, right] > 0.5).float().argmax())])
    plots.show(fig, f"At -70 dB all are near 1/8; the right one passes one half near {half:.0f} dB, then goes up to 1.")
