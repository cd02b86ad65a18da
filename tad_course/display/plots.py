"""Figures of the course: one calm style, color-blind-safe, every axis with its unit, every figure with alt text.

`figure()` makes an empty figure in the style, the `draw_*` functions fill one pair of axes, `show()` puts a figure
with its description into the notebook. The functions named after what they show (`sounds`, `lines`, ...) do all
three. Signals may be tensors or arrays, `[n]` or `[channels, n]`.
"""

import base64
import html
import io
from collections.abc import Mapping

import matplotlib as mpl
import numpy as np
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from tad_course.audio.spectra import MEL_BANDS, MEL_LOWEST_HZ, log_frequency_db, magnitude_db, mel_db, mono
from tad_course.config import SAMPLE_RATE

# Okabe & Ito (2008), ordered so that neighbors also differ in lightness; each has its own line style,
# so that no figure needs color to be read.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#6B6B6B")
LINE_STYLES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))
COLOR_MAP = "magma"
MEL_TICKS_HZ = {100: "100", 500: "500", 2000: "2k", 5000: "5k", 15_000: "15k"}  # of the mel axis, with their labels

STYLE = {
    "font.size": 10.5,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#555555",
    "axes.grid": True,
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.7,
    "axes.axisbelow": True,
    "lines.linewidth": 1.6,
    "legend.frameon": False,
    "figure.facecolor": "white",
    "axes.prop_cycle": mpl.cycler(color=PALETTE, linestyle=LINE_STYLES),
}
# For all figures of the process: learners' own axes and later titles and legends follow the style too.
mpl.rcParams.update(STYLE)


def figure(rows: int = 1, columns: int = 1, height: float = 2.6, width: float = 9.0, **subplots):
    """Return an empty figure in the course's style and its axes (one `Axes`, or an array of them).

    Args:
        height: of the whole figure, in inches; `width` likewise.
        subplots: passed on to `Figure.subplots`, for example `sharex=True`.
    """
    fig = Figure(figsize=(width, height), layout="constrained", dpi=110)
    return fig, fig.subplots(rows, columns, **subplots)


def figure_html(fig: Figure, alt: str) -> str:
    """Return `fig` as an HTML `<figure>` that carries its picture and its description `alt` with it."""
    if not alt.strip():
        raise ValueError("A figure needs a description: pass alt='what a reader who cannot see it should know'.")
    canvas = FigureCanvasAgg(fig)
    canvas.draw()
    return picture_html(np.asarray(canvas.buffer_rgba()), alt)


def picture_html(pixels: np.ndarray, alt: str) -> str:
    """Return `pixels` `[height, width, 4]` (uint8) as an HTML `<figure>` with its description."""
    small = io.BytesIO()
    # 256 colors are enough for these figures and keep the notebooks small.
    image = Image.fromarray(pixels).convert("RGB")
    image.quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(small, "PNG")
    data = base64.b64encode(small.getvalue()).decode()
    style = "max-width:100%;height:auto;background:white"
    picture = f'<img alt="{html.escape(alt)}" src="data:image/png;base64,{data}" style="{style}">'
    return f'<figure style="margin:0.3em 0">{picture}</figure>'


def show(fig: Figure, alt: str) -> None:
    """Display `fig` with its description `alt`, which screen readers and text-only viewers get instead."""
    display({"text/html": figure_html(fig, alt), "text/plain": f"[figure] {alt}"}, raw=True)


def _numpy(x) -> np.ndarray:
    return np.asarray(x.detach().cpu() if hasattr(x, "detach") else x)


def draw_waveform(ax: Axes, audio, sample_rate: int = SAMPLE_RATE, color: str = PALETTE[0], full_scale: bool = True):
    """Draw the mean of the channels of `audio` `[n]` or `[channels, n]` over time in milliseconds."""
    x = mono(_numpy(audio))
    ax.plot(np.arange(len(x)) / sample_rate * 1000, x, color=color, linewidth=0.9, linestyle="-")
    ax.set(xlabel="time (ms)", ylabel="amplitude", xlim=(0, len(x) / sample_rate * 1000))
    if full_scale:
        ax.set(ylim=(-1.05, 1.05), yticks=(-1, 0, 1))


