"""A model as a denoiser: `denoise(x_t, t) -> x_0`, all that a sampler needs (lesson 08)."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tad_course.diffusion import snr_db, x_0_from_v
from tad_course.sampling import Denoiser


class ModelDenoiser:
    """Foresee x_0 with a network, under one condition or, for guidance, along the line through two.

    Guidance goes on along the line from what the model foresees for any label to what it foresees for this one
    (classifier-free guidance, Ho & Salimans, 2022).

    Args:
        net: predicts v from (x_t, t) and the keywords of a condition.
        conditions: that of the label; for guidance that of any label before it.
        guidance_scale: 0 is any label, 1 the label, more goes beyond it.
    """

    def __init__(self, net: nn.Module, conditions: list[dict], guidance_scale: float = 1.0):
        self.net, self.conditions, self.guidance_scale = net, conditions, guidance_scale

    @torch.no_grad()
    def __call__(self, x_t: Tensor, t: Tensor) -> Tensor:
        time = _times(x_t, t)
        return self._guided(x_t, time, [self.net(x_t, time, **condition) for condition in self.conditions])

    def _guided(self, x_t: Tensor, time: Tensor, velocities: list[Tensor]) -> Tensor:
        foreseen = [x_0_from_v(x_t, v, time) for v in velocities]
        return foreseen[0] if len(foreseen) == 1 else torch.lerp(*foreseen, self.guidance_scale)


class WienerDenoiser(ModelDenoiser):
    """The same around a `WienerPlugin`, whose network need not be asked at every step."""

    @torch.no_grad()
    def look(self, x_t: Tensor, t: Tensor, ask: bool = True) -> ModelDenoiser:
        """Ask the network once; return a denoiser that holds its answer and moves the Wiener filter on.

        With `ask=False` the network is taken to say nothing.
        """
        time, net = _times(x_t, t), self.net
        said = [net.look(x_t, time, **known) if ask else net.silence(x_t) for known in self.conditions]
        wiener = [{key: known[key] for key in ("variance", "factors") if key in known} for known in self.conditions]
        held = [{"said": each} | known for each, known in zip(said, wiener, strict=True)]
        return ModelDenoiser(net.guess, held, self.guidance_scale)


@dataclass(frozen=True)
class Within:
    """A denoiser that is `inside` while the SNR lies between two levels in dB, and `outside` elsewhere.

    With a guided and a plain one this is guidance in a limited interval: at high noise guidance narrows the choice
    of sounds, at low noise it does nothing (Kynkäänniemi et al., 2024). Lesson: 08
    """

    interval_db: tuple[float, float]
    inside: Denoiser
    outside: Denoiser

    def __call__(self, x_t: Tensor, t: Tensor) -> Tensor:
        return self._at(t)(x_t, t)

    def look(self, x_t: Tensor, t: Tensor, ask: bool = True) -> Denoiser:
        return self._at(t).look(x_t, t, ask)

    def _at(self, t: Tensor) -> Denoiser:
        low, high = self.interval_db
        return self.inside if low <= snr_db(t) <= high else self.outside


@dataclass(frozen=True)
class Keeping:
    """A denoiser that knows the sound `x_0` wherever the mask `new` is False.

    A sampler started from `q_sample(x_0, t, eps)` then keeps that part of x_t equal to the noised original at every
    level, as inpainting asks (Lugmayr et al., "RePaint", 2022).
    """

    denoise: Denoiser  # fills in the rest
    x_0: Tensor  # the sound to keep, [B, C, L]
    new: Tensor  # True where the sound is to be made anew; of a shape that spreads to [B, C, L]

    def __call__(self, x_t: Tensor, t: Tensor) -> Tensor:
        return torch.where(self.new, self.denoise(x_t, t), self.x_0)

    def look(self, x_t: Tensor, t: Tensor, ask: bool = True) -> Denoiser:
        return Keeping(self.denoise.look(x_t, t, ask), self.x_0, self.new)


@dataclass(frozen=True)
class Counting:
    """A denoiser that tells `asked()` of each network call."""

    denoise: Denoiser
    asked: Callable[[], None]

    def __call__(self, x_t: Tensor, t: Tensor) -> Tensor:
        x_0 = self.denoise(x_t, t)
        self.asked()
        return x_0

    def look(self, x_t: Tensor, t: Tensor, ask: bool = True) -> Denoiser:
        held = self.denoise.look(x_t, t, ask)
        if ask:
            self.asked()
        return held


def _times(x_t: Tensor, t: Tensor | float) -> Tensor:
    return torch.as_tensor(t, dtype=x_t.dtype, device=x_t.device).expand(x_t.shape[0])
