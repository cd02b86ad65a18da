"""Figures of lesson 06, and the slopes that it reads off them."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from tad_course.config import SAMPLE_RATE
from tad_course.display import plots
from tad_course.lessons.explorers.block_explorer import LOG_HZ, spectrum_db

PINK_LEVEL_DB = -17.1  # 0.14


def show_waves(decoders: Mapping[str, Callable], channels: int = 128) -> None:
    """Show what the coefficient of channel 20, frame 8, stands for in each transform, scaled to a peak of 1."""
    one = torch.zeros(1, channels, 16)
    one[0, 20, 8] = 1
    waves = {f"{name}: one coefficient": decode(one)[0, 0] for name, decode in decoders.items()}
    plots.waveforms(
        {name: wave / wave.abs().max() for name, wave in waves.items()},
        alt="One coefficient of patching is a single sample, a needle. One of the learned transform is a rough "
        "noise-like wave with hard ends. One of the lapped transform is a fast wave two blocks long, 2.9 ms, that "
        "fades in and out. Each is scaled to a peak of 1.",
        start_ms=9,
        end_ms=15,
    )


def show_errors(errors: Mapping[str, Tensor], sound: Tensor) -> None:
    """Show the spectra of errors `[2, n]`, and that of the sound that they were made in."""
    khz, level = spectrum_db(sound)
    plots.lines(
        1000 * khz,
        {name: spectrum_db(error)[1] for name, error in errors.items()} | {"the kick itself": level},
        "frequency (Hz)",
        "level (dB)",
        alt="The three errors are about equally strong below 500 Hz, where the kick is. Above 2 kHz those of patching "
        "and of the learned transform stay more than 20 dB above the lapped one, which falls as the kick does.",
        title="where the error lies",
        **LOG_HZ,
    )


def show_covariances(matrices: Mapping[str, Tensor]) -> None:
    """Show covariances `[channels, channels]` side by side."""
    fig, axes = plots.figure(1, len(matrices), height=2.9, sharey=True)
    for ax, (name, matrix) in zip(axes, matrices.items(), strict=True):
        image = plots.draw_map(ax, matrix, len(matrix), len(matrix), (-0.25, 0.25), "channel", cmap="RdBu_r")
        ax.set(title=name, xlabel="channel")
    for ax in axes[1:]:
        ax.set_ylabel("")
    plots.color_bar(fig, image, list(axes), "covariance")
    plots.show(
        fig,
        alt="Covariances of the 128 channels for white noise. Patching and lapped: a clean diagonal, nothing beside "
        "it. Learned: a diagonal, and speckles everywhere beside it: its channels are correlated.",
    )


def show_bands(rms: Mapping[str, Tensor]) -> None:
    """Show the rms `[bands]` of each instrument and of all drums over frequency, with a line of -3 dB an octave."""
    bands = torch.arange(len(rms["all drums"])) + 1.0
    hz = bands * SAMPLE_RATE / 2 / len(bands)  # the upper end of each band
    fig, ax = plots.figure(height=3.2)
    for name, values in rms.items():
        thick = {"color": "black", "linestyle": "-", "linewidth": 2.4} if name == "all drums" else {"linewidth": 1}
        ax.plot(hz, 20 * torch.log10(values), label=name, **thick)
    pink = PINK_LEVEL_DB - 10 * torch.log10(bands)
    ax.plot(hz, pink, color="black", linestyle=":", linewidth=2, label="-3 dB an octave")
    ax.set(xlabel="frequency (Hz)", ylabel="rms (dB)", ylim=(-80, 5), title="drums in each band", **LOG_HZ)
    ax.set_xlim(300, SAMPLE_RATE / 2)
    ax.legend(ncols=3, fontsize=9)
    plots.show(
        fig,
        alt="Rms of the 64 bands over log frequency. Kicks fall steeply, hi-hats rise. All drums together fall from "
        "about -6 dB in the lowest band to about -40 dB in the highest; a line of -3 dB an octave describes that "
        "roughly.",
    )


def slope_of_bands_db(rms: Tensor) -> float:
    """Return how many dB an octave the straight line falls or rises that fits the rms of bands `[bands]` best."""
    octaves = torch.log2(torch.arange(len(rms)) + 1.0)
    terms = torch.stack([octaves, torch.ones(len(rms))], dim=1)
    return torch.linalg.lstsq(terms, 20 * torch.log10(rms)[:, None]).solution[0].item()


def slope_of_noise_db(sounds: Tensor) -> float:
    """Return how many dB an octave the spectrum of noise `[B, 2, 32768]` falls or rises, from 0.7 to 22 kHz."""
    power = torch.fft.rfft(sounds).abs().square().mean(dim=(0, 1))
    octave = [10 * torch.log10(power[2**i : 2 ** (i + 1)].mean()).item() for i in range(9, 14)]
    return (octave[-1] - octave[0]) / 4
