"""Gains and shapes: an exact split of a sound into how loud its bands are and what they do (lesson 06)."""

import math

import numpy as np
import pytest
import scipy.fft
import torch
from torch.nn.functional import pad

from tad_course.diffusion import alpha_sigma, t_from_snr_db
from tad_course.drums import VOICES, render
from tad_course.factors import Factors, cepstrum, halves, principal_components, spread_of
from tad_course.front_ends import LappedTransform
from tad_course.gain_shape import ATTACKS_COUNT, GAINS_COUNT, LOUDEST, QUIETEST, GainShape
from tad_course.model import DRUMS
from tad_course.tiling import TiledTransform
from tad_course.wiener import factor_wiener

LABELS = torch.tensor([0, 1, 2, 3])


@pytest.fixture(scope="module")
def drums() -> torch.Tensor:
    """Four drums of each class behind the lapped transform, `[16, 128, 512]`: kicks, snares, hi-hats, percussion."""
    return rendered(4)


def rendered(of_each: int) -> torch.Tensor:
    return LappedTransform(64).encode(
        torch.stack([render(label, seed).audio for label in DRUMS.labels for seed in range(of_each)])
    )


def gain_shape(z: torch.Tensor | None = None, labels: torch.Tensor | None = None) -> GainShape:
    made = GainShape(classes=4, groups=LappedTransform(64).groups(), length=512, frames=9)
    if z is not None:
        made.fit_to([(z[:4], labels[:4]), (z[4:], labels[4:])])
    return made


@pytest.fixture(scope="module")
def fitted(drums) -> GainShape:
    return gain_shape(drums, LABELS.repeat_interleave(4))


def test_every_drum_comes_back(drums, fitted):
    labels = LABELS.repeat_interleave(4)
    assert torch.allclose(fitted.decode(fitted.encode(drums, labels), labels), drums, rtol=1e-4, atol=1e-6)


def test_a_drum_comes_back_through_the_tables_of_another_class_and_of_a_blend_of_classes(drums, fitted):
    for labels in (LABELS.flip(0).repeat_interleave(4), torch.full((16, 4), 0.25)):
        assert torch.allclose(fitted.decode(fitted.encode(drums, labels), labels), drums, rtol=1e-4, atol=1e-6)


def test_a_softer_drum_has_the_same_shapes_and_smaller_gains(drums):
    loud = drums[:, :, :64]
    shape, gain = gain_shape().split(loud)
    soft_shape, soft_gain = gain_shape().split(loud / 4)
    heard = gain > math.log(100 * QUIETEST)
    assert torch.allclose((gain - soft_gain)[heard], torch.tensor(math.log(4)), atol=1e-2)
    every = (gain_shape().spread_to @ heard.float()).bool()
    assert torch.allclose(shape[every], soft_shape[every], rtol=0.01, atol=0.01)


def test_shapes_are_about_equally_loud_wherever_a_drum_sounds(drums):
    made = gain_shape()
    shape, gain = made.split(drums)
    power = (made.mean_of @ (shape / made.emphasis).square())[gain > math.log(100 * QUIETEST)]
    assert power.mean() == pytest.approx(1, abs=0.25)
    shapes_db, gains_db = 10 * power.log10(), 20 / math.log(10) * gain
    for levels_db, low, high in ((shapes_db, 0, 15), (gains_db[gain > math.log(100 * QUIETEST)], 30, 100)):
        assert low < levels_db.quantile(0.95) - levels_db.quantile(0.1) < high


def test_the_gains_say_the_level_of_a_band_in_nepers():
    z = torch.zeros(1, 128, 64)
    z[0, 40] = 0.5  # in the last group of mid but one: 16 bands, of which one sounds
    gain = gain_shape().split(z)[1]
    group = int(gain.mean(-1).argmax())
    assert torch.allclose(gain[0, group], torch.tensor(math.log(0.5 / 4)), atol=1e-3)
    assert torch.allclose(gain[0, :group], torch.tensor(math.log(QUIETEST)), atol=1e-3)


def test_encoded_drums_have_the_variance_that_is_promised(drums, fitted):
    x = fitted.encode(drums, LABELS.repeat_interleave(4))
    assert x[:, :128].square().mean() == pytest.approx(1, rel=1e-3)
    for label in LABELS:
        of_class = x[4 * label : 4 * label + 4]
        assert torch.allclose(of_class.square().mean(0), fitted.variance[label], rtol=0.02, atol=2e-3)
        assert of_class[:, :128, 0].mean(0).abs().max() < 0.01  # how they begin on average is taken off


