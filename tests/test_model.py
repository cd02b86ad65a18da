"""The model is what its config says, its decoder is an exact inverse, and the reference is the published one."""

import json
from dataclasses import replace

import pytest
import torch
from small_models import small

from tad_course.audio import dbfs
from tad_course.config import PRESETS, ModelConfig
from tad_course.drums import render
from tad_course.model.checkpoint import load_model
from tad_course.model.diffusion import alpha_sigma, noise_levels, q_sample, v_from_x_0
from tad_course.model.network import AudioDiffusion, DrumKit, Preconditioned
from tad_course.model.samplers import ddim, last, linear_grid, seeded_noise

LABELS = torch.tensor([0, 1, 2, 3])
KINDS = [("identity", False), ("patch", False), ("lapped", False), ("lapped", True), ("learned", False)]


def sounds(count: int = 4, length: int = 2048) -> torch.Tensor:
    return 0.1 * seeded_noise((2, length), range(count))


def test_the_reference_has_the_published_number_of_parameters():
    with torch.device("meta"):
        model = AudioDiffusion(PRESETS["reference"])
    assert sum(p.numel() for p in model.parameters()) == 31_574_724


@pytest.mark.parametrize("name", ["small", "tiny"])
def test_all_that_a_model_stores_fits_in_8_megabytes_of_half_precision(name):
    with torch.device("meta"):
        model = AudioDiffusion(PRESETS[name])
    stored = [*model.parameters(), *(b for name, b in model.named_buffers() if name in model.state_dict())]
    assert 1e5 < sum(tensor.numel() for tensor in stored) <= 4e6


@pytest.mark.parametrize("preset", PRESETS)
def test_a_config_survives_json(preset):
    config = replace(PRESETS[preset], labels=("kick", "snare"))
    assert ModelConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_what_a_config_leaves_out_takes_its_default():
    assert ModelConfig.from_dict({"block_size": 32}) == ModelConfig(block_size=32)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"chanels": [8]}, "Unknown settings chanels; this version knows .*channels"),
        ({"transform": "fourier"}, "Unknown transform 'fourier'; .* identity, patch, learned, lapped"),
        ({"channels": [8, 8]}, "one entry a level each"),
        ({"length_samples": 32_000}, "32000 must be a multiple of 1024"),
        ({"block_size": 0}, "must be 1 or more"),
        ({"factors": [1, 2, 0, 2]}, "must be 1 or more"),
        ({"block_size": 1}, "even block_size, not 1"),
        ({"adaptive": True, "transform": "patch"}, "adaptive needs the lapped transform"),
        ({"level": 0}, "level must be above 0"),
        ({"labels": ["kick", "kick"]}, "Each label once"),
        ({"front_end": "tiled", "gain_shape": True}, "made by tad-course 0.1; install tad-course 0.1.0"),
    ],
)
def test_a_config_that_cannot_be_built_says_what_is_wrong(changes, reason):
    with pytest.raises(ValueError, match=reason):
        ModelConfig.from_dict(changes)


@pytest.mark.parametrize(("transform", "adaptive"), KINDS)
def test_every_transform_trains_and_samples(transform, adaptive):
    model = small(transform=transform, adaptive=adaptive)
    losses = model.losses(sounds(), noise_levels(4), LABELS)
    losses.mean().backward()
    assert losses.shape == (4,) and losses.isfinite().all()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
    x_t = seeded_noise(model.shape, [0, 1])
    heard = model.decode(last(ddim(model.denoiser(LABELS[:2]), x_t, linear_grid(2))))
    assert heard.shape == (2, 2, 2048) and heard.isfinite().all()


@pytest.mark.parametrize(("transform", "adaptive"), KINDS)
def test_decode_is_the_exact_inverse_of_encode_and_linear(transform, adaptive):
    model = small(transform=transform, adaptive=adaptive)
    x, y = sounds(2), sounds(4)[2:]
    assert model.encode(x).shape[1:] == model.shape
    assert dbfs(model.decode(model.encode(x)) - x) < dbfs(x) - 100
    a, b = model.encode(x), model.encode(y)
    assert torch.allclose(model.decode(2 * a - 3 * b), 2 * model.decode(a) - 3 * model.decode(b), atol=1e-5)


