"""Explorers of lesson 06: fold and cosines of one block in slow motion; wrong levels in a transform's domain, heard."""

import math
from collections.abc import Callable

import numpy as np
import torch
from ipywidgets import HTML, Dropdown, FloatSlider, HBox, IntSlider, Layout, Play, SelectionSlider, VBox, link
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
HZ_TICKS = {100: "100", 200: "200", 500: "500", 1000: "1k", 2000: "2k", 5000: "5k", 10_000: "10k"}
FEW_TICKS = {"xlim": (90, 22_050), "xticks": (200, 1000, 5000), "xticklabels": ("200", "1k", "5k")}
LOG_HZ = {"xscale": "log", "xlim": (40, 22_050), "xticks": list(HZ_TICKS), "xticklabels": list(HZ_TICKS.values())}


def level_errors(frames: int, error_db: float, seed: int = 0) -> Tensor:
    """Return a gain for each frame, `[frames]`, that is wrong by `error_db` decibels on average (rms)."""
    wrong_db = error_db * torch.randn(frames, generator=torch.Generator().manual_seed(seed))
    return 10 ** (wrong_db / 20)


class FoldExplorer:
    """Three blocks of a sound while they are folded, the cosine spectrum of the middle one, and the wave of one band.

    At 0 % the blocks are as they were cut; at 100 % every mirror pair has turned by its full angle. Lesson: 06

    `box` is the widget; `figure_widget` is the part that changes.

    Args:
        sound: `[2, n]`.
        fold, dct_matrix: the functions that the lesson's exercises ask for.
        window: the rising half `[block_size]`.
        first: the first sample of the five blocks that are taken; the middle three are drawn.
    """

    def __init__(
        self, sound: Tensor, fold: Callable, dct_matrix: Callable, window: Tensor, band: int = 6, first: int = 1324
    ):
        self.fold, self.size = fold, len(window)
        half = self.size // 2
        self.angle = torch.atan2(window[:half].flip(0), window[half:])
        self.basis = torch.as_tensor(dct_matrix(self.size))
        self.blocks = torch.as_tensor(mono(sound.numpy()))[first : first + 5 * self.size].unflatten(0, (5, self.size))
        wide = {"layout": Layout(width="330px")}
        self.amount = IntSlider(100, min=0, max=100, step=5, description="fold (%)", **wide)
        self.band = IntSlider(band, min=0, max=self.size - 1, description="band k", **wide)
        self.amount.add_class("tad-fold-explorer")
        self.play = Play(value=100, min=0, max=100, step=5, interval=250, description="watch the fold")
        link((self.play, "value"), (self.amount, "value"))
        self.figure_widget = HTML()
        self.live = self._figure()
        controls = HBox([self.play, self.amount, self.band], layout=Layout(flex_flow="row wrap"))
        self.box = VBox([controls, self.figure_widget])
        for control in (self.amount, self.band):
            control.observe(lambda _: self.update(), "value")
        self.update()

    def _figure(self) -> LiveFigure:
        fig, (left, middle, right) = plots.figure(1, 3, 2.9)
        ms = (np.arange(3 * self.size) + 0.5) / plots.SAMPLE_RATE * 1000
        borders = np.arange(4) * self.size / plots.SAMPLE_RATE * 1000
        hz = (np.arange(self.size) + 0.5) * plots.SAMPLE_RATE / 2 / self.size
        whole, bands = self._inner(self.blocks), self.spectrum(0.0)
        left.plot(ms, whole, color=plots.PALETTE[5], linestyle=":", label="as cut")
        (self.wave,) = left.plot(ms, whole, color=plots.PALETTE[0], linestyle="-", label="folded")
        left.set(xlabel="time (ms)", ylabel="amplitude", title="three blocks", ylim=(-1, 1))
        middle.plot(hz, bands, color=plots.PALETTE[5], linestyle=":", label="as cut")
        (self.levels,) = middle.plot(hz, bands, color=plots.PALETTE[1], linestyle="-", label="folded")
        (self.dot,) = middle.plot([hz[0]], [0.0], "o", color="black", markersize=6)
        middle.set(xlabel="frequency of the band (Hz)", ylabel="|z| (dB)", title="its cosines, middle block")
        middle.set(ylim=(FLOOR_DB, 15), **LOG_HZ | FEW_TICKS)
        (self.atom,) = right.plot(ms, 0 * ms, color=plots.PALETTE[2], linestyle="-")
        right.set(xlabel="time (ms)", title="the wave of band k", ylim=(-0.27, 0.27))
        for ax in (left, right):
            for border in borders:
                ax.axvline(border, color="#999999", linewidth=0.8, linestyle="-")
        left.legend(loc="upper left", fontsize=9)
        middle.legend(loc="lower left", fontsize=9)
        self.hz = hz
        return LiveFigure(fig, [self.wave, self.levels, self.dot, self.atom])

    def _turned(self, blocks: Tensor, share: float) -> Tensor:
        angle = share * self.angle
        return torch.as_tensor(self.fold(blocks, torch.cos(angle), torch.sin(angle)))

    def _inner(self, blocks: Tensor) -> np.ndarray:
        return blocks[1:4].flatten().numpy()

    def spectrum(self, share: float) -> np.ndarray:
        """Return the level in dB of each coefficient of the middle block after a `share` of the fold."""
        z = self._turned(self.blocks, share)[2] @ self.basis
        return np.maximum(20 * np.log10(np.abs(z.numpy()) + 1e-9), FLOOR_DB)

    def band_wave(self, share: float) -> np.ndarray:
        """Return what the coefficient of the chosen band stands for, over the middle three blocks."""
        z = torch.zeros(5, self.size)
        z[2, self.band.value] = 1
        return self._inner(self._turned(z @ self.basis, -share))

    def treble_db(self, share: float) -> float:
        """Return the energy of the coefficients above 2 kHz of the middle block, in dB of all of its energy."""
        energy = 10 ** (self.spectrum(share) / 10)
        return 10 * math.log10(energy[self.hz > 2000].sum() / energy.sum())

    def update(self):
        """Draw the present settings."""
        share = self.amount.value / 100
        self.wave.set_ydata(self._inner(self._turned(self.blocks, share)))
        levels = self.spectrum(share)
        self.levels.set_ydata(levels)
        band = self.band.value
        self.dot.set_data([self.hz[band]], [levels[band]])
        self.atom.set_ydata(self.band_wave(share))
        self.caption = (
            f"fold {self.amount.value} %, band {band}: above 2 kHz lie {self.treble_db(share):.0f} dB of the block"
        )
        self.figure_widget.value = f"<b>{self.caption}</b>" + self.live.html(
            "Three blocks of the sound, as cut and folded; the levels of the cosines of the middle block over log "
            f"frequency; the wave of the chosen band. {self.caption}."
        )


def fold_explorer(sound: Tensor, fold: Callable, dct_matrix: Callable, window: Tensor) -> None:
    """Show the fold in slow motion; where widgets cannot run, its end. Lesson: 06"""
    explorer = FoldExplorer(sound, fold, dct_matrix, window)
    show_widget(explorer.box, explorer.figure_widget.value, f"[explorer] {explorer.caption}")


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
        right.plot(1000 * khz, level, color=plots.PALETTE[5], linestyle=":", label="the sound")
        (self.error_line,) = right.plot(
            1000 * khz, level, color=plots.PALETTE[1], linestyle="-", label="the error in it"
        )
        right.set(xlabel="frequency (Hz)", ylabel="level (dB)", ylim=(FLOOR_DB, 0), **LOG_HZ)
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