def test_half_of_the_gains_lie_above_the_middle_and_both_halves_are_as_wide():
    loud = render_noise(201)
    made = GainShape(1, torch.eye(8), length=4, frames=1)
    labels = torch.zeros(201, dtype=torch.long)
    made.fit_to([(loud, labels)])
    gains = made.encode(loud, labels)[:, 8:]
    assert ((gains > 0).sum(0) - 100).abs().max() <= 2  # tables are made of gains in half precision
    for half in (gains.clamp(min=0), gains.clamp(max=0)):
        assert torch.allclose(2 * half.square().mean(0), torch.tensor(made.scale**2), rtol=0.01)
    assert (made.below > 1.2 * made.above).float().mean() > 0.9  # the level of noise falls deeper than it rises


def render_noise(count: int) -> torch.Tensor:
    return torch.randn(count, 8, 4, generator=torch.Generator().manual_seed(0))


def test_digital_silence_stays_finite_and_comes_back(fitted):
    silence = torch.zeros(1, 128, 512)
    x = fitted.encode(silence, torch.tensor([2]))
    assert x.isfinite().all()
    assert (fitted.decode(x, torch.tensor([2])) == 0).all()


def test_a_gain_beyond_every_drum_is_held_back(fitted):
    x = torch.zeros(1, 152, 512)
    x[:, 128:] = 1e4
    shape = torch.ones(1, 128, 512)
    assert fitted.join(shape, torch.full((1, 24, 512), 50.0)).max() <= math.exp(LOUDEST) * (1 + 1e-5)
    assert fitted.decode(x, torch.tensor([0])).isfinite().all()


def test_a_shorter_sound_takes_the_first_frames(drums, fitted):
    short = drums[:, :, :100]
    labels = LABELS.repeat_interleave(4)
    x = fitted.encode(short, labels)
    assert x.shape == (16, 152, 100)
    assert torch.allclose(x[..., :90], fitted.encode(drums, labels)[..., :90], atol=1e-4)
    assert torch.allclose(fitted.decode(x, labels), short, rtol=1e-4, atol=1e-6)


def test_half_way_between_two_classes_the_gains_lie_half_way_in_decibels(fitted):
    x = torch.zeros(1, 152, 512)
    x[:, :128] = 1
    kick, hihat = (fitted.decode(x, torch.tensor([label])) for label in (0, 2))
    between = fitted.decode(x, torch.tensor([[0.5, 0, 0.5, 0]]))
    assert torch.allclose(between[..., 1:], (kick * hihat).sqrt()[..., 1:], rtol=1e-4)  # shapes begin otherwise


def test_shapes_fade_out_of_the_loss_in_deep_noise():
    made = gain_shape()
    weight = made.weight(t_from_snr_db(torch.tensor([60.0, 0.0, -15.2, -60.0])))
    assert weight.shape == (4, 152, 512)
    assert torch.allclose(weight[:, 63, 5], torch.tensor([1, 0.97, 0.5, 0]), atol=0.01)
    assert torch.allclose(weight[0, :64, 5], made.emphasis[:64].flatten() ** 2)  # low bands count more
    assert torch.allclose(weight[:, 0] / weight[:, 63], torch.tensor(4.0))  # one band and sixteen


def test_how_waves_begin_counts_more(tiled):
    weight = with_waves(tiled).weight(t_from_snr_db(torch.tensor([0.0])))[0].unflatten(-1, (32,))
    counts = weight[:, 0] / weight[:, 1]
    shapes = counts[:2048].unflatten(0, (2, -1))
    assert shapes[:, : tiled.waves].eq(ATTACKS_COUNT).all()
    assert shapes[:, tiled.waves :].eq(1).all() and counts[2048:].eq(1).all()


def test_gains_weigh_more_the_less_their_factors_leave_open():
    fitted = gain_shape(rendered(24), LABELS.repeat_interleave(24))
    t = t_from_snr_db(torch.tensor([-20.0, 0.0, 20.0]))
    alpha, sigma = alpha_sigma(t, 3)
    left = []
    for label in LABELS:
        x = torch.zeros(3, 24, 512)
        left.append(factor_wiener(x, alpha, sigma, *fitted.factors_of(label.expand(3)).cut(512))[1].mean((1, 2)))
    exact = torch.stack(left).mean(0)
    assert torch.allclose(fitted.left_open(t), exact, rtol=0.4)  # one number for all places instead of each its own
    assert torch.allclose(fitted.weight(t)[:, -1, 0], GAINS_COUNT / fitted.left_open(t))
    assert (fitted.weight(t)[:2, -1, 0] > 3 * fitted.weight(t)[2, -1, 0]).all()


def test_the_factors_are_the_covariance_that_a_class_has():
    generator = torch.Generator().manual_seed(0)
    true = torch.tensor([[3.0], [2.0], [1.0]]) * torch.linalg.qr(torch.randn(60, 3, generator=generator))[0].T
    x = torch.randn(4000, 3, generator=generator) @ true + 0.1 * torch.randn(4000, 60, generator=generator)
    found = principal_components(x.unflatten(1, (6, 10)), 3).flatten(1)
    assert torch.allclose(found.T @ found, true.T @ true, atol=0.15)  # the largest entry is about 1
    assert torch.allclose(found.norm(dim=1), torch.tensor([3.0, 2.0, 1.0]), rtol=0.1)  # the strongest first


