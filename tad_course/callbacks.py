"""What happens around training steps: a bar with the time left, and saving that survives a pulled plug (lesson 07)."""

import os
from pathlib import Path

import lightning.pytorch as pl
from tqdm.auto import tqdm

from tad_course.checkpoint import save_model


class ProgressBar(pl.Callback):
    """One bar over all steps, with the time left and the latest losses."""

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self.bar = tqdm(total=trainer.max_steps, initial=trainer.global_step, desc="Training", unit="step")

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_index) -> None:
        self.bar.update(trainer.global_step - self.bar.n)
        if trainer.global_step % 10 == 0:
            values = {k: f"{float(v):.3f}" for k, v in trainer.callback_metrics.items() if "loss" in k}
            self.bar.set_postfix(values, refresh=False)

    def on_train_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self.bar.close()

    def on_exception(self, trainer, module, exception) -> None:
        if hasattr(self, "bar"):
            self.bar.close()


class SaveRun(pl.Callback):
    """Save the averaged model and the state to resume from, every `every` steps, at the end and when interrupted.

    Each file is written beside its place and renamed into it, so that a process killed at any moment leaves the
    previous one whole.
    """

    def __init__(self, folder: Path, every: int):
        self.folder, self.every, self.saved = folder, every, -1

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_index) -> None:
        if trainer.global_step % self.every == 0:
            self.save(trainer, module)

    def on_train_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self.save(trainer, module)

    def on_exception(self, trainer, module, exception) -> None:
        if isinstance(exception, KeyboardInterrupt):
            self.save(trainer, module)

    def save(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        if self.saved == trainer.global_step or trainer.global_step == 0:
            return
        temporary = self.folder / f".resume.ckpt.{os.getpid()}"
        trainer.save_checkpoint(temporary)
        os.replace(temporary, self.folder / "resume.ckpt")
        save_model(module.average.module, self.folder)
        self.saved = trainer.global_step
