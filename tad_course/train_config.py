"""The settings of a training run; importing them loads no PyTorch, so the command line starts at once."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class TrainConfig:
    """One training run; the defaults train the shipped model's kind on the drum machine's sounds."""

    out: Path = Path("runs/drums")  # the run's folder
    data: Path | None = None  # a folder of sounds; None: sounds of the drum machine, rendered into out/sounds
    drums: int = 8000  # how many sounds the drum machine renders when there is no folder
    model: str = "drums"  # a preset to start from scratch, or a model's folder to fine-tune
    name: str | None = None  # what the model shall be called; None: the name of the folder `out`
    labels: tuple[str, ...] | None = None  # None: those of the preset
    steps: int = 4_000
    batch_size: int = 8
    learning_rate: float = 1.5e-3
    warmup_steps: int = 300
    ema_decay: float = 0.999
    weight_decay: float = 1e-3
    seed: int = 0
    validate_every: int = 500
    save_every: int = 250
    accelerator: str = "auto"  # cpu, cuda, mps or auto
    precision: str = "auto"  # 32, bf16 or auto: bf16 on a GPU that computes in it
    loggers: tuple[str, ...] = field(default=())  # beside CSV: tensorboard, wandb
    quiet: bool = False  # no bar, no messages
