"""Short-time spectra: STFT and back, magnitude and phase (lesson 02).

Signals are real tensors `[..., n]`; spectra are complex tensors `[..., block / 2 + 1, frames]`. Frames are centered:
frame m looks at `block` samples around sample m * hop.
"""

import numpy as np
import torch
from torch import Tensor
from torchaudio.functional import melscale_fbanks

BLOCK = 1024
HOP = 256
MEL_BANDS, MEL_LOWEST_HZ = 80, 20.0


def stft(audio: Tensor, block: int = BLOCK, hop: int = HOP) -> Tensor:
    """Return the short-time Fourier transform `[..., block / 2 + 1, frames]` of `audio` `[..., n]`.

    X[k, m] = sum_n x[n + m hop - block / 2] w[n] exp(-2 pi i k n / block), with a Hann window w
    (Allen & Rabiner, 1977). Lesson: 02
    """
    if block % hop or hop > block // 4:
        raise ValueError(f"The hop ({hop}) must divide the block ({block}) and be at most a quarter of it.")
    flat = audio.reshape(-1, audio.shape[-1])
    spectrum = torch.stft(flat, block, hop, window=_window(flat, block), return_complex=True, pad_mode="constant")
    return spectrum.reshape(*audio.shape[:-1], *spectrum.shape[-2:])


def istft(spectrum: Tensor, length_samples: int, block: int = BLOCK, hop: int = HOP) -> Tensor:
    """Return the signal `[..., length_samples]` whose STFT is nearest to `spectrum` (Griffin & Lim, 1984).

    Lesson: 02
    """
    flat = spectrum.reshape(-1, *spectrum.shape[-2:])
    window = _window(flat.real, block)
    audio = torch.istft(flat, block, hop, window=window, length=length_samples)
    return audio.reshape(*spectrum.shape[:-2], length_samples)


def _window(like: Tensor, block: int) -> Tensor:
    return torch.hann_window(block, dtype=like.dtype, device=like.device)


def random_phase(magnitude: Tensor, seed: int) -> Tensor:
    """Return phases `[...]` drawn evenly from (-pi, pi], the shape of `magnitude`."""
    generator = torch.Generator().manual_seed(seed)
    return torch.pi * (1 - 2 * torch.rand(magnitude.shape, generator=generator, dtype=magnitude.dtype))


def click_sweep_hiss() -> dict[str, Tensor]:
    """Return three sounds `[8192]`, by name: magnitude 0.7 at each frequency, and phases that differ. Lesson: 02"""
    k, amount = torch.arange(4097), torch.full((4097,), 0.7)
    inner = (k > 0) & (k < 4096)  # the lowest and the highest frequency have no phase, only a sign
    phases = {"click": -torch.pi * k, "sweep": -torch.pi * k**2 / 4096, "hiss": inner * random_phase(amount, seed=0)}
    return {name: torch.fft.irfft(torch.polar(amount, phase.float())) for name, phase in phases.items()}


def direction(spectrum: Tensor) -> Tensor:
    """Return exp(i phase) `[...]` of a complex `spectrum`: the phase as a point on the unit circle."""
    # The same as polar(1, angle), without the slow way over sines and arc tangents.
    return torch.sgn(spectrum) + (spectrum == 0)


def spectral_convergence_db(audio: Tensor, magnitude: Tensor, block: int = BLOCK, hop: int = HOP) -> float:
    """Return how far the STFT magnitude of `audio` is from `magnitude`: ||  |X| - A || / || A || in dB. Lesson: 02"""
    error = stft(audio, block, hop).abs() - magnitude
    return 20 * torch.log10(error.norm() / magnitude.norm() + 1e-12).item()


def error_db(estimate: Tensor, reference: Tensor) -> float:
    """Return the level of `estimate - reference` in dB relative to `reference`: 0 is as loud as the sound itself."""
    return 20 * torch.log10((estimate - reference).norm() / reference.norm() + 1e-12).item()


def mono(x: np.ndarray) -> np.ndarray:
    """Return the mean of the channels `[n]` of `x`, `[n]` or `[channels, n]`."""
    if x.ndim > 2 or x.shape[-1] == 0:
        raise ValueError(f"A sound to draw has the shape [n] or [channels, n], not {list(x.shape)}.")
    return x if x.ndim == 1 else x.mean(axis=0)


def magnitude_db(x, block: int = BLOCK) -> np.ndarray:
    """Return the magnitude of the STFT of `x` `[n]` in dB, `[block / 2 + 1, frames]`; a full-scale sine has 0 dB."""
    signal = torch.as_tensor(x, dtype=torch.float32)
    return (20 * torch.log10(stft(signal, block, block // 4).abs() * 4 / block + 1e-9)).numpy()


def mel_db(x, sample_rate: int, block: int = BLOCK, bands: int = MEL_BANDS) -> np.ndarray:
    """Return the log-mel spectrogram `[bands, frames]` of `x` `[n]` in dB (bands after Stevens et al., 1937)."""
    power = (stft(torch.as_tensor(x, dtype=torch.float32), block, block // 4).abs() * 4 / block) ** 2
    bank = melscale_fbanks(power.shape[0], MEL_LOWEST_HZ, sample_rate / 2, bands, sample_rate, norm=None)
    return (10 * torch.log10(bank.T @ power + 1e-18)).numpy()


def log_frequency_db(x, sample_rate: int, block: int = BLOCK, rows: int = 160, low_hz: float = 40.0) -> np.ndarray:
    """Return `magnitude_db` read at `rows` frequencies from `low_hz` to half the rate, evenly spaced in octaves."""
    values = magnitude_db(x, block)
    bins = np.geomspace(low_hz, sample_rate / 2, rows) * block / sample_rate
    below = np.minimum(bins.astype(int), len(values) - 2)
    share = (bins - below)[:, None]
    between = (1 - share) * values[below] + share * values[below + 1]
    # High up, a row covers several bins: the loudest of them stands for it, so that no tone falls through.
    loudest = np.maximum.reduceat(values, below)
    return np.where(np.diff(below, append=len(values))[:, None] > 1, loudest, between)


def swap_phase(magnitude_of: Tensor, phase_of: Tensor, block: int = BLOCK) -> Tensor:
    """Return a sound `[..., n]` with the magnitudes of one sound and the phases of another, both `[..., n]`.

    Blocks of `block` samples overlap by three quarters; if `block` is n or more, one spectrum of the whole sound is
    taken, as in Oppenheim & Lim (1981). Lesson: 02
    """
    length_samples = magnitude_of.shape[-1]
    if block >= length_samples:
        swapped = torch.fft.rfft(magnitude_of).abs() * direction(torch.fft.rfft(phase_of))
        return torch.fft.irfft(swapped, length_samples)
    a, b = (stft(x, block, block // 4) for x in (magnitude_of, phase_of))
    return istft(a.abs() * direction(b), length_samples, block, block // 4)
