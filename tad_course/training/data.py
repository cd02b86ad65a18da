"""Folders of sounds for training: found, labelled, checked, split, and dealt out in batches (lessons 07 and 10)."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import IterableDataset
from tqdm.auto import tqdm

from tad_course.audio import SUFFIXES, AudioFileError, find_sound_files, load_audio
from tad_course.config import LENGTH_SAMPLES

SILENT_PEAK = 1e-4  # -80 dBFS: a file that never gets louder teaches nothing


class DataError(ValueError):
    """A folder that cannot be trained on; the message says which and why."""


@dataclass(frozen=True)
class Sound:
    """A sound file and the index of its label."""

    path: Path
    label: int


def find_sounds(folder: Path, labels: tuple[str, ...]) -> list[Sound]:
    """Find the sound files in `folder` and below, each labelled by the start of its name or by its folder's.

    `kick_01.wav` and `kick/01.wav` are both kicks. With one label or none there is nothing to tell apart: every file
    counts.

    Raises:
        DataError: if there is no such folder, no sound in it, or a file whose label cannot be told.
    """
    folder = Path(folder).expanduser()
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder. Give a folder of sound files to --data.")
    paths = find_sound_files(folder)
    if not paths:
        raise DataError(f"{folder}: no sound files ({', '.join(sorted(SUFFIXES))}) in it or below it.")
    return label_sounds(paths, labels)


def label_sounds(paths: Sequence[Path], labels: tuple[str, ...]) -> list[Sound]:
    """Give each file its label; `find_sounds` says how.

    Raises:
        DataError: if the label of a file cannot be told.
    """
    if len(labels) < 2:
        return [Sound(path, 0) for path in paths]
    sounds = [Sound(path, _label(path, labels)) for path in paths]
    if unknown := [sound.path for sound in sounds if sound.label < 0]:
        raise DataError(
            f"{len(unknown)} of {len(paths)} files have no label, the first is {unknown[0]}. "
            f"Start each file's name, or name its folder, with one of: {', '.join(labels)}."
        )
    return sounds


def tells(path: Path, labels: tuple[str, ...]) -> bool:
    """Return whether the name of a file, or of its folder, tells one of the labels; `find_sounds` says how."""
    return _label(path, labels) >= 0


def _label(path: Path, labels: tuple[str, ...]) -> int:
    """Return the index of the label that the name of the file, or else of its folder, tells; or -1.

    It is the longest one that the name starts with, or the only one that is a word of it (percussion_tom_3).
    """
    for name in (path.name.lower(), path.parent.name.lower()):
        if found := [label for label in labels if name.startswith(label.lower())]:
            return labels.index(max(found, key=len))
        found = [each for each in labels if re.search(rf"(?<![a-z0-9]){re.escape(each.lower())}(?![a-z])", name)]
        if len(found) == 1:
            return labels.index(found[0])
    return -1


def check_sounds(
    sounds: list[Sound], length_samples: int = LENGTH_SAMPLES, progress: bool = True
) -> tuple[list[Sound], list[str]]:
    """Read every file once; return the good ones and a sentence for each that will be left out.

    Raises:
        DataError: if none is left.
    """
    good, refused = [], []
    for sound in tqdm(sounds, desc="Checking sounds", unit="file", leave=False, disable=not progress):
        try:
            silent = load_audio(sound.path, length_samples).abs().max() < SILENT_PEAK
        except AudioFileError as error:
            refused.append(str(error))
            continue
        if silent:
            refused.append(f"{sound.path}: silent (never above -80 dBFS); left out.")
        else:
            good.append(sound)
    if not good:
        raise DataError("None of the files can be used:\n" + "\n".join(refused[:10]))
    return good, refused


def split(sounds: list[Sound], validation_share: float = 0.1) -> tuple[list[Sound], list[Sound]]:
    """Keep every n-th sound for validation, at least one, never all; the same files give the same split."""
    if len(sounds) < 2:
        return sounds, sounds
    every = max(2, round(1 / validation_share))
    return [s for i, s in enumerate(sounds) if i % every], sounds[::every]


class Batches(IterableDataset):
    """An endless row of batches `(audio [B, 2, N], labels [B])`, the same for the same seed and step.

    Batch k holds the next sounds of a permutation that is drawn anew each epoch from `seed`, so a run that
    is resumed at step k sees exactly what it would have seen.
    """

    def __init__(self, sounds: list[Sound], batch_size: int, length_samples: int, seed: int = 0, start_step: int = 0):
        self.sounds, self.batch_size, self.length_samples = sounds, batch_size, length_samples
        self.seed, self.start_step = seed, start_step

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        epoch, order = -1, None
        for start in count(self.start_step * self.batch_size, self.batch_size):
            batch = []
            for position in range(start, start + self.batch_size):
                if position // len(self.sounds) != epoch:
                    epoch = position // len(self.sounds)
                    generator = torch.Generator().manual_seed(self.seed * 100_003 + epoch)
                    order = torch.randperm(len(self.sounds), generator=generator).tolist()
                batch.append(self.sounds[order[position % len(self.sounds)]])
            yield load_batch(batch, self.length_samples)


def load_batch(sounds: list[Sound], length_samples: int = LENGTH_SAMPLES) -> tuple[Tensor, Tensor]:
    """Return `(audio [B, 2, N], labels [B])`."""
    audio = torch.stack([load_audio(sound.path, length_samples) for sound in sounds])
    return audio, torch.tensor([sound.label for sound in sounds])
