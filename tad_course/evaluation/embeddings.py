"""Two fixed spaces in which sounds are compared: log-mel statistics, and a small classifier's view (lesson 09)."""

import json
import os
from itertools import pairwise
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torchaudio.transforms import MelSpectrogram

from tad_course.config import SAMPLE_RATE
from tad_course.drums.voices import LABELS

FLOOR_DB = -80.0
CLASSIFIER = Path(__file__).parent.parent / "models" / "classifier.safetensors"


class LogMel(nn.Module):
    """Turn sounds `[B, 2, N]` into mono mel spectrograms in dB `[B, mels, frames]`, never below -80 dB."""

    def __init__(self, mels: int = 64, n_fft: int = 1024, hop: int = 512):
        super().__init__()
        self.mel = MelSpectrogram(SAMPLE_RATE, n_fft, hop_length=hop, n_mels=mels, normalized="window")

    def forward(self, audio: Tensor) -> Tensor:
        return 10 * torch.log10(self.mel(audio.mean(-2)).clamp(min=10 ** (FLOOR_DB / 10)))


class LogMelStatistics(nn.Module):
    """Turn sounds `[B, 2, N]` into 32 mel bands averaged over 8 stretches of time, `[B, 256]`, in units of 10 dB.

    The stretches double in length, so that the attack weighs as much as the tail.
    """

    def __init__(self):
        super().__init__()
        self.log_mel = LogMel(mels=32, hop=128)

    def forward(self, audio: Tensor) -> Tensor:
        mel = self.log_mel(audio)
        edges = [0, *(mel.shape[-1] * 2**k // 256 for k in range(1, 9))]
        stretches = [mel[..., a:b].mean(-1) for a, b in pairwise(edges)]
        return torch.cat(stretches, -1) / 10


class Classifier(nn.Module):
    """A small convolutional network that names the instrument; its last hidden layer is the second feature space.

    `forward` returns logits `[B, 4]` in the order of `drums.LABELS`, `embed` the features `[B, 64]`.
    """

    def __init__(self):
        super().__init__()
        self.log_mel = LogMel(mels=64, hop=512)
        sizes = (1, 16, 32, 64)
        layers = []
        for before, after in pairwise(sizes):
            layers += [nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU(), nn.MaxPool2d(2)]
        self.body = nn.Sequential(*layers)
        self.embedding = nn.Linear(64 * 8, 64)
        self.head = nn.Linear(64, len(LABELS))

    def embed(self, audio: Tensor) -> Tensor:
        x = (self.log_mel(audio)[:, None] + 40) / 20
        return self.embedding(self.body(x).mean(-1).flatten(1))  # time is averaged away, the bands are kept

    def forward(self, audio: Tensor) -> Tensor:
        return self.head(torch.relu(self.embed(audio)))


def load_classifier(path: Path = CLASSIFIER) -> Classifier:
    """Load the classifier that comes with the course (trained by `benchmarks/train_classifier.py`)."""
    model = Classifier()
    model.load_state_dict(load_file(path), strict=False)
    return model.eval()


def save_classifier(model: Classifier, figures: dict, path: Path = CLASSIFIER) -> None:
    """Write the classifier and, beside it, how it was trained and what it reached."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}")
    save_file({k: v.contiguous() for k, v in model.state_dict().items() if not k.startswith("log_mel.")}, temporary)
    os.replace(temporary, path)
    path.with_suffix(".json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
