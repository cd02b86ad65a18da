"""Explorer of lesson 03: move a sound from clean to noise; see the quarter circle and the SNR, hear `x_t`."""

import math

import numpy as np
import torch
from ipywidgets import HTML, Dropdown, FloatSlider, Layout, VBox
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from torch import Tensor

from tad_course.audio.levels import peak_dbfs
from tad_course.audio.players import CEILING_DBFS
from tad_course.audio.spectra import log_frequency_db, mono
from tad_course.config import LENGTH_SAMPLES, SAMPLE_RATE
from tad_course.display import plots
from tad_course.display.fallback import player_html, show_widget
from tad_course.display.live import LiveFigure
from tad_course.drums.voices import VOICES
from tad_course.model.diffusion import alpha_sigma, q_sample, snr_db

SOUNDS = ("kick", "snare", "closed_hat", "open_hat", "cowbell")
COLUMNS = 512
LIMITS = {"xlim": (0, 1.12), "ylim": (0, 1.12)}
LEVEL_DB = -20.0  # rms of what is played; less for a sound whose peak would pass the ceiling


class CircleFigure:
    """The quarter circle of alpha and sigma, beside the waveform and the spectrogram of a sound on it."""

    def __init__(self):
        fig, grid = plots.figure(2, 2, 3.9, 9.0, width_ratios=(1, 1.7), height_ratios=(1, 1.5))
        circle, wave, spectrum = grid[0, 0], grid[0, 1], grid[1, 1]
        circle.set_subplotspec(circle.get_gridspec()[:, 0])
        grid[1, 0].remove()
        angle = np.linspace(0, np.pi / 2, 100)
        circle.plot(np.cos(angle), np.sin(angle), color="#999999", linestyle="-")
        circle.set(aspect="equal", xlabel="alpha (how much sound)", ylabel="sigma (how much noise)", **LIMITS)
        self.title = circle.set_title(" ", loc="left", fontsize=10)
        rate = SAMPLE_RATE * 2 * COLUMNS / LENGTH_SAMPLES
        plots.draw_waveform(wave, np.zeros(2 * COLUMNS), rate, full_scale=False)
        wave.set(xlabel="", xticklabels=[], ylim=(-1.05, 1.05), ylabel="x_t / 10")
        self.line = wave.lines[0]
        self.image = plots.draw_spectrogram(spectrum, np.zeros(LENGTH_SAMPLES))
        plots.color_bar(fig, self.image, [spectrum])
        self.live = LiveFigure(fig, [*self.marks(circle), self.title, self.line, self.image])

    def marks(self, circle: Axes) -> list[Artist]:
        """Put on the circle what will move there, and return it."""
        (self.arm,) = circle.plot([0, 1], [0, 0], color=plots.PALETTE[0], linestyle="-", marker="o")
        return [self.arm]

    def move(self, t: float):
        """Move the marks to time `t`."""
        alpha, sigma = (float(value) for value in alpha_sigma(t))
        self.arm.set_data([0, alpha], [0, sigma])

    def html(self, sound: Tensor, title: str, description: str) -> str:
        """Return the picture with `sound` `[2, n]`, of unit variance, as an HTML figure with its description."""
        x = mono(sound.numpy())
        self.title.set_text(title)
        self.line.set_ydata(outline(0.1 * x))
        self.image.set_data(log_frequency_db(0.1 * x, SAMPLE_RATE))
        return self.live.html(f"{description} Quarter circle, waveform and spectrogram.")


def outline(x: np.ndarray) -> np.ndarray:
    """Return the lowest and the highest sample of each column of the picture, `[2 * COLUMNS]`: quick to draw."""
    parts = x.reshape(COLUMNS, -1)
    return np.stack([parts.min(1), parts.max(1)], 1).ravel()


def safe_gain(*parts: Tensor) -> float:
    """Return a gain at which no mix of `parts`, each with a gain of at most 1, passes the ceiling of the players."""
    loudest_db = 20 * math.log10(sum(10 ** (peak_dbfs(x) / 20) for x in parts))
    return 10 ** (min(LEVEL_DB, CEILING_DBFS - loudest_db) / 20)


def decibels(t: float) -> str:
    """Return the signal-to-noise ratio at time `t` as text."""
    value = float(snr_db(t))
    return f"{value:+.1f} dB" if math.isfinite(value) and abs(value) < 120 else ("+∞ dB" if t < 0.5 else "−∞ dB")


class NoiseExplorer:
    """A sound and a slider for `t`, always with the same noise; `box` is the widget. Lesson: 03"""

    def __init__(self, sound: str = "kick", t: float = 0.5, seed: int = 3):
        self.figure, self.drums = CircleFigure(), {}
        self.eps = torch.randn(2, LENGTH_SAMPLES, generator=torch.Generator().manual_seed(seed))
        self.sound = Dropdown(options=SOUNDS, value=sound, description="sound")
        limits = {"min": 0.0, "max": 1.0, "step": 0.01, "readout_format": ".2f"}
        layout = Layout(width="430px")
        self.slider = FloatSlider(value=t, description="t", continuous_update=False, layout=layout, **limits)
        self.slider.add_class("tad-noise-explorer")
        self.figure_widget, self.player_widget = HTML(), HTML()
        self.box = VBox([self.sound, self.slider, self.player_widget, self.figure_widget])
        self.sound.observe(lambda _: self.update(), "value")
        self.slider.observe(lambda _: self.update(), "value")
        self.update()

    @property
    def x_0(self) -> Tensor:
        """The sound, scaled to unit variance, `[2, n]`."""
        name = self.sound.value
        if name not in self.drums:
            audio = VOICES[name].play()
            self.drums[name] = audio / audio.square().mean().sqrt()
        return self.drums[name]

    @property
    def gain(self) -> float:
        """What `x_t` is played at: the same for every `t` of a sound, so that levels can be compared."""
        return safe_gain(self.x_0, self.eps)

    def update(self):
        """Play and draw the sound at the present noise level."""
        t, name = self.slider.value, self.sound.value
        x_t = q_sample(self.x_0, t, self.eps)
        self.player_widget.value = player_html(self.gain * x_t, f"{name}, t = {t:.2f}, SNR {decibels(t)}")
        self.figure.move(t)
        description = f"{name} at t = {t:.2f}, SNR {decibels(t)}."
        self.figure_widget.value = self.figure.html(x_t, f"t = {t:.2f}   SNR {decibels(t)}", description)


def noise_explorer(sound: str = "kick", t: float = 0.5) -> None:
    """Show the explorer; where widgets cannot run, its first picture. Lesson: 03"""
    explorer = NoiseExplorer(sound, t)
    text = f"[explorer] {sound}, t = {t:.2f}, SNR {decibels(t)}: slider, player, quarter circle, waveform, spectrogram."
    show_widget(explorer.box, explorer.figure_widget.value, text)
