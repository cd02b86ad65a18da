"""Shape sounds that are already there: repaint a part, go back to their noise, mix them, vary them (lesson 08).

All functions return sounds `[2, N]`. `on_step(done, total)` is called after every network call, to show progress; it
may raise to stop.
"""

from collections.abc import Callable
from dataclasses import replace
from itertools import count

import torch
from torch import Tensor
from torch.nn import functional

from tad_course.generate import CEILING, Settings, class_of, denoiser_of, finish, grid_of, limit, noise_of
from tad_course.inversion import ddim_inverse
from tad_course.model.denoisers import Counting, Keeping
from tad_course.model.network import DrumModel
from tad_course.model.samplers import SAMPLERS, Denoiser, ddim, last, repaint, slerp
from tad_course.regions import frames_within, region_samples, window

OnStep = Callable[[int, int], None]
Labelled = tuple[Tensor, str]  # a sound [2, N] and its label
Seek = Callable[..., Tensor]  # as `invert`; one that remembers what it has found makes sliders quick

TURNS = 4  # of repainting, a level
INVERSION_STEPS = 24  # fewer steps are too coarse between two sounds
DDIM_STEPS = 12  # at least, where other samplers take fewer
CALLS = 3  # of the network in one step of an inversion, about


def inpaint(
    model: DrumModel, audio: Tensor, settings: Settings, start_s: float, stop_s: float, *,
    turns: int = TURNS, on_step: OnStep | None = None,
) -> Tensor:  # fmt: skip
    """Make one region of a sound anew and keep the rest (RePaint, Lugmayr et al., 2022).

    The model hears the kept part at every noise level and fits the new part to it. Frames that reach out of the
    region are kept as well, and a short crossfade lies within the region, so outside of it nothing changes.

    Args:
        model: of the right class of sounds.
        audio: sound `[2, N]`.
        settings: `label` and `seed` decide what comes into the region; `sampler` only counts with `turns=1`.
        start_s: where the region starts, in seconds.
        stop_s: where it ends.
        turns: how often each noise level is visited; more of them fit the new part better to the rest.
        on_step: is told the number of network calls done and their total; may raise to stop.

    Raises:
        ValueError: if the region is empty or lies outside the sound, or the model cannot take the sound's length.
    """
    labels, eps = class_of(model, settings, audio), noise_of(model, settings, audio.shape[-1])
    start, stop = region_samples(model, audio, start_s, stop_s)
    x_0 = model.encode(audio[None].to(model.device), labels)
    new = frames_within(model, start, stop, x_0.shape[-1])
    settings = _for_ddim(settings) if turns > 1 else settings
    grid = grid_of(model, settings)
    total = settings.num_steps + (turns - 1) * max(0, settings.num_steps - 2)
    denoise = Keeping(_counting(denoiser_of(model, settings, labels), total, on_step), x_0, new)
    generator = torch.Generator().manual_seed(settings.seed)
    steps = (
        repaint(denoise, eps, grid, turns, generator) if turns > 1 else SAMPLERS[settings.sampler](denoise, eps, grid)
    )
    made = model.decode(last(steps), labels)[0].cpu()
    made = made * min(1.0, CEILING / float(made[:, start:stop].abs().max().clamp(min=1e-9)))
    return audio + window(start, stop, audio.shape[-1]) * (made - audio)