def test_factors_are_the_principal_components():
    x = torch.randn(60, 3, 10, generator=torch.Generator().manual_seed(0)) * torch.logspace(0, 2, 30).view(3, 10)
    torch.manual_seed(0)  # the search for them begins at random
    found = principal_components(x, 4).flatten(1)
    values, vectors = np.linalg.eigh(x.flatten(1).T.double().numpy() @ x.flatten(1).double().numpy() / 60)
    assert np.allclose(found.square().sum(1)[:3], values[::-1][:3], rtol=0.05)  # the last one is only near
    along = np.abs((found / found.norm(dim=1, keepdim=True)).numpy() @ vectors[:, ::-1][:, :4])
    assert np.allclose(along.diagonal()[:2], 1, atol=0.05)
    assert not principal_components(x[:2], 4)[2:].any()  # of two sounds


def two_bends(count: int, seed: int = 0) -> torch.Tensor:
    """Return gains of sounds whose tone moves through the bands, `[count, 12, 4]`: a bent line in many dimensions."""
    place = 12 * torch.rand(count, generator=torch.Generator().manual_seed(seed))
    return torch.exp(-((torch.arange(12)[None, :] - place[:, None]) ** 2) / 4)[:, :, None].expand(-1, -1, 4) * 5


def test_halves_are_equal_parts_that_are_alike():
    x = two_bends(400)
    parts = halves(x, 8)
    assert sorted(torch.cat(parts).tolist()) == list(range(400)) and {len(part) for part in parts} == {50}
    within = sum(float(x[part].var(0).mean()) for part in parts) / 8
    assert within < float(x.var(0).mean()) / 4
    assert [part.tolist() for part in halves(x[:50], 2)] == [list(range(50))] * 2  # too few to be halved


def test_components_foretell_sounds_whose_tone_moves_better_than_one_table():
    gains, new = two_bends(800), two_bends(100, seed=1)
    groups = torch.eye(24).view(24, 24)

    def surprise(components: int) -> float:
        table = GainShape(1, groups, 4, frames=1, factors=2, components=components)
        sound = torch.cat([gains, gains], 1).exp()
        table.fit_to([(sound, torch.zeros(800, dtype=torch.long))])
        z = torch.cat([new, new], 1).exp()
        rows = table.rows_of(z, torch.zeros(100, dtype=torch.long))
        assert components == 1 or len(rows.unique()) > components / 2
        return float(table._surprise(table.split(z)[1], rows).mean())

    assert surprise(8) < surprise(1) - 24


def test_tones_begin_alike_and_noise_does_not(tiled):
    made = GainShape(2, tiled.groups(), 32, frames=1, waves=tiled.waves, quadrature=tiled.quadrature)
    drums = torch.stack([VOICES[name].play(seed=seed) for name in ("tom", "shaker") for seed in range(40)])
    labels = torch.arange(2).repeat_interleave(40)
    z = tiled.encode(drums)
    made.fit_to([(z, labels)])
    lowest = made.split(z)[0][:, :2, 0] / made.size  # bands of mid in the first 256 samples
    left = (made.encode(z, labels)[:, :2, 0].square().unflatten(0, (2, 40)).mean(1)) / lowest.square().unflatten(
        0, (2, 40)
    ).mean(1)
    assert (left[0] < 0.15).all() and (left[1] > 0.8).all()


def test_the_cepstrum_is_a_rotation_and_scipys_cosine_transform_of_each_half():
    gains = torch.randn(3, 12, 10, generator=torch.Generator().manual_seed(0))
    theirs = scipy.fft.dctn(gains.unflatten(1, (2, 6)).double().numpy(), type=2, norm="ortho", axes=(2, 3))
    assert np.allclose(cepstrum(gains).unflatten(1, (2, 6)), theirs, atol=1e-5)
    assert torch.allclose(cepstrum(cepstrum(gains), back=True), gains, atol=1e-5)


def test_neighbours_that_move_together_are_nearly_independent_in_the_cepstrum():
    x = torch.randn(4000, 12, 10, generator=torch.Generator().manual_seed(0)).cumsum(-1).cumsum(-2)

    def together(x: torch.Tensor) -> float:
        return float((torch.corrcoef(x.flatten(1).T) - torch.eye(120)).abs().mean())

    assert together(cepstrum(x)) < together(x) / 5


