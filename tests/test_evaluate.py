"""An evaluation as a whole: what it says of real sounds, of copies and of noise, and that it keeps no audio."""

import json
from dataclasses import replace

import pytest
import torch

from tad_course.audio import save_wav
from tad_course.cli import main
from tad_course.drums import LABELS, family, render
from tad_course.evaluation.extract import NAMES, extract_features, made_chunks, mel_statistics, real_chunks
from tad_course.evaluation.report import REAL_SEED, RealSets, evaluate, measures, real_sets, save_report, table
from tad_course.generate import Settings, generate, generate_together
from tad_course.model.checkpoint import save_model
from tad_course.model.network import AudioDiffusion, ModelConfig
from tad_course.model.samplers import seeded_noise

SMALL = ModelConfig(
    name="small", labels=LABELS, block_size=256, channels=(64, 8), factors=(1, 4), items=(1, 1), attentions=(0, 0),
    attention_heads=2, attention_features=8, modulation_features=16,
)  # fmt: skip
QUICK = Settings(model="small", num_steps=1)
PER_LABEL = 8


def small(**changes) -> AudioDiffusion:
    torch.manual_seed(0)
    return AudioDiffusion(replace(SMALL, **changes)).eval()


@pytest.fixture(scope="module")
def sets() -> RealSets:
    return real_sets(LABELS, PER_LABEL, training_per_label=PER_LABEL)


@pytest.fixture(scope="module")
def report():
    return evaluate(small(), QUICK, PER_LABEL, training_per_label=PER_LABEL)


def by_name(found) -> dict:
    return {(m.measure, m.label): m for m in found}


def test_other_real_sounds_lie_within_the_floor(sets):
    found = [by_name(measures(other, sets)) for other in sets.others]
    names = ("frechet_mel", "kernel_mel", "frechet_embedding", "precision", "recall", "nearest_training_median")
    for name in names:
        values, first = [each[name, ""].made for each in found], found[0][name, ""]
        assert (first.real_low, first.real_high) == (min(values), max(values))
        assert first.real == pytest.approx(sum(values) / len(values))


def test_a_set_lies_at_no_distance_from_itself(sets):
    found = by_name(measures(sets.real, sets))
    for name in ("frechet_mel", "kernel_mel", "frechet_embedding", "kernel_embedding"):
        assert found[name, ""].made == pytest.approx(0, abs=1e-3 * found[name, ""].real)
    for label in LABELS:
        assert found["spectral_distance_db", label].made == 0
        assert found["spread_of_length", label].made == found["spread_of_brightness", label].made == 1
    assert found["coverage", ""].made == found["recall", ""].made == 1


def test_a_model_that_copies_its_training_sounds_is_caught(sets):
    copies = extract_features(real_chunks(LABELS, PER_LABEL, 0))
    found = by_name(measures(copies, sets))
    assert found["nearest_training_median", ""].made == pytest.approx(0, abs=1e-2)
    assert found["nearest_training_5_percent", ""].real > 1  # new real sounds are not that near


def test_a_copy_of_a_recording_is_found_in_the_folder_that_is_searched(tmp_path):
    recorded = render("snare", 9_000_000).audio
    save_wav(tmp_path / "recorded.wav", recorded)
    plain, searched = (real_sets(("snare",), PER_LABEL, PER_LABEL, folder) for folder in (None, tmp_path))
    copies = extract_features([(recorded.repeat(PER_LABEL, 1, 1), torch.full((PER_LABEL,), 1))])
    found = [by_name(measures(copies, each))["nearest_training_median", ""].made for each in (plain, searched)]
    assert found[0] > 1 and found[1] == pytest.approx(0, abs=1e-2)
    with pytest.raises(ValueError, match="no sound files"):
        (tmp_path / "recorded.wav").unlink()
        real_sets(("snare",), PER_LABEL, PER_LABEL, tmp_path)


def test_hiss_on_real_sounds_is_measured(sets):
    noise = 1e-3 * seeded_noise((2, 32_768), [0])
    hissing = ((audio + noise, labels) for audio, labels in real_chunks(LABELS, PER_LABEL, REAL_SEED))
    found = by_name(measures(extract_features(hissing), sets))
    for label in LABELS:
        assert found["hiss_dbfs", label].made == pytest.approx(
            -60 - 2.6, abs=1.5
        )  # 55 % of white noise is above 10 kHz
        assert found["hiss_dbfs", label].real < -90


def test_sounds_of_the_wrong_label_are_counted(sets):
    other = {"kick": "snare", "snare": "hihat", "hihat": "percussion", "percussion": "kick"}
    swapped = (
        (audio, torch.tensor([NAMES.index(other[family(NAMES[name])]) for name in names]))
        for audio, names in real_chunks(LABELS, PER_LABEL, REAL_SEED)
    )
    found = by_name(measures(extract_features(swapped), sets))
    assert found["class_agreement", ""].made < 0.1


