"""Repainting changes nothing outside its region, inversion comes back, and what lies between two sounds is a sound."""

import math
from dataclasses import replace

import pytest
import torch
from small_models import small

from tad_course import edit
from tad_course.audio.levels import dbfs
from tad_course.config import CEILING
from tad_course.drums.voices import LABELS, render
from tad_course.edit import (
    Keeping,
    ddim_inverse,
    from_noise,
    inpaint,
    invert,
    morph,
    morph_sounds,
    repaint,
    restyle,
    slerp,
    vary,
    vary_sound,
)
from tad_course.generate import ANY, Model, Settings, generate, noise_of
from tad_course.model.checkpoint import load_model
from tad_course.model.diffusion import ExactDenoiser, alpha_sigma, q_sample
from tad_course.model.network import DrumKit
from tad_course.model.samplers import (
    SAMPLERS,
    ddim,
    last,
    linear_grid,
    log_snr_grid,
    seeded_noise,
)

RATE = 44_100
LENGTH = 4096
SETTINGS = Settings(model="small", num_steps=4)


def plain(**changes) -> Model:
    return small(length_samples=LENGTH, **changes)


def kit() -> DrumKit:
    """Return four small nets, one a label, as `drums` is made."""
    nets = {label: plain(seed=i, labels=(label,), adaptive=True) for i, label in enumerate(LABELS)}
    return DrumKit("kit", nets)


MODELS = {"plain": plain, "adaptive": lambda: plain(adaptive=True), "kit": kit}


@pytest.fixture(scope="module", params=MODELS)
def model(request) -> Model:
    return MODELS[request.param]()


@pytest.fixture
def few_steps(monkeypatch):
    """Inversions of few steps: rough, and quick."""
    monkeypatch.setattr(edit, "INVERSION_STEPS", 4)


@pytest.fixture(scope="module")
def drums() -> DrumKit:
    return load_model("drums")


def drum(label: str = "snare", seed: int = 0, length: int = LENGTH) -> torch.Tensor:
    return render(label, seed).audio[:, :length]


def error_db(audio: torch.Tensor, true: torch.Tensor) -> float:
    return float(dbfs(audio - true) - dbfs(true))


def jump(audio: torch.Tensor, at: int, reach: int = 8) -> float:
    """Return the largest second difference around a sample: a click shows there."""
    return float(audio[:, at - reach : at + reach].diff(n=2).abs().max())


# Repainting


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_what_is_kept_is_the_noised_original_at_every_level(sampler):
    x_0, eps, new = torch.randn(1, 2, 32), torch.randn(1, 2, 32), torch.arange(32) > 20
    denoise = Keeping(lambda x_t, t: 0.3 * x_t, x_0, new)
    for step in SAMPLERS[sampler](denoise, eps, linear_grid(6)):
        assert torch.allclose(step.x_t[..., ~new], q_sample(x_0, step.t, eps)[..., ~new], atol=1e-5)


def test_repainting_by_the_exact_denoiser_finds_the_sound_that_the_kept_part_belongs_to():
    sounds = torch.stack([drum(label)[:, :512] for label in LABELS])
    new, x_0 = torch.arange(512) > 300, sounds[1:2].clone()
    x_0[..., 301:] = 0
    denoise = Keeping(ExactDenoiser(sounds), x_0, new)
    generator = torch.Generator().manual_seed(0)
    found = last(repaint(denoise, seeded_noise((2, 512), [3]), log_snr_grid(12), 3, generator))
    assert torch.allclose(found[0], sounds[1], atol=1e-3)


def test_climbing_back_up_gives_the_noise_of_the_higher_level():
    # A denoiser that knows nothing leaves pure noise; its spread must be sigma at each level, however often visited.
    x_t = seeded_noise((1, 40_000), [0])
    generator = torch.Generator().manual_seed(1)
    for step in repaint(lambda x_t, t: torch.zeros_like(x_t), x_t, linear_grid(5), 3, generator):
        assert step.x_t.std() == pytest.approx(float(alpha_sigma(step.t)[1]), rel=0.03, abs=1e-6)