def draw_spectrogram(
    ax: Axes,
    audio,
    sample_rate: int = SAMPLE_RATE,
    block: int = 1024,
    floor_db: float = -90.0,
    mel: bool = False,
    linear: bool = False,
):
    """Draw the magnitude of the STFT of `audio` in dB (0 dB: a full-scale sine), from `floor_db` to 0.

    The frequency axis is even in octaves, as hearing is; `linear` makes it even in Hz, `mel` gathers 80 mel bands.

    Args:
        block: window length in samples; the hop is a quarter of it.

    Returns:
        The image, for `color_bar`.
    """
    x = mono(_numpy(audio))
    length_ms, limits = len(x) / sample_rate * 1000, (floor_db, 0.0)
    if mel:
        image = draw_map(ax, mel_db(x, sample_rate, block), length_ms, MEL_BANDS, limits, "frequency (Hz)")
        ticks = [hz for hz in MEL_TICKS_HZ if hz < sample_rate / 2]
        ax.set_yticks(mel_position(ticks, sample_rate), [MEL_TICKS_HZ[hz] for hz in ticks])
        return image
    if linear:
        return draw_map(ax, magnitude_db(x, block), length_ms, sample_rate / 2000, limits)
    image = draw_map(ax, log_frequency_db(x, sample_rate, block), length_ms, 1.0, limits, "frequency (Hz)")
    ticks = [hz for hz in (50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000) if hz < sample_rate / 2]
    places = np.log(np.array(ticks) / 40) / np.log(sample_rate / 80)
    ax.set_yticks(places, [f"{hz // 1000}k" if hz >= 1000 else str(hz) for hz in ticks])
    ax.tick_params(axis="y", labelsize=9.5)
    return image


def draw_map(ax: Axes, values, length_ms: float, top: float, limits, label="frequency (kHz)", cmap: str = COLOR_MAP):
    """Draw `values` `[frequencies, frames]` over time, colored from `limits` = (lowest, highest).

    `top` is what the upper end of the vertical axis stands for, in the unit of its `label`.
    """
    vmin, vmax = limits
    ax.grid(False)
    ax.set(xlabel="time (ms)", ylabel=label)
    box = (0, length_ms, 0, top)
    return ax.imshow(
        _numpy(values), origin="lower", aspect="auto", extent=box, vmin=vmin, vmax=vmax, cmap=cmap, interpolation="none"
    )


def mel_position(hz, sample_rate: int = SAMPLE_RATE) -> np.ndarray:
    """Return where frequencies `[n]` in Hz lie on an axis of the 80 mel bands, 0 at its bottom (O'Shaughnessy, 1987).

    Lesson: 02
    """

    def mel(f):
        return 2595 * np.log10(1 + np.asarray(f) / 700)

    share = (mel(hz) - mel(MEL_LOWEST_HZ)) / (mel(sample_rate / 2) - mel(MEL_LOWEST_HZ))
    return share * (MEL_BANDS + 1) - 0.5


def color_bar(fig: Figure, image, axes, label: str = "level (dB)") -> None:
    """Add one color bar with its unit beside `axes`, which all share the scale of `image`."""
    bar = fig.colorbar(image, ax=axes, label=label, pad=0.01, aspect=18, shrink=0.95)
    bar.outline.set_visible(False)


def describe(audio, sample_rate: int = SAMPLE_RATE) -> str:
    """Return what a picture of `audio` tells, in words: its peak, when it has died away, where its energy lies."""
    peak = np.abs(_numpy(audio)).max(initial=0.0)
    if peak == 0:
        return "silence"
    x = mono(_numpy(audio)).astype(np.float64)
    loud_ms = (np.flatnonzero(np.abs(x) > peak * 10 ** (-40 / 20))[-1] + 1) / sample_rate * 1000
    power = np.abs(np.fft.rfft(x)) ** 2
    share = np.cumsum(power) / power.sum()
    low, high = (np.searchsorted(share, q) * sample_rate / len(x) for q in (0.1, 0.9))
    ends = (
        f"40 dB below its peak after {loud_ms:.0f} ms" if loud_ms < 990 * len(x) / sample_rate else "does not die away"
    )
    return f"peak {20 * np.log10(peak):.1f} dBFS, {ends}, energy mostly between {_hz(low)} and {_hz(high)}"


