"""Waveform over mel spectrogram, the small picture on each card of the studio."""

import threading

import numpy as np
from torch import Tensor

from tad_course.audio.spectra import mel_db, mono
from tad_course.display import plots
from tad_course.display.live import LiveFigure

FLOOR_DB = -90.0


class SoundPicture:
    """Waveform over mel spectrogram, small, always at the same scale; drawn once and then only refreshed."""

    def __init__(self, length_samples: int, width: float = 3.5, height: float = 2.5):
        fig, (top, bottom) = plots.figure(2, 1, height, width, height_ratios=(1, 1.7))
        silence = np.zeros(length_samples)
        plots.draw_waveform(top, silence)
        top.set(xlabel="", ylabel="amplitude", xticklabels=[])
        self.image = plots.draw_spectrogram(bottom, silence, floor_db=FLOOR_DB, mel=True)
        plots.color_bar(fig, self.image, [bottom])
        self.line = top.lines[0]
        self.live, self.one_at_a_time = LiveFigure(fig, [self.line, self.image]), threading.Lock()

    def html(self, audio: Tensor, title: str) -> str:
        """Return the picture of `audio` `[2, N]` as an HTML figure whose alt text describes it."""
        x, facts = mono(audio.numpy()), plots.describe(audio)
        mel = mel_db(x, plots.SAMPLE_RATE)
        with self.one_at_a_time:  # a sound may be kept while others are made in the background
            self.line.set_ydata(x)
            self.image.set_data(mel)
            return self.live.html(f"{title}, waveform and mel spectrogram: {facts}.")
