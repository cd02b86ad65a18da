"""Explorer of lesson 03: a cloud of sounds with two samples each melts into a Gaussian while `t` grows."""

import math
from collections.abc import Callable

import numpy as np
import torch
from ipywidgets import HTML, Dropdown, FloatSlider, Layout, VBox
from torch import Tensor

from tad_course.display import plots
from tad_course.display.fallback import show_widget
from tad_course.display.live import LiveFigure
from tad_course.model.diffusion import q_sample

CLUSTERS, RING, LINE = "two clusters", "a ring", "a line"
LIMIT, BINS, COUNT = 3.2, 20, 500


def cloud(name: str, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return 500 sounds of two samples `[500, 2]`, each sample of variance 1, and their group `[500]`, 0 or 1."""
    group = torch.arange(COUNT) % 2
    side = 2.0 * group - 1
    if name == CLUSTERS:
        points = 0.22 * torch.randn(COUNT, 2, generator=generator) + torch.stack([side, side], 1)
    elif name == RING:
        angle = math.pi * (torch.rand(COUNT, generator=generator) + group)
        points = torch.stack([angle.cos(), angle.sin()], 1) + 0.06 * torch.randn(COUNT, 2, generator=generator)
    else:
        along = side * torch.rand(COUNT, generator=generator)
        points = torch.stack([along, -along], 1) + 0.03 * torch.randn(COUNT, 2, generator=generator)
    points = points - points.mean(0)
    return points / points.std(0), group


class CloudExplorer:
    """A cloud, a slider for `t`, and what the cloud has become: dots, and the histogram of their first sample.

    Args:
        shape: of the clean cloud: "two clusters", "a ring" or "a line".
        t: where the slider starts.
        noisy: function (x_0, t, eps) -> x_t, the learner's; None for the package's own.
        seed: of the cloud and of the noise.

    Lesson: 03
    """

    def __init__(self, shape: str = CLUSTERS, t: float = 0.0, noisy: Callable | None = None, seed: int = 3):
        self.noisy, self.seed = noisy or q_sample, seed
        self.shape = Dropdown(options=(CLUSTERS, RING, LINE), value=shape, description="shape")
        limits = {"min": 0.0, "max": 1.0, "step": 0.01, "readout_format": ".2f"}
        layout = Layout(width="430px")
        self.slider = FloatSlider(value=t, description="t", continuous_update=False, layout=layout, **limits)
        self.slider.add_class("tad-cloud-explorer")
        self.figure_widget = HTML()
        self.box = VBox([self.shape, self.slider, self.figure_widget])
        self._lay_out()
        self._new_shape()
        self.shape.observe(lambda _: self._new_shape(), "value")
        self.slider.observe(lambda _: self.update(), "value")

    def _lay_out(self):
        fig, (left, right) = plots.figure(1, 2, 3.9, width_ratios=(1, 1.3))
        turn = np.linspace(0, 2 * np.pi, 200)
        for radius, style in ((1, ":"), (2, "--")):
            left.plot(radius * np.cos(turn), radius * np.sin(turn), color="#777777", linestyle=style, linewidth=1)
        self.dots = [
            left.plot([], [], linestyle="", marker=marker, markersize=3.5, color=color, alpha=0.7)[0]
            for marker, color in zip("ox", plots.PALETTE, strict=False)
        ]
        left.set(xlim=(-LIMIT, LIMIT), ylim=(-LIMIT, LIMIT), aspect="equal", xlabel="first sample", ylabel="second")
        self.title = left.set_title(" ", fontsize=10)
        x = np.linspace(-LIMIT, LIMIT, 200)
        gauss = np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
        right.plot(x, gauss, color="#777777", linestyle="--", label="Gaussian, variance 1")
        self.edges = np.linspace(-LIMIT, LIMIT, BINS + 1)
        (self.steps,) = right.plot(self.edges, np.zeros(BINS + 1), color=plots.PALETTE[0], linestyle="-")
        self.steps.set(drawstyle="steps-post", label="500 first samples")
        right.set(xlim=(-LIMIT, LIMIT), ylim=(0, 1.1), xlabel="first sample", ylabel="probability density")
        right.legend(loc="upper left", fontsize=9)
        self.live = LiveFigure(fig, [*self.dots, self.title, self.steps])

    def _new_shape(self):
        generator = torch.Generator().manual_seed(self.seed)
        self.x_0, self.group = cloud(self.shape.value, generator)
        self.eps = torch.randn(COUNT, 2, generator=generator)
        self.update()

    def x_t(self) -> Tensor:
        """Return the cloud at the present noise level, `[500, 2]`."""
        return self.noisy(self.x_0, self.slider.value, self.eps)

    def told_apart(self) -> float:
        """Return the share of the dots whose group a straight cut through the middle still tells."""
        clean = self.x_0[self.group == 1].mean(0) - self.x_0[self.group == 0].mean(0)
        return float((((self.x_t() @ clean) > 0) == (self.group == 1)).float().mean())

    def update(self):
        """Draw the cloud at the present noise level."""
        x_t, t = self.x_t().numpy(), self.slider.value
        for dots, which in zip(self.dots, (0, 1), strict=True):
            dots.set_data(*x_t[self.group.numpy() == which].T)
        density, _ = np.histogram(x_t[:, 0], self.edges, density=True)
        self.steps.set_ydata(np.append(density, density[-1]))
        told = f"group recognized: {100 * self.told_apart():.0f} %"
        self.title.set_text(f"t = {t:.2f}, {told}")
        self.figure_widget.value = self.live.html(
            f"{self.shape.value} at t = {t:.2f}: 500 dots in two groups, circles and crosses; a straight cut through "
            f"the middle puts {100 * self.told_apart():.0f} % of them into the right group. Beside it the histogram of "
            "their first sample with the Gaussian of variance 1."
        )


def cloud_explorer(shape: str = CLUSTERS, t: float = 0.5, noisy: Callable | None = None) -> None:
    """Show the explorer; where widgets cannot run, its first picture. `noisy` is (x_0, t, eps) -> x_t. Lesson: 03"""
    explorer = CloudExplorer(shape, t, noisy)
    text = f"[explorer] {shape}, t = {t:.2f}: choice of shape, slider, cloud of 500 dots, histogram."
    show_widget(explorer.box, explorer.figure_widget.value, text)