@pytest.mark.parametrize("name", ["drums", "kicks", "snares", "hihats", "percussion"])
def test_a_drum_comes_back_from_the_coefficients_of_the_shipped_models(name):
    """Of double precision nothing is left over but rounding: no table, no iteration, no phase to be guessed."""
    model, drum = load_model(name).double(), render("snare", 3).audio[None].double()
    x_0 = model.encode(drum)
    assert dbfs(model.decode(x_0) - drum) < dbfs(drum) - 100
    z = torch.randn(3, *model.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    mix = model.decode(z[:1] + 0.5 * z[1:2] - 2 * z[2:])
    parts = model.decode(z)
    assert torch.allclose(mix, parts[:1] + 0.5 * parts[1:2] - 2 * parts[2:], atol=1e-9)


def test_the_loss_of_each_sound_is_the_squared_error_of_v_weighted_by_band():
    model, t = small(loss_tilt=0.5), noise_levels(4)
    torch.manual_seed(3)
    losses = model.losses(sounds(), t, LABELS)
    torch.manual_seed(3)
    x_0 = model.encode(sounds())
    eps = torch.randn_like(x_0)
    predicted = model.net(q_sample(x_0, t, eps), t, features=model.label_embedding(LABELS))
    weight = (torch.arange(32) + 1.0) ** -0.5
    weight = (weight / weight.mean()).repeat(2)[:, None]
    expected = (weight * (predicted - v_from_x_0(x_0, eps, t)).square()).mean((1, 2))
    assert torch.allclose(losses, expected, rtol=1e-4)


def test_half_precision_around_the_network_changes_the_loss_of_an_adaptive_model_by_little():
    """Loud and quiet coefficients alike reach the network at unit energy, and its output is scaled by the error."""
    model, t = small(adaptive=True), torch.tensor([0.02, 0.2, 0.5, 0.8])
    found = []
    for enabled in (False, True):
        torch.manual_seed(3)
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            found.append(model.losses(sounds(), t, LABELS).detach())
    assert torch.allclose(*found, rtol=0.03)


def predicted(model, label: int, guidance_scale: float = 1.0, t: float = 0.5) -> torch.Tensor:
    x_t = seeded_noise(model.shape, [0])
    return model.denoiser(torch.tensor([label]), guidance_scale)(x_t, torch.tensor(t))


def test_the_network_uses_the_label_and_the_noise_level():
    model = small()
    kick, snare = predicted(model, 0), predicted(model, 1)
    assert (kick - snare).abs().max() > 1e-4
    assert not torch.allclose(predicted(model, 0, t=0.3), predicted(model, 0, t=0.4), atol=1e-4)


def test_guidance_goes_on_along_the_line_from_any_label_to_this_one():
    model = small()
    whatever, kick = predicted(model, 0, 0.0), predicted(model, 0)
    assert torch.allclose(whatever, predicted(model, 1, 0.0), atol=1e-5) and (kick - whatever).abs().max() > 1e-4
    assert torch.allclose(predicted(model, 0, 3.0), whatever + 3 * (kick - whatever), atol=1e-4)


def test_shares_of_labels_mix_their_embeddings():
    model, x_t, t = small(), seeded_noise(SMALL_SHAPE, [0]), torch.tensor(0.5)
    whole = model.denoiser(torch.tensor([[0.0, 1.0, 0.0, 0.0]]))(x_t, t)
    assert torch.allclose(whole, model.denoiser(torch.tensor([1]))(x_t, t), atol=1e-6)
    assert not torch.allclose(model.denoiser(torch.tensor([[0.5, 0.5, 0.0, 0.0]]))(x_t, t), whole, atol=1e-5)


SMALL_SHAPE = (64, 64)


def test_a_model_with_several_labels_needs_one():
    with pytest.raises(ValueError, match="needs labels, .* kick, snare"):
        small().denoiser()(seeded_noise(SMALL_SHAPE, [0]), torch.tensor(0.5))


@pytest.mark.parametrize("labels", [(), ("kick",)])
def test_a_model_with_one_label_or_none_ignores_it(labels):
    model = small(labels=labels)
    assert torch.equal(predicted(model, 0), predicted(model, 3))
    assert not hasattr(model, "label_embedding")


@pytest.mark.parametrize("adaptive", [False, True])
def test_a_sound_does_not_depend_on_its_neighbors_in_the_batch(adaptive):
    model = small(adaptive=adaptive)
    x_t, t = seeded_noise(model.shape, range(4)), torch.tensor(0.5)
    together = model.denoiser(LABELS)(x_t, t)
    alone = model.denoiser(LABELS[2:3])(x_t[2:3], t)
    assert torch.allclose(together[2], alone[0], atol=1e-5)


@pytest.mark.parametrize("adaptive", [False, True])
def test_without_the_network_v_is_zero_and_noise_stays_noise(adaptive):
    model = small(adaptive=adaptive)
    model.enabled = False
    x_t = seeded_noise(model.shape, [0, 1])
    assert (model.velocity(x_t, torch.tensor([0.3, 0.9]), LABELS[:2]) == 0).all()
    made = last(ddim(model.denoiser(LABELS[:2]), x_t, linear_grid(8)))
    assert torch.corrcoef(torch.stack([made[0].flatten(), x_t[0].flatten()]))[0, 1] > 0.999


# --- preconditioning: the Wiener filter whose variance the network predicts ---------------------------------------


class Constant(torch.nn.Module):
    """A network that outputs the same numbers everywhere, on top of its input as a U-Net's outermost skip does."""

    def __init__(self, correction: float, log_variance: float):
        super().__init__()
        self.values = correction, log_variance

    def forward(self, seen, t, features=None):
        half = seen.shape[1] // 2
        correction, log_variance = self.values
        return seen + torch.cat(
            [torch.full_like(seen[:, :half], correction), torch.full_like(seen[:, half:], log_variance)], 1
        )


@pytest.mark.parametrize("s", [0.01, 1.0, 30.0])
@pytest.mark.parametrize("t", [0.02, 0.5, 0.97])
def test_with_the_true_variance_and_no_correction_it_is_the_wiener_filter(s, t):
    x_0, eps = s**0.5 * seeded_noise((64, 64), [0]), seeded_noise((64, 64), [1])
    t = torch.tensor([t])
    alpha, sigma = alpha_sigma(t, 3)
    x_t = q_sample(x_0, t, eps)
    net = Preconditioned(Constant(0.0, torch.tensor(s).log().item() / 2))
    wiener = alpha * s / (alpha**2 * s + sigma**2) * x_t  # E[x_0 | x_t] of a Gaussian of variance s (Wiener, 1949)
    assert torch.allclose(net(x_t, t), (alpha * x_t - wiener) / sigma, rtol=1e-3, atol=1e-4)


def test_where_its_network_outputs_zero_v_is_zero():
    x_t = seeded_noise((64, 64), [0, 1])
    assert Preconditioned(Constant(0.0, 0.0))(x_t, torch.tensor([0.1, 0.8])).abs().max() < 1e-6


def test_the_network_is_given_every_sound_at_the_same_loudness():
    given = []

    class Spy(Constant):
        def forward(self, seen, t, features=None):
            given.append(seen)
            return super().forward(seen, t)

    net, x_t = Preconditioned(Spy(0.0, 0.0)), seeded_noise((64, 64), [0])
    for gain in (1.0, 1e-3):
        net(gain * x_t, torch.tensor([0.5]))
    loud, quiet = (seen[:, :64] for seen in given)
    assert torch.allclose(loud, quiet, atol=1e-2) and loud.square().mean() == pytest.approx(1, rel=0.1)


# --- a kit: several networks behind one door -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def kit() -> DrumKit:
    return DrumKit("kit", {"kick": small(1, labels=("kick",)), "snare": small(2, labels=("snare",))})


def test_a_kit_plays_each_label_with_its_own_network(kit):
    x_t, t = seeded_noise(kit.shape, [0, 1]), torch.tensor(0.4)
    together = kit.denoiser(torch.tensor([1, 0]))(x_t, t)
    snare, kick = kit.models["snare"].denoiser()(x_t[:1], t), kit.models["kick"].denoiser()(x_t[1:], t)
    assert kit.config.labels == ("kick", "snare") and kit.config.name == "kit"
    assert torch.allclose(together, torch.cat([snare, kick]), atol=1e-6)


def test_between_two_labels_a_kit_mixes_the_predictions(kit):
    x_t, t = seeded_noise(kit.shape, [0]), torch.tensor(0.4)
    kick, snare = (kit.denoiser(torch.tensor([k]))(x_t, t) for k in (0, 1))
    half = kit.denoiser(torch.tensor([[0.25, 0.75]]))(x_t, t)
    assert torch.allclose(half, 0.25 * kick + 0.75 * snare, atol=1e-5)


def test_a_kit_can_be_disabled_and_refuses_models_of_different_kinds(kit):
    kit.enabled = False
    assert not kit.models["kick"].enabled and kit.enabled is False
    kit.enabled = True
    assert kit.models["snare"].enabled
    with pytest.raises(ValueError, match="differ in block_size"):
        DrumKit("kit", {"kick": small(labels=()), "snare": small(labels=(), block_size=16, channels=(32, 8))})


def test_a_model_with_labels_of_its_own_brings_them_into_the_kit():
    kit = DrumKit("kit", {"kick": small(1, labels=("kick",)), "percussion": small(2, labels=("tom", "clap"))})
    assert kit.config.labels == ("kick", "tom", "clap") and kit.groups == {"percussion": ("tom", "clap")}
    x_t, t = seeded_noise(kit.shape, [0, 1, 2]), torch.tensor(0.4)
    together = kit.denoiser(torch.tensor([2, 0, 1]))(x_t, t)
    own = kit.models["percussion"].denoiser(torch.tensor([1, 0]))(x_t[[0, 2]], t)
    assert torch.allclose(together[[0, 2]], own, atol=1e-6)
    assert torch.allclose(together[1:2], kit.models["kick"].denoiser()(x_t[1:2], t), atol=1e-6)
    # between a kick and a clap, the predictions of two networks are mixed
    half = kit.denoiser(torch.tensor([[0.5, 0.0, 0.5]]))(x_t[:1], t)
    kick, clap = (kit.denoiser(torch.tensor([k]))(x_t[:1], t) for k in (0, 2))
    assert torch.allclose(half, (kick + clap) / 2, atol=1e-5)
