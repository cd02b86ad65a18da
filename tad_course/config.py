"""The constants of the course, and the settings of a model and of a training run; importing them loads no PyTorch."""

import math
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

SAMPLE_RATE = 44_100  # Hz
LENGTH_SAMPLES = 32_768  # of one sound: 0.74 s
CEILING = 10 ** (-1 / 20)  # -1 dBFS: nothing is played or written louder
TRANSFORMS = ("identity", "patch", "learned", "lapped")  # of model/transforms.py


@dataclass(frozen=True)
class ModelConfig:
    """Everything needed to build a model; stored as JSON beside its weights. Lessons: 05 to 07"""

    name: str = "drums"
    sample_rate: int = SAMPLE_RATE
    length_samples: int = LENGTH_SAMPLES
    labels: tuple[str, ...] = ()  # what it plays; with one label or none there is nothing to tell apart

    # The transform before the network (lesson 06).
    transform: str = "lapped"
    block_size: int = 64  # samples a frame: the U-Net sees length_samples / block_size frames
    level: float = 0.14  # so that scaled coefficients of drums have a mean square of about 1
    tilt: float = 0.5  # band k is divided by level / (k + 1)^tilt; 0.5 is a pink spectrum

    # The U-Net, level by level from the outside in (lesson 05).
    channels: tuple[int, ...] = (128, 128, 256)
    factors: tuple[int, ...] = (1, 4, 4)  # downsampling on entering each level; the first keeps all frames
    items: tuple[int, ...] = (1, 1, 1)  # residual blocks a level, on the way down and on the way up
    attentions: tuple[int, ...] = (0, 0, 1)  # whether a level attends over all its frames
    attention_heads: int = 4
    attention_features: int = 32
    modulation_features: int = 256  # of the embedding of noise level and label
    adaptive: bool = False  # precondition by local energy: `network.Preconditioned` (lesson 07)

    # Training.
    loss_tilt: float = 0.0  # band k weighs (k + 1)^-loss_tilt in the loss; 1 counts every octave the same
    min_snr_db: float = -45.0  # of the noise levels that the network is trained on
    max_snr_db: float = 60.0

    def __post_init__(self):
        if self.transform not in TRANSFORMS:
            raise ValueError(f"Unknown transform {self.transform!r}; choose one of {', '.join(TRANSFORMS)}.")
        if min(self.block_size, self.length_samples, *self.channels, *self.factors, *self.items) < 1:
            raise ValueError("block_size, length_samples, channels, factors and items must be 1 or more.")
        if self.transform == "lapped" and self.block_size % 2:
            raise ValueError(f"The lapped transform needs an even block_size, not {self.block_size}.")
        if self.adaptive and self.transform != "lapped":
            raise ValueError("adaptive needs the lapped transform: energy is averaged over neighboring bands.")
        if not self.level > 0:
            raise ValueError(f"level must be above 0, not {self.level}.")
        if len(set(self.labels)) < len(self.labels):
            raise ValueError(f"Each label once, not {', '.join(self.labels)}.")
        if len({len(self.channels), len(self.factors), len(self.items), len(self.attentions)}) != 1:
            raise ValueError("channels, factors, items and attentions must have one entry a level each.")
        step = self.block_size * math.prod(self.factors)
        if self.length_samples % step:
            raise ValueError(f"length_samples {self.length_samples} must be a multiple of {step} for this U-Net.")

    @classmethod
    def from_dict(cls, values: dict) -> "ModelConfig":
        """Build a config from JSON values; missing ones take their default.

        Raises:
            ValueError: for anything that is no setting of this version.
        """
        if not isinstance(values, dict):
            raise ValueError(f"Expected names and values, not {type(values).__name__}.")
        known = {f.name for f in fields(cls)}
        if "front_end" in values:
            raise ValueError("It was made by tad-course 0.1; install tad-course 0.1.0 to use it.")
        if unknown := sorted(set(values) - known):
            raise ValueError(f"Unknown settings {', '.join(unknown)}; this version knows {', '.join(sorted(known))}.")
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})

    def to_dict(self) -> dict:
        return asdict(self)


# The kind of net that ships, one for each instrument. Bands of 86 Hz hold a tone in one or two coefficients a frame.
SMALL = ModelConfig(
    name="small", block_size=256, level=0.28, channels=(192, 192, 208), factors=(1, 2, 4), adaptive=True, loss_tilt=0.7,
)  # fmt: skip

# The plain U-Net of lesson 07, small enough to learn kicks in three minutes on a laptop.
TINY = ModelConfig(name="tiny", loss_tilt=0.5)

# The model this course grows from, by its published numbers (tiny-audio-diffusion, 2023).
REFERENCE = ModelConfig(
    name="reference", transform="identity", block_size=1, level=1.0, tilt=0.0,
    channels=(32, 32, 64, 64, 128, 128, 256, 256), factors=(1, 2, 2, 2, 2, 2, 2, 2), items=(2, 2, 2, 2, 2, 2, 4, 4),
    attentions=(0, 0, 0, 0, 0, 1, 1, 1), attention_heads=8, attention_features=64, modulation_features=1024,
)  # fmt: skip

PRESETS = {"small": SMALL, "tiny": TINY, "reference": REFERENCE}


@dataclass(frozen=True)
class TrainConfig:
    """One training run; the defaults train a net of the shipped kind on the drum machine's sounds."""

    out: Path = Path("runs/drums")  # the run's folder
    data: Path | None = None  # a folder of sounds; None: sounds of the drum machine, rendered into out/sounds
    drums: int = 4000  # how many sounds the drum machine renders when there is no folder
    model: str = "small"  # a preset to start from scratch, or a model's name or folder to fine-tune
    name: str | None = None  # what the model shall be called; None: the name of the folder `out`
    labels: tuple[str, ...] | None = None  # what it shall play, ("kick",) for example; None: those of the model
    steps: int = 8_000
    batch_size: int = 8
    learning_rate: float = 1e-3
    warmup_steps: int = 200
    ema_decay: float = 0.999
    weight_decay: float = 1e-3
    seed: int = 0
    validate_every: int = 500
    save_every: int = 250
    accelerator: str = "auto"  # cpu, cuda, mps or auto
    precision: str = "auto"  # 32, bf16 or auto: bf16 on a GPU that computes in it
    loggers: tuple[str, ...] = field(default=())  # beside CSV: tensorboard, wandb
    quiet: bool = False  # no bar, no messages
