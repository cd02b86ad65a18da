"""Taking noise out of real sounds, restyling them, and recordings as the judge: the measures say what they should."""

import math

import pytest
import soundfile
import torch

from tad_course.cli import main
from tad_course.config import ModelConfig
from tad_course.drums import render
from tad_course.evaluation import recordings as evaluation
from tad_course.evaluation.denoising import SNRS_DB, STRENGTHS, denoising_errors_db, restyle_errors_db, wiener
from tad_course.evaluation.recordings import judged_by_recordings, load_recordings
from tad_course.generate import Settings
from tad_course.model.checkpoint import load_model, save_model
from tad_course.model.diffusion import alpha_sigma, q_sample, t_from_snr_db
from tad_course.model.network import AudioDiffusion
from tad_course.model.samplers import seeded_noise

QUICK = Settings(model="small", num_steps=2)


def drums(label: str = "snare", count: int = 4) -> torch.Tensor:
    return torch.stack([render(label, seed).audio for seed in range(count)])


@pytest.fixture(scope="module")
def full_length() -> AudioDiffusion:
    return AudioDiffusion(ModelConfig(name="plain", labels=("kick",), channels=(128, 8), factors=(1, 4), items=(1, 1),
                                      attentions=(0, 0), modulation_features=16)).eval()  # fmt: skip


def test_the_exact_answer_has_no_error_and_silence_has_0_db(full_length):
    sounds = drums()
    x_0 = full_length.encode(sounds)
    perfect = denoising_errors_db(full_length, sounds, lambda x_t, t: x_0)
    silence = denoising_errors_db(full_length, sounds, lambda x_t, t: torch.zeros_like(x_t))
    assert set(perfect) == set(SNRS_DB) and max(perfect.values()) < -100
    assert all(value == pytest.approx(0, abs=1e-4) for value in silence.values())


def test_the_wiener_filter_takes_noise_out_and_is_the_formula_for_white_noise():
    alpha, sigma = alpha_sigma(t_from_snr_db(0.0))
    s = 4.0
    x_0 = math.sqrt(s) * seeded_noise((128, 512), [0])
    x_t = alpha * x_0 + sigma * seeded_noise((128, 512), [1])
    found = wiener(x_t, t_from_snr_db(0.0))
    gain = float((found * x_t).sum() / x_t.square().sum())
    assert gain == pytest.approx(float(alpha * s / (alpha**2 * s + sigma**2)), rel=0.05)


def test_the_wiener_filter_beats_doing_nothing_on_a_drum(full_length):
    sounds = drums()
    filtered = denoising_errors_db(full_length, sounds, wiener)
    untouched = denoising_errors_db(full_length, sounds, lambda x_t, t: x_t)
    assert all(filtered[snr] < untouched[snr] for snr in (-10, 0, 10))


def test_the_shipped_network_takes_out_more_noise_than_the_filter():
    model, sounds = load_model("kicks"), drums("kick", 8)
    network, filtered = (denoising_errors_db(model, sounds, each) for each in (model.denoiser(), wiener))
    assert all(network[snr] < filtered[snr] - 3 for snr in (0, 10, 20))


def test_a_restyled_sound_lies_further_from_itself_the_more_noise_is_added(full_length):
    pairs = [(audio, "kick") for audio in drums("kick", 2)]
    errors = restyle_errors_db(full_length, QUICK, pairs)
    assert list(errors) == list(STRENGTHS) and sorted(errors.values()) == list(errors.values())
    x_0 = full_length.encode(pairs[0][0][None])
    eps = seeded_noise(x_0.shape[1:], [0])
    t = STRENGTHS[0]
    noisy = full_length.decode(
        q_sample(x_0, t, eps) * math.cos(math.pi / 2 * t)
    )  # what a network that outputs 0 leaves
    expected = 10 * torch.log10((noisy - pairs[0][0]).square().sum() / pairs[0][0].square().sum())
    full_length.enabled = False
    found = restyle_errors_db(full_length, Settings(model="small", num_steps=1), pairs[:1])[t]
    full_length.enabled = True
    assert found == pytest.approx(float(expected), abs=0.5)


# --- recordings ----------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(evaluation, "FITTED_TO", 40)
    monkeypatch.setattr(evaluation, "RESTYLED", 3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recordings")
    for label in ("kick", "hihat"):
        for seed in range(18):
            audio = render(label, 9_000_000 + seed).audio
            soundfile.write(folder / f"{label}_{seed}.wav", audio.T.numpy(), 44_100)
    soundfile.write(folder / "snare.wav", render("snare", 1).audio.T.numpy(), 44_100)
    return folder


def test_recordings_are_loaded_by_family_where_there_are_enough(folder):
    found = load_recordings(folder, most=17)
    assert {label: sounds.shape for label, sounds in found.items()} == {
        "kick": (17, 2, 32_768), "hihat": (17, 2, 32_768)
    }  # fmt: skip


def test_each_figure_on_recordings_stands_beside_the_disabled_network_and_the_baseline(folder, full_length):
    rows = {m.measure: m for m in judged_by_recordings(full_length, QUICK, load_recordings(folder))}
    distance = rows["recordings: frechet_mel"]
    assert distance.label == "kick" and distance.disabled > distance.baseline
    # these "recordings" are the drum machine's, so its sounds are as near as such sounds are
    assert rows["recordings: frechet_mel, drum machine"].made < 0.5 * distance.baseline
    assert rows["recordings: agreement of neighbors"].real > 0.9
    assert rows["recordings: agreement of neighbors, drum machine"].made > 0.9
    assert rows["recordings: agreement of neighbors"].disabled < 1
    assert rows["recordings: restyle_error_db at 0.05"].made < rows["recordings: restyle_error_db at 0.2"].made
    assert rows["recordings: tail_dbfs of noise at -60, restyled"].made < 0


def test_a_folder_with_too_few_is_refused(folder, tmp_path):
    with pytest.raises(ValueError, match="fewer than 16 recordings of each"):
        load_recordings(tmp_path)
    with pytest.raises(ValueError, match="too few recordings of snare"):
        load_recordings(folder, ("snare",))


def test_a_wrong_folder_is_refused_before_anything_is_made(full_length, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    save_model(full_length, tmp_path / "one")
    monkeypatch.setattr("tad_course.evaluation.report.evaluate", None)
    assert main(["evaluate", "--model", "one", "--recordings", "nowhere"]) == 1
    assert "nowhere: neither a SoundFont (.sf2) nor a folder of sounds" in capsys.readouterr().err


def test_the_command_adds_the_rows(folder, full_length, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    save_model(full_length, tmp_path / "one")
    options = ["--model", "one", "--count", "8", "--training", "8", "--steps", "1", "--recordings", str(folder)]
    assert main(["evaluate", *options]) == 0
    assert "| recordings: kernel_mel | kick |" in capsys.readouterr().out
