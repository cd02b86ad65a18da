"""Figures that are laid out once and then only refreshed: explorers must answer within a quarter of a second."""

from collections.abc import Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from tad_course.audio.spectra import log_frequency_db, mono
from tad_course.display import plots


class LiveFigure:
    """A figure of which only some artists (lines, images, titles) change; the rest is drawn once and kept.

    Change the artists, then call `html`. Axis limits must stay as they are.
    """

    def __init__(self, fig: Figure, changing: Sequence[Artist]):
        self.canvas, self.changing = FigureCanvasAgg(fig), changing
        for artist in changing:
            artist.set_animated(True)
        self.canvas.draw()
        self.background = self.canvas.copy_from_bbox(fig.bbox)

    def html(self, alt: str) -> str:
        """Return the figure as it stands now, as HTML with the description `alt`."""
        self.canvas.restore_region(self.background)
        for artist in self.changing:
            artist.axes.draw_artist(artist)
        return plots.picture_html(np.asarray(self.canvas.buffer_rgba()), alt)


class SoundFigure:
    """Waveform over spectrogram of one sound at a time, always at the same scale."""

    def __init__(self, length_samples: int, width: float = 7.5, height: float = 3.6):
        fig, (top, bottom) = plots.figure(2, 1, height, width, height_ratios=(1, 1.5))
        plots.draw_waveform(top, np.zeros(length_samples))
        self.title = top.set_title(" ", loc="left")
        top.set(xlabel="", xticklabels=[])
        self.image = plots.draw_spectrogram(bottom, np.zeros(length_samples))
        plots.color_bar(fig, self.image, [bottom])
        self.line = top.lines[0]
        self.live = LiveFigure(fig, [self.line, self.image, self.title])

    def html(self, audio, title: str) -> str:
        """Return the picture of `audio` `[channels, n]` as an HTML figure whose alt text describes it."""
        x = mono(np.asarray(audio))
        self.line.set_ydata(x)
        self.image.set_data(log_frequency_db(x, plots.SAMPLE_RATE))
        self.title.set_text(title)
        return self.live.html(f"{title}: {plots.describe(audio)}.")
