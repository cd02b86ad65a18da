"""What the measures of lesson 09 say about sounds whose answer is known."""

import math

import pytest
import torch

from tad_course.config import LENGTH_SAMPLES, SAMPLE_RATE
from tad_course.drums.voices import LABELS, closed_hat, kick, render
from tad_course.evaluation.embeddings import LogMelStatistics, load_classifier
from tad_course.evaluation.metrics import (
    FLOOR_DBFS,
    attack_ms,
    brightness_octaves,
    density_coverage,
    double_hit,
    envelope_db,
    frechet_distance,
    hiss_dbfs,
    kernel_distance,
    length_ms,
    nearest_distance,
    precision_recall,
    spectral_distance_db,
    tail_dbfs,
    tone_share,
    warble_db,
)

T = torch.arange(LENGTH_SAMPLES) / SAMPLE_RATE


def gaussian(n, f, shift=0.0, scale=1.0, seed=0):
    return shift + scale * torch.randn(n, f, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_hiss_of_white_noise_is_its_share_above_10_khz():
    noise = 0.01 * torch.randn(8, 2, LENGTH_SAMPLES, generator=torch.Generator().manual_seed(0))
    share = 1 - 10_000 / (SAMPLE_RATE / 2)
    assert hiss_dbfs(noise).mean().item() == pytest.approx(-40 + 10 * math.log10(share), abs=0.2)


def test_hiss_hears_a_high_sine_and_not_a_low_one():
    high, low = (torch.sin(2 * math.pi * f * T).expand(1, 2, -1) * 0.1 for f in (15_000, 1_000))
    assert hiss_dbfs(high).item() == pytest.approx(-23.01, abs=0.1)
    assert hiss_dbfs(low).item() < -90


def test_tail_is_the_level_of_the_last_140_ms():
    sound = torch.zeros(1, 2, LENGTH_SAMPLES)
    assert tail_dbfs(sound).item() == FLOOR_DBFS
    sound[..., -round(0.14 * SAMPLE_RATE) :] = 0.1
    assert tail_dbfs(sound).item() == pytest.approx(-20, abs=0.01)


def test_a_slow_rise_has_a_longer_attack():
    ramps = torch.stack([(T / rise).clamp(max=1) for rise in (0.02, 0.1)])[:, None].repeat(1, 2, 1)
    fast, slow = attack_ms(ramps).tolist()
    assert fast == pytest.approx(16, abs=2) and slow == pytest.approx(80, abs=3)


def test_frechet_distance_of_gaussians_has_a_closed_form():
    a, b = gaussian(20_000, 3), gaussian(20_000, 3, shift=2.0, scale=3.0, seed=1)
    assert frechet_distance(a, b) == pytest.approx(3 * 2**2 + 3 * (3 - 1) ** 2, rel=0.03)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9)


def test_frechet_distance_agrees_with_torchmetrics():
    compute = pytest.importorskip("torchmetrics.image.fid")._compute_fid
    a, b = gaussian(300, 8), gaussian(200, 8, 0.5, 1.5, seed=1)
    theirs = compute(a.mean(0), torch.cov(a.T), b.mean(0), torch.cov(b.T))
    assert frechet_distance(a, b) == pytest.approx(theirs.item(), rel=1e-6)


def test_kernel_distance_agrees_with_torchmetrics():
    poly_mmd = pytest.importorskip("torchmetrics.image.kid").poly_mmd
    a, b = gaussian(100, 8), gaussian(100, 8, 0.5, seed=1)
    assert kernel_distance(a, b) == pytest.approx(poly_mmd(a, b).item(), rel=1e-6)


def test_kernel_distance_is_unbiased():
    values = [kernel_distance(gaussian(50, 4, seed=2 * i), gaussian(50, 4, seed=2 * i + 1)) for i in range(60)]
    mean = sum(values) / len(values)
    spread = torch.tensor(values).std().item() / math.sqrt(len(values))
    assert abs(mean) < 4 * spread


def test_the_biased_kernel_distance_of_a_set_to_itself_is_zero_and_else_above_the_unbiased_one():
    a, b = gaussian(100, 8), gaussian(100, 8, seed=1)
    assert kernel_distance(a, a, unbiased=False) == pytest.approx(0, abs=1e-9)
    assert kernel_distance(a, b, unbiased=False) > max(0, kernel_distance(a, b))


def test_precision_sees_sounds_that_are_nowhere_and_recall_those_that_are_missing():
    a, b = gaussian(200, 2), gaussian(200, 2, shift=50.0, seed=1)
    both = torch.cat([a, b])
    precision, recall = precision_recall(real=both, made=gaussian(400, 2, seed=2))
    assert precision > 0.9 and recall < 0.55
    precision, recall = precision_recall(real=gaussian(400, 2, seed=2), made=both)
    assert precision < 0.55 and recall > 0.9


def test_precision_and_recall_trade_places_when_the_sets_do():
    a, b = gaussian(100, 4), gaussian(120, 4, 0.5, seed=1)
    assert precision_recall(a, b) == precision_recall(b, a)[::-1]


