"""Explorer of lesson 06: choose a transform, its block size and how wrong levels are; hear it, see the error."""

import numpy as np
import torch
from ipywidgets import HTML, Dropdown, FloatSlider, HBox, Layout, SelectionSlider, VBox
from torch import Tensor

from tad_course.audio.levels import dbfs
from tad_course.audio.spectra import mono
from tad_course.display import plots
from tad_course.display.fallback import player_html, show_widget
from tad_course.display.live import LiveFigure
from tad_course.model.transforms import LappedTransform, Patching

TRANSFORMS = {"patching": Patching, "lapped": LappedTransform}
BLOCK_SIZES = (8, 16, 32, 64, 128, 256, 512, 1024)
FLOOR_DB = -110.0
ZOOM = slice(4410, 6615)  # 100 to 150 ms


def level_errors(frames: int, error_db: float, seed: int = 0) -> Tensor:
    """Return a gain for each frame, `[frames]`, that is wrong by `error_db` decibels on average (rms)."""
    wrong_db = error_db * torch.randn(frames, generator=torch.Generator().manual_seed(seed))
    return 10 ** (wrong_db / 20)


class BlockExplorer:
    """A sound that comes back with the level of each frame a little wrong, in the domain of a transform. Lesson: 06

    `box` is the widget; `figure_widget` and `player_widget` are the parts that change.

    Args:
        sound: `[2, n]`, n a multiple of 1024.
    """

    def __init__(self, sound: Tensor, transform: str = "patching", block_size: int = 64, error_db: float = 1.5):
        self.sound = sound
        self.transform = Dropdown(options=list(TRANSFORMS), value=transform, description="transform")
        size = {"continuous_update": False, "layout": Layout(width="380px")}
        self.block_size = SelectionSlider(options=BLOCK_SIZES, value=block_size, description="block size", **size)
        self.error = FloatSlider(error_db, min=0.0, max=6.0, step=0.5, description="error (dB)", **size)
        self.block_size.add_class("tad-block-explorer")
        self.figure_widget, self.player_widget = HTML(), HTML()
        self.live = self._figure()
        row = Layout(flex_flow="row wrap")
        controls = HBox([self.transform, self.block_size, self.error], layout=row)
        self.box = VBox([controls, self.player_widget, self.figure_widget])
        for control in (self.transform, self.block_size, self.error):
            control.observe(lambda _: self.update(), "value")
        self.update()

    def _figure(self) -> LiveFigure:
        fig, (left, right) = plots.figure(1, 2, 2.7)
        ms = np.arange(ZOOM.start, ZOOM.stop) / plots.SAMPLE_RATE * 1000
        (self.wave,) = left.plot(ms, 0 * ms, color=plots.PALETTE[0], linewidth=1.1)
        left.set(xlabel="time (ms)", ylabel="amplitude", ylim=(-1, 1), title="what you hear, 50 ms of it")
        khz, level = spectrum_db(self.sound)
        right.plot(khz, level, color=plots.PALETTE[5], linestyle=":", label="the sound")
        (self.error_line,) = right.plot(khz, level, color=plots.PALETTE[1], linestyle="-", label="the error in it")
        right.set(xlabel="frequency (kHz)", ylabel="level (dB)", ylim=(FLOOR_DB, 0), xlim=(0, 22.05))
        right.set_title("where the error lies", loc="left")
        right.legend(loc="upper right", fontsize=9)
        return LiveFigure(fig, [self.wave, self.error_line])

    def heard(self) -> Tensor:
        """Return the sound `[2, n]` after the transform, the error, and the way back."""
        transform = TRANSFORMS[self.transform.value](self.block_size.value)
        z = transform.encode(self.sound[None])
        return transform.decode(z * level_errors(z.shape[-1], self.error.value))[0]

    def update(self):
        """Play and draw the present settings."""
        heard = self.heard()
        error = heard - self.sound
        self.wave.set_ydata(mono(heard.numpy())[ZOOM])
        self.error_line.set_ydata(spectrum_db(error)[1])
        title = f"{self.transform.value}, blocks of {self.block_size.value}, levels wrong by {self.error.value:.1f} dB"
        self.player_widget.value = player_html(heard, title)
        high_db = dbfs(high_part(error))
        said = "no error above 2 kHz" if high_db < -120 else f"error above 2 kHz: {high_db:.0f} dBFS"
        self.caption = f"{title}: {said}"
        picture = self.live.html(f"Waveform, and spectrum of the error. {self.caption}.")
        self.figure_widget.value = f"<b>{self.caption}</b>{picture}"


def high_part(x: Tensor, above_hz: float = 2000.0) -> Tensor:
    """Return what of `x` `[..., n]` lies above a frequency."""
    spectrum = torch.fft.rfft(x)
    spectrum[..., : round(above_hz / plots.SAMPLE_RATE * x.shape[-1])] = 0
    return torch.fft.irfft(spectrum, x.shape[-1])


def spectrum_db(x: Tensor, points: int = 256) -> tuple[np.ndarray, np.ndarray]:
    """Return frequencies in kHz and the mean level in dB around each, `[points]`; 0 dB is a full-scale sine."""
    power = np.abs(np.fft.rfft(mono(x.numpy())) * 2 / x.shape[-1]) ** 2
    mean = power[1:].reshape(points, -1).mean(axis=1)
    khz = (np.arange(points) + 0.5) * plots.SAMPLE_RATE / 2000 / points
    return khz, np.maximum(10 * np.log10(mean + 1e-20), FLOOR_DB)


def block_explorer(sound: Tensor, transform: str = "patching", block_size: int = 64) -> None:
    """Show the explorer for `sound` `[2, n]`; where widgets cannot run, its first picture. Lesson: 06"""
    explorer = BlockExplorer(sound, transform, block_size)
    show_widget(explorer.box, explorer.figure_widget.value, f"[explorer] {explorer.caption}")
