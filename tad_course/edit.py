"""Edit sounds that are already there: restyle, repaint a part, morph, vary.

All functions return sounds `[2, N]`. `on_step(done, total)` is called after every network evaluation, to show
progress; it may raise to stop. Lesson: 08
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count, pairwise

import torch
from torch import Tensor
from torch.nn import functional

from tad_course.audio.levels import finish, limit
from tad_course.config import CEILING
from tad_course.generate import Model, Settings, grid_of, label_index, noise_of
from tad_course.model.diffusion import alpha_sigma, q_sample
from tad_course.model.samplers import SAMPLERS, Denoiser, Step, ddim, ddim_step, last

OnStep = Callable[[int, int], None]
Labelled = tuple[Tensor, str]  # a sound [2, N] and its label
Seek = Callable[..., Tensor]  # as `invert`; one that remembers what it has found makes sliders quick

TURNS = 4  # of repainting, a level
INVERSION_STEPS = 24  # fewer steps are too coarse between two sounds
CALLS = 3  # of the network in one step of an inversion, about
FADE_SAMPLES = 64  # 1.5 ms


def restyle(
    model: Model, audio: Tensor, settings: Settings, strength: float, *, on_step: OnStep | None = None
) -> Tensor:
    """Return `audio` `[2, N]` as the model would have played it, by way of a noise level (SDEdit, Meng et al., 2022).

    Noise is added up to time `t = strength`, and sampling starts at exactly that level: strength 0 gives the sound
    back unchanged, 1 ignores it.

    Raises:
        ValueError: if the strength is outside [0, 1] or the sound's length does not fit the model.
    """
    check_strength(strength)
    eps = noise_of(model, settings, audio.shape[-1])
    if strength == 0:
        return audio.clone()
    x_0 = model.encode(audio[None].to(model.device))
    grid = grid_of(model, settings, start=strength)
    return _sampled(model, settings, q_sample(x_0, strength, eps), label_index(model, settings), on_step, grid)


def inpaint(
    model: Model, audio: Tensor, settings: Settings, start_s: float, stop_s: float, *,
    turns: int = TURNS, on_step: OnStep | None = None,
) -> Tensor:  # fmt: skip
    """Make one region of a sound anew and keep the rest (RePaint, Lugmayr et al., 2022).

    The network gets the kept part at every noise level and fits the new part to it. Frames that reach out of the
    region are kept as well, and a short crossfade lies within the region, so outside of it nothing changes.

    Args:
        model: knows the label of the settings.
        audio: sound `[2, N]`.
        settings: `label` and `seed` decide what comes into the region; `sampler` only counts with `turns=1`.
        start_s: where the region starts, in seconds.
        stop_s: where it ends.
        turns: how often each noise level is visited; more of them fit the new part better to the rest.
        on_step: gets the number of network evaluations done and their total; may raise to stop.

    Raises:
        ValueError: if the region is empty or lies outside the sound, or the model cannot take the sound's length.
    """
    labels, eps = label_index(model, settings), noise_of(model, settings, audio.shape[-1])
    start, stop = region_samples(model, audio, start_s, stop_s)
    x_0 = model.encode(audio[None].to(model.device))
    new = frames_within(model, start, stop, x_0.shape[-1])
    grid = grid_of(model, settings)
    total = settings.num_steps + (turns - 1) * max(0, settings.num_steps - 2)
    denoise = Keeping(_counting(model.denoiser(labels, settings.guidance_scale), total, on_step), x_0, new)
    generator = torch.Generator().manual_seed(settings.seed)
    steps = (
        repaint(denoise, eps, grid, turns, generator) if turns > 1 else SAMPLERS[settings.sampler](denoise, eps, grid)
    )
    made = model.decode(last(steps))[0].cpu()
    made = made * min(1.0, CEILING / float(made[:, start:stop].abs().max().clamp(min=1e-9)))
    return audio + window(start, stop, audio.shape[-1]) * (made - audio)


def invert(model: Model, audio: Tensor, settings: Settings, *, on_step: OnStep | None = None) -> Tensor:
    """Return the noise `[1, C, L]` from which `from_noise` makes `audio` `[2, N]` again (Song et al., 2021).

    Guidance and the sampler of the settings do not count: this is DDIM backwards, without guidance.

    Args:
        model: makes the sound of the noise.
        audio: sound `[2, N]`.
        settings: label and number of steps; the seed gives the noise of the lowest level.
        on_step: gets the number of network evaluations done and about how many there will be; may raise to stop.

    Raises:
        ValueError: if the model cannot take the sound's length, or the settings have a single step.
    """
    if settings.num_steps < 2:
        raise ValueError("An inversion needs at least 2 steps.")
    labels, eps = label_index(model, settings), noise_of(model, settings, audio.shape[-1])
    grid = grid_of(model, settings)
    denoise = _counting(model.denoiser(labels), _inversion_calls(settings), on_step)
    x_0 = model.encode(audio[None].to(model.device))
    return last(ddim_inverse(denoise, x_0, grid, eps))


def from_noise(
    model: Model, noise: Tensor, settings: Settings, *, labels: Tensor | None = None, on_step: OnStep | None = None
) -> Tensor:
    """Return the sound `[2, N]` that DDIM without guidance makes of `noise` `[1, C, L]`: the way back of `invert`.

    `labels` `[1]`, or shares `[1, labels]`, are by default those of the settings.
    """
    labels = label_index(model, settings) if labels is None else labels
    denoise = _counting(model.denoiser(labels), settings.num_steps, on_step)
    z = last(ddim(denoise, noise, grid_of(model, settings)))
    return limit(model.decode(z)[0].cpu())


def morph(model: Model, first: Settings, second: Settings, amount: float, *, on_step: OnStep | None = None) -> Tensor:
    """Return what lies between two generated sounds, by the arc between their noises and the mix of their labels.

    Args:
        model: the model of both.
        first: makes the sound at amount 0, with the steps, the sampler and the guidance for all amounts.
        second: its label and seed make the sound at amount 1.
        amount: from 0 to 1.
        on_step: gets the number of network evaluations done and their total; may raise to stop.
    """
    _check_amount(amount)
    noise = slerp(noise_of(model, first), noise_of(model, second, first.length_samples), amount)
    labels = _between(model, label_index(model, first), label_index(model, second), amount)
    return _sampled(model, first, noise, labels, on_step)


def vary(model: Model, settings: Settings, amount: float, seed: int, *, on_step: OnStep | None = None) -> Tensor:
    """Return a relative of a generated sound: its noise moved by `amount` towards that of another seed.

    Amount 0 is the same sound, 1 is that of `seed`.
    """
    _check_amount(amount)
    noise = slerp(noise_of(model, settings), noise_of(model, replace(settings, seed=seed)), amount)
    return _sampled(model, settings, noise, label_index(model, settings), on_step)


def morph_sounds(
    model: Model, first: Labelled, second: Labelled, settings: Settings, amount: float, *,
    least_steps: int | None = None, seek: Seek | None = None, on_step: OnStep | None = None,
) -> Tensor:  # fmt: skip
    """Return what lies between any two sounds: both are inverted, and their noises and labels mixed.

    Args:
        model: knows both labels.
        first: a sound `[2, N]` and its label, for amount 0.
        second: a sound of the same length and its label, for amount 1.
        settings: number of steps; its label and seed do not count.
        amount: from 0 to 1.
        least_steps: taken if the settings ask for fewer; by default `INVERSION_STEPS`.
        seek: finds the noise of a sound, by default `invert`.
        on_step: gets the number of network evaluations done and their total; may raise to stop.

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
    one, other = (replace(settings, label=label, seed=0) for _, label in (first, second))
    seek = seek or invert
    noise = slerp(
        seek(model, first[0], one, on_step=_part(on_step, 0, total)),
        seek(model, second[0], other, on_step=_part(on_step, calls, total)),
        amount,
    )
    labels = _between(model, label_index(model, one), label_index(model, other), amount)
    return from_noise(model, noise, settings, labels=labels, on_step=_part(on_step, 2 * calls, total))


