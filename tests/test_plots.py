"""Figures carry their description, their units, and need no color to be read."""

import base64
import io
import re

import numpy as np
import pytest
import torch
from PIL import Image

from tad_course.display import plots
from tad_course.drums import voices as drums

KICK = drums.kick()


@pytest.fixture
def shown(monkeypatch):
    def run(make, *args, **kwargs) -> dict:
        """Return the MIME bundle that `make(...)` displays."""
        bundles = []
        monkeypatch.setattr(plots, "display", lambda data, raw: bundles.append(data))
        make(*args, **kwargs)
        return bundles[0]

    return run


def test_a_figure_keeps_its_alt_text_in_html_and_in_plain_text(shown):
    fig, _ = plots.figure()
    data = shown(plots.show, fig, 'a "kick" < a snare')
    assert 'alt="a &quot;kick&quot; &lt; a snare"' in data["text/html"]
    assert data["text/html"].startswith("<figure")
    assert data["text/plain"] == '[figure] a "kick" < a snare'


def test_a_figure_without_description_is_refused():
    fig, _ = plots.figure()
    with pytest.raises(ValueError, match="description"):
        plots.show(fig, " ")


def test_the_same_figure_is_the_same_png_at_the_size_asked_for(shown):
    html = [shown(plots.sounds, {"kick": KICK})["text/html"] for _ in range(2)]
    assert html[0] == html[1]
    png = base64.b64decode(re.search(r"base64,([A-Za-z0-9+/=]+)", html[0]).group(1))
    assert Image.open(io.BytesIO(png)).size == (770, 429)
    assert len(png) < 120_000


def test_palette_neighbors_differ_in_lightness_or_hue_and_always_in_line_style():
    assert len(set(map(str, plots.LINE_STYLES))) == len(plots.PALETTE) == len(set(plots.PALETTE))


def luminance(color: str) -> float:
    linear = [
        ((v + 0.055) / 1.055) ** 2.4 if v > 0.04045 else v / 12.92
        for v in np.array(list(bytes.fromhex(color[1:]))) / 255
    ]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


@pytest.mark.parametrize("color", plots.PALETTE[:3])
def test_the_main_colors_stand_out_from_white_as_wcag_asks_of_graphics(color):
    assert 1.05 / (luminance(color) + 0.05) >= 3


@pytest.mark.parametrize("linear, unit", [(True, "kHz"), (False, "Hz")])
def test_a_full_scale_sine_reads_zero_db_in_its_spectrogram(linear, unit):
    sine = torch.sin(2 * torch.pi * 4410 / 44_100 * torch.arange(32_768))
    fig, ax = plots.figure()
    image = plots.draw_spectrogram(ax, sine, linear=linear)
    assert image.get_array()[:, 20:-20].max() == pytest.approx(0.0, abs=1.5)  # up to 1.4 dB between two bins
    assert ax.get_xlabel() == "time (ms)" and ax.get_ylabel() == f"frequency ({unit})"


def test_a_description_states_peak_decay_and_band():
    t = np.arange(44_100) / 44_100
    words = plots.describe(0.5 * np.sin(2 * np.pi * 1000 * t) * (t < 0.25))
    assert words == "peak -6.0 dBFS, 40 dB below its peak after 250 ms, energy mostly between 998 Hz and 1.0 kHz"
    assert plots.describe(np.zeros(10)) == "silence"


@pytest.mark.parametrize("mel", [False, True])
def test_sounds_describes_every_sound_by_name(mel, shown):
    alt = shown(plots.sounds, {"kick": KICK, "hat": drums.closed_hat().numpy()}, mel=mel)["text/plain"]
    assert "kick: peak -3.0 dBFS" in alt and "hat: peak -3.0 dBFS" in alt


def test_a_batch_of_sounds_is_refused_with_its_shape():
    with pytest.raises(ValueError, match=r"\[4, 2, 100\]"):
        plots.sounds({"batch": torch.zeros(4, 2, 100)})


def test_lines_waveforms_and_spectra_display_with_their_descriptions(shown):
    x = np.linspace(0, 1, 50)
    assert "parabola" in shown(plots.lines, x, {"a": x, "b": x**2}, "x (s)", "y (dB)", alt="parabola")["text/plain"]
    assert "two kicks" in shown(plots.waveforms, {"a": KICK, "b": KICK}, alt="two kicks", end_ms=30)["text/plain"]
    assert "a peak" in shown(plots.spectra, {"a": KICK}, alt="a peak")["text/plain"]


@pytest.mark.parametrize("hz", list(plots.MEL_TICKS_HZ))
def test_a_tone_lies_at_its_tick_of_the_mel_axis(hz):
    tone = torch.sin(2 * torch.pi * hz / 44_100 * torch.arange(16_384))
    fig, ax = plots.figure()
    image = plots.draw_spectrogram(ax, tone, mel=True)
    loudest = image.get_array()[:, 10:-10].mean(axis=1).argmax() + 0.5
    tick = dict(zip([label.get_text() for label in ax.get_yticklabels()], ax.get_yticks(), strict=True))
    assert tick[plots.MEL_TICKS_HZ[hz]] == pytest.approx(loudest, abs=1.1)
