"""Explorer of lesson 04: one step of reverse diffusion as a rotation in the plane of x_0 and eps."""

import math

import torch
from ipywidgets import HTML, Dropdown, FloatSlider, Layout, VBox
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from torch import Tensor

from tad_course.config import LENGTH_SAMPLES
from tad_course.display import plots
from tad_course.display.fallback import player_html, show_widget
from tad_course.drums.voices import VOICES
from tad_course.lessons.explorers.noise_explorer import CircleFigure, safe_gain
from tad_course.model.diffusion import eps_from_x_0, q_sample

RIGHT, NOISY, MEAN = "the right drum", "a little of the noise left in", "the mean of four drums"
NOISE_LEFT = 0.3


class StepFigure(CircleFigure):
    """The circle with x_t, the x_0 predicted from it, and x_s, where the step leads."""

    def marks(self, circle: Axes) -> list[Artist]:
        blue, orange, green = plots.PALETTE[:3]
        (self.before,) = circle.plot([0, 1], [0, 0], color=blue, linestyle="-", marker="o", markevery=[1], label="x_t")
        (self.after,) = circle.plot(
            [0, 1], [0, 0], color=orange, linestyle="--", marker="s", markevery=[1], label="x_s"
        )
        (self.clean,) = circle.plot([1], [0], color=green, linestyle="", marker="D", label="x_0 predicted")
        circle.set(xlim=(0, 1.25), ylim=(-0.1, 1.25), xlabel="share of the true x_0", ylabel="share of the true eps")
        circle.legend(loc="upper right", fontsize=9, handlelength=2.6)
        return [self.before, self.after, self.clean]

    def place(self, x_t: tuple[float, float], x_s: tuple[float, float], x_0: tuple[float, float]):
        """Move the marks to these points (share of x_0, share of eps)."""
        self.before.set_data([0, x_t[0]], [0, x_t[1]])
        self.after.set_data([0, x_s[0]], [0, x_s[1]])
        self.clean.set_data([x_0[0]], [x_0[1]])


class RotationExplorer:
    """Sliders for where a step starts (t) and ends (s), and a choice of what the denoiser predicts. Lesson: 04"""

    def __init__(self, t: float = 0.7, s: float = 0.3, predicted: str = RIGHT, seed: int = 3):
        self.figure, layout = StepFigure(), Layout(width="430px")
        drums = [VOICES[name].play() for name in ("kick", "snare", "open_hat", "cowbell")]
        self.drums = torch.stack([x / x.square().mean().sqrt() for x in drums])
        self.eps = torch.randn(2, LENGTH_SAMPLES, generator=torch.Generator().manual_seed(seed))
        limits = {"min": 0.0, "max": 1.0, "step": 0.01, "readout_format": ".2f", "continuous_update": False}
        self.t = FloatSlider(value=t, description="from t", layout=layout, **(limits | {"min": 0.05, "max": 0.99}))
        self.s = FloatSlider(value=s, description="to s", layout=layout, **(limits | {"max": t}))
        style = {"description_width": "initial"}
        self.predicted = Dropdown(
            options=(RIGHT, NOISY, MEAN),
            value=predicted,
            description="the denoiser predicts",
            style=style,
            layout=layout,
        )
        self.s.add_class("tad-rotation-explorer")
        self.figure_widget, self.player_widget = HTML(), HTML()
        self.box = VBox([self.predicted, self.t, self.s, self.player_widget, self.figure_widget])
        self.gain = safe_gain(self.drums[0], self.drums.mean(0), self.eps)
        for control in (self.predicted, self.s):
            control.observe(lambda _: self.update(), "value")
        self.t.observe(self._start_moved, "value")
        self.update()

    def _start_moved(self, _):
        # A step leads towards the clean sound; a lower maximum may move s, which updates already.
        s, self.s.max = self.s.value, self.t.value
        if s == self.s.value:
            self.update()

    def denoise(self, t: float) -> Tensor:
        """Return the x_0 that is predicted at time `t`, `[2, n]`."""
        choices = {RIGHT: self.drums[0], NOISY: self.drums[0] + NOISE_LEFT * math.sin(t * math.pi / 2) * self.eps}
        return choices.get(self.predicted.value, self.drums.mean(0))

    def shares(self, x: Tensor) -> tuple[float, float]:
        """Return how much of the true x_0 and of the true eps is in `x` (both have unit variance)."""
        return float((x * self.drums[0]).mean()), float((x * self.eps).mean())

    def step(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return x_t, the x_0 predicted, and x_s after one DDIM step from t to s, each `[2, n]`."""
        t, s = self.t.value, self.s.value
        x_t = q_sample(self.drums[0], t, self.eps)
        x_0 = self.denoise(t)
        return x_t, x_0, q_sample(x_0, s, eps_from_x_0(x_t, x_0, t))

    def update(self):
        """Take the step of the present settings; draw it and play where it leads."""
        t, s = self.t.value, self.s.value
        x_t, x_0, x_s = self.step()
        self.figure.place(self.shares(x_t), self.shares(x_s), self.shares(x_0))
        sound, noise = self.shares(x_s)
        title = f"from t = {t:.2f} to s = {s:.2f}"
        self.player_widget.value = player_html(self.gain * x_s, f"x_s, {title}")
        where = f"Step {title}: {sound:.2f} of the true x_0 and {noise:.2f} of the true eps are in x_s."
        self.figure_widget.value = self.figure.html(x_s, title, where)


def rotation_explorer(t: float = 0.7, s: float = 0.3) -> None:
    """Show the explorer; where widgets cannot run, its first picture. Lesson: 04"""
    explorer = RotationExplorer(t, s)
    text = f"[explorer] one step from t = {t:.2f} to s = {s:.2f}: two sliders, player, circle, waveform, spectrogram."
    show_widget(explorer.box, explorer.figure_widget.value, text)
