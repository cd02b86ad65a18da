"""A wide waveform over a mel spectrogram in which a region is marked."""

import numpy as np
from torch import Tensor

from tad_course.audio.spectra import mel_db, mono
from tad_course.display import plots
from tad_course.display.live import LiveFigure
from tad_course.studio.mel_picture import FLOOR_DB


class RegionPicture:
    """The picture of one sound; drawn once, then only refreshed when the region moves."""

    def __init__(self, length_samples: int, width: float = 7.0, height: float = 2.9):
        self.length_samples, self.length_s = length_samples, length_samples / plots.SAMPLE_RATE
        fig, (top, bottom) = plots.figure(2, 1, height, width, height_ratios=(1, 1.5))
        silence = np.zeros(length_samples)
        plots.draw_waveform(top, silence)
        top.set(xlabel="", ylabel="amplitude", xticklabels=[])
        self.image = plots.draw_spectrogram(bottom, silence, floor_db=FLOOR_DB, mel=True)
        bottom.set(xlabel="time (s)")
        ticks_s = np.arange(0, self.length_s, 0.1)
        for ax in (top, bottom):
            ax.set_xticks(1000 * ticks_s, [f"{t:.1f}" for t in ticks_s] if ax is bottom else [])
        plots.color_bar(fig, self.image, [top, bottom])
        self.line = top.lines[0]
        self.spans = [
            ax.axvspan(0, 1, facecolor=face, alpha=alpha, edgecolor=plots.PALETTE[1], linewidth=2)
            for ax, face, alpha in ((top, plots.PALETTE[1], 0.25), (bottom, "white", 0.35))
        ]
        self.live = LiveFigure(fig, [self.line, self.image, *self.spans])
        box, dots = bottom.get_position(), fig.get_figwidth() * fig.dpi
        self.axis_px = round(box.x0 * dots), round(box.width * dots)

    def take(self, audio: Tensor, title: str) -> None:
        """Show another sound, `[2, N]`."""
        x = mono(audio.numpy())
        self.line.set_ydata(x)
        self.image.set_data(mel_db(x, plots.SAMPLE_RATE))
        self.facts = f"{title}: {plots.describe(audio)}"

    def html(self, start_s: float, stop_s: float) -> str:
        """Return the picture with the region from `start_s` to `stop_s` marked."""
        for span in self.spans:
            span.set_x(1000 * start_s)
            span.set_width(1000 * (stop_s - start_s))
        return self.live.html(f"The region from {start_s:.2f} to {stop_s:.2f} s is marked in {self.facts}.")
