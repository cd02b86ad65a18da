"""Features of sets of sounds (lesson 09): rendered or generated in chunks, measured, forgotten.

A thousand sounds are 260 MB of audio; what the measures need of them is 2 MB. So sounds come as an iterator of
chunks `(audio [b, 2, N], names [b])`, and only a `Features` stays. A name is an index into `NAMES`, whatever labels
the model has: a family of the drum machine (percussion), or one voice of it (tom).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from tqdm.auto import tqdm

from tad_course.drums import LABELS, VOICES, family, render
from tad_course.evaluation import metrics
from tad_course.evaluation.embeddings import LogMel, LogMelStatistics, load_classifier
from tad_course.generate import ANY, Model, Settings, generate_together, label_index

Chunks = Iterable[tuple[Tensor, Tensor]]
UNLABELLED = -1  # the name of a sound of an unconditional model
NAMES = (*LABELS, *(voice for voice in VOICES if voice not in LABELS))
FAMILIES = torch.tensor([LABELS.index(family(name)) for name in NAMES])
LEVELS = ("hiss_dbfs", "tail_dbfs", "attack_ms", "warble_db", "tone_share", "length_ms", "brightness_octaves")


@dataclass(frozen=True)
class Features:
    """What is kept of B sounds."""

    names: Tensor  # [B], what was asked for; of an unlabelled sound, what the classifier takes it for
    guess: Tensor  # [B], the family that the classifier takes it for
    mel: Tensor  # [B, 256], log-mel statistics
    embedding: Tensor  # [B, 64], the classifier's last hidden layer
    double_hit: Tensor  # [B]
    hiss_dbfs: Tensor  # [B], as all that follow; `metrics` says what they are
    tail_dbfs: Tensor
    attack_ms: Tensor
    warble_db: Tensor
    tone_share: Tensor
    length_ms: Tensor
    brightness_octaves: Tensor
    pictures: Tensor  # [4, 64, frames], the mean log-mel spectrogram of each family in dB, NaN where there is none
    labelled: bool = True  # whether the names were asked for

    def __len__(self) -> int:
        return len(self.names)

    @property
    def families(self) -> Tensor:
        """The family of each sound, `[B]` indices into `drums.LABELS`."""
        return FAMILIES[self.names]

    def are(self, name: str) -> Tensor:
        """Return which of the sounds `[B]` belong to a family or to a voice."""
        own = self.names == NAMES.index(name)
        return own | (self.families == LABELS.index(name)) if name in LABELS else own


@torch.no_grad()
def extract_features(chunks: Chunks, total: int | None = None, title: str = "Extracting") -> Features:
    """Extract the features of sounds chunk by chunk, with a bar that shows the time left.

    Args:
        chunks: `(audio [b, 2, N], names [b])`, indices into `NAMES` or `UNLABELLED`.
        total: how many sounds there will be, for the bar.
        title: of the bar.
    """
    statistics, classifier, log_mel = LogMelStatistics(), load_classifier(), LogMel()
    parts, sums, labelled = [], 0, True
    with tqdm(total=total, desc=title, unit="sound", leave=False) as bar:
        for audio, names in chunks:
            embedding = classifier.embed(audio)
            guess = classifier.head(torch.relu(embedding)).argmax(-1)
            if (names == UNLABELLED).any():
                names, labelled = guess, False  # families come first in NAMES
            levels = (getattr(metrics, name)(audio) for name in LEVELS)
            parts.append((names, guess, statistics(audio), embedding, metrics.double_hit(audio), *levels))
            mel = log_mel(audio)
            sums = sums + torch.zeros(len(LABELS), *mel.shape[1:]).index_add_(0, FAMILIES[names], mel)
            bar.update(len(audio))
    columns = [torch.cat(column) for column in zip(*parts, strict=True)]
    pictures = sums / torch.bincount(FAMILIES[columns[0]], minlength=len(LABELS))[:, None, None]
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
    """Render `per_label` drums of each family, with the seeds from `first_seed`."""
    for label in labels:
        for start in range(first_seed, first_seed + per_label, chunk):
            drums = [render(label, seed) for seed in range(start, min(start + chunk, first_seed + per_label))]
            names = torch.tensor([NAMES.index(drum.voice) for drum in drums])
            yield torch.stack([drum.audio for drum in drums]), names


def made_chunks(model: Model, settings: Settings, per_label: int, chunk: int = 8) -> Iterator:
    """Generate `per_label` sounds of each family that the model plays, or four times as many of an unconditional one.

    The seeds count up from that of the settings through all families. Each sound is the one that `generate` makes from
    its seed (to rounding), but `chunk` of them are made together, which is a third quicker on a CPU.
    """
    for job in made_jobs(model, settings, per_label):
        for start in range(0, len(job), chunk):
            part = job[start : start + chunk]
            yield generate_together(model, part), torch.tensor([name_of(model, each) for each in part])


def made_jobs(model: Model, settings: Settings, per_label: int) -> list[list[Settings]]:
    """Return the settings of the sounds that `made_chunks` makes, one list a family."""
    families = model_families(model)
    count = per_label if families else per_label * len(LABELS)
    return [
        [replace(settings, label=_asked(model, name, i), seed=settings.seed + index * count + i) for i in range(count)]
        for index, name in enumerate(families or (ANY,))
    ]


def model_families(model: Model) -> tuple[str, ...]:
    """Return the families of the drum machine that a model's labels belong to."""
    return tuple(dict.fromkeys(family(label) for label in model.config.labels))


def _asked(model: Model, name: str, index: int) -> str:
    """Return the label that the sound of that index of a family is asked for by: all of the family take turns."""
    if not model.config.labels:
        return ANY
    labels = [label for label in model.config.labels if family(label) == name]
    return labels[index % len(labels)]


def name_of(model: Model, settings: Settings) -> int:
    """Return the index into `NAMES` of the sound that these settings make."""
    label = label_index(model, settings)
    return UNLABELLED if label is None else NAMES.index(model.config.labels[int(label)])