def vary_sound(
    model: Model, audio: Tensor, settings: Settings, amount: float, *,
    least_steps: int | None = None, seek: Seek | None = None, on_step: OnStep | None = None,
) -> Tensor:  # fmt: skip
    """Return a relative of any sound `[2, N]`: its inverted noise moved by `amount` towards that of the seed.

    Amount 0 is the same sound; at 1 nothing is left of it but its label. At least `least_steps` are taken, by default
    `INVERSION_STEPS`. `seek` finds the noise of the sound, by default `invert`.
    """
    _check_amount(amount)
    if amount == 0:
        return audio.clone()
    settings = with_enough_steps(settings, least_steps)
    calls = _inversion_calls(settings)
    total = calls + settings.num_steps
    noise = (seek or invert)(model, audio, replace(settings, seed=0), on_step=_part(on_step, 0, total))
    noise = slerp(noise, noise_of(model, settings, audio.shape[-1]), amount)
    return from_noise(model, noise, settings, on_step=_part(on_step, calls, total))


def _sampled(
    model: Model, settings: Settings, x_t: Tensor, labels: Tensor | None, on_step: OnStep | None,
    grid: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Walk from `x_t` down the grid (by default all of it) and return the sound `[2, N]`."""
    grid = grid_of(model, settings) if grid is None else grid
    denoise = _counting(model.denoiser(labels, settings.guidance_scale), settings.num_steps, on_step)
    return finish(model.decode(last(SAMPLERS[settings.sampler](denoise, x_t, grid)))[0].cpu())


def _between(model: Model, first: Tensor | None, second: Tensor | None, amount: float) -> Tensor | None:
    """Return the label `[1]`, or the shares `[1, labels]` of two labels."""
    if first is None or amount in (0, 1) or torch.equal(first, second):
        return second if amount == 1 else first
    return torch.lerp(*(functional.one_hot(x, len(model.config.labels)).float() for x in (first, second)), amount)


def _counting(denoise: Denoiser, total: int, on_step: OnStep | None) -> Denoiser:
    """Return a denoiser that reports each of its calls."""
    if on_step is None:
        return denoise
    calls = count(1)

    def counted(x_t: Tensor, t: Tensor) -> Tensor:
        x_0 = denoise(x_t, t)
        on_step(min(next(calls), total), total)
        return x_0

    return counted


def _part(on_step: OnStep | None, before: int, total: int) -> OnStep | None:
    """Return what a part of some work reports to, when `before` of `total` calls belong to the parts before it."""
    return on_step and (lambda done, _: on_step(before + done, total))


def with_enough_steps(settings: Settings, least_steps: int | None = None) -> Settings:
    """Return the settings with at least so many steps, by default the `INVERSION_STEPS` that an inversion takes."""
    return replace(settings, num_steps=max(settings.num_steps, least_steps or INVERSION_STEPS))


def _inversion_calls(settings: Settings) -> int:
    return (settings.num_steps - 1) * CALLS


def check_strength(strength: float) -> None:
    """Refuse a strength outside [0, 1] with a ValueError."""
    if not 0 <= strength <= 1:
        raise ValueError(f"The strength must lie between 0 and 1, not {strength}.")


def _check_amount(amount: float) -> None:
    if not 0 <= amount <= 1:
        raise ValueError(f"The amount must lie between 0 and 1, not {amount}.")


# --- what they are built of ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Keeping:
    """A denoiser that knows `x_0` wherever the mask `new` is False.

    A sampler started from `q_sample(x_0, t, eps)` then keeps that part of x_t equal to the noised original at every
    level, as inpainting needs it (Lugmayr et al., "RePaint", 2022).
    """

    denoise: Denoiser  # fills in the rest
    x_0: Tensor  # the coefficients to keep, [B, C, L]
    new: Tensor  # True where the sound is to be made anew; of a shape that spreads to [B, C, L]

    def __call__(self, x_t: Tensor, t: Tensor) -> Tensor:
        return torch.where(self.new, self.denoise(x_t, t), self.x_0)


def repaint(
    denoise: Denoiser, x_t: Tensor, grid: Tensor, turns: int, generator: torch.Generator | None = None
) -> Iterator[Step]:
    """DDIM that takes each step `turns` times, with fresh noise to climb back in between (Lugmayr et al., 2022).

    What is made anew and what is kept (`Keeping`) get that many chances to agree at each level.
    """
    index = 0
    for t, s in pairwise(grid):
        for turn in range(turns if s > 0 and t < 1 else 1):
            if turn:
                x_t = _climb(x_t, s, t, generator)
            x_0 = denoise(x_t, t)
            x_t = ddim_step(x_t, x_0, t, s)
            yield Step(index, s, x_t, x_0)
            index += 1


def _climb(x_s: Tensor, s: Tensor, t: Tensor, generator: torch.Generator | None) -> Tensor:
    """Add noise to x_s so that it becomes x_t: what forward diffusion does between two times."""
    (alpha_s, sigma_s), (alpha_t, sigma_t) = alpha_sigma(s), alpha_sigma(t)
    kept = alpha_t / alpha_s
    fresh = torch.randn(x_s.shape, generator=generator).to(x_s)
    return kept * x_s + (sigma_t**2 - kept**2 * sigma_s**2).clamp(min=0).sqrt() * fresh


def slerp(first: Tensor, second: Tensor, amount: float) -> Tensor:
    """Return the noise that lies `amount` of the way from one noise to another, on the arc between them.

    On the straight line between two noises half of the variance is lost in the middle; on the arc none is
    (Shoemake, 1985; White, 2016). The length goes evenly from that of the first to that of the second. Lesson: 08

    Args:
        first: noise of any shape.
        second: noise of the same shape.
        amount: 0 returns the first, 1 the second.
    """
    if amount in (0, 1):
        return second if amount else first
    a, b = first.norm(), second.norm()
    angle = torch.acos(((first / a) * (second / b)).sum().clamp(-1, 1))
    if angle < 1e-3:
        return torch.lerp(first, second, amount)
    way = torch.sin((1 - amount) * angle) * first / a + torch.sin(amount * angle) * second / b
    return torch.lerp(a, b, amount) / torch.sin(angle) * way


def ddim_inverse(
    denoise: Denoiser, x_0: Tensor, grid: Tensor, eps: Tensor, tolerance_db: float = -65.0, most: int = 12
) -> Iterator[Step]:
    """Walk `grid` upwards, from a sound to the noise from which `ddim` would make it.

    A step of DDIM from t down to s is x_s = F(x_t) = σ_s/σ_t·x_t + c·D(x_t). On the way up x_s is known and x_t is
    unknown. The first estimate takes x_0 from the step before (Song et al., 2021); then the residual x_s - F(x_t) is
    made small by fixed-point iteration (Pan et al., 2023) with Anderson's acceleration (1965). For Gaussian sounds the
    slope of F lies between σ_s/σ_t, where the sound is silent, and more by c times the gain of the Wiener filter at the
    loudest coefficient; one over the middle of the two is the step size that converges best. Lesson: 08

    The last step of DDIM forgets the noise below the sound, so the way up starts at `grid[-2]`, with noise `eps` of
    that level added.

    Args:
        denoise: returns x_0 for (x_t, t); without guidance, which pushes sounds away from where they came from.
        x_0: sound `[B, C, L]`.
        grid: the falling times `[num_steps + 1]` of the way down.
        eps: noise `[B, C, L]`.
        tolerance_db: a step is done when its residual is that far below the sound that is in x_s.
        most: network evaluations a step.
    """
    size, loudest = x_0.norm(), x_0.square().max()
    alpha, sigma = alpha_sigma(grid[-2])
    x_t = alpha * x_0 + sigma * eps
    for i, (s, t) in enumerate(pairwise(grid[:-1].flip(0))):
        (alpha_s, sigma_s), (alpha_t, sigma_t) = alpha_sigma(s), alpha_sigma(t)
        c = alpha_s - sigma_s * alpha_t / sigma_t
        gain = alpha_t * loudest / (alpha_t**2 * loudest + sigma_t**2)
        tolerance = 10 ** (tolerance_db / 20) * alpha_s * size
        x_s, x_t = x_t, sigma_t / sigma_s * (x_t - c * x_0)
        x_before, step_before = None, None
        for _ in range(most):
            x_0 = denoise(x_t, t)
            residual = x_s - sigma_s / sigma_t * x_t - c * x_0
            if residual.norm() < tolerance:
                break
            step = residual / (sigma_s / sigma_t + c * gain / 2)
            x_before, step_before, x_t = x_t, step, _accelerated(x_t, step, x_before, step_before)
        yield Step(i, t, x_t, x_0)


def _accelerated(x: Tensor, step: Tensor, x_before: Tensor | None, step_before: Tensor | None) -> Tensor:
    """Return the next estimate of a fixed-point iteration: the mix of the last two whose step is smallest."""
    if x_before is None:
        return x + step
    change = step - step_before
    share = (step * change).sum() / change.square().sum().clamp(min=1e-30)
    return x + step - share * (x - x_before + change)


def region_samples(model: Model, audio: Tensor, start_s: float, stop_s: float) -> tuple[int, int]:
    """Return a region in samples; a ValueError names what is wrong with it."""
    rate, length = model.config.sample_rate, audio.shape[-1]
    if not 0 <= start_s < stop_s:
        raise ValueError(f"A region needs a start before its end, not {start_s:g} s to {stop_s:g} s.")
    start, stop = round(start_s * rate), min(round(stop_s * rate), length)
    if not frames_within(model, start, stop, length // model.transform.block_size).any():
        shortest_ms = 1000 * (2 * model.transform.block_size + 2 * FADE_SAMPLES) / rate
        raise ValueError(
            f"The region from {start_s:g} s to {stop_s:g} s holds too little of this sound of {length / rate:.2f} s; "
            f"choose at least {shortest_ms:.0f} ms inside it."
        )
    return start, stop


def frames_within(model: Model, start: int, stop: int, frames: int) -> Tensor:
    """Return a mask `[L]` of the frames that lie within the samples from `start` to `stop`, overlap and all."""
    size = model.transform.block_size
    overlap = size // 2 if (model.config.transform == "lapped") else 0
    first = torch.arange(frames, device=model.device) * size
    inner = (first - overlap >= start) | (first == 0) & (start == 0)
    return inner & ((first + size + overlap <= stop) | (first + size == frames * size) & (stop == frames * size))


def window(start: int, stop: int, length: int) -> Tensor:
    """Return 1 within the region and 0 outside, `[N]`, with half a cosine between; the sound's own ends stay open."""
    n = torch.arange(length)
    rise = (n - start + 1) / FADE_SAMPLES if start > 0 else torch.ones(length)
    fall = (stop - n) / FADE_SAMPLES if stop < length else torch.ones(length)
    inside = torch.minimum(rise, fall).clamp(0, 1)
    return (1 - torch.cos(torch.pi * inside)) / 2
