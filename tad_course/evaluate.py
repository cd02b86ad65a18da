"""Put a model's sounds beside real ones and measure (lesson 09): `tad-course evaluate --model drums`."""

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor
from tqdm.auto import tqdm

from tad_course.drums import render
from tad_course.features import LogMelStatistics, load_classifier
from tad_course.generate import Settings, generate_many
from tad_course.metrics import (
    attack_ms,
    density_coverage,
    frechet_distance,
    hiss_dbfs,
    kernel_distance,
    nearest_distance,
    tail_dbfs,
)
from tad_course.model import DrumModel

REAL_SEED = 3_000_000  # held-out drums; models are trained on seeds from 0, the classifier on those from 2,000,000
TRAINING_SEED = 0


@dataclass(frozen=True)
class Sounds:
    """Sounds `[B, 2, N]` with their label indices `[B]` and what the two feature spaces and the classifier see."""

    audio: Tensor
    labels: Tensor
    mel: Tensor
    embedding: Tensor
    guess: Tensor

    def of(self, label: int) -> Tensor:
        return self.audio[self.labels == label]


@torch.no_grad()
def listen(audio: Tensor, labels: Tensor) -> Sounds:
    """Compute the features of sounds `[B, 2, N]`."""
    mel, classifier = LogMelStatistics(), load_classifier()
    parts = audio.split(64)
    embedding = torch.cat([classifier.embed(part) for part in parts])
    guess = classifier.head(torch.relu(embedding)).argmax(-1)
    return Sounds(audio, labels, torch.cat([mel(part) for part in parts]), embedding, guess)


def real_sounds(labels: tuple[str, ...], per_label: int, first_seed: int = REAL_SEED) -> Sounds:
    """Render `per_label` drums of each label."""
    jobs = [(label, first_seed + i) for label in labels for i in range(per_label)]
    audio = torch.stack([render(*job).audio for job in tqdm(jobs, desc="Real", unit="sound", leave=False)])
    return listen(audio, torch.arange(len(labels)).repeat_interleave(per_label))


def made_sounds(model: DrumModel, settings: Settings, per_label: int) -> Sounds:
    """Generate `per_label` sounds of each label of the model."""
    audio = []
    with tqdm(total=len(model.config.labels) * per_label, desc="Made", unit="sound", leave=False) as bar:
        for index, label in enumerate(model.config.labels):
            seeds = range(settings.seed + index * per_label, settings.seed + (index + 1) * per_label)
            for _, sound in generate_many(model, replace(settings, label=label), seeds):
                audio.append(sound)
                bar.update()
    return listen(torch.stack(audio), torch.arange(len(model.config.labels)).repeat_interleave(per_label))


def compare(made: Sounds, real: Sounds, other: Sounds, labels: tuple[str, ...]) -> dict:
    """Return every measure of `made` against `real`, and beside it the floor: `other`, also real, against `real`.

    "Hiss" and "tail" are medians for each label in dBFS, "attack" in ms.
    """
    figures = {}
    for name, sounds in (("made", made), ("floor", other)):
        figures[name] = {
            "frechet_mel": frechet_distance(sounds.mel, real.mel),
            "kernel_mel": kernel_distance(sounds.mel, real.mel),
            "frechet_embedding": frechet_distance(sounds.embedding, real.embedding),
            "kernel_embedding": kernel_distance(sounds.embedding, real.embedding),
            "density": density_coverage(real.mel, sounds.mel)[0],
            "coverage": density_coverage(real.mel, sounds.mel)[1],
            "class_agreement": float((sounds.guess == sounds.labels).float().mean()),
        }
        for index, label in enumerate(labels):
            mine = sounds.of(index)
            figures[name][f"hiss_dbfs_{label}"] = float(hiss_dbfs(mine).median())
            figures[name][f"tail_dbfs_{label}"] = float(tail_dbfs(mine).median())
            figures[name][f"attack_ms_{label}"] = float(attack_ms(mine).median())
            agreement = (sounds.guess == sounds.labels)[sounds.labels == index].float().mean()
            figures[name][f"class_agreement_{label}"] = float(agreement)
    return figures


def evaluate(model: DrumModel, settings: Settings, per_label: int = 250) -> dict:
    """Generate, render, measure; return `{"made": {...}, "floor": {...}, "settings": {...}}`.

    Raises:
        ValueError: if the model's labels are not the drum machine's.
    """
    labels = model.config.labels
    real = real_sounds(labels, per_label)
    other = real_sounds(labels, per_label, REAL_SEED + per_label)
    training = real_sounds(labels, per_label, TRAINING_SEED)
    made = made_sounds(model, settings, per_label)
    figures = compare(made, real, other, labels)
    for name, sounds in (("made", made), ("floor", other)):
        figures[name]["nearest_training_distance"] = float(nearest_distance(sounds.mel, training.mel).median())
    how = {"per_label": per_label, "num_steps": settings.num_steps, "sampler": settings.sampler}
    return figures | {"settings": how}


def table(figures: dict) -> str:
    """Return the figures as a Markdown table: each measure of the model beside that of held-out real sounds."""
    lines = ["| measure | made | real against real |", "|---|---:|---:|"]
    for name, value in figures["made"].items():
        lines.append(f"| {name} | {value:.4g} | {figures['floor'][name]:.4g} |")
    return "\n".join(lines)


def save_figures(figures: dict, path: Path) -> None:
    """Write the figures as JSON, atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    os.replace(temporary, path)