def test_variances_of_the_cepstrum_tell_those_of_the_gains():
    variance = torch.rand(12, 10, generator=torch.Generator().manual_seed(0))
    x = torch.randn(20_000, 12, 10, generator=torch.Generator().manual_seed(1)) * variance.sqrt()
    assert torch.allclose(spread_of(variance), cepstrum(x, back=True).square().mean(0), rtol=0.1)
    assert spread_of(variance).sum() == pytest.approx(float(variance.sum()), rel=1e-5)


def test_what_is_known_of_whole_sounds_is_nearly_what_is_known_of_their_first_frames():
    x = torch.randn(4000, 12, 16, generator=torch.Generator().manual_seed(0))
    x = x + 3 * torch.randn(4000, 1, 1, generator=torch.Generator().manual_seed(1)) * torch.linspace(1, 0, 16)
    loadings = principal_components(cepstrum(x)[..., :8], 1)
    rest = (cepstrum(x).square().mean(0) - pad(loadings.square().sum(0), (0, 8))).clamp(min=0)
    part = Factors(loadings[None], rest[None]).cut(8)
    found = part.loadings[0].square().sum(0) + part.rest[0]
    assert torch.allclose(found, cepstrum(x[..., :8]).square().mean(0), rtol=0.35, atol=0.1)
    whole = Factors(loadings[None], rest[None]).cut(16)
    assert whole.loadings.shape == (1, 1, 12, 16) and torch.equal(whole.rest[0], rest)


def test_classes_come_one_after_the_other(drums):
    made, labels = gain_shape(), LABELS.repeat_interleave(4)
    with pytest.raises(ValueError, match="class 0 must come in a row"):
        made.fit_to([(drums[:4], labels[:4]), (drums[4:8], labels[4:8]), (drums[:2], labels[:2])])


def test_a_sound_is_most_like_others_of_its_class():
    fitted = gain_shape(rendered(12), LABELS.repeat_interleave(12))
    new = LappedTransform(64).encode(torch.stack([render(label, 500).audio for label in DRUMS.labels]))
    assert [fitted.likeliest(z[None], [0, 1, 2]) for z in new[:3]] == [0, 1, 2]
    assert [fitted.likeliest(z[None], [2, 0, 1]) for z in new[:3]] == [1, 2, 0]  # the place in what it was asked


def test_a_blend_of_classes_has_the_covariance_of_the_blend(fitted):
    shares = torch.tensor([[0.25, 0.0, 0.75, 0.0]])
    both = fitted.factors_of(shares)
    some = both.loadings.flatten(2)[0, :, ::97]
    kick, hihat = (fitted.loadings[label].float().flatten(1)[:, ::97] for label in (0, 2))
    assert torch.allclose(some.T @ some, 0.25 * kick.T @ kick + 0.75 * hihat.T @ hihat, atol=1e-3)
    assert torch.allclose(both.rest[0], 0.25 * fitted.rest[0] + 0.75 * fitted.rest[2])


@pytest.fixture(scope="module")
def tiled() -> TiledTransform:
    return TiledTransform(1024)


def with_waves(tiled: TiledTransform) -> GainShape:
    return GainShape(1, tiled.groups(), 32, frames=1, waves=tiled.waves, quadrature=tiled.quadrature)


def test_a_real_drum_agrees_with_its_own_gains(tiled):
    z = tiled.encode(torch.stack([render(label, 1).audio for label in DRUMS.labels]))
    made = with_waves(tiled)
    shape, gain = made.split(z)
    assert torch.allclose(made.agree(made.join(shape, gain), gain), z, rtol=1e-3, atol=2e-5)


def test_waves_made_of_noise_agree_better_with_their_gains_round_by_round(tiled):
    z = tiled.encode(torch.stack([render("kick", seed).audio for seed in range(4)]))
    made = with_waves(tiled)
    _, gain = made.split(z)
    noise = torch.randn(z.shape, generator=torch.Generator().manual_seed(0))
    z = made.join(noise, gain)
    loud = (made.mean_of[:, made.waves].sum(1) > 0)[:, None] & (gain > -6)

    def off_db(rounds: int) -> float:
        again = tiled.encode(tiled.decode(made.agree(z, gain, rounds)))
        return float((made.split(again)[1] - gain)[loud].square().mean().sqrt() * 20 / math.log(10))

    errors = [off_db(rounds) for rounds in (0, 1, 3, 10, 30)]
    assert errors == sorted(errors, reverse=True)
    assert errors[0] > 6 > 4 > errors[3]


def test_only_waves_are_changed(tiled):
    made = with_waves(tiled)
    z = torch.randn(1, 2048, 32, generator=torch.Generator().manual_seed(0))
    _, gain = made.split(z)
    changed = (made.agree(z, gain + 1) != z).any(-1)[0].unflatten(0, (2, -1))
    assert changed[:, : tiled.waves].all() and not changed[:, tiled.waves :].any()