def invert(model: DrumModel, audio: Tensor, settings: Settings, *, on_step: OnStep | None = None) -> Tensor:
    """Return the noise `[1, C, L]` from which `from_noise` makes `audio` `[2, N]` again (Song et al., 2021).

    Guidance and the sampler of the settings do not count: this is DDIM backwards, without guidance.

    Args:
        model: whose noise is sought.
        audio: sound `[2, N]`.
        settings: label, number of steps and grid; the seed gives the noise of the lowest level. A label with several
            kinds is taken for the one that the seed draws, as by `from_noise`; `named` asks for the most likely one.
        on_step: is told the number of network calls done and about how many there will be; may raise to stop.

    Raises:
        ValueError: if the model cannot take the sound's length, or a single step is asked for.
    """
    if settings.num_steps < 2:
        raise ValueError("An inversion needs at least 2 steps.")
    settings = _for_ddim(settings)
    labels, eps = class_of(model, settings), noise_of(model, settings, audio.shape[-1])
    grid = grid_of(model, settings)
    denoise = _counting(model.denoiser(labels), _inversion_calls(settings), on_step)
    x_0 = model.encode(audio[None].to(model.device), labels)
    return last(ddim_inverse(denoise, x_0, grid, eps))


def from_noise(
    model: DrumModel, noise: Tensor, settings: Settings, *, labels: Tensor | None = None, on_step: OnStep | None = None
) -> Tensor:
    """Return the sound `[2, N]` that DDIM without guidance makes of `noise` `[1, C, L]`: the way back of `invert`.

    `labels` `[1]` or `[1, classes]` are by default those of the settings.
    """
    settings = _for_ddim(settings)
    labels = class_of(model, settings) if labels is None else labels
    denoise = _counting(model.denoiser(labels), settings.num_steps, on_step)
    z = last(ddim(denoise, noise, grid_of(model, settings)))
    return limit(model.decode(z, labels)[0].cpu())


def morph(
    model: DrumModel, first: Settings, second: Settings, amount: float, *, on_step: OnStep | None = None
) -> Tensor:
    """Return what lies between two generated sounds, by the arc between their noises and the mix of their labels.

    Args:
        model: the model of both.
        first: makes the sound at amount 0, and says steps, sampler and guidance on the way.
        second: its label and seed make the sound at amount 1.
        amount: from 0 to 1.
        on_step: is told the number of network calls done and their total; may raise to stop.
    """
    _check_amount(amount)
    noise = slerp(noise_of(model, first), noise_of(model, second, first.length_samples), amount)
    labels = _between(model, class_of(model, first), class_of(model, second), amount)
    return _sampled(model, first, noise, labels, on_step)


def vary(model: DrumModel, settings: Settings, amount: float, seed: int, *, on_step: OnStep | None = None) -> Tensor:
    """Return a relative of a generated sound: its noise moved by `amount` towards that of another seed.

    Amount 0 is the same sound, 1 is that of `seed`.
    """
    _check_amount(amount)
    noise = slerp(noise_of(model, settings), noise_of(model, replace(settings, seed=seed)), amount)
    return _sampled(model, settings, noise, class_of(model, settings), on_step)


def morph_sounds(
    model: DrumModel, first: Labelled, second: Labelled, settings: Settings, amount: float, *,
    least_steps: int | None = None, seek: Seek | None = None, on_step: OnStep | None = None,
) -> Tensor:  # fmt: skip
    """Return what lies between any two sounds: both are inverted, and their noises and labels mixed.

    Args:
        model: knows both labels.
        first: a sound `[2, N]` and its label, for amount 0.
        second: a sound of the same length and its label, for amount 1.
        settings: number of steps and grid; its label and seed do not count.
        amount: from 0 to 1.
        least_steps: taken if the settings ask for fewer; by default `INVERSION_STEPS`.
        seek: finds the noise of a sound, by default `invert`.
        on_step: is told the number of network calls done and their total; may raise to stop.

    Raises:
        ValueError: if the sounds have different lengths or the amount is outside [0, 1].
    """
    _check_amount(amount)
    if first[0].shape != second[0].shape:
        lengths = f"{first[0].shape[-1]} and {second[0].shape[-1]}"
        raise ValueError(f"Two sounds of {lengths} samples cannot be mixed; cut or pad one of them.")
    if amount in (0, 1):
        return (second if amount else first)[0].clone()
    settings = with_enough_steps(settings, least_steps)
    calls = _inversion_calls(settings)
    total = 2 * calls + settings.num_steps
    one, other = (named(model, replace(settings, label=label, seed=0), audio) for audio, label in (first, second))
    seek = seek or invert
    noise = slerp(
        seek(model, first[0], one, on_step=_part(on_step, 0, total)),
        seek(model, second[0], other, on_step=_part(on_step, calls, total)),
        amount,
    )
    labels = _between(model, class_of(model, one), class_of(model, other), amount)
    return from_noise(model, noise, settings, labels=labels, on_step=_part(on_step, 2 * calls, total))


