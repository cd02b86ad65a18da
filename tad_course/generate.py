"""Make sounds by label and seed: noise, the sampler, the way back to a waveform (lesson 00 and the studio)."""

import hashlib
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from tad_course import __version__
from tad_course.audio.levels import finish
from tad_course.model.checkpoint import CheckpointError, load_model
from tad_course.model.network import AudioDiffusion, DrumKit
from tad_course.model.samplers import SAMPLERS, Step, last, log_snr_grid, seeded_noise

ANY = "any"  # the label of a sound that may be of any label
STEPS = {"dpm_solver_2m": 16, "ddim": 32}  # enough for the ear (benchmarks/experiments.md)
Model = AudioDiffusion | DrumKit


@dataclass(frozen=True)
class Settings:
    """All that decides how a generated sound comes out, apart from the model's weights."""

    model: str = "drums"
    label: str = "kick"
    seed: int = 0
    num_steps: int = STEPS["dpm_solver_2m"]
    sampler: str = "dpm_solver_2m"
    guidance_scale: float = 1.0
    fingerprint: str = ""  # of the model's weights, so that "the same again" can be checked
    length_samples: int | None = None  # None: the model's own
    version: str = __version__  # of tad-course

    def __post_init__(self):
        if self.sampler not in SAMPLERS:
            raise ValueError(f"Unknown sampler {self.sampler!r}; choose one of {', '.join(SAMPLERS)}.")
        if self.num_steps < 1:
            raise ValueError(f"A sound needs at least 1 step, not {self.num_steps}.")
        if self.seed < 0:
            raise ValueError(f"A seed must be 0 or more, not {self.seed}.")

    def to_dict(self) -> dict:
        """Return all settings but those left open (None)."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def to_json(self) -> str:
        return json.dumps(self.to_dict())

    @classmethod
    def from_dict(cls, values: dict) -> "Settings":
        """Take settings from a file.

        Raises:
            ValueError: if they are not those of a generated sound, or those of another version's.
        """
        refuse_old(values)
        try:
            return cls(**values)
        except TypeError as error:
            raise ValueError("This file does not carry the settings of a generated sound.") from error

    @classmethod
    def from_json(cls, text: str) -> "Settings":
        """Read settings back from a WAV's comment; `from_dict` says what is refused."""
        try:
            return cls.from_dict(json.loads(text))
        except (TypeError, json.JSONDecodeError) as error:
            raise ValueError("This file does not carry the settings of a generated sound.") from error

    def file_name(self) -> str:
        """Return a name that tells every setting, so that different sounds never share one."""
        length = f"_{self.length_samples}samples" if self.length_samples else ""
        return (
            f"{Path(self.model).name}_{self.label}_seed{self.seed}_{self.sampler}{self.num_steps}"
            f"_guidance{self.guidance_scale:g}{length}.wav"
        )


def refuse_old(values: dict) -> None:
    """Refuse, with a ValueError, the settings of a sound that version 0.1 made: its models are no more."""
    if "grid" in values and "version" not in values:
        raise ValueError(
            "It was made by tad-course 0.1, with a model that this version does not have; install tad-course 0.1.0 to "
            "make it again."
        )


def choices(model: Model) -> dict[str, tuple[str, ...]]:
    """Return what can be asked of a model: its labels, groups of them and "any", each with the labels it may become."""
    return {label: (label,) for label in model.config.labels} | model.groups | {ANY: model.config.labels}


def label_index(model: Model, settings: Settings) -> Tensor | None:
    """Return the index `[1]` of the label in `config.labels`; None for a model without labels.

    The seed draws one of all labels for "any", and one of its own for a group of a kit ("percussion").

    Raises:
        ValueError: if the model does not know the label.
    """
    labels, possible = model.config.labels, choices(model)
    if settings.label not in possible:
        known = ", ".join(possible)
        raise ValueError(f"The model {model.config.name!r} has no label {settings.label!r}; choose one of {known}.")
    if not labels:
        return None
    chosen = random.Random(settings.seed).choice(possible[settings.label])
    return torch.tensor([labels.index(chosen)], device=model.device)


def noise_of(model: Model, settings: Settings, length_samples: int | None = None) -> Tensor:
    """Return the noise `[1, C, L]` that the seed stands for, as long as the settings (or `length_samples`) say."""
    shape = model.shape_of(length_samples or settings.length_samples)
    return seeded_noise(shape, [settings.seed]).to(model.device)


def grid_of(model: Model, settings: Settings, start: float = 1.0) -> Tensor:
    """Return the times of the walk, from `start` down; they begin at the deepest noise the model was trained on."""
    return log_snr_grid(settings.num_steps, start, model.config.max_snr_db, model.config.min_snr_db)


def steps_of(model: Model, settings: Settings) -> Iterator[Step]:
    """Yield the steps from noise to one sound, in coefficients; `model.decode(step.x_0)` is audible."""
    denoise = model.denoiser(label_index(model, settings), settings.guidance_scale)
    return SAMPLERS[settings.sampler](denoise, noise_of(model, settings), grid_of(model, settings))


def generate(model: Model, settings: Settings) -> Tensor:
    """Return one sound `[2, N]`, the same for the same model and settings on the same machine."""
    return finish(model.decode(last(steps_of(model, settings)))[0].cpu())


def generate_many(model: Model, settings: Settings, seeds: Sequence[int]) -> Iterator[tuple[Settings, Tensor]]:
    """Yield one sound after another, one for each seed, with the settings that make it again alone."""
    for seed in seeds:
        each = replace(settings, seed=int(seed))
        yield each, generate(model, each)


def generate_together(model: Model, batch: Sequence[Settings]) -> Tensor:
    """Return the sounds `[B, 2, N]` of settings that differ in label and seed only, in one batch.

    Each is the sound that `generate` makes of its settings, to rounding; on a CPU it takes a third less time.
    """
    first = batch[0]
    labels = torch.cat([label_index(model, each) for each in batch]) if model.config.labels else None
    noise = seeded_noise(model.shape_of(first.length_samples), [each.seed for each in batch]).to(model.device)
    steps = SAMPLERS[first.sampler](model.denoiser(labels, first.guidance_scale), noise, grid_of(model, first))
    return torch.stack([finish(sound) for sound in model.decode(last(steps)).cpu()])


def fingerprint(model: Model) -> str:
    """Return twelve hex digits that change with any weight of the model."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode() + tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:12]


def model_of(settings: Settings, device: str = "cpu") -> Model:
    """Load the model that made a sound onto `device`, and check that its weights are still the same.

    Raises:
        CheckpointError: if the model is gone or has changed since.
    """
    model = load_model(settings.model)
    if settings.fingerprint and fingerprint(model) != settings.fingerprint:
        raise CheckpointError(f"{settings.model}: the model has changed since; its sounds will differ.")
    return model.to(device)
