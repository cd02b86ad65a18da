"""What happens around training steps: a bar with the time left, and saving that survives a pulled plug (lesson 07)."""

import logging
import signal
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import lightning.pytorch as pl
from tqdm.auto import tqdm

from tad_course.files import replacing
from tad_course.model.checkpoint import save_model


class ProgressBar(pl.Callback):
    """One bar over all steps, with the time left and the latest losses."""

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        done = trainer.global_step
        self.bar = tqdm(
            total=trainer.max_steps, initial=done, desc="Training", unit="step", miniters=1, mininterval=0.5
        )

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
        with replacing(self.folder / "resume.ckpt") as temporary:
            trainer.save_checkpoint(temporary)
        save_model(module.average.module, self.folder)
        self.saved = trainer.global_step


@contextmanager
def stop_after_step(trainer: pl.Trainer) -> Iterator[Callable[[], bool]]:
    """Let Ctrl-C, or a notebook's stop button, end training after the step under way; a second one ends it at once.

    Lightning itself would end the whole process, a notebook's kernel with it, and leave Ctrl-C dead.
    Yields a function that tells whether training was stopped.
    """
    asked = []

    def stop(*_) -> None:
        asked.append(True)
        trainer.should_stop = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    main = threading.current_thread() is threading.main_thread()  # only there may signals be handled
    before = signal.signal(signal.SIGINT, stop) if main else None
    try:
        yield lambda: bool(asked) or trainer.interrupted
    except SystemExit:
        if not trainer.interrupted:
            raise
    finally:
        if main:
            signal.signal(signal.SIGINT, before)


def loggers(folder: Path, names: tuple[str, ...], start_step: int) -> list:
    """Return the loggers of a run: CSV always, "tensorboard" and "wandb" where they are named.

    Raises:
        ValueError: if one of them is not installed.
    """
    from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger, WandbLogger

    found = [CSVLogger(folder, name="log", version=f"from_step_{start_step:06d}", flush_logs_every_n_steps=10)]
    try:
        if "tensorboard" in names:
            found.append(TensorBoardLogger(folder, name="tensorboard", version=""))
        if "wandb" in names:
            found.append(WandbLogger(name=folder.name, save_dir=folder))
    except ModuleNotFoundError as error:
        wanted = " and ".join(name for name in ("tensorboard", "wandb") if name in names)
        raise ValueError(f"{wanted}: not all of it is installed; run `pip install -e .[loggers]`.") from error
    return found


def quiet_lightning() -> None:
    """Silence Lightning's advice that does not concern a learner: device tables, number of workers."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", module="lightning.*")
