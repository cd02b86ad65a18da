"""The model is what its config says, and the reference is the published one (lesson 05)."""

import json
from dataclasses import replace

import pytest
import torch

from tad_course.model.diffusion import q_sample, v_from_x_0
from tad_course.model.network import PRESETS, DrumModel, ModelConfig
from tad_course.model.samplers import ddim, last, linear_grid, seeded_noise

SMALL = ModelConfig(
    name="small", length_samples=2048, block_size=32, channels=(8, 8), factors=(1, 4), items=(1, 1), attentions=(0, 0),
    attention_heads=2, attention_features=8, modulation_features=16, label_features=8,
)  # fmt: skip
LABELS = torch.tensor([0, 1, 2, 3])


def small(seed: int = 0, **changes) -> DrumModel:
    """Return a small untrained model, in which every weight is at work."""
    torch.manual_seed(seed)
    model = DrumModel(replace(SMALL, **changes))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model.eval()


def sounds(count: int = 4, length: int = 2048) -> torch.Tensor:
    return 0.1 * seeded_noise((2, length), range(count))


def test_the_reference_has_the_published_number_of_parameters():
    with torch.device("meta"):
        model = DrumModel(PRESETS["reference"])
    assert sum(p.numel() for p in model.parameters()) == 31_574_724


@pytest.mark.parametrize("name", ["drums", "tiny"])
def test_the_shipped_kind_fits_in_24_megabytes_of_half_precision(name):
    with torch.device("meta"):
        model = DrumModel(PRESETS[name])
    assert 1e5 < sum(p.numel() for p in model.parameters()) < 12e6


@pytest.mark.parametrize("preset", PRESETS)
def test_a_config_survives_json(preset):
    config = PRESETS[preset]
    assert ModelConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_what_a_config_leaves_out_takes_its_default():
    assert ModelConfig.from_dict({"block_size": 32}) == ModelConfig(block_size=32)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"chanels": [8]}, "Unknown settings chanels; this version knows .*channels"),
        ({"front_end": "fourier"}, "Unknown front end 'fourier'; .* patching, lapped, tiled, learned"),
        ({"channels": [8, 8]}, "one entry a level each"),
        ({"length_samples": 32_000}, "32000 must be a multiple of 1024"),
        ({"block_size": 0}, "must be 1 or more"),
        ({"factors": [1, 2, 0, 2]}, "must be 1 or more"),
        ({"window": "hann"}, "Unknown window 'hann'; choose one of sine, vorbis"),
        ({"block_size": 1, "front_end": "lapped"}, "even block_size, not 1"),
        ({"block_size": 64, "front_end": "tiled"}, "multiple of 256 as block_size, not 64"),
    ],
)
def test_a_config_that_cannot_be_built_says_what_is_wrong(changes, reason):
    with pytest.raises(ValueError, match=reason):
        ModelConfig.from_dict(changes)


@pytest.mark.parametrize(
    ("front_end", "wiener", "gain_shape"),
    [
        ("identity", False, False),
        ("patching", True, False),
        ("lapped", True, False),
        ("lapped", False, False),
        ("lapped", True, True),
        ("learned", True, False),
    ],
)
def test_every_front_end_trains_and_samples(front_end, wiener, gain_shape):
    model = small(front_end=front_end, wiener=wiener, gain_shape=gain_shape)
    loss = model.loss(sounds(), LABELS)
    loss.backward()
    assert loss.isfinite() and all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
    x_t = seeded_noise(model.shape, [0, 1])
    heard = model.decode(last(ddim(model.denoiser(LABELS[:2]), x_t, linear_grid(2))), LABELS[:2])
    assert heard.shape == (2, 2, 2048) and heard.isfinite().all()


@pytest.mark.parametrize("front_end", ["identity", "patching", "lapped", "learned"])
def test_a_sound_comes_back_from_the_space_of_the_diffusion(front_end):
    model = small(front_end=front_end)
    if model.whitening:
        model.whitening.fit(torch.rand(4, *model.shape) ** 4)
    assert torch.allclose(model.decode(model.encode(sounds(), LABELS), LABELS), sounds(), atol=1e-5)
    assert model.encode(sounds(), LABELS).shape[1:] == model.shape


