"""What stands around the network: the Wiener filter is the best linear guess, and the network may move its gain."""

from functools import partial

import pytest
import torch

from tad_course.diffusion import alpha_sigma, q_sample, v_from_x_0
from tad_course.factors import Factors, cepstrum
from tad_course.front_ends import LappedTransform
from tad_course.sampling import seeded_noise
from tad_course.wiener import UNFORESEEN, WienerPlugin, factor_wiener, lowest_bands


class Says(torch.nn.Module):
    """A network that remembers what it was shown and always says the same."""

    def __init__(self, in_channels: int, out_channels: int, says: tuple[float, float] = (0.0, 0.0), channels: int = 2):
        super().__init__()
        self.in_channels, self.out_channels, self.says, self.channels = in_channels, out_channels, says, channels

    def forward(self, views: torch.Tensor, time: torch.Tensor) -> torch.Tensor:
        self.views, self.time = views, time
        out = torch.full((views.shape[0], self.out_channels, views.shape[-1]), self.says[0])
        out[:, self.channels :] = self.says[1]
        return out


def mean_error(says: tuple[float, float], t: float, true_variance: float, variance: float) -> float:
    x_0 = true_variance**0.5 * seeded_noise((2, 4096), range(8))
    eps, time = seeded_noise((2, 4096), range(8, 16)), torch.full((8,), t)
    v = WienerPlugin(Says)(in_channels=2, says=says)(q_sample(x_0, time, eps), time, variance)
    return float((v - v_from_x_0(x_0, eps, time)).square().mean())


@pytest.mark.parametrize("t", [0.05, 0.3, 0.7, 0.95])
@pytest.mark.parametrize("variance", [0.01, 1.0, 30.0])
def test_a_silent_network_leaves_the_error_of_the_wiener_filter(t, variance):
    alpha, sigma = torch.cos(torch.tensor(t) * torch.pi / 2), torch.sin(torch.tensor(t) * torch.pi / 2)
    expected = variance / (alpha**2 * variance + sigma**2)  # the variance of v that x_t does not tell
    assert mean_error((0.0, 0.0), t, variance, variance) == pytest.approx(float(expected), rel=0.05)


def test_the_gain_makes_the_filter_right_for_a_sound_that_is_quieter_than_expected():
    quiet, told = 0.01, torch.log(torch.tensor(0.01)).item()
    best = mean_error((0.0, 0.0), 0.5, quiet, quiet)
    assert mean_error((0.0, told), 0.5, quiet, 1.0) == pytest.approx(best, rel=1e-3)
    assert mean_error((0.0, 0.0), 0.5, quiet, 1.0) > 3 * best


def test_the_network_also_sees_the_sound_at_the_scale_of_the_noise_and_the_time_in_log_snr():
    plugged = WienerPlugin(Says)(in_channels=2)
    t = torch.tensor([1e-3, 0.5, 1.0])
    eps = seeded_noise((2, 512), range(3))
    plugged(q_sample(torch.zeros(3, 2, 512), t, eps), t)
    assert torch.allclose(plugged.net.views[:, 2:4], torch.asinh(eps), rtol=1e-3, atol=1e-5)  # however quiet it is
    assert plugged.net.views.shape == (3, plugged.net.in_channels, 512) and plugged.net.views.isfinite().all()
    assert plugged.net.time.isfinite().all() and (plugged.net.time.diff() < 0).all()


def test_the_excess_of_energy_is_counted_in_standard_deviations_of_white_noise():
    plugged = WienerPlugin(Says, LappedTransform(64).groups())(in_channels=128, channels=128)
    t = torch.full((16,), 0.5)
    plugged(seeded_noise((128, 512), range(16)), t)
    for excess in (4 * plugged.net.views[:, -48:-24], 4 * plugged.net.views[:, -24:]):
        assert float(torch.sinh(excess).square().mean()) == pytest.approx(1, rel=0.25)


