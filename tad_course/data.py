"""Folders of sounds for training: found, labelled, checked, split, and dealt out in batches (lessons 07 and 10)."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import IterableDataset
from tqdm.auto import tqdm

from tad_course.audio import LENGTH_SAMPLES, AudioFileError, load_audio

SUFFIXES = {".wav", ".flac", ".aif", ".aiff", ".ogg", ".mp3"}
Kinds = dict[str, tuple[str, ...]]  # of a label
SILENT_PEAK = 1e-4  # -80 dBFS: a file that never gets louder teaches nothing


class DataError(ValueError):
    """A folder that cannot be trained on; the message says which and why."""


@dataclass(frozen=True)
class Sound:
    """A sound file and the index of its label."""

    path: Path
    label: int


def find_sounds(folder: Path, labels: tuple[str, ...], kinds: Kinds | None = None) -> list[Sound]:
    """Find the sound files in `folder` and below, each labelled by the start of its name or by its folder's.

    `kick_01.wav` and `kick/01.wav` are both kicks. Without labels (an unconditional model) every file counts.
    Of a label with `kinds` the name also says which: `percussion_tom_01.wav`, `percussion/tom_01.wav` or `tom_01.wav`.

    Raises:
        DataError: if there is no such folder, no sound in it, or a file whose label cannot be told.
    """
    folder = Path(folder).expanduser()
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder. Give a folder of sound files to --data.")
    paths = sorted(path for path in folder.rglob("*") if _is_sound(path))
    if not paths:
        raise DataError(f"{folder}: no sound files ({', '.join(sorted(SUFFIXES))}) in it or below it.")
    names = _names_of_classes(labels, kinds or {})
    sounds = [Sound(path, _label(path, names)) for path in paths]
    unknown = [sound.path for sound in sounds if sound.label < 0]
    if labels and unknown:
        raise DataError(
            f"{len(unknown)} of {len(paths)} files in {folder} have no label, the first is {unknown[0]}. "
            f"Start each file's name, or name its folder, with one of: {', '.join(first for first, *_ in names)}."
        )
    return [Sound(sound.path, max(sound.label, 0)) for sound in sounds]


def name_kinds(folder: Path, labels: tuple[str, ...], kinds: Kinds) -> bool:
    """Return whether all sounds of a folder tell by their names of which kind they are."""
    try:
        find_sounds(folder, labels, kinds)
    except DataError:
        return False
    return True


def _is_sound(path: Path) -> bool:
    hidden = path.name.startswith(".")  # as macOS's ._kick.wav, which holds no sound
    return path.suffix.lower() in SUFFIXES and not hidden and path.is_file()


def _names_of_classes(labels: tuple[str, ...], kinds: Kinds) -> list[tuple[str, ...]]:
    """Return what the name of a file or folder of each class may start with."""
    names = []
    for label in labels:
        names += [(kind, *(f"{label}{mark}{kind}" for mark in "_- ")) for kind in kinds.get(label, ())] or [(label,)]
    return names


def _label(path: Path, names: list[tuple[str, ...]]) -> int:
    for name in (path.name.lower(), path.parent.name.lower()):
        for index, starts in enumerate(names):
            if name.startswith(starts):
                return index
    return -1


def check_sounds(sounds: list[Sound], length_samples: int = LENGTH_SAMPLES) -> tuple[list[Sound], list[str]]:
    """Read every file once; return the good ones and a sentence for each that will be left out.

    Raises:
        DataError: if none is left.
    """
    good, refused = [], []
    for sound in tqdm(sounds, desc="Checking sounds", unit="file", leave=False):
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
