"""Explorer of lesson 00: choose an instrument and a seed, or press for another drum; play it and see it."""

from ipywidgets import HTML, Button, HBox, IntSlider, Layout, ToggleButtons, VBox
from torch import Tensor

from tad_course.display.fallback import live_text, player_html, show_widget
from tad_course.display.live import SoundFigure
from tad_course.drums import LABELS
from tad_course.generate import Model, Settings, choices, generate

SEEDS = 100


class FirstDrum:
    """Instrument, seed and a button that counts the seed up; every change makes a sound and plays it. Lesson: 00"""

    def __init__(self, model: Model, label: str = "kick", seed: int = 0):
        self.model = model
        self.figure = SoundFigure(model.config.length_samples)
        families = [each for each in choices(model) if each in LABELS]
        self.label = ToggleButtons(options=families, value=label, description="instrument")
        self.label.style.button_width = "auto"
        self.seed = IntSlider(seed, 0, SEEDS - 1, description="seed", continuous_update=False)
        self.another = Button(description="Another drum", button_style="primary", icon="play")
        self.message, self.player, self.picture = live_text(), HTML(), HTML()
        self.another.add_class("tad-another-drum")
        self.player.add_class("tad-first-drum-player")
        controls = HBox([self.another, self.seed], layout=Layout(flex_flow="row wrap", align_items="center"))
        self.box = VBox([self.label, controls, self.message, self.player, self.picture])
        self.make(at_once=False)
        self.label.observe(lambda _: self.make(), "value")
        self.seed.observe(lambda _: self.make(), "value")
        self.another.on_click(lambda _: self._next())

    def _next(self):
        self.seed.value = (self.seed.value + 1) % SEEDS  # observed, so this makes the sound

    def make(self, at_once: bool = True) -> Tensor:
        """Make the drum of the present settings and return it; it plays `at_once`, or when its button is pressed."""
        audio = generate(self.model, Settings(self.model.config.name, self.label.value, self.seed.value))
        title = f"{self.label.value}, seed {self.seed.value}"
        self.player.value = player_html(audio, title, "autoplay" if at_once else "")
        self.picture.value = self.figure.html(audio, title)
        self.message.value = live_text(f"This is {title}.").value
        return audio


def first_drum(model: Model) -> None:
    """Show the explorer; where widgets cannot run, its first picture. Lesson: 00"""
    explorer = FirstDrum(model)
    show_widget(
        explorer.box,
        explorer.picture.value,
        "[explorer] Instrument, seed and 'Another drum': a player, a waveform and a spectrogram of each new sound.",
    )
