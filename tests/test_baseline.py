"""Drums without a network: as loud as drums in each part of spectrum and time, and nothing else (lesson 09)."""

import pytest
import torch

from tad_course.drums import render
from tad_course.evaluation.baseline import LoudnessBaseline
from tad_course.evaluation.embeddings import LogMelStatistics, load_classifier


@pytest.fixture(scope="module")
def kicks() -> torch.Tensor:
    return torch.stack([render("kick", seed).audio for seed in range(60)])


@pytest.fixture(scope="module")
def baseline(kicks) -> LoudnessBaseline:
    return LoudnessBaseline(kicks)


def test_its_sounds_are_as_loud_as_real_ones_in_each_band_and_stretch_of_time():
    hats, statistics = torch.stack([render("hihat", seed).audio for seed in range(60)]), LogMelStatistics()
    made, real = statistics(LoudnessBaseline(hats)(60, seed=0)).mean(0), statistics(hats).mean(0)
    assert (made - real).abs().mean() < 0.5  # of 10 dB; low tones of other drums leak farther, to -50 dB


def test_a_classifier_takes_them_for_kicks_though_they_have_no_tone(kicks, baseline):
    made = baseline(40, seed=0)
    assert (load_classifier()(made).argmax(1) == 0).float().mean() > 0.8

    def tone(sounds):  # the strongest partial's share of the energy between 0.1 and 0.4 s
        power = torch.fft.rfft(sounds[:, 0, 4410:17640] * torch.hann_window(13230)).abs().square()
        return float((power.amax(1) / power.sum(1)).median())

    assert tone(made) < 0.7 * tone(kicks)


def test_the_same_seed_makes_the_same_sounds_and_no_two_are_alike(baseline):
    assert torch.equal(baseline(2, seed=1), baseline(2, seed=1))
    one, other = baseline(2, seed=1)
    assert not torch.allclose(one, other, atol=0.01)


def test_one_sound_is_no_distribution(kicks):
    with pytest.raises(ValueError, match="at least 2 sounds, not 1"):
        LoudnessBaseline(kicks[:1])
