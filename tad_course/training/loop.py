"""Training with Lightning: EMA, validation, checkpoints that survive anything, resume (lesson 07).

A run is a folder: `model.safetensors` + `config.json` (the averaged model, what `generate --model` takes),
`resume.ckpt` (everything needed to go on), `log/` (CSV), `run.json` (the settings). Step k draws its sounds and its
noise from the seed and k alone, so a run that was stopped and resumed ends where an unstopped one does.
"""

import json
import math
from dataclasses import asdict, replace
from pathlib import Path

import lightning.pytorch as pl
import torch
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader

from tad_course.config import PRESETS, TrainConfig
from tad_course.drums import LABELS, family
from tad_course.drums.folder import render_folder
from tad_course.files import replacing
from tad_course.model.checkpoint import CONFIG, load_model, rename
from tad_course.model.network import AudioDiffusion, DrumKit
from tad_course.training.data import (
    Batches,
    DataError,
    Sound,
    check_sounds,
    find_sounds,
    label_sounds,
    load_batch,
    split,
    tells,
)
from tad_course.training.lightning import ProgressBar, SaveRun, loggers, quiet_lightning, stop_after_step
from tad_course.training.loss import LevelWeights, geometric_mean, losses_at_random_levels

RESUME = "resume.ckpt"
QUIETER_DB = 3.0  # each sound of a batch is played up to this much softer, so that loudness is no mark of a sound


class TrainingModule(pl.LightningModule):
    """The model, its running average (EMA), the loss, the optimizer."""

    def __init__(self, model: AudioDiffusion, config: TrainConfig):
        super().__init__()
        self.model, self.config = model, config
        self.level_weights = LevelWeights(model.config.min_snr_db, model.config.max_snr_db)
        self.average = AveragedModel(model, multi_avg_fn=ema_update(config.ema_decay))

    def training_step(self, batch: tuple[Tensor, Tensor], batch_index: int) -> Tensor:
        torch.manual_seed(self.config.seed * 1_000_003 + self.global_step * self.trainer.world_size + self.global_rank)
        audio, labels = batch
        audio = audio * 10 ** (-torch.rand(len(audio), 1, 1) * QUIETER_DB / 20).to(audio)
        losses, t = losses_at_random_levels(self.model, audio, labels)
        self.log("loss", geometric_mean(losses), prog_bar=True)
        self.log("learning_rate", self.optimizers().param_groups[0]["lr"])
        return (self.level_weights(t, losses) * losses).mean()

    def optimizer_step(self, *args, **kwargs) -> None:
        super().optimizer_step(*args, **kwargs)
        self.average.update_parameters(self.model)  # on_train_batch_end would be too late: callbacks save before it

    def validation_step(self, batch: tuple[Tensor, Tensor], batch_index: int) -> None:
        torch.manual_seed(batch_index)  # the same noise each time, so the curve shows the model and not chance
        losses, _ = losses_at_random_levels(self.average.module, *batch, hidden_share=0.0)
        self.log("validation_loss", geometric_mean(losses), batch_size=len(batch[0]))

    def configure_optimizers(self) -> dict:
        c = self.config
        parameters = self.model.parameters()
        optimizer = torch.optim.AdamW(parameters, c.learning_rate, betas=(0.9, 0.98), weight_decay=c.weight_decay)
        schedule = LambdaLR(optimizer, lambda step: warmup_cosine(step, c.warmup_steps, c.steps))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def ema_update(decay: float):
    """Return the exponential moving average for `AveragedModel`; early on it forgets faster.

    The n-th update keeps min(decay, (1 + n) / (10 + n)) of the average.
    """

    @torch.no_grad()
    def update(average: list[Tensor], current: list[Tensor], num_averaged: Tensor) -> None:
        n = int(num_averaged)
        torch._foreach_lerp_(average, current, 1 - min(decay, (1 + n) / (10 + n)))

    return update


def warmup_cosine(step: int, warmup_steps: int, num_steps: int, floor: float = 0.05) -> float:
    """Return the factor of the learning rate: a linear rise, then half a cosine down to `floor`."""
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    progress = min(1.0, (step - warmup_steps) / max(1, num_steps - warmup_steps))
    return floor + (1 - floor) * (0.5 + 0.5 * math.cos(math.pi * progress))


def train(config: TrainConfig) -> Path:
    """Train, or go on training if `config.out` holds a run that was stopped; return the run's folder.

    Raises:
        DataError: if the sounds cannot be trained on (before anything is trained).
        ValueError: if a setting does not fit.
    """
    _check(config)
    torch.set_flush_denormal(True)  # decaying sounds are full of numbers that would slow the processor down
    say = (lambda message: None) if config.quiet else print
    config.out.mkdir(parents=True, exist_ok=True)
    resume = config.out / RESUME
    model = _start_model(config)
    sounds = _sounds(config, model, say)
    if config.model in PRESETS:  # a model that is trained further may hear more of one label only
        _check_every_label(sounds, model.config.labels)
    training, validation = split(sounds)
    start_step = _saved_step(resume)
    if start_step >= config.steps:
        say(f"{config.out}: already trained for {start_step} steps; ask for more with --steps.")
        return config.out
    if start_step:
        _check_same_model(config, model)
        say(f"Going on at step {start_step} of {config.steps}.")
    _write_settings(config, len(training), len(validation))

    module, length = TrainingModule(model, config), model.config.length_samples
    batches = Batches(training, config.batch_size, length, config.seed, start_step)
    held_out = [validation[i : i + config.batch_size] for i in range(0, min(len(validation), 128), config.batch_size)]
    quiet_lightning()
    trainer = pl.Trainer(
        max_steps=config.steps,
        accelerator={"cuda": "gpu"}.get(config.accelerator, config.accelerator),
        devices=1,
        precision=precision(config),
        gradient_clip_val=1.0,
        val_check_interval=config.validate_every,
        check_val_every_n_epoch=None,
        num_sanity_val_steps=0,
        log_every_n_steps=10,
        logger=loggers(config.out, config.loggers, start_step),
        callbacks=[SaveRun(config.out, config.save_every)] + ([] if config.quiet else [ProgressBar()]),
        enable_progress_bar=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )
    torch.set_flush_denormal(True)
    with stop_after_step(trainer) as stopped:
        trainer.fit(
            module,
            DataLoader(batches, batch_size=None, num_workers=0),
            DataLoader(held_out, batch_size=None, num_workers=0, collate_fn=lambda b: load_batch(b, length)),
            ckpt_path=resume if start_step else None,
            weights_only=True,
        )
    if stopped():
        say(f"Stopped at step {trainer.global_step}. The same command goes on from here.")
    return config.out


