"""The loss of a training step: random noise levels, each of which counts the same (lesson 07)."""

import torch
from torch import Tensor, nn

from tad_course.model.diffusion import noise_levels, snr_db
from tad_course.model.network import AudioDiffusion

BIN_DB = 5.0  # noise levels that share a running mean
MEMORY = 0.98  # of the running means: the last 50 sounds of a bin count
LEAST = 1e-3  # no level counts more than a thousand times


def losses_at_random_levels(
    model: AudioDiffusion, audio: Tensor, labels: Tensor | None = None, hidden_share: float = 0.1
) -> tuple[Tensor, Tensor]:
    """Return the v-loss of each sound of `[B, 2, N]` and the time it was drawn at, both `[B]`.

    A `hidden_share` of the labels is hidden, for classifier-free guidance.
    """
    config = model.config
    t = noise_levels(len(audio), config.min_snr_db, config.max_snr_db).to(audio)
    if labels is not None and len(config.labels) > 1:
        hidden = torch.rand(len(labels), device=labels.device) < hidden_share
        labels = torch.where(hidden, len(config.labels), labels)
    return model.losses(audio, t, labels), t


class LevelWeights(nn.Module):
    """What the loss of each sound is multiplied by: 1 over what the loss at its noise level is lately.

    In nearly pure noise v is almost -x_0, which nobody can tell from x_t: the loss there is a hundred times that
    at 0 dB of SNR and does not fall, and its random gradients drown those from which tones and attacks are learned.
    Divided by its own running mean, every level pulls with the same force. Karras et al. ("Analyzing and improving the
    training dynamics of diffusion models", 2024) learn that mean with a small network; a table does.
    """

    def __init__(self, min_snr_db: float, max_snr_db: float):
        super().__init__()
        self.min_snr_db = min_snr_db
        self.register_buffer("mean", torch.ones(int((max_snr_db - min_snr_db) / BIN_DB) + 1))

    def forward(self, t: Tensor, losses: Tensor) -> Tensor:
        """Return the weights `[B]` of losses `[B]` at times `t` `[B]`, and let the running means follow."""
        bins = ((snr_db(t) - self.min_snr_db) / BIN_DB).long().clamp(0, len(self.mean) - 1)
        weights = 1 / self.mean[bins].clamp(min=LEAST)
        for index, loss in zip(bins.tolist(), losses.detach(), strict=True):
            self.mean[index] = MEMORY * self.mean[index] + (1 - MEMORY) * loss
        return weights


def geometric_mean(losses: Tensor) -> Tensor:
    """Return the geometric mean of losses `[B]`, in which every noise level counts the same too: what a curve shows."""
    return losses.detach().clamp(min=1e-12).log().mean().exp()