def test_nothing_breaks_where_no_sound_was_ever_heard():
    plugged = WienerPlugin(Says)(in_channels=2, says=(1.0, 1.0))
    x = torch.randn(1, 2, 64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    v = plugged(x, torch.tensor([0.5]), torch.zeros(1, 2, 64))
    v.sum().backward()
    assert v.isfinite().all() and x.grad.isfinite().all()


def test_the_lowest_bands_are_those_of_mid_and_those_of_side():
    assert lowest_bands(12, 2).tolist() == [0, 1, 6, 7]
    assert lowest_bands(12, 0).tolist() == []


@pytest.mark.parametrize("t", [1e-3, 0.05, 0.5, 0.95, 1.0])
def test_with_common_factors_the_guess_and_its_error_are_those_of_the_dense_covariance(t):
    generator = torch.Generator().manual_seed(0)
    loadings, rest = torch.randn(2, 3, 4, 5, generator=generator), 0.1 + torch.rand(2, 4, 5, generator=generator)
    x, time = torch.randn(2, 4, 5, generator=generator), torch.tensor([t, t])
    alpha, sigma = alpha_sigma(time, 3)
    guess, error = factor_wiener(x, alpha, sigma, loadings, rest)

    a, s = (value[:, 0].double() for value in (alpha, sigma))
    columns = loadings.flatten(2).double()
    covariance = columns.transpose(1, 2) @ columns + torch.diag_embed(rest.flatten(1).double() + UNFORESEEN)
    gain = (
        a[..., None] * covariance @ torch.linalg.inv(a[..., None] ** 2 * covariance + s[..., None] ** 2 * torch.eye(20))
    )
    x_0 = (gain @ x.flatten(1)[..., None].double())[..., 0]
    left = covariance - a[..., None] * gain @ covariance
    assert torch.allclose(guess.flatten(1).double(), (a * x.flatten(1) - x_0) / s, rtol=1e-3, atol=1e-3)
    assert torch.allclose(error.flatten(1).double(), left.diagonal(dim1=1, dim2=2) / s**2, rtol=1e-3, atol=1e-4)


def test_a_silent_network_leaves_the_gains_to_the_factors():
    variance = torch.full((1, 4, 64), 1.01)
    factors = Factors(cepstrum(torch.ones(200, 1, 2, 64)), torch.full((200, 2, 64), 0.01))  # all gains move together
    common = seeded_noise((1, 1), range(200))
    x_0 = torch.cat([seeded_noise((2, 64), range(200)), common.expand(-1, 2, 64)], dim=1)
    t = torch.full((200,), 0.9)
    eps = seeded_noise((4, 64), range(200, 400))
    plugged = WienerPlugin(partial(Says, channels=4), torch.eye(2), others=2)(in_channels=4)
    v = plugged(q_sample(x_0, t, eps), t, variance.expand(200, -1, -1), factors)
    error = (v - v_from_x_0(x_0, eps, t)).square().mean((0, 2))
    alpha, sigma = alpha_sigma(t[:1])
    assert error[0] == pytest.approx(float(1.01 / (1.01 * alpha**2 + sigma**2)), rel=0.1)
    assert error[2] == pytest.approx(float(1 / (alpha**2 * 128 + sigma**2)), rel=0.35)  # 128 places tell of one number


def test_in_deep_noise_the_network_cannot_move_the_gains():
    x, variance = seeded_noise((4, 64), [0]), torch.ones(1, 4, 64)
    said = [
        WienerPlugin(partial(Says, channels=4), torch.eye(2), others=2)(in_channels=4, says=says)(
            x, torch.tensor([0.9999]), variance, Factors(torch.zeros(1, 1, 2, 64), torch.ones(1, 2, 64))
        )
        for says in ((0.0, 0.0), (1.0, 0.0))
    ]
    moved = (said[1] - said[0]).abs().amax((0, 2))
    assert moved[:2].min() > 0.99 and moved[2:].max() < 1e-3