def precision(config: TrainConfig) -> str:
    """Return Lightning's name of the number format: bf16 only on a GPU that computes in it.

    A CPU with AVX-512 BF16 took a third less time for a step with it (others were not tried): `--precision bf16`.
    """
    if config.precision != "auto":
        return {"32": "32-true", "bf16": "bf16-mixed"}[config.precision]
    cuda = config.accelerator in ("auto", "cuda") and torch.cuda.is_available()
    return "bf16-mixed" if cuda and torch.cuda.is_bf16_supported() else "32-true"


def _check(config: TrainConfig) -> None:
    for name in ("steps", "batch_size", "validate_every", "save_every", "drums"):
        if getattr(config, name) < 1:
            raise ValueError(f"{name} must be at least 1, not {getattr(config, name)}.")
    if config.learning_rate <= 0:
        raise ValueError(f"learning_rate must be above 0, not {config.learning_rate}.")
    if config.precision not in ("auto", "32", "bf16"):
        raise ValueError(f"Unknown precision {config.precision!r}; choose auto, 32 or bf16.")
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True, "auto": True}
    if not available.get(config.accelerator):
        raise ValueError(f"This machine has no accelerator {config.accelerator!r}; choose cpu or auto.")
    if unknown := set(config.loggers) - {"tensorboard", "wandb"}:
        raise ValueError(f"Unknown loggers {', '.join(sorted(unknown))}; choose from tensorboard, wandb.")


def _start_model(config: TrainConfig) -> AudioDiffusion:
    torch.manual_seed(config.seed)
    if config.model in PRESETS:
        preset = PRESETS[config.model]
        model = AudioDiffusion(replace(preset, labels=preset.labels if config.labels is None else config.labels))
    else:
        model = load_model(config.model).train()
        if isinstance(model, DrumKit):
            raise ValueError(
                f"{config.model} is a kit of several models; train one of them further: "
                f"{', '.join(each.config.name for each in model.models.values())}."
            )
        if config.labels not in (None, model.config.labels):
            known = ", ".join(model.config.labels)
            raise ValueError(f"{config.model} knows the labels {known}; fine-tuning cannot change them.")
    return rename(model, config.name or config.out.name)


def _sounds(config: TrainConfig, model: AudioDiffusion, say) -> list[Sound]:
    labels = model.config.labels
    if config.data is None:
        families = tuple(dict.fromkeys(family(label) for label in labels)) or LABELS
        folder, progress = config.out / "sounds", not config.quiet
        files = render_folder(folder, config.drums, seed=config.seed, labels=families, progress=progress)
        return label_sounds([file for file in files if not labels or tells(file, labels)], labels)
    found = find_sounds(config.data, labels)
    sounds, refused = check_sounds(found, model.config.length_samples, not config.quiet)
    for reason in refused[:10]:
        say(reason)
    if refused:
        say(f"{len(refused)} of {len(sounds) + len(refused)} files are left out, {len(sounds)} are used.")
    return sounds


def _check_every_label(sounds: list[Sound], labels: tuple[str, ...]) -> None:
    found = {sound.label for sound in sounds}
    if missing := [label for index, label in enumerate(labels) if index not in found]:
        raise DataError(f"No sound has the label {', '.join(missing)}; add some, or name the labels with --labels.")


def _saved_step(resume: Path) -> int:
    if not resume.is_file():
        return 0
    try:
        return int(torch.load(resume, map_location="cpu", weights_only=True, mmap=True)["global_step"])
    except Exception as error:
        raise DataError(f"{resume}: cannot be read ({error}). Delete it to start this run anew.") from error


def _check_same_model(config: TrainConfig, model: AudioDiffusion) -> None:
    file = config.out / CONFIG
    before = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    now = json.loads(json.dumps(model.config.to_dict()))
    if changed := sorted(key for key in before if key != "name" and before[key] != now.get(key)):
        raise ValueError(f"{file}: this run trains another model ({', '.join(changed)} differ); choose another --out.")


def _write_settings(config: TrainConfig, num_training: int, num_validation: int) -> None:
    settings = asdict(config) | {"training_sounds": num_training, "validation_sounds": num_validation}
    with replacing(config.out / "run.json") as temporary:
        temporary.write_text(json.dumps(settings, indent=2, default=str) + "\n", encoding="utf-8")
