"""What a network is trained for, measured by itself: to take noise out of real sounds (lesson 09).

Errors are in decibels of the sound's own energy: 0 dB is as wrong as silence. They are medians over the sounds.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from tad_course.edit import restyle
from tad_course.generate import Model, Settings, label_index
from tad_course.model.diffusion import alpha_sigma, q_sample, t_from_snr_db
from tad_course.model.network import local_energy
from tad_course.model.samplers import seeded_noise

SNRS_DB = (-10, 0, 10, 20, 30)
STRENGTHS = (0.05, 0.1, 0.2)


def denoising_errors_db(model: Model, sounds: Tensor, denoise: Callable[[Tensor, Tensor], Tensor]) -> dict[int, float]:
    """Return the error of `denoise(x_t, t) -> x_0` at each SNR, for real sounds `[B, 2, N]`.

    The error is taken in the model's coefficients, where each band counts about the same.
    """
    x_0 = model.encode(sounds)
    eps = seeded_noise(x_0.shape[1:], range(len(x_0)))
    found = {}
    for snr in SNRS_DB:
        t = t_from_snr_db(float(snr))
        found[snr] = _median_db(denoise(q_sample(x_0, t, eps), t) - x_0, x_0)
    return found


def wiener(x_t: Tensor, t: Tensor) -> Tensor:
    """Take noise out of coefficients `[B, 2·M, L]` without a network: a Wiener filter whose variance is measured there.

    The sound's variance s is the mean of x_t² over 3 bands and 13 ms, less the noise's, over alpha² (spectral
    subtraction, Boll, 1979); x_0 = alpha·s / (alpha²·s + sigma²) · x_t.
    """
    alpha, sigma = alpha_sigma(t)
    s = (local_energy(x_t) - sigma**2).clamp(min=0) / alpha**2
    return alpha * s / (alpha**2 * s + sigma**2) * x_t


def restyle_errors_db(model: Model, settings: Settings, sounds: Sequence[tuple[Tensor, str]]) -> dict[float, float]:
    """Return how far restyled sounds `[2, N]` with their labels lie from themselves, for each strength."""
    found = {}
    for strength in STRENGTHS:
        made = [restyle(model, audio, replace(settings, label=label), strength) for audio, label in sounds]
        originals = torch.stack([audio for audio, _ in sounds])
        found[strength] = _median_db(torch.stack(made) - originals, originals)
    return found


def label_batch(model: Model, settings: Settings, names: Sequence[str]) -> Tensor | None:
    """Return the indices `[B]` of labels by name; None for a model without labels."""
    found = [label_index(model, replace(settings, label=name)) for name in names]
    return None if found[0] is None else torch.cat(found)


def _median_db(error: Tensor, reference: Tensor) -> float:
    ratio = error.square().flatten(1).sum(1) / reference.square().flatten(1).sum(1).clamp(min=1e-12)
    return float((10 * torch.log10(ratio.clamp(min=1e-12))).median())
