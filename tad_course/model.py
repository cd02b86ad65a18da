"""The model: a front end, whitening or gain and shape, and `audio_diffusion_pytorch`'s U-Net behind (lesson 05)."""

import math
from dataclasses import replace

import torch
from audio_diffusion_pytorch import DiffusionModel, UNetV0
from torch import Tensor, nn

from tad_course.denoisers import ModelDenoiser, WienerDenoiser
from tad_course.diffusion import NoiseLevels, WeightedVDiffusion
from tad_course.front_ends import Whitening
from tad_course.gain_shape import ROUNDS, GainShape
from tad_course.learned import LearnedPlugin
from tad_course.model_config import DRUMS, FRONT_ENDS, PRESETS, REFERENCE, TINY, ModelConfig
from tad_course.sampling import Denoiser
from tad_course.wiener import WienerPlugin

FACTORS = 8  # common factors of the gains, for each component
__all__ = ["DRUMS", "PRESETS", "REFERENCE", "TINY", "DrumModel", "ModelConfig"]


class DrumModel(nn.Module):
    """A diffusion model of short stereo sounds.

    Sounds are `[B, 2, N]` in [-1, 1]; behind `encode` they are `[B, C, L]` of about unit variance, where diffusion
    happens. `labels` are indices `[B]` into `config.classes`, or shares of the classes `[B, classes]` for what lies
    between them; an unconditional model ignores them and takes None.
    """

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = config
        learned = config.front_end == "learned"
        options = {"window": config.window} if config.in_bands else {}
        self.front_end = FRONT_ENDS["identity" if learned else config.front_end](config.block_size, **options)
        self.shape = (2 * self.front_end.block_size, config.length_samples // self.front_end.block_size)
        groups = self.front_end.groups() if config.in_bands else None
        power, classes, gains = config.whitening_power, max(1, len(config.kinds_told_apart)), 0
        if config.gain_shape:
            frames = 2 * (288 // config.block_size) + 1
            waves = {}
            if config.front_end == "tiled":
                waves = {"waves": self.front_end.waves, "quadrature": self.front_end.quadrature}
            tables = {"factors": FACTORS, "components": config.components}
            self.whitening = GainShape(classes, groups, self.shape[1], frames, **tables, **waves)
            gains = self.whitening.num_gains
            self.shape = (self.shape[0] + gains, self.shape[1])
        else:
            self.whitening = Whitening(classes, *self.shape, power) if power else None

        net_t = UNetV0
        if config.wiener:
            pace = max(1, config.block_size // 256)
            net_t = WienerPlugin(UNetV0, groups, gains, pace, config.projection)
        if learned:
            net_t = LearnedPlugin(net_t, config.block_size)
        unet = {key: getattr(config, key) for key in ("channels", "factors", "items", "attentions")}
        unet |= {key: getattr(config, key) for key in ("attention_heads", "attention_features", "modulation_features")}
        if config.labels:
            self.label_embedding = nn.Embedding(len(config.classes), config.label_features)
            crosses = tuple(int(level >= (len(config.channels) - 1) / 2) for level in range(len(config.channels)))
            unet |= {"use_embedding_cfg": True, "embedding_max_length": 1, "cross_attentions": crosses}
            unet |= {"embedding_features": config.label_features}
        levels = NoiseLevels(config.even_share, config.min_snr_db, config.max_snr_db)
        unet |= {"in_channels": self.shape[0], "diffusion_sigma_distribution": levels}
        if config.gain_shape:
            unet |= {"diffusion_t": WeightedVDiffusion, "diffusion_weight": self.whitening.weight}
        self.diffusion = DiffusionModel(net_t, **unet)

    def shape_of(self, length_samples: int | None = None) -> tuple[int, int]:
        """Return the shape `(C, L)` behind the front end of a sound of `length_samples`, by default the model's own.

        Raises:
            ValueError: if the model cannot take that length; the message says why.
        """
        config = self.config
        step = self.front_end.block_size * math.prod(config.factors)
        if length_samples is None or length_samples == config.length_samples:
            return self.shape
        if length_samples < step or length_samples % step:
            raise ValueError(f"The U-Net of {config.name!r} takes multiples of {step} samples, not {length_samples}.")
        if self.whitening and length_samples > config.length_samples:
            raise ValueError(
                f"The model {config.name!r} takes at most {config.length_samples} samples, not {length_samples}: "
                "it does not know how loud drums are after that."
            )
        return self.shape[0], length_samples // self.front_end.block_size

    def encode(self, audio: Tensor, labels: Tensor | None = None) -> Tensor:
        """Turn sounds `[B, 2, N]` of classes `labels` `[B]` into the space of the diffusion `[B, C, L]`."""
        return self._scaled(self.front_end.encode(audio), labels)

    def decode(self, z: Tensor, labels: Tensor | None = None, rounds: int = ROUNDS) -> Tensor:
        """Undo `encode`: `[B, C, L]` to sounds `[B, 2, N]`.

        With gains and shapes, made waves are brought to agree with their gains in so many `rounds`.
        """
        if not self.whitening:
            return self.front_end.decode(z)
        options = {"rounds": rounds} if self.config.gain_shape else {}
        return self.front_end.decode(self.whitening.decode(z, self._classes(labels), **options))

    def likeliest(self, audio: Tensor, classes: list[int]) -> int:
        """Return which of some classes a sound `[2, N]` most likely belongs to."""
        if len(classes) == 1:
            return classes[0]
        return classes[self.whitening.likeliest(self.front_end.encode(audio[None].to(self.device)), classes)]

    def hear(self, x_t: Tensor, x_0: Tensor, labels: Tensor | None = None) -> Tensor:
        """Turn noisy `x_t` `[B, C, L]` into sounds; noise on gains would be deafening, so they are those of `x_0`."""
        return self.decode(self.whitening.with_gains(x_t, x_0) if self.config.gain_shape else x_t, labels)

    def loss(self, audio: Tensor, labels: Tensor, mask_share: float = 0.1) -> Tensor:
        """Return the v-diffusion loss of a batch; a `mask_share` of labels is hidden, for guidance.

        Here `labels` are indices into `config.kinds_told_apart`: which component a sound is most like is found out.
        """
        z = self.front_end.encode(audio)
        if self.config.gain_shape:
            labels = self.whitening.rows_of(z, labels)
        return self.diffusion(self._scaled(z, labels), **self._condition(labels, embedding_mask_proba=mask_share))

    def denoiser(self, labels: Tensor, guidance_scale: float = 1.0) -> Denoiser:
        """Return `denoise(x_t, t) -> x_0` for these labels, with classifier-free guidance."""
        net, known = self.diffusion.net, self._condition(labels)
        guided = self.config.labels and guidance_scale != 1
        conditions = [known | {"embedding_mask_proba": 1.0}, known] if guided else [known]
        kind = WienerDenoiser if hasattr(net, "look") else ModelDenoiser
        return kind(net, conditions, guidance_scale)

    @torch.no_grad()
    def only(self, label: str, name: str) -> "DrumModel":
        """Return a model of its own, called `name`, that knows one label of this one and sounds the same.

        Raises:
            ValueError: if this model does not know the label.
        """
        if label not in self.config.labels:
            known = ", ".join(self.config.labels) or "none at all"
            raise ValueError(f"The model {self.config.name!r} has no label {label!r}; it knows {known}.")
        rows, components = self.config.classes_of(label), self.config.components
        kinds = {label: self.config.kinds[label]} if label in self.config.kinds else {}
        other = DrumModel(replace(self.config, name=name, labels=(label,), kinds=kinds))
        rows_of = {key: rows for key, x in self.state_dict().items() if key.startswith("whitening.") and x.ndim >= 3}
        rows_of |= {"label_embedding.weight": rows}
        in_common = [row // components for row in rows[::components]]
        rows_of |= {f"whitening.{name}": in_common for name in ("below", "above", "variance", "rest")}
        state = {key: x[rows_of[key]] if key in rows_of else x for key, x in self.state_dict().items()}
        other.load_state_dict(state)
        return other.train(self.training).to(self.device)

    def _scaled(self, z: Tensor, labels: Tensor | None) -> Tensor:
        return self.whitening.encode(z, self._classes(labels)) if self.whitening else z

    def _condition(self, labels: Tensor | None, **options) -> dict:
        known = {}
        if self.whitening and self.config.wiener and self.config.front_end != "learned":
            known = {"variance": self.whitening.variance_of(self._classes(labels))}
        if self.config.gain_shape:
            known["factors"] = self.whitening.factors_of(self._classes(labels))
        if not self.config.labels:
            return known
        labels, table = self._classes(labels), self.label_embedding
        return known | {"embedding": (table(labels) if labels.ndim == 1 else labels @ table.weight)[:, None], **options}

    def _classes(self, labels: Tensor | None) -> Tensor:
        if not self.config.labels:
            return torch.zeros(1, dtype=torch.long, device=self.device)
        if labels is None:
            raise ValueError(f"This model needs labels, indices [B] into {', '.join(self.config.labels)}.")
        return labels

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device
