"""The same settings make the same sound, no sound hurts, and restyling starts at the level it says (lesson 08)."""

import json
from dataclasses import replace

import pytest
import torch
from small_models import small

from tad_course.audio.levels import AHEAD_SAMPLES, ONSET_SAMPLES, finish, limit
from tad_course.config import CEILING
from tad_course.drums import render
from tad_course.edit import restyle
from tad_course.generate import (
    ANY,
    Settings,
    fingerprint,
    generate,
    generate_many,
    generate_together,
    grid_of,
    label_index,
    model_of,
    steps_of,
)
from tad_course.model.checkpoint import CheckpointError, save_model
from tad_course.model.diffusion import snr_db
from tad_course.model.network import AudioDiffusion, DrumKit

SETTINGS = Settings(model="small", num_steps=2)


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "adaptive"])
def model(request) -> AudioDiffusion:
    return small(adaptive=request.param)


def drum(label: str = "snare") -> torch.Tensor:
    return render(label, 0).audio[:, :2048]


def test_the_same_settings_make_the_same_sound_and_any_other_setting_another(model):
    sound = generate(model, SETTINGS)
    assert sound.shape == (2, 2048) and sound.isfinite().all()
    assert torch.equal(sound, generate(small(adaptive=model.config.adaptive), SETTINGS))
    changes = [
        {"seed": 1}, {"label": "snare"}, {"num_steps": 3}, {"guidance_scale": 3.0},
        {"num_steps": 3, "sampler": "ddim"},
    ]  # fmt: skip
    sounds = [sound, *(generate(model, replace(SETTINGS, **change)) for change in changes)]
    assert len(torch.stack(sounds).flatten(1).unique(dim=0)) == len(sounds)


def test_each_of_many_sounds_can_be_made_again_alone(model):
    made = list(generate_many(model, SETTINGS, [5, 3]))
    assert [settings.seed for settings, _ in made] == [5, 3]
    for settings, sound in made:
        assert torch.equal(generate(model, settings), sound)


def test_the_random_numbers_of_others_neither_matter_nor_change(model):
    torch.manual_seed(1)
    first, after = generate(model, SETTINGS), torch.rand(3)
    torch.manual_seed(2)
    assert torch.equal(generate(model, SETTINGS), first)
    torch.manual_seed(1)
    assert torch.equal(torch.rand(3), after)


@pytest.mark.parametrize("level", [0.01, 1, 50])
def test_no_sound_peaks_above_minus_1_dbfs(model, level):
    loud = small()
    loud.scale.mul_(level)
    assert generate(loud, SETTINGS).abs().max() <= CEILING * (1 + 1e-6)
    assert pytest.approx(0.8913, abs=1e-4) == CEILING


def test_a_sound_is_turned_down_around_its_peaks_and_never_up():
    quiet = torch.tensor([[0.1, -0.5], [0.2, 0.3]])
    assert torch.equal(limit(quiet), quiet) and torch.equal(limit(torch.zeros(2, 3)), torch.zeros(2, 3))
    loud = 0.5 * torch.sin(torch.arange(8000) / 3).expand(2, -1).clone()
    loud[0, 4000:4010] = 3.0
    limited = limit(loud)
    assert limited.abs().max() == pytest.approx(CEILING, rel=1e-4)
    far = (torch.arange(8000) - 4005).abs() > 2 * AHEAD_SAMPLES + 10
    assert torch.equal(limited[:, far], loud[:, far])  # the rest is left alone
    gain = limited[1] / loud[1]  # both channels are turned down alike
    assert (
        gain.nan_to_num(1).min() == pytest.approx(CEILING / 3, rel=1e-4)
        and gain[10:].diff().abs().nan_to_num().max() < 1 / AHEAD_SAMPLES
    )


def test_a_made_sound_begins_without_a_click():
    t = torch.arange(4096) / 44_100
    hat = torch.sin(2 * torch.pi * 10_000 * t + 1) * torch.exp(-20 * t)  # there at once

    def below_1_khz(x: torch.Tensor) -> float:
        heard = torch.cat([torch.zeros(4096), x])  # silence before
        spectrum = torch.fft.rfft(heard).abs().square()
        return float(spectrum[: 8192 // 44].sum() / spectrum.sum())

    finished = finish(hat.repeat(2, 1) / 4)[0]
    assert below_1_khz(finished) < below_1_khz(hat) / 100
    assert finished[0] == 0 and torch.equal(finished[ONSET_SAMPLES:], hat[ONSET_SAMPLES:] / 4)


def test_any_draws_the_label_from_the_seed_and_reaches_all_of_them(model):
    drawn = [label_index(model, replace(SETTINGS, label=ANY, seed=seed)).item() for seed in range(40)]
    assert set(drawn) == {0, 1, 2, 3}
    assert drawn == [label_index(model, replace(SETTINGS, label=ANY, seed=seed)).item() for seed in range(40)]
    named = replace(SETTINGS, seed=3, label=model.config.labels[drawn[3]])
    assert torch.equal(generate(model, replace(SETTINGS, label=ANY, seed=3)), generate(model, named))


def test_a_model_without_labels_makes_any_sound_and_refuses_a_label():
    free = small(labels=())
    assert generate(free, replace(SETTINGS, label=ANY)).isfinite().all()
    with pytest.raises(ValueError, match="no label 'kick'; choose one of any"):
        generate(free, SETTINGS)


def test_an_unknown_label_lists_the_known_ones(model):
    with pytest.raises(ValueError, match="no label 'gong'; choose one of kick, snare, hihat, percussion, any"):
        generate(model, replace(SETTINGS, label="gong"))


def test_a_group_of_a_kit_stands_for_one_of_its_labels_which_the_seed_draws():
    kit = DrumKit("kit", {"kick": small(labels=("kick",)), "percussion": small(labels=("tom", "clap"))})
    drawn = [int(label_index(kit, replace(SETTINGS, label="percussion", seed=seed))) for seed in range(20)]
    assert set(drawn) == {1, 2} and drawn == [
        int(label_index(kit, replace(SETTINGS, label="percussion", seed=seed))) for seed in range(20)
    ]
    assert int(label_index(kit, replace(SETTINGS, label="clap"))) == 2
    with pytest.raises(ValueError, match="choose one of kick, tom, clap, percussion, any"):
        generate(kit, replace(SETTINGS, label="gong"))


def test_the_steps_can_be_heard_on_the_way_and_the_last_is_the_sound(model):
    steps = list(steps_of(model, SETTINGS))
    assert len(steps) == 2
    heard = model.decode(steps[-1].x_0)[0]
    assert torch.allclose(finish(heard), generate(model, SETTINGS), atol=1e-6)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"sampler": "euler"},
            "Unknown sampler 'euler'; choose one of dpm_solver_2m, ddim",
        ),
        ({"num_steps": 0}, "at least 1 step"),
        ({"seed": -1}, "0 or more, not -1"),
    ],
)
def test_settings_that_make_no_sound_are_refused(changes, reason):
    with pytest.raises(ValueError, match=reason):
        replace(SETTINGS, **changes)


