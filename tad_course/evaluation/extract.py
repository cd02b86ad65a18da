"""Features of sets of sounds (lesson 09): rendered or generated in chunks, measured, forgotten.

A thousand sounds are 260 MB of audio; what the measures need of them is 2 MB. So sounds come as an iterator of
chunks `(audio [b, 2, N], labels [b])`, and only a `Features` stays. Labels are indices into `drums.LABELS`, whatever
labels the model has.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from tqdm.auto import tqdm

from tad_course.drums.voices import LABELS, render
from tad_course.evaluation.embeddings import LogMel, LogMelStatistics, load_classifier
from tad_course.evaluation.metrics import attack_ms, hiss_dbfs, tail_dbfs
from tad_course.generate import ANY, Model, Settings, generate_together

Chunks = Iterable[tuple[Tensor, Tensor]]
UNLABELLED = -1  # the label of a sound of an unconditional model


@dataclass(frozen=True)
class Features:
    """What is kept of B sounds."""

    labels: Tensor  # [B], the label asked for; of an unlabelled sound, what the classifier takes it for
    guess: Tensor  # [B], what the classifier takes it for
    mel: Tensor  # [B, 256], log-mel statistics
    embedding: Tensor  # [B, 64], the classifier's last hidden layer
    hiss_dbfs: Tensor  # [B]
    tail_dbfs: Tensor  # [B]
    attack_ms: Tensor  # [B]
    pictures: Tensor  # [4, 64, frames], the mean log-mel spectrogram of each label in dB, NaN where there is none
    labelled: bool = True  # whether the labels were asked for

    def __len__(self) -> int:
        return len(self.labels)


@torch.no_grad()
def extract_features(chunks: Chunks, total: int | None = None, title: str = "Extracting") -> Features:
    """Extract the features of sounds chunk by chunk, with a bar that shows the time left.

    Args:
        chunks: `(audio [b, 2, N], labels [b])`, labels as indices into `drums.LABELS` or `UNLABELLED`.
        total: how many sounds there will be, for the bar.
        title: of the bar.
    """
    statistics, classifier, log_mel = LogMelStatistics(), load_classifier(), LogMel()
    parts, sums, labelled = [], 0, True
    with tqdm(total=total, desc=title, unit="sound", leave=False) as bar:
        for audio, labels in chunks:
            embedding = classifier.embed(audio)
            guess = classifier.head(torch.relu(embedding)).argmax(-1)
            if (labels == UNLABELLED).any():
                labels, labelled = guess, False
            levels = (hiss_dbfs(audio), tail_dbfs(audio), attack_ms(audio))
            parts.append((labels, guess, statistics(audio), embedding, *levels))
            mel = log_mel(audio)
            sums = sums + torch.zeros(len(LABELS), *mel.shape[1:]).index_add_(0, labels, mel)
            bar.update(len(audio))
    columns = [torch.cat(column) for column in zip(*parts, strict=True)]
    pictures = sums / torch.bincount(columns[0], minlength=len(LABELS))[:, None, None]
    return Features(*columns, pictures=pictures, labelled=labelled)


@torch.no_grad()
def mel_statistics(chunks: Chunks, total: int | None = None, title: str = "Extracting") -> Tensor:
    """Return only the log-mel statistics `[B, 256]`, which is quicker."""
    statistics, parts = LogMelStatistics(), []
    with tqdm(total=total, desc=title, unit="sound", leave=False) as bar:
        for audio, _ in chunks:
            parts.append(statistics(audio))
            bar.update(len(audio))
    return torch.cat(parts)


def real_chunks(labels: tuple[str, ...], per_label: int, first_seed: int, chunk: int = 32) -> Iterator:
    """Render `per_label` drums of each label, with the seeds from `first_seed`."""
    for label in labels:
        for start in range(first_seed, first_seed + per_label, chunk):
            seeds = range(start, min(start + chunk, first_seed + per_label))
            audio = torch.stack([render(label, seed).audio for seed in seeds])
            yield audio, torch.full((len(audio),), LABELS.index(label))


def made_chunks(model: Model, settings: Settings, per_label: int, chunk: int = 8) -> Iterator:
    """Generate `per_label` sounds of each label of the model, or four times as many of an unconditional one.

    The seeds count up from that of the settings through all labels. Each sound is the one that `generate` makes from
    its seed (to rounding), but `chunk` of them are made together, which is a third quicker on a CPU.
    """
    for job in made_jobs(model, settings, per_label):
        for start in range(0, len(job), chunk):
            part = job[start : start + chunk]
            audio = generate_together(model, part)
            label = LABELS.index(part[0].label) if model.config.labels else UNLABELLED
            yield audio, torch.full((len(audio),), label)


def made_jobs(model: Model, settings: Settings, per_label: int) -> list[list[Settings]]:
    """Return the settings of the sounds that `made_chunks` makes, one list a label."""
    labels = model.config.labels or (ANY,)
    count = per_label if model.config.labels else per_label * len(LABELS)
    starts = [settings.seed + index * count for index in range(len(labels))]
    return [
        [replace(settings, label=label, seed=start + i) for i in range(count)]
        for label, start in zip(labels, starts, strict=True)
    ]