def test_a_plain_repaint_is_ddim_and_more_turns_call_the_network_more_often():
    x_t = seeded_noise((1, 64), [0])
    steps = list(repaint(lambda x_t, t: 0.2 * x_t, x_t, linear_grid(5), 1))
    assert torch.equal(steps[-1].x_t, last(ddim(lambda x_t, t: 0.2 * x_t, x_t, linear_grid(5))))
    assert len(list(repaint(lambda x_t, t: 0.2 * x_t, x_t, linear_grid(5), 3))) == 1 + 3 * 3 + 1


REGIONS = [(0.02, 0.05), (0.0, 0.04), (0.05, 1.0)]


@pytest.mark.parametrize(("start_s", "stop_s"), REGIONS)
@pytest.mark.parametrize("transform", ["lapped", "patch", "identity"])
def test_outside_the_region_nothing_changes_and_inside_it_almost_everything(transform, start_s, stop_s):
    model = plain(transform=transform, block_size=1 if transform == "identity" else 32)
    audio = drum()
    made = inpaint(model, audio, SETTINGS, start_s, stop_s)
    region = torch.zeros(4096, dtype=torch.bool)
    region[round(start_s * RATE) : round(stop_s * RATE)] = True
    assert made.shape == audio.shape and made.abs().max() <= CEILING * (1 + 1e-6)
    assert torch.equal(made[:, ~region], audio[:, ~region])
    changed = (made - audio)[:, region].abs().amax(0) > 0
    assert changed.float().mean() > 0.8


def test_the_seams_of_a_repainted_sound_do_not_click(drums):
    for label in ("kick", "snare"):
        audio = drum(label, 3, 32_768)
        made = inpaint(drums, audio, Settings(label=label, num_steps=4), 0.1, 0.3, turns=1)
        inside = made[:, round(0.1 * RATE) : round(0.3 * RATE)].diff(n=2).abs().max()
        elsewhere = max(float(inside), float(audio.diff(n=2).abs().max()))
        assert max(jump(made, round(0.1 * RATE)), jump(made, round(0.3 * RATE))) <= elsewhere
        kept = torch.cat([made[:, : round(0.1 * RATE)], made[:, round(0.3 * RATE) :]], dim=1)
        true = torch.cat([audio[:, : round(0.1 * RATE)], audio[:, round(0.3 * RATE) :]], dim=1)
        assert error_db(kept, true) < -60


def test_a_repainted_region_is_that_of_its_seed(model):
    made = [inpaint(model, drum(), replace(SETTINGS, seed=seed), 0.02, 0.05) for seed in (1, 1, 2)]
    assert torch.equal(made[0], made[1]) and not torch.equal(made[0], made[2])


@pytest.mark.parametrize(
    ("start_s", "stop_s", "reason"),
    [
        (0.05, 0.02, "start before its end"),
        (-1, 0.02, "start before"),
        (0.05, 0.0501, "too little"),
        (2, 3, "too little"),
    ],
)
def test_a_region_without_anything_in_it_is_refused(model, start_s, stop_s, reason):
    with pytest.raises(ValueError, match=reason):
        inpaint(model, drum(), SETTINGS, start_s, stop_s)


# Inversion


