"""Explorer of lesson 04: a world of four sounds with two samples each; DDIM leads from noise to one of them."""

import math
from collections.abc import Callable

import numpy as np
import torch
from ipywidgets import HTML, Dropdown, FloatSlider, Layout, VBox
from torch import Tensor

from tad_course.display import plots
from tad_course.display.fallback import show_widget
from tad_course.display.live import LiveFigure
from tad_course.model.diffusion import ExactDenoiser, alpha_sigma

SOUNDS = torch.tensor([[1.5, 0.5], [-0.5, 1.3], [-1.2, -0.6], [0.6, -1.4]])[:, None]  # [4, 1, 2]
NAMES, MARKERS = "ABCD", "os^D"
STARTS = {
    "first noise": (0.7, 1.9),
    "second noise": (0.5, -0.2),
    "third noise": (-1.0, -2.2),
    "fourth noise": (-2.1, -0.5),
}
STEPS, LIMIT = 100, 2.3


def course_probabilities(x_t: Tensor, t: float, sounds: Tensor, prior: Tensor) -> Tensor:
    """Return the posterior probabilities `[K]` of equally likely sounds `[K, C, L]` given x_t `[C, L]`."""
    return ExactDenoiser(sounds).weights(x_t[None], t)[0]


def course_step(x_t: Tensor, v: Tensor, t: float, s: float) -> Tensor:
    """Return x_s, the DDIM step with v: a turn by the angle between t and s."""
    delta = math.pi / 2 * (t - s)
    return math.cos(delta) * x_t - math.sin(delta) * v


class WorldExplorer:
    """Four points, the way of x_t from noise to one of them, and the posterior mean, under a slider for `t`.

    Args:
        t: where the slider starts.
        probabilities: function (x_t, t, sounds, prior) -> p, the learner's; None for the package's own.
        step: function (x_t, v, t, s) -> x_s, likewise.

    Lesson: 04
    """

    def __init__(self, t: float = 0.5, probabilities: Callable | None = None, step: Callable | None = None):
        self.probabilities, self.step = probabilities or course_probabilities, step or course_step
        layout = Layout(width="430px")
        self.start = Dropdown(options=list(STARTS), description="start")
        limits = {"min": 0.0, "max": 1.0, "step": 1 / STEPS, "readout_format": ".2f", "continuous_update": False}
        self.slider = FloatSlider(value=t, description="t", layout=layout, **limits)
        self.slider.add_class("tad-world-explorer")
        self.figure_widget = HTML()
        self.box = VBox([self.start, self.slider, self.figure_widget])
        self._lay_out()
        self._walk()
        self.start.observe(lambda _: self._walk(), "value")
        self.slider.observe(lambda _: self.update(), "value")

    def _lay_out(self):
        fig, (plane, right) = plots.figure(1, 2, 4.1, width_ratios=(1.15, 1))
        colors = plots.PALETTE[:4]
        for name, marker, color, (x, y) in zip(NAMES, MARKERS, colors, SOUNDS[:, 0].tolist(), strict=True):
            plane.plot(x, y, marker=marker, color=color, markersize=9, linestyle="")
            plane.annotate(name, (x, y), (7, 7), textcoords="offset points", color=color, fontsize=11)
        (self.way,) = plane.plot([], [], color="#333333", linestyle="-", linewidth=1.4, label="way of x_t")
        (self.link,) = plane.plot([], [], color="#999999", linestyle=":", linewidth=1.2)
        (self.point,) = plane.plot([], [], color="#333333", marker="o", linestyle="", markersize=7, label="x_t")
        (self.mean,) = plane.plot(
            [],
            [],
            color="black",
            marker="*",
            linestyle="",
            markersize=14,
            markerfacecolor="white",
            label="posterior mean",
        )
        plane.set(xlim=(-LIMIT, LIMIT), ylim=(-LIMIT, LIMIT + 0.9), aspect="equal")
        plane.set(xlabel="first sample", ylabel="second sample")
        plane.legend(loc="upper center", ncols=3, fontsize=9, columnspacing=1, handletextpad=0.4)
        self.curves = [
            right.plot([], [], color=c, label=n, marker=m, markevery=20)[0]
            for n, m, c in zip(NAMES, MARKERS, colors, strict=True)
        ]
        (self.now,) = right.plot([0, 0], [0, 1], color="#333333", linestyle=":", linewidth=1.4)
        right.set(xlim=(1, 0), ylim=(-0.03, 1.05), xlabel="t, from noise to sound", ylabel="probability")
        right.legend(loc="center left", fontsize=9)
        self.live = LiveFigure(fig, [self.way, self.link, self.point, self.mean, *self.curves, self.now])

    def _walk(self):
        """Take all steps from the chosen noise; keep x_t, the probabilities and the posterior mean of each time."""
        self.times = [1 - n / STEPS for n in range(STEPS)]
        x_t, prior = torch.tensor(STARTS[self.start.value])[None], torch.full((4,), 0.25)
        points, shares = [], []
        for t, s in zip(self.times, [*self.times[1:], 0.0], strict=True):
            p = self.probabilities(x_t, t, SOUNDS, prior)
            points.append(x_t[0])
            shares.append(p)
            alpha, sigma = alpha_sigma(t)
            v = (alpha * x_t - (p[:, None, None] * SOUNDS).sum(0)) / sigma
            x_t = self.step(x_t, v, t, s)
        self.times.append(0.0)
        self.points, self.shares = torch.stack([*points, x_t[0]]), torch.stack([*shares, shares[-1]])
        self.means = self.shares @ SOUNDS[:, 0]
        self.update()

    def at(self) -> int:
        """Return the number of the step at which the slider stands."""
        return round((1 - self.slider.value) * STEPS)

    def update(self):
        """Draw where x_t and the posterior mean are at the present time."""
        n = self.at()
        here, mean, p = self.points[n], self.means[n], self.shares[n]
        self.way.set_data(*self.points[: n + 1].T.numpy())
        self.link.set_data(*np.stack([here, mean]).T)
        self.point.set_data([here[0]], [here[1]])
        self.mean.set_data([mean[0]], [mean[1]])
        for curve, share in zip(self.curves, self.shares.T, strict=True):
            curve.set_data(self.times[: n + 1], share[: n + 1].numpy())
        self.now.set_xdata([self.times[n], self.times[n]])
        likely = ", ".join(f"{name} {share:.2f}" for name, share in zip(NAMES, p.tolist(), strict=True))
        self.figure_widget.value = self.live.html(
            f"{self.start.value}, t = {self.times[n]:.2f}: x_t at ({here[0]:.1f}, {here[1]:.1f}), posterior mean at "
            f"({mean[0]:.1f}, {mean[1]:.1f}); probabilities {likely}. The way of x_t is a smooth curve."
        )


def world_explorer(t: float = 0.5, probabilities: Callable | None = None, step: Callable | None = None) -> None:
    """Show the explorer; where widgets cannot run, its first picture. Lesson: 04"""
    explorer = WorldExplorer(t, probabilities, step)
    text = f"[explorer] a world of four sounds, t = {t:.2f}: choice of a start, slider, plane, probabilities over time."
    show_widget(explorer.box, explorer.figure_widget.value, text)
