"""In a training step every noise level counts the same, and the curve that is shown says what was learned."""

import pytest
import torch
from small_models import small

from tad_course.model.diffusion import noise_levels, snr_db, t_from_snr_db
from tad_course.model.samplers import seeded_noise
from tad_course.training.loss import LevelWeights, geometric_mean, losses_at_random_levels


def loss_at(t: torch.Tensor) -> torch.Tensor:
    """A loss that spans four decades from level to level."""
    return 10 ** (-snr_db(t) / 25)


def test_after_a_while_each_level_has_a_weighted_loss_of_one_whatever_its_loss_is():
    torch.manual_seed(0)
    weights = LevelWeights(-45.0, 60.0)
    for _ in range(3000):
        t = noise_levels(8)
        weights(t, loss_at(t))
    t = t_from_snr_db(torch.arange(-42.5, 60, 5))
    before, after = loss_at(t), loss_at(t) * weights(t, loss_at(t))
    assert before.max() / before.min() > 5_000
    assert after.max() < 1.6 and after.min() > 0.6


def test_the_running_means_follow_and_are_kept_with_the_state():
    weights, other = LevelWeights(-45.0, 60.0), LevelWeights(-45.0, 60.0)
    t = t_from_snr_db(torch.zeros(200))
    assert weights(t, torch.full((200,), 4.0)).eq(1).all()  # nothing is known yet
    assert weights(t[:1], torch.tensor([4.0])).item() == pytest.approx(1 / 4, rel=0.05)
    other.load_state_dict(weights.state_dict())
    assert torch.equal(weights(t, torch.ones(200)), other(t, torch.ones(200)))


def test_levels_beyond_the_ends_and_a_loss_of_zero_do_no_harm():
    weights = LevelWeights(-45.0, 60.0)
    t = torch.tensor([0.0, 1.0])
    for _ in range(2000):
        found = weights(t, torch.zeros(2))
    assert found.isfinite().all() and found.max() <= 1000


def test_the_losses_are_those_of_the_model_at_the_times_that_come_with_them():
    model, audio = small(), 0.1 * seeded_noise((2, 2048), range(4))
    labels = torch.tensor([0, 1, 2, 3])
    torch.manual_seed(1)
    losses, t = losses_at_random_levels(model, audio, labels, hidden_share=0.0)
    torch.manual_seed(1)
    drawn = noise_levels(4)
    torch.rand(4)  # which labels are hidden
    assert torch.equal(t, drawn) and torch.equal(losses, model.losses(audio, drawn, labels))


def test_a_hidden_label_is_any_label():
    model, audio = small(), 0.1 * seeded_noise((2, 2048), range(4))
    found = []
    for labels, share in ((torch.tensor([0, 1, 2, 3]), 1.0), (model.any_label(4), 0.0)):
        torch.manual_seed(1)
        found.append(losses_at_random_levels(model, audio, labels, hidden_share=share)[0])
    assert torch.equal(*found)


def test_the_curve_shows_the_geometric_mean():
    assert geometric_mean(torch.tensor([0.01, 1.0, 100.0])).item() == pytest.approx(1.0)
