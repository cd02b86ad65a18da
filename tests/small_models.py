"""A small untrained model for tests, in which every weight is at work."""

from dataclasses import replace

import torch

from tad_course.config import ModelConfig
from tad_course.drums import LABELS
from tad_course.model.network import AudioDiffusion

SMALL = ModelConfig(
    name="small", labels=LABELS, length_samples=2048, block_size=32, channels=(64, 8), factors=(1, 4), items=(1, 1),
    attentions=(0, 0), attention_heads=2, attention_features=8, modulation_features=16,
)  # fmt: skip


def small(seed: int = 0, **changes) -> AudioDiffusion:
    """Return a model with random weights; `changes` are to `SMALL`."""
    torch.manual_seed(seed)
    model = AudioDiffusion(replace(SMALL, **changes))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model.eval()