def test_inversion_by_a_linear_denoiser_comes_back_exactly():
    spread = torch.tensor([0.05, 0.5, 5.0], dtype=torch.float64).reshape(1, 3, 1)

    def denoise(x_t, t):  # the best denoiser of Gaussian sounds (Wiener)
        alpha, sigma = alpha_sigma(t)
        return alpha * spread**2 / (alpha**2 * spread**2 + sigma**2) * x_t

    x_0 = spread * torch.randn(1, 3, 500, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    grid, eps = log_snr_grid(24).double(), torch.randn(1, 3, 500, dtype=torch.float64)
    noise = last(ddim_inverse(denoise, x_0, grid, eps, tolerance_db=-80, most=30))
    again = last(ddim(denoise, noise, grid))
    assert error_db(again, x_0) < -55  # the last step forgets what lies below -60 dB
    assert noise.std() == pytest.approx(1, abs=0.15)


def test_inversion_by_a_network_comes_back_and_more_exactly_with_a_finer_tolerance():
    model, grid = plain(), log_snr_grid(16)
    denoise, x_0 = model.denoiser(torch.tensor([1])), model.encode(drum()[None])
    errors = []
    for tolerance_db in (-10, -60):
        noise = last(ddim_inverse(denoise, x_0, grid, seeded_noise(model.shape, [0]), tolerance_db, 20))
        errors.append(error_db(last(ddim(denoise, noise, grid)), x_0))
    assert errors[1] < min(errors[0], 0) - 15


def test_the_shipped_model_comes_back_to_a_drum_at_minus_30_db_with_24_steps(drums):
    audio, settings = drum("kick", 3, 32_768), Settings(label="kick", num_steps=24)
    assert error_db(from_noise(drums, invert(drums, audio, settings), settings), audio) < -30


# Between two sounds


def test_slerp_keeps_the_length_that_a_straight_line_loses():
    first, second = seeded_noise((2, 20_000), [1, 2]).unbind()
    middle = slerp(first, second, 0.5)
    assert middle.std() == pytest.approx(1, abs=0.02)
    assert torch.lerp(first, second, 0.5).std() == pytest.approx(0.5**0.5, abs=0.02)
    assert torch.equal(slerp(first, second, 0), first) and torch.equal(slerp(first, second, 1), second)
    assert torch.allclose(slerp(first, first, 0.3), first)


def test_slerp_goes_round_at_an_even_pace():
    first, second = torch.tensor([2.0, 0.0]), torch.tensor([0.0, 4.0])
    for amount in (0.25, 0.5, 0.75):
        x, y = slerp(first, second, amount).tolist()
        assert math.atan2(y, x) == pytest.approx(amount * math.pi / 2, abs=1e-6)
        assert math.hypot(x, y) == pytest.approx(2 + 2 * amount, rel=1e-6)


def test_a_morph_starts_at_the_one_sound_and_ends_at_the_other(model):
    first, second = SETTINGS, replace(SETTINGS, label="hihat", seed=4)
    assert torch.equal(morph(model, first, second, 0), generate(model, first))
    assert torch.equal(morph(model, first, second, 1), generate(model, second))
    middle = morph(model, first, second, 0.5)
    assert not torch.equal(middle, generate(model, first)) and middle.abs().max() <= CEILING * (1 + 1e-6)
    near = morph(model, first, second, 1e-4)
    assert error_db(near, generate(model, first)) < -40


def test_half_way_between_two_labels_a_kit_mixes_the_predictions_of_both_nets():
    model, half = kit(), torch.tensor([[0.5, 0.0, 0.5, 0.0]])
    x_t = seeded_noise(model.shape, [0])
    kick, hihat = (model.denoiser(torch.tensor([label]))(x_t, 0.5) for label in (0, 2))
    assert torch.allclose(model.denoiser(half)(x_t, 0.5), (kick + hihat) / 2, atol=1e-5)
    assert not torch.allclose(kick, hihat, atol=1e-3)


def test_all_of_one_label_is_that_label(model):
    x_t, sure = seeded_noise(model.shape, [0]), torch.tensor([[0.0, 1.0, 0.0, 0.0]])
    one, same = (model.denoiser(labels)(x_t, 0.5) for labels in (torch.tensor([1]), sure))
    assert torch.allclose(one, same, atol=1e-5)


def test_a_kit_uses_the_net_of_the_label_and_the_noise_of_the_seed_for_each_edit():
    model = kit()
    for label, net in model.models.items():
        one = replace(SETTINGS, label=label)
        assert torch.equal(generate(model, one), generate(net, one))
        assert torch.equal(noise_of(model, one), noise_of(net, one))
        assert torch.equal(restyle(model, drum(), one, 0.5), restyle(net, drum(), one, 0.5))


def test_two_sounds_are_morphed_from_end_to_end(model, few_steps):
    first, second = (drum("kick"), "kick"), (drum("hihat"), "hihat")
    assert torch.equal(morph_sounds(model, first, second, SETTINGS, 0), first[0])
    assert torch.equal(morph_sounds(model, first, second, SETTINGS, 1), second[0])
    middle = morph_sounds(model, first, second, SETTINGS, 0.5)
    assert middle.shape == (2, LENGTH) and middle.isfinite().all() and middle.abs().max() <= CEILING * (1 + 1e-6)
    with pytest.raises(ValueError, match="4096 and 2048 samples"):
        morph_sounds(model, first, (drum("hihat")[:, :2048], "hihat"), SETTINGS, 0.5)


def test_a_sound_varied_by_nothing_is_the_same_and_by_all_does_not_depend_on_it(model, few_steps):
    settings = replace(SETTINGS, seed=3, label=ANY)
    assert torch.equal(vary_sound(model, drum(), settings, 0), drum())
    assert torch.equal(vary_sound(model, drum(), settings, 1), vary_sound(model, drum("kick"), settings, 1))
    assert torch.equal(vary(model, SETTINGS, 0, 9), generate(model, SETTINGS))
    assert torch.equal(vary(model, SETTINGS, 1, 9), generate(model, replace(SETTINGS, seed=9)))


def test_the_more_a_sound_is_varied_the_farther_away_it_is(model):
    sounds = [vary(model, SETTINGS, amount, 9) for amount in (0, 1e-4, 1e-3, 1e-2)]
    distances = [float((sound - sounds[0]).norm()) for sound in sounds]
    assert distances == sorted(distances) and distances[0] == 0


@pytest.mark.parametrize("amount", [-0.1, 1.1, float("nan")])
def test_an_amount_outside_0_to_1_is_refused(model, amount):
    for edit_it in (lambda: vary(model, SETTINGS, amount, 1), lambda: vary_sound(model, drum(), SETTINGS, amount)):
        with pytest.raises(ValueError, match="between 0 and 1"):
            edit_it()


EDITS = {
    "restyle": lambda model, on_step: restyle(model, drum(), SETTINGS, 0.5, on_step=on_step),
    "inpaint": lambda model, on_step: inpaint(model, drum(), SETTINGS, 0.02, 0.05, on_step=on_step),
    "morph": lambda model, on_step: morph(model, SETTINGS, replace(SETTINGS, seed=1), 0.5, on_step=on_step),
    "morph_sounds": lambda model, on_step: morph_sounds(
        model, (drum(), "snare"), (drum("kick"), "kick"), SETTINGS, 0.5, on_step=on_step
    ),
    "vary": lambda model, on_step: vary(model, SETTINGS, 0.5, 1, on_step=on_step),
    "vary_sound": lambda model, on_step: vary_sound(model, drum(), SETTINGS, 0.5, on_step=on_step),
}


@pytest.mark.parametrize("name", EDITS)
def test_progress_rises_to_its_total_and_can_stop_the_work(model, few_steps, name):
    steps = []
    EDITS[name](model, lambda done, total: steps.append((done, total)))
    done, totals = zip(*steps, strict=True)
    assert list(done) == sorted(done) and set(totals) == {done[-1]} and done[0] == 1

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        EDITS[name](model, stop)


# Other lengths


def test_sounds_may_be_of_other_lengths_that_the_net_can_halve(model):
    for length in (LENGTH // 2, 2 * LENGTH):
        made = generate(model, replace(SETTINGS, length_samples=length))
        assert made.shape == (2, length) and made.isfinite().all()
    assert restyle(model, drum(length=1024), SETTINGS, 0.5).shape == (2, 1024)
    with pytest.raises(ValueError, match="multiples of 128 samples, not 1000"):
        generate(model, replace(SETTINGS, length_samples=1000))


def test_a_length_that_is_the_models_own_changes_nothing(model):
    assert torch.equal(generate(model, replace(SETTINGS, length_samples=LENGTH)), generate(model, SETTINGS))