def test_the_loss_is_the_squared_error_of_v_at_random_levels():
    model = small()
    torch.manual_seed(3)
    loss = model.loss(sounds(), LABELS, mask_share=0.0)
    torch.manual_seed(3)
    x_0 = model.encode(sounds(), LABELS)
    t, eps = model.diffusion.diffusion.sigma_distribution(4), torch.randn_like(x_0)
    predicted = model.diffusion.net(
        q_sample(x_0, t, eps), t, embedding=model.label_embedding(LABELS)[:, None], embedding_mask_proba=0.0
    )
    assert loss.item() == pytest.approx((predicted - v_from_x_0(x_0, eps, t)).square().mean().item(), rel=1e-5)


def test_with_gains_and_shapes_the_loss_counts_each_channel_by_its_weight():
    model = small(gain_shape=True, window="vorbis")
    model.whitening.fit_to([(model.front_end.encode(sounds()), LABELS)])
    torch.manual_seed(3)
    loss = model.loss(sounds(), LABELS, mask_share=0.0)
    torch.manual_seed(3)
    x_0 = model.encode(sounds(), LABELS)
    t, eps = model.diffusion.diffusion.sigma_distribution(4), torch.randn_like(x_0)
    predicted = model.diffusion.net(q_sample(x_0, t, eps), t, **model._condition(LABELS, embedding_mask_proba=0.0))
    weighted = model.whitening.weight(t) * (predicted - v_from_x_0(x_0, eps, t)).square()
    assert loss.item() == pytest.approx(weighted.mean().item(), rel=1e-5)


def test_gains_need_bands_and_the_wiener_filter():
    for changes in ({"front_end": "patching"}, {"wiener": False}):
        with pytest.raises(ValueError, match="gain_shape needs the lapped or the tiled front end, and wiener"):
            ModelConfig(gain_shape=True, **changes)


def test_noise_is_heard_at_the_loudness_foreseen():
    model = small(gain_shape=True)
    model.whitening.fit_to([(model.front_end.encode(sounds()), LABELS)])
    x_0, noise = model.encode(sounds(), LABELS), seeded_noise(model.shape, range(4))
    heard = model.hear(noise, x_0, LABELS)
    assert torch.allclose(model.hear(x_0, x_0, LABELS), sounds(), atol=1e-5)
    assert heard.square().mean() == pytest.approx(sounds().square().mean().item(), rel=0.5)
    assert not torch.allclose(heard, sounds(), atol=0.05)


def foreseen(model: DrumModel, label: int, guidance_scale: float = 1.0, t: float = 0.5) -> torch.Tensor:
    x_t = seeded_noise(model.shape, [0])
    return model.denoiser(torch.tensor([label]), guidance_scale)(x_t, torch.tensor(t))


def test_the_label_and_the_noise_level_are_heard_by_the_network():
    model = small()
    kick, snare = foreseen(model, 0), foreseen(model, 1)
    assert (kick - snare).abs().max() > 1e-4
    assert not torch.allclose(foreseen(model, 0, t=0.3), foreseen(model, 0, t=0.4), atol=1e-4)


def test_guidance_goes_on_along_the_line_from_any_label_to_this_one():
    model = small()
    whatever, kick = foreseen(model, 0, 0.0), foreseen(model, 0)
    assert torch.allclose(whatever, foreseen(model, 1, 0.0), atol=1e-5) and (kick - whatever).abs().max() > 1e-4
    assert torch.allclose(foreseen(model, 0, 3.0), whatever + 3 * (kick - whatever), atol=1e-4)


def test_a_model_with_labels_wants_to_be_told_one():
    with pytest.raises(ValueError, match="needs labels, .* kick, snare"):
        small().encode(sounds())


def test_a_model_without_labels_ignores_them():
    model = small(labels=())
    assert torch.equal(foreseen(model, 0), foreseen(model, 3))
    assert torch.allclose(model.decode(model.encode(sounds())), sounds(), atol=1e-5)
    assert not hasattr(model, "label_embedding")


def test_a_sound_does_not_depend_on_its_neighbours_in_the_batch():
    model = small()
    x_t, t = seeded_noise(model.shape, range(4)), torch.tensor(0.5)
    together = model.denoiser(LABELS)(x_t, t)
    alone = model.denoiser(LABELS[2:3])(x_t[2:3], t)
    assert torch.allclose(together[2], alone[0], atol=1e-5)
