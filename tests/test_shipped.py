"""What ships is made by the network: without it the same seeds give noise, and nothing a judge could name."""

import pytest
import torch

from tad_course.drums import LABELS, VOICES
from tad_course.evaluation.embeddings import LogMel, load_classifier
from tad_course.evaluation.metrics import spectral_distance_db
from tad_course.generate import Settings, generate_together
from tad_course.model.checkpoint import SHIPPED, load_model, shipped_models

COUNT = 12  # sounds a label


@pytest.fixture(scope="module")
def made(one_thread) -> dict[bool, torch.Tensor]:
    """The same seeds with the network enabled and disabled, `[4 * COUNT, 2, 32768]` each, label by label."""
    model, sounds = load_model("drums"), {}
    for enabled in (True, False):
        model.enabled = enabled
        sounds[enabled] = torch.cat(
            [
                generate_together(model, [Settings(label=label, seed=seed) for seed in range(start, start + 6)])
                for label in LABELS
                for start in range(0, COUNT, 6)
            ]
        )
    return sounds


def agreement(sounds: torch.Tensor) -> float:
    """Return how often the classifier names the label that was asked for."""
    with torch.no_grad():
        return float((load_classifier()(sounds).argmax(1) == torch.arange(4).repeat_interleave(COUNT)).float().mean())


def test_the_classifier_names_the_label_with_the_network_and_not_without_it(made):
    assert agreement(made[True]) > 0.8  # some of the toms are taken for kicks
    assert agreement(made[False]) == pytest.approx(0.25, abs=0.15)  # chance; 48 sounds, two standard deviations


def test_without_the_network_every_sound_is_another_by_far(made):
    mel = {enabled: LogMel()(sounds) for enabled, sounds in made.items()}
    distances = [spectral_distance_db(a, b) for a, b in zip(mel[True], mel[False], strict=True)]
    assert torch.tensor(distances).mean() > 10 and min(distances) > 8


def test_without_the_network_sounds_are_steady_noise_and_with_it_they_die_away(made):
    def fall_db(sounds):  # from the first to the last tenth of a second
        first, last = (part.square().mean((1, 2)) for part in (sounds[..., :4410], sounds[..., -4410:]))
        return 10 * torch.log10(first / last.clamp(min=1e-12))

    assert fall_db(made[False]).abs().max() < 1
    assert fall_db(made[True]).median() > 40


@pytest.mark.parametrize("name", [n for n in shipped_models() if n != "drums"])
def test_the_file_of_a_model_holds_the_weights_of_its_network_and_nothing_else(name):
    model = load_model(name)
    size = (SHIPPED / name / "model.safetensors").stat().st_size
    assert size < 8e6 and size == pytest.approx(2 * sum(p.numel() for p in model.net.parameters()), rel=0.05)
    labels = {"label_embedding.weight"} if len(model.config.labels) > 1 else set()
    assert dict(model.named_parameters()).keys() == {f"net.{key}" for key, _ in model.net.named_parameters()} | labels


def test_percussion_stands_for_seven_voices_each_of_which_can_be_asked_for():
    kit = load_model("drums")
    voices = tuple(name for name, voice in VOICES.items() if voice.label == "percussion")
    assert kit.groups == {"percussion": voices} and set(kit.config.labels) == {"kick", "snare", "hihat", *voices}
