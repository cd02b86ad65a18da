"""Explorer of lesson 05: how far one number at the bottom of a U-Net sees; look at that stretch, and play it."""

from collections.abc import Sequence

import torch
from ipywidgets import HTML, HBox, IntSlider, Layout, VBox
from matplotlib.patches import Rectangle
from torch import Tensor

from tad_course.display import plots
from tad_course.display.fallback import player_html, show_widget
from tad_course.display.live import LiveFigure

FADE_SAMPLES = 64  # a cut without a fade would click


def down_path(levels: int, factor: int, kernel: int = 3, convolutions: int = 2) -> list[tuple[int, int]]:
    """Return (kernel, stride) of each layer from the waveform to the bottom: convolutions, a step down, ..."""
    level = [(kernel, 1)] * convolutions
    return (level + [(factor, factor)]) * (levels - 1) + level


def receptive_field(layers: Sequence[tuple[int, int]]) -> int:
    """Return how many input samples one output of a stack of layers (kernel, stride) depends on.

    r = 1 + sum over layers of (kernel - 1) · (product of the strides before it); Araujo, Norris & Sim (2019).
    Lesson: 05
    """
    field, jump = 1, 1
    for kernel, stride in layers:
        field, jump = field + (kernel - 1) * jump, jump * stride
    return field


class ReceptiveFieldExplorer:
    """Levels, factor and kernel of a U-Net; the stretch of `sound` `[2, n]` that one number at its bottom hears.

    `box` is the widget; `figure_widget` and `player_widget` are the parts that change. Lesson: 05
    """

    def __init__(self, sound: Tensor, levels: int = 5, factor: int = 4, kernel: int = 3):
        self.sound = sound
        size = {"continuous_update": False, "layout": Layout(width="300px")}
        self.levels = IntSlider(levels, 1, 8, description="levels", **size)
        self.factor = IntSlider(factor, 1, 4, description="factor", **size)
        self.kernel = IntSlider(kernel, 3, 9, 2, description="kernel", **size)
        self.levels.add_class("tad-receptive-field-explorer")
        self.figure_widget, self.player_widget = HTML(), HTML()
        self.live = self._figure()
        controls = HBox([self.levels, self.factor, self.kernel], layout=Layout(flex_flow="row wrap"))
        self.box = VBox([controls, self.player_widget, self.figure_widget])
        for slider in (self.levels, self.factor, self.kernel):
            slider.observe(lambda _: self.update(), "value")
        self.update()

    def _figure(self) -> LiveFigure:
        fig, ax = plots.figure(height=2.3)
        plots.draw_waveform(ax, self.sound, color=plots.PALETTE[5])
        self.shade = ax.add_patch(Rectangle((0, -1.05), 1, 2.1, color=plots.PALETTE[1], alpha=0.35, linewidth=1.5))
        return LiveFigure(fig, [self.shade])

    @property
    def field(self) -> int:
        """The receptive field in samples."""
        return receptive_field(down_path(self.levels.value, self.factor.value, self.kernel.value))

    def window(self) -> tuple[int, int]:
        """Return the first sample heard and the one after the last, around a twelfth of the sound."""
        length = self.sound.shape[-1]
        first = max(0, length // 12 - self.field // 2)
        return first, min(length, first + self.field)

    def update(self):
        """Shade and play the stretch that the present settings hear."""
        first, last = self.window()
        ms = 1000 / plots.SAMPLE_RATE
        self.shade.set_x(first * ms)
        self.shade.set_width(max((last - first) * ms, 1.0))
        rise = torch.arange(last - first).add(1).div(min(FADE_SAMPLES, (last - first + 1) // 2)).clamp(max=1)
        heard = torch.zeros_like(self.sound)
        heard[:, first:last] = self.sound[:, first:last] * rise * rise.flip(0)
        self.caption = (
            f"{self.levels.value} levels, factor {self.factor.value}, kernel {self.kernel.value}: one number at the "
            f"bottom depends on {self.field} samples, {self.field * ms:.1f} ms"
        )
        self.player_widget.value = player_html(heard, self.caption)
        picture = self.live.html(f"A waveform with the stretch shaded that it depends on. {self.caption}.")
        self.figure_widget.value = f"<b>{self.caption}</b>{picture}"


def receptive_field_explorer(sound: Tensor, levels: int = 5, factor: int = 4, kernel: int = 3) -> None:
    """Show the explorer for `sound` `[2, n]`; where widgets cannot run, its first picture. Lesson: 05"""
    explorer = ReceptiveFieldExplorer(sound, levels, factor, kernel)
    show_widget(explorer.box, explorer.figure_widget.value, f"[explorer] {explorer.caption}")