def test_settings_survive_the_comment_of_a_file():
    settings = Settings(label="snare", seed=2**40, guidance_scale=1.5, fingerprint="abc")
    assert Settings.from_json(settings.to_json()) == settings


@pytest.mark.parametrize("text", ["", "hello", "3", "[]", '{"label": "kick", "voice": "808"}', '{"num_steps": "8"}'])
def test_other_comments_are_no_settings(text):
    with pytest.raises(ValueError, match="does not carry the settings"):
        Settings.from_json(text)


def test_different_settings_never_share_a_file_name():
    changes = [{}, {"model": "a"}, {"label": "snare"}, {"seed": 1}, {"num_steps": 9}, {"sampler": "ddim"},
               {"guidance_scale": 1.25}, {"length_samples": 1024}]  # fmt: skip
    assert len({replace(SETTINGS, **change).file_name() for change in changes}) == len(changes)


def test_strength_0_gives_the_sound_back_and_1_does_not_depend_on_it(model):
    assert torch.equal(restyle(model, drum(), SETTINGS, 0.0), drum())
    new = restyle(model, drum(), SETTINGS, 1.0)
    assert torch.allclose(new, restyle(model, torch.zeros(2, 2048), SETTINGS, 1.0), atol=1e-4)
    assert torch.allclose(new, generate(model, SETTINGS), atol=1e-4)


def test_the_stronger_the_restyling_the_less_is_left_of_the_sound(model):
    changes = [(restyle(model, drum(), SETTINGS, s) - drum()).square().mean() for s in (0.0, 0.001, 0.05, 0.9)]
    assert changes == sorted(changes) and changes[1] < 1e-2 * drum().square().mean()


@pytest.mark.parametrize("strength", [-0.1, 1.1, float("nan")])
def test_a_strength_outside_0_to_1_is_refused(model, strength):
    with pytest.raises(ValueError, match="between 0 and 1"):
        restyle(model, drum(), SETTINGS, strength)


def test_a_sound_of_another_length_is_refused(model):
    with pytest.raises(ValueError, match="takes multiples of 128 samples, not 999"):
        restyle(model, drum()[:, :999], SETTINGS, 0.5)


def test_a_model_that_changed_since_is_not_passed_off_as_the_same(tmp_path):
    folder = save_model(small(), tmp_path / "small")
    settings = replace(SETTINGS, model=str(folder), fingerprint=fingerprint(small()))
    assert torch.equal(generate(model_of(settings), settings), generate(small(), settings))
    save_model(small(seed=1), folder)
    with pytest.raises(CheckpointError, match="small: the model has changed since"):
        model_of(settings)


def test_the_fingerprint_changes_with_a_single_weight():
    changed = small()
    changed.state_dict()["label_embedding.weight"].flatten()[0] += 1e-3
    assert fingerprint(small()) == fingerprint(small()) != fingerprint(changed)


def test_sampling_starts_at_the_deepest_noise_that_the_model_was_trained_on():
    for deepest_db in (-40.0, -60.0):
        times = grid_of(small(min_snr_db=deepest_db), replace(SETTINGS, num_steps=8))
        step_db = (60 - deepest_db) / 7
        assert times[0] == 1 and snr_db(times[1]) == pytest.approx(deepest_db + step_db, abs=0.01)


def test_sounds_made_together_are_those_made_alone(model):
    batch = [replace(SETTINGS, seed=seed, label=label) for seed, label in ((1, "kick"), (2, "snare"), (3, "any"))]
    for together, each in zip(generate_together(model, batch), batch, strict=True):
        assert torch.allclose(together, generate(model, each), atol=1e-5)


OLD = {"model": "drums", "label": "kick", "seed": 7, "num_steps": 1, "sampler": "wiener_flow", "grid": "log_snr",
       "guidance_scale": 1.0, "fingerprint": "0123456789ab"}  # fmt: skip


def test_settings_of_version_0_1_are_refused_by_name():
    with pytest.raises(ValueError, match=r"made by tad-course 0\.1, .* install tad-course 0\.1\.0"):
        Settings.from_json(json.dumps(OLD))
