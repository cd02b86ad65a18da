"""Make sounds: by label and seed from noise, or from a sound of your own (lessons 00 and 08, and the studio)."""

import hashlib
import json
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import avg_pool1d, max_pool1d, pad

from tad_course.checkpoint import CheckpointError, load_model
from tad_course.denoisers import Within
from tad_course.diffusion import q_sample
from tad_course.gain_shape import ROUNDS
from tad_course.model import DrumModel
from tad_course.sampling import GRIDS, SAMPLERS, Denoiser, Step, last, log_snr_grid, looks_grid, seeded_noise

ANY = "any"  # the label of a sound that may be of any class
CEILING = 10 ** (-1 / 20)  # -1 dBFS
ONSET_SAMPLES, AHEAD_SAMPLES = 22, 220  # 0.5 and 5 ms
# Steps that are enough for the shipped model (benchmarks/experiments.md).
STEPS = {"wiener_flow": 1, "dpm_solver_3m": 12, "dpm_solver_2m": 16, "ddim": 50}


@dataclass(frozen=True)
class Settings:
    """All that decides how a generated sound comes out, apart from the model's weights.

    The defaults suit every model; `way_of` tells the quickest way for one.
    """

    model: str = "drums"
    label: str = "kick"
    seed: int = 0
    num_steps: int = 12
    sampler: str = "dpm_solver_3m"
    grid: str = "log_snr"
    guidance_scale: float = 1.0
    fingerprint: str = ""  # of the model's weights, so that "the same again" can be checked
    guidance_interval_db: tuple[float, float] | None = None  # SNRs between which guidance acts; None: everywhere
    length_samples: int | None = None  # None: the model's own

    def __post_init__(self):
        if self.sampler not in SAMPLERS:
            raise ValueError(f"Unknown sampler {self.sampler!r}; choose one of {', '.join(SAMPLERS)}.")
        if self.grid not in GRIDS:
            raise ValueError(f"Unknown grid {self.grid!r}; choose one of {', '.join(GRIDS)}.")
        if self.num_steps < 1:
            raise ValueError(f"A sound needs at least 1 step, not {self.num_steps}.")
        if self.seed < 0:
            raise ValueError(f"A seed must be 0 or more, not {self.seed}.")
        if self.guidance_interval_db is not None:
            object.__setattr__(self, "guidance_interval_db", _interval(self.guidance_interval_db))

    def to_dict(self) -> dict:
        """Return all settings but those left open (None), so that files of before an option was there stay the same."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def to_json(self) -> str:
        return json.dumps(self.to_dict())

    @classmethod
    def from_json(cls, text: str) -> "Settings":
        """Read settings back from a WAV's comment.

        Raises:
            ValueError: if the text is not the settings of a generated sound.
        """
        try:
            return cls(**json.loads(text))
        except (TypeError, json.JSONDecodeError) as error:
            raise ValueError("This file does not carry the settings of a generated sound.") from error

    def file_name(self) -> str:
        """Return a name that tells every setting, so that different sounds never share one."""
        grid = "" if self.grid == "log_snr" else f"_{self.grid}"
        interval = "_{:g}to{:g}dB".format(*self.guidance_interval_db) if self.guidance_interval_db else ""
        length = f"_{self.length_samples}samples" if self.length_samples else ""
        return (
            f"{Path(self.model).name}_{self.label}_seed{self.seed}_{self.sampler}{self.num_steps}{grid}"
            f"_guidance{self.guidance_scale:g}{interval}{length}.wav"
        )


def _interval(values) -> tuple[float, float]:
    low, high = map(float, values)
    if not low < high:
        raise ValueError(f"A guidance interval goes from a lower to a higher SNR in dB, not from {low:g} to {high:g}.")
    return low, high


def way_of(model: DrumModel, sampler: str | None = None, num_steps: int | None = None) -> dict:
    """Return the `sampler` and `num_steps` to take; what is left open is the quickest that suits the model.

    The Wiener filter of gains and shapes knows most of the way; others leave more to the network.
    """
    sampler = sampler or ("wiener_flow" if model.config.gain_shape else "dpm_solver_3m")
    return {"sampler": sampler, "num_steps": STEPS.get(sampler, Settings.num_steps) if num_steps is None else num_steps}


def class_of(model: DrumModel, settings: Settings, audio: Tensor | None = None) -> Tensor:
    """Return the class `[1]`, an index into `config.classes`, that the settings ask for.

    The seed draws the label of "any", the kind of a label that has several (percussion may be a tom or a clap), and the
    component of a kind, the same whether the kind was drawn or asked for by name. Given a sound `audio` `[2, N]`, the
    component is the one that it is most like.

    Raises:
        ValueError: if the model does not know the label.
    """
    config, label = model.config, settings.label
    if label != ANY and label not in config.names:
        known = ", ".join((*config.names, ANY))
        raise ValueError(f"The model {config.name!r} has no label {label!r}; choose one of {known}.")
    dice = random.Random(settings.seed)
    if label == ANY:
        label = config.labels[dice.randrange(len(config.labels))] if config.labels else label
    classes = config.classes_of(label) or list(range(config.components))  # an unconditional model has one for all
    if audio is not None:
        return torch.tensor([model.likeliest(audio, classes)], device=model.device)
    kind = _in_turn("kind", settings.seed, len(classes) // config.components)
    component = _in_turn("component", settings.seed, config.components)
    return torch.tensor([classes[kind * config.components + component]], device=model.device)


def _in_turn(what: str, seed: int, count: int) -> int:
    """Draw one of `count` things so that seeds in a row get each of them once before any of them comes again."""
    return random.Random(f"{what} {seed // count}").sample(range(count), count)[seed % count]


def denoiser_of(model: DrumModel, settings: Settings, labels: Tensor) -> Denoiser:
    """Return the model's `denoise(x_t, t) -> x_0` with the guidance of the settings, for classes `labels`."""
    guided = model.denoiser(labels, settings.guidance_scale)
    if settings.sampler == "wiener_flow" and not hasattr(model.diffusion.net, "look"):
        raise ValueError(
            f"The model {model.config.name!r} has no Wiener filter around its network that 'wiener_flow' could follow; "
            "choose dpm_solver_3m."
        )
    if settings.guidance_interval_db is None or settings.guidance_scale == 1:
        return guided
    return Within(settings.guidance_interval_db, guided, model.denoiser(labels))


