"""The model: a transform, a scale for each band, and `audio_diffusion_pytorch`'s U-Net between them (lessons 05 to 07).

audio -> transform -> / scale -> x_0 -> + noise -> U-Net -> v -> x_0 -> · scale -> transform back -> audio
"""

import math
from collections.abc import Callable

import torch
from audio_diffusion_pytorch import UNetV0
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, one_hot

from tad_course.config import PRESETS, REFERENCE, SMALL, TINY, ModelConfig
from tad_course.model.diffusion import alpha_sigma, q_sample, v_from_x_0, x_0_from_v
from tad_course.model.transforms import Identity, LappedTransform, Patching, band_scale, learned_transform

__all__ = ["PRESETS", "REFERENCE", "SMALL", "TINY", "AudioDiffusion", "DrumKit", "ModelConfig", "Preconditioned"]
TRANSFORMS = {"identity": Identity, "patch": Patching, "learned": Identity, "lapped": LappedTransform}


class AudioDiffusion(nn.Module):
    """v-diffusion of short stereo sounds in the coefficients of an invertible transform.

    Sounds are `[B, 2, N]` in [-1, 1]; `encode` makes coefficients `[B, C, L]` of them, where diffusion happens.
    A model with several labels is given the one to make: `labels` are indices `[B]` into `config.labels`, or shares
    `[B, labels]` for what lies between some of them. Others ignore them and take None.

    With `enabled = False` the output of the network is replaced by zeros: what a sound owes to the network is what
    is missing then (an ablation, lesson 09).
    """

    groups: dict[str, tuple[str, ...]] = {}  # names that stand for one of several labels; a `DrumKit` has some

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config, self.enabled = config, True
        self.transform = TRANSFORMS[config.transform](config.block_size)
        block_size = self.transform.block_size
        self.shape = (2 * block_size, config.length_samples // block_size)
        self.register_buffer("scale", band_scale(block_size, config.level, config.tilt), persistent=False)
        weight = band_scale(block_size, 1.0, config.loss_tilt)
        self.register_buffer("loss_weight", weight / weight.mean(), persistent=False)

        unet_t = learned_transform(UNetV0, config.block_size) if config.transform == "learned" else UNetV0
        names = ("channels", "factors", "items", "attentions")
        names += ("attention_heads", "attention_features", "modulation_features")
        unet = {name: getattr(config, name) for name in names}
        inputs = self.shape[0] * (2 if config.adaptive else 1)
        self.net = unet_t(dim=1, in_channels=inputs, **unet)
        if config.adaptive:
            self.net = Preconditioned(self.net)
        if len(config.labels) > 1:  # the last row stands for "any label" (classifier-free guidance)
            self.label_embedding = nn.Embedding(len(config.labels) + 1, config.modulation_features)

    def shape_of(self, length_samples: int | None = None) -> tuple[int, int]:
        """Return the shape `(C, L)` of the coefficients of a sound of `length_samples`, by default the model's own.

        Raises:
            ValueError: if the U-Net cannot halve that length often enough.
        """
        length = self.config.length_samples if length_samples is None else length_samples
        step = self.transform.block_size * math.prod(self.config.factors)
        if length < step or length % step:
            raise ValueError(f"The U-Net of {self.config.name!r} takes multiples of {step} samples, not {length}.")
        return self.shape[0], length // self.transform.block_size

    def encode(self, audio: Tensor) -> Tensor:
        """Turn sounds `[B, 2, N]` into coefficients `[B, C, L]`, each band about equally loud."""
        return self.transform.encode(audio) / self.scale

    def decode(self, x_0: Tensor) -> Tensor:
        """Undo `encode`, exactly: coefficients `[B, C, L]` to sounds `[B, 2, N]`. It is a linear map."""
        return self.transform.decode(x_0 * self.scale)

    def velocity(self, x_t: Tensor, t: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return the network's v `[B, C, L]` for noisy coefficients at times `t` `[B]`. One network evaluation."""
        if not self.enabled:
            return torch.zeros_like(x_t)
        return self.net(x_t, t, features=self._features(labels, len(x_t)))

    def losses(self, audio: Tensor, t: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return the v-diffusion loss `[B]` of each sound `[B, 2, N]` at its time `t` `[B]`, for noise drawn now."""
        with torch.autocast(audio.device.type, enabled=False):  # in half precision quiet coefficients were lost here
            x_0 = self.encode(audio)
        eps = torch.randn_like(x_0)
        v = self.velocity(q_sample(x_0, t, eps), t, labels)
        return (self.loss_weight * (v - v_from_x_0(x_0, eps, t)).square()).mean((1, 2))

    def denoiser(self, labels: Tensor | None = None, guidance_scale: float = 1.0) -> Callable[[Tensor, Tensor], Tensor]:
        """Return `denoise(x_t, t) -> x_0` for these labels; `t` is one time for the whole batch.

        Guidance goes on along the line from the prediction for any label to the one for this label (classifier-free
        guidance, Ho & Salimans, 2022): 0 is any label, 1 this label, more goes beyond it. Lesson: 08
        """

        @torch.no_grad()
        def denoise(x_t: Tensor, t: Tensor) -> Tensor:
            t = torch.as_tensor(t, dtype=x_t.dtype, device=x_t.device).expand(len(x_t))
            v = self.velocity(x_t, t, labels)
            if guidance_scale != 1 and len(self.config.labels) > 1:
                v = torch.lerp(self.velocity(x_t, t, self.any_label(len(x_t))), v, guidance_scale)
            return x_0_from_v(x_t, v, t)

        return denoise

    def any_label(self, count: int) -> Tensor:
        """Return `count` times the index that stands for "any label", `[count]`."""
        return torch.full((count,), len(self.config.labels), device=self.device)

    def _features(self, labels: Tensor | None, count: int) -> Tensor | None:
        """Return the embedding of the labels `[B, F]`, which the library adds to that of the noise level."""
        if len(self.config.labels) < 2:
            return None
        if labels is None:
            raise ValueError(f"This model needs labels, indices [B] into {', '.join(self.config.labels)}.")
        table = self.label_embedding
        rows = table(labels) if labels.ndim == 1 else labels @ table.weight[:-1]
        return rows.expand(count, -1)

    @property
    def device(self) -> torch.device:
        return self.scale.device


def local_energy(x_t: Tensor) -> Tensor:
    """Return the mean of x_t² over 3 bands and 13 ms around each coefficient of `[B, 2·M, L]`, in the same shape."""
    power, frames = x_t.square().unflatten(1, (2, -1)), round(1152 / x_t.shape[1]) | 1  # [B, 2, M, L]; an odd number
    return avg_pool2d(power, (3, frames), 1, (1, frames // 2), count_include_pad=False).flatten(1, 2)


class Preconditioned(nn.Module):
    """A network that sees every coefficient at the same loudness and predicts how strong the sound is there.

    Drums span 100 dB from attack to tail, and one network cannot work at all of them at once. So each coefficient of
    x_t is divided by the root of the energy E around it (3 bands, 13 ms), and log E goes in beside it. The network
    outputs two numbers for each coefficient: the log-variance ln s of the sound there, and a correction A. With them

        v = alpha·sigma·(1 - s) / (alpha²·s + sigma²) · x_t + ½·√(s / (alpha²·s + sigma²)) · A

    The first term is the Wiener filter for a sound of variance s, written for v; the second is what it cannot know,
    at the scale of its own error. Karras et al., "EDM" (2022), do this with one s for all images; here the network
    predicts it. Where it outputs 0, s is 1 and v is 0. Lesson: 07

    Args:
        net: a U-Net from 2·C to 2·C channels, with C = 2·M (mid and side).
    """

    def __init__(self, net: nn.Module):
        super().__init__()
        self.net = net

    def forward(self, x_t: Tensor, t: Tensor, features: Tensor | None = None) -> Tensor:
        alpha, sigma = alpha_sigma(t, x_t.ndim)
        energy = local_energy(x_t) + 1e-9
        seen = torch.cat([x_t * energy.rsqrt(), 0.3 * energy.log()], dim=1)
        # a_unet's outermost skip adds its input to the output; without it the net starts near 0
        correction, log_variance = (self.net(seen, t, features=features) - seen).chunk(2, dim=1)
        s = (2 * log_variance).clamp(-20, 8).exp()  # from -87 to +35 dB
        total = alpha**2 * s + sigma**2
        return alpha * sigma * (1 - s) / total * x_t + 0.5 * (s / total).sqrt() * correction


class DrumKit(nn.Module):
    """Several networks behind one door: the label chooses which of them makes the sound.

    It is used like an `AudioDiffusion` with as many labels. All networks share transform and scale, so the noise of
    a seed is the same for each of them, and between two labels their predictions can be mixed.

    Args:
        name: what the kit is called.
        models: name -> `AudioDiffusion`, all of one transform, scale and length. That of a model without labels is a
            label of the kit; a model with several brings its own, and its name stands for one of them (`groups`).
    """

    def __init__(self, name: str, models: dict[str, AudioDiffusion]):
        super().__init__()
        self.models = nn.ModuleDict(models)
        first = next(iter(models.values()))
        alike = ("sample_rate", "length_samples", "transform", "block_size", "level", "tilt", "factors")
        alike += ("min_snr_db", "max_snr_db")  # where sampling begins and ends
        for key in alike:
            if len({getattr(model.config, key) for model in models.values()}) > 1:
                raise ValueError(f"The models of the kit {name!r} differ in {key}; a kit needs models of one kind.")
        self.groups = {key: each.config.labels for key, each in models.items() if len(each.config.labels) > 1}
        labels = tuple(label for key in models for label in self.groups.get(key, (key,)))
        self.config = first.config.from_dict(first.config.to_dict() | {"name": name, "labels": labels})
        self.transform, self.shape = first.transform, first.shape

    def shape_of(self, length_samples: int | None = None) -> tuple[int, int]:
        return self._any.shape_of(length_samples)

    def encode(self, audio: Tensor) -> Tensor:
        return self._any.encode(audio)

    def decode(self, x_0: Tensor) -> Tensor:
        return self._any.decode(x_0)

    def velocity(self, x_t: Tensor, t: Tensor, labels: Tensor) -> Tensor:
        """Return v `[B, C, L]` of each sound from the network of its label, or the mix of those it has shares of."""
        if labels is None:
            raise ValueError(f"This model needs labels, indices [B] into {', '.join(self.config.labels)}.")
        shares = one_hot(labels, len(self.config.labels)).to(x_t) if labels.ndim == 1 else labels
        parts = shares.expand(len(x_t), -1).split([len(self.groups.get(key, (key,))) for key in self.models], dim=1)
        v = torch.zeros_like(x_t)
        for part, model in zip(parts, self.models.values(), strict=True):  # part: [B, labels of this model]
            if (chosen := (share := part.sum(1)) > 0).any():
                weight, t_chosen = share[chosen, None], t.expand(len(x_t))[chosen]
                v[chosen] += weight[..., None] * model.velocity(x_t[chosen], t_chosen, part[chosen] / weight)
        return v

    def denoiser(self, labels: Tensor, guidance_scale: float = 1.0) -> Callable[[Tensor, Tensor], Tensor]:
        """Return `denoise(x_t, t) -> x_0` for these labels. A kit is not guided; a model of several labels alone is."""

        @torch.no_grad()
        def denoise(x_t: Tensor, t: Tensor) -> Tensor:
            t = torch.as_tensor(t, dtype=x_t.dtype, device=x_t.device).expand(len(x_t))
            return x_0_from_v(x_t, self.velocity(x_t, t, labels), t)

        return denoise

    @property
    def enabled(self) -> bool:
        return all(model.enabled for model in self.models.values())

    @enabled.setter
    def enabled(self, value: bool) -> None:
        for model in self.models.values():
            model.enabled = value

    @property
    def device(self) -> torch.device:
        return self._any.device

    @property
    def _any(self) -> AudioDiffusion:
        return next(iter(self.models.values()))
