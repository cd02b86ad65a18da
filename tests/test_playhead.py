"""The playhead of lesson 01: what the page is given. Its script is tested in a browser."""

import base64
import io
import re

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.io import wavfile

from tad_course.audio import SAMPLE_RATE
from tad_course.lessons.explorers.playhead import Playhead, playhead

CEILING = 10 ** (-1 / 20)


def tone(length: int, amplitude: float = 0.5) -> torch.Tensor:
    return amplitude * torch.sin(2 * torch.pi * 441 * torch.arange(length) / SAMPLE_RATE)


def played(widget: Playhead) -> tuple[int, np.ndarray]:
    kind, data = widget.sound.split(",")
    assert kind == "data:audio/wav;base64"
    rate, samples = wavfile.read(io.BytesIO(base64.b64decode(data)))
    return rate, samples / 2**15


def pixels(widget: Playhead) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(widget.picture.split(",")[1]))).convert("RGB"))


@pytest.mark.parametrize("amplitude", [0.3, 1.0, 7.0])
def test_it_plays_a_sound_as_it_is_but_never_above_minus_1_dbfs(amplitude):
    _, samples = played(Playhead(torch.stack([tone(9000, amplitude)] * 2), "tone"))
    assert samples.shape == (9000, 2)
    assert np.abs(samples).max() == pytest.approx(min(amplitude, CEILING), abs=1e-3)


@pytest.mark.parametrize("shape, rate", [((9000,), 44_100), ((2, 9000), 44_100), ((2, 9000), 22_050)])
def test_mono_and_other_rates_have_the_right_length(shape, rate):
    widget = Playhead(tone(9000).expand(shape), "tone", rate)
    assert played(widget)[0] == rate
    assert widget.seconds == pytest.approx(9000 / rate)


def test_the_line_runs_over_the_plots_and_not_over_their_labels():
    widget = Playhead(torch.stack([tone(9000)] * 2), "tone")
    left, right, top, bottom = widget.plot_box
    picture = pixels(widget)
    height, width, _ = picture.shape
    assert 0 < left < right < 1 and 0 < top < bottom < 1
    dark = (picture.astype(int).sum(-1) < 150)[round((bottom - 0.3) * height)]  # a row that is black
    columns = np.flatnonzero(dark)
    inside = columns[(columns > left * width - 3) & (columns < right * width + 3)]
    assert inside.min() == pytest.approx(left * width, abs=3)
    assert inside.max() == pytest.approx(right * width, abs=3)


def test_where_no_kernel_runs_its_described_picture_stands_in(monkeypatch):
    bundles = []
    monkeypatch.setattr("tad_course.display.fallback.display", lambda data, raw: bundles.append(data))
    playhead(torch.stack([tone(9000)] * 2), "a tone")
    assert re.search(
        r'<img alt="a tone: waveforms of both channels[^"]{40,}" src="data:image/png', bundles[0]["text/html"]
    )
    assert bundles[0]["text/plain"].startswith("[playhead] a tone: waveforms of both channels")
