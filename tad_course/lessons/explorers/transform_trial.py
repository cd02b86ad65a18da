"""Trainings of lesson 06: a learned transform; one small U-Net for any transform, and how much its kicks hiss.

The loop of `train` is the one that lesson 07 builds line by line.
"""

import torch
from audio_diffusion_pytorch import UNetV0
from torch import Tensor, nn
from tqdm.auto import tqdm

from tad_course.config import SAMPLE_RATE
from tad_course.drums import voices
from tad_course.model.diffusion import noise_levels, q_sample, v_from_x_0, x_0_from_v
from tad_course.model.samplers import dpm_solver_2m, last, log_snr_grid, seeded_noise

KICK_SAMPLES = 8192
TAIL_FROM = 2205  # 50 ms
BAR = "{l_bar}{bar}| {n_fmt} of {total_fmt} steps, {remaining} left"  # what a progress bar shows


def learn_to_return(encoder: nn.Module, decoder: nn.Module, sounds: Tensor, num_steps: int = 1000) -> None:
    """Train a learned transform until `decoder(encoder(x))` is close to x, for parts of `sounds` `[K, 2, n]`."""
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=5e-3)
    for step in tqdm(range(num_steps), desc="learned transform", bar_format=BAR):
        start = int(torch.randint(8192, ()))
        batch = sounds[torch.randint(len(sounds), (8,)), :, start : start + 8192]
        batch = batch + 0.1 * torch.randn_like(batch)
        loss = (decoder(encoder(batch)) - batch).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        optimizer.param_groups[0]["lr"] = 5e-3 * (1 - step / num_steps)
    encoder.requires_grad_(False)
    decoder.requires_grad_(False)


def some_kicks(count: int) -> Tensor:
    """Return kicks `[count, 2, 8192]` whose pitch, sweep and length depend on their number."""
    return torch.stack([_kick(seed) for seed in range(count)])


def _kick(seed: int) -> Tensor:
    pitch, ratio, sweep, decay = torch.rand(4, generator=torch.Generator().manual_seed(seed)).tolist()
    knobs = {"pitch_hz": 40 * 1.9**pitch, "sweep_ratio": 2 * 4**ratio, "sweep_s": 0.01 * 5**sweep}
    return voices.kick(**knobs, decay_s=0.1 + 0.1 * decay, room_level=0, seed=seed)[:, :KICK_SAMPLES]


def small_unet(seed: int = 0) -> nn.Module:
    """Return a U-Net of lesson 05 for coefficients `[B, 128, 128]`: 128, 32 and 8 frames, attention at the bottom."""
    torch.manual_seed(seed)
    sizes = {"channels": (128, 128, 256), "factors": (1, 4, 4), "items": (1, 1, 1), "attentions": (0, 0, 1)}
    return UNetV0(dim=1, in_channels=128, **sizes, attention_heads=4, attention_features=32, modulation_features=256)


def train(net: nn.Module, x_0: Tensor, title: str, num_steps: int = 300, batch_size: int = 8) -> None:
    """Train `net` to predict v (lesson 04) for the coefficients x_0 `[K, 128, L]`; seeds depend on the step alone."""
    optimizer = torch.optim.AdamW(net.parameters(), betas=(0.9, 0.99))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, num_steps, pct_start=0.05, cycle_momentum=False)
    for step in tqdm(range(num_steps), desc=title, bar_format=BAR):
        torch.manual_seed(step)
        batch = x_0[torch.randint(len(x_0), (batch_size,))]
        t, eps = noise_levels(batch_size), torch.randn_like(batch)
        loss = (net(q_sample(batch, t, eps), t) - v_from_x_0(batch, eps, t)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        schedule.step()


@torch.no_grad()
def sample(net: nn.Module, count: int = 12, num_steps: int = 20) -> Tensor:
    """Return generated coefficients `[count, 128, 128]`, made with the sampler of the package (DPM-Solver++)."""

    def denoise(x_t: Tensor, t: Tensor) -> Tensor:
        return x_0_from_v(x_t, net(x_t, t.expand(len(x_t))), t)

    noise = seeded_noise((128, KICK_SAMPLES // 64), range(count))
    return last(dpm_solver_2m(denoise, noise, log_snr_grid(num_steps)))


def tail_db(sounds: Tensor, low_hz: float, high_hz: float) -> float:
    """Return the median over sounds `[K, 2, 8192]` of the power after 50 ms in a band, in dB of all power of each."""
    tails = sounds[..., TAIL_FROM:]
    n = tails.shape[-1]
    power = torch.fft.rfft(tails * torch.hann_window(n)).abs().square().sum(dim=1)  # [K, n / 2 + 1]
    hz = torch.arange(power.shape[-1]) * SAMPLE_RATE / n
    share = 2 * power[:, (hz >= low_hz) & (hz < high_hz)].sum(dim=1) / (n * sounds.square().sum(dim=(1, 2)))
    return 10 * torch.log10(share + 1e-12).median().item()
