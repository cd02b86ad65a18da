"""Explorer of lesson 02: the magnitude of sound A with the phase of sound B, cut into blocks of any length."""

import torch
from ipywidgets import HTML, Dropdown, HBox, Layout, SelectionSlider, VBox
from torch import Tensor

from tad_course.audio.levels import at_level
from tad_course.audio.spectra import swap_phase
from tad_course.display.fallback import player_html, show_widget
from tad_course.display.live import SoundFigure
from tad_course.drums import voices as drums

BLOCKS = (64, 256, 1024, 4096, 16_384, drums.LENGTH_SAMPLES)


def explorer_sounds() -> dict[str, Tensor]:
    """Return the sounds to choose from, title -> `[2, 32768]`."""
    snare, noise = drums.snare(), torch.randn(2, drums.LENGTH_SAMPLES, generator=torch.Generator().manual_seed(0))
    click = torch.zeros(2, drums.LENGTH_SAMPLES)
    click[:, 8820] = 0.7
    late = {"snare, 0.2 s later": snare.roll(8820, -1), "click at 0.2 s": click, "white noise": at_level(noise, -20)}
    return {"kick": drums.kick(), "snare": snare, "hi-hat": drums.open_hat(), "cowbell": drums.cowbell()} | late


class PhaseExplorer:
    """Two menus and a slider; `figure_widget` and `player_widget` follow them. Lesson: 02"""

    def __init__(self, magnitude_of: str = "kick", phase_of: str = "snare, 0.2 s later", block: int = 1024):
        self.sounds, self.figure = explorer_sounds(), SoundFigure(drums.LENGTH_SAMPLES)
        self.magnitude_of = Dropdown(options=list(self.sounds), value=magnitude_of, description="magnitude")
        self.phase_of = Dropdown(options=list(self.sounds), value=phase_of, description="phase")
        self.block = SelectionSlider(
            options=[(f"{block:,} samples", block) for block in BLOCKS],
            value=block,
            description="block",
            continuous_update=False,
            layout=Layout(width="430px"),
        )
        self.block.add_class("tad-phase-explorer")
        self.figure_widget, self.player_widget = HTML(), HTML()
        menus = HBox([self.magnitude_of, self.phase_of], layout=Layout(flex_flow="row wrap"))
        self.box = VBox([menus, self.block, self.player_widget, self.figure_widget])
        for control in (self.magnitude_of, self.phase_of, self.block):
            control.observe(lambda _: self.update(), "value")
        self.update()

    def update(self):
        """Swap, play and draw."""
        magnitude_of, phase_of = self.magnitude_of.value, self.phase_of.value
        audio = swap_phase(self.sounds[magnitude_of], self.sounds[phase_of], self.block.value)
        title = f"magnitude of {magnitude_of}, phase of {phase_of}, block {self.block.value:,}"
        self.player_widget.value = player_html(audio, title)
        self.figure_widget.value = self.figure.html(audio, title)


def phase_explorer(magnitude_of: str = "kick", phase_of: str = "snare, 0.2 s later", block: int = 1024) -> None:
    """Show the explorer; where widgets cannot run, its first picture. Lesson: 02"""
    explorer = PhaseExplorer(magnitude_of, phase_of, block)
    text = f"[explorer] magnitude of {magnitude_of}, phase of {phase_of}: block slider, player, picture."
    show_widget(explorer.box, explorer.figure_widget.value, text)