def noise_of(model: DrumModel, settings: Settings, length_samples: int | None = None) -> Tensor:
    """Return the noise `[1, C, L]` that the seed stands for, as long as the settings (or `length_samples`) say."""
    shape = model.shape_of(length_samples or settings.length_samples)
    return seeded_noise(shape, [settings.seed]).to(model.device)


def steps_of(model: DrumModel, settings: Settings) -> Iterator[Step]:
    """Yield the steps from noise to one sound, behind the front end.

    `model.decode(step.x_0, class_of(model, settings))` is audible.
    """
    denoise = denoiser_of(model, settings, class_of(model, settings))
    return SAMPLERS[settings.sampler](denoise, noise_of(model, settings), grid_of(model, settings))


def generate(model: DrumModel, settings: Settings) -> Tensor:
    """Return one sound `[2, N]`, the same for the same model and settings on the same machine."""
    z = last(steps_of(model, settings))
    return finish(model.decode(z, class_of(model, settings))[0].cpu())


def generate_many(model: DrumModel, settings: Settings, seeds: Sequence[int]) -> Iterator[tuple[Settings, Tensor]]:
    """Yield one sound after another, one for each seed, with the settings that make it again alone."""
    for seed in seeds:
        each = replace(settings, seed=int(seed))
        yield each, generate(model, each)


def restyle(model: DrumModel, audio: Tensor, settings: Settings, strength: float) -> Tensor:
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
    labels = class_of(model, settings, audio)
    x_0 = model.encode(audio[None].to(model.device), labels)
    grid = grid_of(model, settings, start=strength)
    denoise = denoiser_of(model, settings, labels)
    steps = SAMPLERS[settings.sampler](denoise, q_sample(x_0, strength, eps), grid)
    rounds = round(strength * ROUNDS)  # what is nearly the given sound needs few
    return finish(model.decode(last(steps), labels, rounds)[0].cpu())


def grid_of(model: DrumModel, settings: Settings, start: float = 1.0) -> Tensor:
    """Return the times of the settings' grid; an even one starts at the deepest noise the model was shown."""
    if settings.sampler == "wiener_flow":
        return looks_grid(settings.num_steps, start)
    if settings.grid == "log_snr":
        return log_snr_grid(settings.num_steps, start, min_snr_db=model.config.min_snr_db)
    return GRIDS[settings.grid](settings.num_steps, start)


def check_strength(strength: float) -> None:
    """Refuse a strength outside [0, 1] with a ValueError."""
    if not 0 <= strength <= 1:
        raise ValueError(f"The strength must lie between 0 and 1, not {strength}.")


def finish(audio: Tensor) -> Tensor:
    """Let a made sound `[2, N]` rise from silence within half a millisecond, as all drums do, and `limit` it.

    A sound that is there at once begins with a click of all frequencies, which a hi-hat for example does not have.
    """
    rise = torch.ones(audio.shape[-1])
    rise[:ONSET_SAMPLES] = 0.5 - 0.5 * torch.cos(math.pi * torch.arange(ONSET_SAMPLES) / ONSET_SAMPLES)
    return limit(audio * rise)


def limit(audio: Tensor) -> Tensor:
    """Turn a sound `[2, N]` down around peaks above -1 dBFS, five milliseconds ahead, and leave all the rest as it is.

    That is what a look-ahead limiter does: the gain is the least one needed nearby, averaged over as long.
    """
    needed = (CEILING / audio.abs().amax(0, keepdim=True).clamp(min=1e-9)).clamp(max=1)
    least = -max_pool1d(-needed, 2 * AHEAD_SAMPLES + 1, 1, AHEAD_SAMPLES)
    gain = avg_pool1d(pad(least, (AHEAD_SAMPLES, AHEAD_SAMPLES), mode="replicate"), 2 * AHEAD_SAMPLES + 1, 1)
    return (audio * gain).clamp(-CEILING, CEILING)  # what rounding leaves


def fingerprint(model: DrumModel) -> str:
    """Return twelve hex digits that change with any weight of the model."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode() + tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:12]


def model_of(settings: Settings, device: str = "cpu") -> DrumModel:
    """Load the model that made a sound onto `device`, and check that its weights are still the same.

    Raises:
        CheckpointError: if the model is gone or has changed since.
    """
    model = load_model(settings.model)
    if settings.fingerprint and fingerprint(model) != settings.fingerprint:
        raise CheckpointError(f"{settings.model}: the model has changed since; its sounds will differ.")
    return model.to(device)