def test_spectral_distance_of_a_gain_is_the_gain():
    mel = LogMelStatistics().log_mel(0.1 * torch.randn(2, LENGTH_SAMPLES, generator=torch.Generator().manual_seed(0)))
    assert spectral_distance_db(mel, mel + 6) == pytest.approx(6, abs=1e-4)


def test_coverage_sees_a_missing_mode_and_density_does_not():
    real = torch.cat([gaussian(200, 2), gaussian(200, 2, shift=50.0, seed=1)])
    half = gaussian(400, 2, seed=2)
    whole = torch.cat([gaussian(200, 2, seed=3), gaussian(200, 2, shift=50.0, seed=4)])
    assert density_coverage(real, half)[1] < 0.55 and density_coverage(real, half)[0] > 0.8
    assert density_coverage(real, whole)[1] > 0.9


def test_a_planted_copy_is_nearer_than_anything_new():
    training, new = gaussian(100, 8), gaussian(50, 8, seed=1)
    planted = torch.cat([new, training[:1] + 1e-3])
    distance = nearest_distance(planted, training)
    assert distance.argmin() == 50 and distance[50] < 0.1 * distance[:50].min()


def test_log_mel_statistics_tell_a_kick_from_a_hat():
    space = LogMelStatistics()
    kicks, hats = (torch.stack([play(seed=s) for s in range(4)]) for play in (kick, closed_hat))
    a, b = space(kicks), space(hats)
    assert a.shape == (4, 256)
    assert torch.cdist(a, b).min() > 3 * torch.cdist(a, a).max()


def test_the_classifier_names_held_out_drums():
    drums = [render(label, 5_000_000 + i) for i in range(8) for label in LABELS]
    with torch.no_grad():
        guess = load_classifier()(torch.stack([d.audio for d in drums])).argmax(-1)
    assert (guess == torch.tensor([LABELS.index(d.label) for d in drums])).float().mean() > 0.9


# --- the shape of single sounds ------------------------------------------------------------------------------------


def falling(decay: float = 12.0, hz: float = 60.0) -> torch.Tensor:
    """A tone `[1, 2, N]` that falls by `decay` nepers a second."""
    t = torch.arange(LENGTH_SAMPLES) / SAMPLE_RATE
    return (0.7 * torch.sin(2 * math.pi * hz * t) * torch.exp(-decay * t)).repeat(1, 2, 1)


def later(audio: torch.Tensor, seconds: float, gain: float) -> torch.Tensor:
    shift = round(seconds * SAMPLE_RATE)
    return torch.nn.functional.pad(audio, (shift, 0))[..., : audio.shape[-1]] * gain


def test_the_envelope_of_a_falling_tone_falls_as_fast():
    level = envelope_db(falling(decay=20.0))[0]
    slope = (level[300] - level[100]) / 200 * 1000  # dB a second
    assert slope == pytest.approx(-20 * 20 / math.log(10), rel=0.02)
    assert level.max() == pytest.approx(0, abs=1e-4)


def test_a_second_hit_is_heard_and_a_weak_echo_is_not():
    drum = falling(decay=25.0)
    assert not double_hit(drum).any()
    assert double_hit(drum + later(drum, 0.25, 0.6)).all()
    assert not double_hit(drum + later(drum, 0.25, 0.03)).any()


def test_hardly_any_drum_of_the_machine_is_hit_twice():
    drums = torch.stack([render(label, seed).audio for label in ("kick", "snare", "hihat") for seed in range(40)])
    assert double_hit(drums).float().mean() < 0.02


def test_a_smooth_tone_does_not_warble_and_a_beating_one_does():
    t = torch.arange(LENGTH_SAMPLES) / SAMPLE_RATE
    beating = falling(hz=80.0) * (1 + 0.8 * torch.sin(2 * math.pi * 9 * t))
    assert warble_db(falling(hz=80.0)).item() < 0.1
    assert warble_db(beating).item() > 10


def test_the_share_of_a_tone_is_what_was_mixed_in():
    tone = torch.sin(2 * math.pi * 800 * torch.arange(LENGTH_SAMPLES) / SAMPLE_RATE).repeat(1, 2, 1)
    noise = torch.randn(1, 1, LENGTH_SAMPLES, generator=torch.Generator().manual_seed(0)).repeat(1, 2, 1)
    assert tone_share(tone).item() == pytest.approx(1, abs=0.02)
    assert tone_share(tone + 0.5**0.5 * noise).item() == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(("decay", "expected"), [(40.0, 115), (20.0, 230)])
def test_a_sound_is_as_long_as_it_stays_within_40_db(decay, expected):
    assert length_ms(falling(decay=decay)).item() == pytest.approx(expected, abs=12)  # ln(100) / decay


def test_brightness_is_the_spectral_centroid_in_octaves_from_1_khz():
    t = torch.arange(LENGTH_SAMPLES) / SAMPLE_RATE
    tones = torch.stack([torch.sin(2 * math.pi * hz * t).repeat(2, 1) for hz in (500.0, 1000.0, 4000.0)])
    assert torch.allclose(brightness_octaves(tones), torch.tensor([-1.0, 0.0, 2.0]), atol=0.02)