def test_every_figure_stands_beside_that_of_the_disabled_network_and_of_no_network(report):
    for measure in report.measures:
        assert measure.disabled is not None, measure
        assert measure.baseline is not None or "restyle" in measure.measure, measure
    found = by_name(report.measures)
    # noise with the loudness of drums is nearer to drums than plain noise is, and noise is one thing for all labels
    assert found["frechet_mel", ""].baseline < 0.2 * found["frechet_mel", ""].disabled
    assert found["class_agreement", ""].disabled == pytest.approx(0.25, abs=0.13)


def test_every_measure_and_label_is_in_the_table(report):
    text = table(report.to_dict())
    assert text.count("\n") == len(report.measures) + 1 and "its network disabled" in text
    for label in LABELS:
        for name in ("hiss_dbfs", "tail_dbfs", "attack_ms", "spectral_distance_db", "class_agreement", "double_hits"):
            assert f"| {name} | {label} |" in text


def test_the_report_is_written_as_json_table_and_picture_and_the_json_is_the_report(report, tmp_path):
    save_report(report, tmp_path / "new")
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == ["figures.json", "figures.md", "figures.png"]
    figures = json.loads((tmp_path / "new" / "figures.json").read_text(encoding="utf-8"))
    assert figures == report.to_dict() and figures["settings"]["per_label"] == PER_LABEL
    assert table(figures) in (tmp_path / "new" / "figures.md").read_text(encoding="utf-8")
    assert (tmp_path / "new" / "figures.png").read_bytes().startswith(b"\x89PNG")


def test_the_command_prints_the_table(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    save_model(small(labels=("kick",)), tmp_path / "one")
    options = ["--model", "one", "--count", "8", "--training", "8", "--steps", "1", "--out", "figures"]
    assert main(["evaluate", *options]) == 0
    shown = capsys.readouterr().out
    assert "| hiss_dbfs | kick |" in shown and "snare" not in shown
    assert (tmp_path / "figures" / "figures.json").is_file()


@pytest.mark.parametrize(("option", "word"), [("--count", "at least 1"), ("--training", "at least 1")])
def test_the_command_refuses_counts_that_mean_nothing(option, word, capsys):
    assert main(["evaluate", option, "0"]) == 1
    assert word in capsys.readouterr().err


def test_too_few_sounds_for_five_neighbors_are_refused():
    with pytest.raises(ValueError, match="at least 8"):
        evaluate(small(), QUICK, per_label=5)


def test_labels_that_the_drum_machine_does_not_play_are_refused():
    with pytest.raises(ValueError, match="gong"):
        evaluate(small(labels=("kick", "gong")), QUICK)


def test_sounds_made_together_are_those_made_alone():
    model = small()
    batch = [Settings(model="small", label=label, seed=7 + i, num_steps=3) for i, label in enumerate(LABELS)]
    together = generate_together(model, batch)
    for one, each in zip(together, batch, strict=True):
        torch.testing.assert_close(one, generate(model, each), atol=3e-5, rtol=0)


def test_the_size_of_the_chunks_changes_no_sound():
    model = small(labels=("kick", "hihat"))
    sizes = [list(made_chunks(model, QUICK, 5, chunk=chunk)) for chunk in (1, 3)]
    audio = [torch.cat([audio for audio, _ in chunks]) for chunks in sizes]
    labels = [torch.cat([label for _, label in chunks]) for chunks in sizes]
    torch.testing.assert_close(*audio, atol=3e-5, rtol=0)
    assert labels[0].tolist() == labels[1].tolist() == 5 * [0] + 5 * [2]  # indices into NAMES


def test_an_unconditional_model_is_judged_by_what_the_classifier_takes_its_sounds_for():
    features = extract_features(made_chunks(small(labels=()), QUICK, 2))
    assert not features.labelled and len(features) == 2 * len(LABELS)
    assert features.names.tolist() == features.guess.tolist()


def test_nothing_of_the_audio_is_kept():
    features = extract_features(real_chunks(("kick",), 3, REAL_SEED, chunk=2))
    kept = sum(x.untyped_storage().nbytes() for x in vars(features).values() if isinstance(x, torch.Tensor))
    assert kept < 3 * 2 * 32_768 * 4 / 4  # a quarter of the audio, and most of it the mean pictures


def test_the_mean_pictures_are_those_of_each_label():
    features = extract_features(real_chunks(("kick", "hihat"), 3, REAL_SEED, chunk=2))
    kick, snare, hihat, _ = features.pictures
    assert snare.isnan().all()
    assert kick[:8].mean() > hihat[:8].mean() and kick[-8:].mean() < hihat[-8:].mean()


def test_the_quick_way_to_log_mel_statistics_is_the_same():
    sounds = list(real_chunks(("snare",), 3, REAL_SEED, chunk=2))
    assert torch.equal(mel_statistics(sounds), extract_features(sounds).mel)
    assert torch.equal(sounds[0][0][0], render("snare", REAL_SEED).audio)