def _hz(value: float) -> str:
    return f"{value / 1000:.1f} kHz" if value >= 1000 else f"{value:.0f} Hz"


def sounds(named: Mapping, sample_rate: int = SAMPLE_RATE, mel: bool = False, floor_db: float = -90.0, alt: str = ""):
    """Show several sounds side by side, waveform over spectrogram, all at one scale.

    Args:
        named: title -> signal `[n]` or `[channels, n]`.
        alt: what to see in it; the measured facts of each sound are added to it.
    """
    width = 9.0 if len(named) > 1 else 7.0
    fig, axes = figure(2, len(named), 3.9, width, sharey="row", squeeze=False, height_ratios=(1, 1.5))
    for column, (title, audio) in zip(axes.T, named.items(), strict=True):
        draw_waveform(column[0], audio, sample_rate)
        image = draw_spectrogram(column[1], audio, sample_rate, floor_db=floor_db, mel=mel)
        column[0].set(xlabel="", xticklabels=[])
        column[0].set_title(title, fontsize=11 if len(named) < 4 else 9)
    for ax in axes[:, 1:].flat:
        ax.set_ylabel("")
    color_bar(fig, image, list(axes[1]))
    facts = "; ".join(f"{title}: {describe(audio, sample_rate)}" for title, audio in named.items())
    show(fig, f"{alt} Waveforms above spectrograms, at one scale. {facts}.".strip())


def waveforms(
    named: Mapping, alt: str, sample_rate: int = SAMPLE_RATE, start_ms=0.0, end_ms=None, markers: bool = False
):
    """Show signals below each other on one time axis, `start_ms` to `end_ms`; `markers` puts a dot on each sample."""
    fig, axes = figure(len(named), 1, 1.0 + 1.15 * len(named), sharex=True, sharey=True, squeeze=False)
    for ax, (title, audio), color in zip(axes[:, 0], named.items(), PALETTE * len(named), strict=False):
        draw_waveform(ax, audio, sample_rate, color, full_scale=False)
        if markers:
            ax.lines[0].set(marker="o", markersize=3)
        ax.set(title=title, xlabel="")
    ax.set(xlabel="time (ms)", xlim=(start_ms, end_ms))
    show(fig, alt)


def lines(
    x, named: Mapping, x_label: str, y_label: str, alt: str, title: str = "", height: float = 2.8, **axes_settings
):
    """Show curves over `x` `[n]`, each in its own color and line style, with a legend if there is more than one.

    Args:
        named: name -> values `[n]`.
        x_label: with its unit, as is `y_label`.
        axes_settings: passed on to `Axes.set`, for example `xscale="log"` or `ylim=(-90, 0)`.
    """
    fig, ax = figure(height=height)
    for name, y in named.items():
        ax.plot(_numpy(x), _numpy(y), label=name)
    ax.set(xlabel=x_label, ylabel=y_label, title=title, **axes_settings)
    if len(named) > 1:
        ax.legend()
    show(fig, alt)


def spectra(named: Mapping, alt: str, sample_rate: int = SAMPLE_RATE, floor_db: float = -90.0, title: str = ""):
    """Show the spectra of whole signals in dB over frequency (0 dB: a full-scale sine)."""
    fig, ax = figure(height=2.9)
    for name, audio in named.items():
        x = mono(_numpy(audio)).astype(np.float64)
        window = np.hanning(len(x))
        level = 20 * np.log10(np.abs(np.fft.rfft(x * window)) * 2 / window.sum() + 1e-12)
        ax.plot(np.fft.rfftfreq(len(x), 1 / sample_rate) / 1000, level, label=name, linewidth=1.1)
    ax.set(xlabel="frequency (kHz)", ylabel="level (dB)", ylim=(floor_db, 3), xlim=(0, sample_rate / 2000), title=title)
    if len(named) > 1:
        ax.legend()
    show(fig, alt)
