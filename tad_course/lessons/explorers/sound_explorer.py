"""Explorer of lesson 01: move one parameter of one drum; hear it, see its waveform and its spectrogram."""

import math

from ipywidgets import HTML, Dropdown, FloatSlider, HBox, Layout, VBox

from tad_course.display.fallback import player_html, show_widget
from tad_course.display.live import SoundFigure
from tad_course.drums.voices import LENGTH_SAMPLES, VOICES, Range

STEPS = 40


def middle(limits: Range) -> float:
    """Return the middle of a range, on its own axis, linear or logarithmic."""
    return math.sqrt(limits.low * limits.high) if limits.log else (limits.low + limits.high) / 2


class SoundExplorer:
    """A voice, one of its parameters, and a slider for it; the other parameters stay in the middle of their ranges.

    `box` is the widget; `figure_widget` and `player_widget` are the parts that change. Lesson: 01
    """

    def __init__(self, voice: str = "kick", parameter: str = "pitch_hz"):
        self.figure = SoundFigure(LENGTH_SAMPLES)
        self.voice = Dropdown(options=list(VOICES), value=voice, description="voice")
        self.parameter = Dropdown(options=list(VOICES[voice].ranges), value=parameter, description="parameter")
        self.slider = FloatSlider(continuous_update=False, layout=Layout(width="430px"), readout_format=".3g")
        self.slider.add_class("tad-sound-explorer")
        self.figure_widget, self.player_widget = HTML(), HTML()
        controls = HBox([self.voice, self.parameter], layout=Layout(flex_flow="row wrap"))
        self.box = VBox([controls, self.slider, self.player_widget, self.figure_widget])
        self._set_slider()
        self.voice.observe(self._voice_changed, "value")
        self.parameter.observe(lambda _: self._set_slider(), "value")

    @property
    def settings(self) -> dict[str, float]:
        """The parameters that sound now."""
        values = {name: middle(limits) for name, limits in VOICES[self.voice.value].ranges.items()}
        return values | {self.parameter.value: self.slider.value}

    def _voice_changed(self, _):
        # New options select their first one, which sets the slider; if its name stays the same, nothing would.
        before = self.parameter.value
        self.parameter.options = list(VOICES[self.voice.value].ranges)
        if self.parameter.value == before:
            self._set_slider()

    def _set_slider(self):
        limits = VOICES[self.voice.value].ranges[self.parameter.value]
        self.slider.unobserve_all("value")
        self.slider.min, self.slider.max = min(self.slider.min, limits.low), limits.high
        self.slider.min, self.slider.step = limits.low, (limits.high - limits.low) / STEPS
        self.slider.value, self.slider.description = middle(limits), self.parameter.value
        self.slider.observe(lambda _: self.update(), "value")
        self.update()

    def update(self):
        """Play and draw the drum of the present settings."""
        audio = VOICES[self.voice.value].play(**self.settings)
        title = f"{self.voice.value}, {self.parameter.value} = {self.slider.value:.3g}"
        self.player_widget.value = player_html(audio, title)
        self.figure_widget.value = self.figure.html(audio, title)


def sound_explorer(voice: str = "kick", parameter: str = "pitch_hz") -> None:
    """Show the explorer; where widgets cannot run, its first picture. Lesson: 01"""
    explorer = SoundExplorer(voice, parameter)
    still = explorer.figure_widget.value
    show_widget(explorer.box, still, f"[explorer] {voice}, {parameter}: slider, player, waveform and spectrogram.")