def vary_sound(
    model: DrumModel, audio: Tensor, settings: Settings, amount: float, *,
    least_steps: int | None = None, seek: Seek | None = None, on_step: OnStep | None = None,
) -> Tensor:  # fmt: skip
    """Return a relative of any sound `[2, N]`: its inverted noise moved by `amount` towards that of the seed.

    Amount 0 is the same sound; at 1 nothing is left of it but its label. At least `least_steps` are taken, by default
    `INVERSION_STEPS`. `seek` finds the noise of the sound, by default `invert`.
    """
    _check_amount(amount)
    if amount == 0:
        return audio.clone()
    settings = with_enough_steps(named(model, settings, audio), least_steps)
    calls = _inversion_calls(settings)
    total = calls + settings.num_steps
    noise = (seek or invert)(model, audio, replace(settings, seed=0), on_step=_part(on_step, 0, total))
    noise = slerp(noise, noise_of(model, settings, audio.shape[-1]), amount)
    return from_noise(model, noise, settings, on_step=_part(on_step, calls, total))


def _sampled(model: DrumModel, settings: Settings, noise: Tensor, labels: Tensor, on_step: OnStep | None) -> Tensor:
    grid = grid_of(model, settings)
    denoise = _counting(denoiser_of(model, settings, labels), settings.num_steps, on_step)
    return finish(model.decode(last(SAMPLERS[settings.sampler](denoise, noise, grid)), labels)[0].cpu())


def _between(model: DrumModel, first: Tensor, second: Tensor, amount: float) -> Tensor:
    """Return the class `[1]`, or the shares `[1, classes]` of two classes."""
    if amount in (0, 1) or torch.equal(first, second):
        return second if amount == 1 else first
    return torch.lerp(*(functional.one_hot(x, len(model.config.classes)).float() for x in (first, second)), amount)


def _for_ddim(settings: Settings) -> Settings:
    """Return settings for a walk with DDIM, which needs more steps than `wiener_flow` takes looks."""
    if settings.sampler != "wiener_flow":
        return settings
    return replace(settings, sampler="ddim", num_steps=max(settings.num_steps, DDIM_STEPS))


def _counting(denoise: Denoiser, total: int, on_step: OnStep | None) -> Denoiser:
    """Return a denoiser that reports each of its calls."""
    calls = count(1)
    return Counting(denoise, lambda: on_step(min(next(calls), total), total)) if on_step else denoise


def _part(on_step: OnStep | None, before: int, total: int) -> OnStep | None:
    """Return what a part of some work reports to, when `before` of `total` calls belong to the parts before it."""
    return on_step and (lambda done, _: on_step(before + done, total))


def named(model: DrumModel, settings: Settings, audio: Tensor) -> Settings:
    """Name the one class that the settings and the sound `[2, N]` mean, so that another seed does not draw another."""
    classes = model.config.classes
    return replace(settings, label=classes[int(class_of(model, settings, audio))]) if classes else settings


def with_enough_steps(settings: Settings, least_steps: int | None = None) -> Settings:
    """Return the settings with at least so many steps, by default the `INVERSION_STEPS` that an inversion takes."""
    return replace(settings, num_steps=max(settings.num_steps, least_steps or INVERSION_STEPS))


def _inversion_calls(settings: Settings) -> int:
    return (settings.num_steps - 1) * CALLS


def _check_amount(amount: float) -> None:
    if not 0 <= amount <= 1:
        raise ValueError(f"The amount must lie between 0 and 1, not {amount}.")
