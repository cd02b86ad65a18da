"""The command line makes, remakes and restyles sounds, and refuses with one helpful sentence."""

import io
import json
import zipfile
from dataclasses import replace

import pytest
import soundfile
import torch

from tad_course.audio import load_audio, peak_dbfs, read_comment
from tad_course.audio.wav import save_wav
from tad_course.cli import main
from tad_course.config import PRESETS, ModelConfig
from tad_course.drums.voices import LABELS, render
from tad_course.generate import Settings
from tad_course.generate import generate as generate_sound
from tad_course.library.export import zip_bytes
from tad_course.library.sound import Sound
from tad_course.model.checkpoint import load_model, save_model
from tad_course.model.network import AudioDiffusion

SMALL = ModelConfig(
    name="small", labels=LABELS, block_size=256, channels=(64, 8), factors=(1, 4), items=(1, 1), attentions=(0, 0),
    attention_heads=2, attention_features=8, modulation_features=16,
)  # fmt: skip


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> str:
    """The folder of a small untrained model of sounds of full length."""
    torch.manual_seed(0)
    return str(save_model(AudioDiffusion(SMALL), tmp_path_factory.mktemp("models") / "small"))


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to stand in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def generate(model: str, *options: str) -> int:
    return main(["generate", "--model", model, "--steps", "1", *options])


def test_generate_writes_as_many_stereo_sounds_of_full_length_as_it_was_asked_for(here, model):
    assert generate(model, "--label", "kick", "--count", "3", "--seed", "5", "--out", "mine") == 0
    files = sorted((here / "mine").iterdir())
    assert [f"seed{n}" in file.name for n, file in zip((5, 6, 7), files, strict=True)] == 3 * [True]
    for file in files:
        info = soundfile.info(file)
        assert (info.frames, info.channels, info.samplerate, info.subtype) == (32_768, 2, 44_100, "FLOAT")
        assert -60 < peak_dbfs(load_audio(file)) <= -0.99
        settings = json.loads(read_comment(file))
        assert settings["label"] == "kick" and settings["model"] == model and f"seed{settings['seed']}" in file.name


def test_the_same_command_writes_the_same_bytes_and_another_seed_others(here, model):
    for folder, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        assert generate(model, "--label", "snare", "--seed", seed, "--out", folder) == 0
    one, again, other = (next((here / folder).iterdir()).read_bytes() for folder in "abc")
    assert one == again != other


@pytest.mark.parametrize("encoding", ["float32", "pcm16"])
def test_a_sound_can_be_made_again_from_its_file_alone(here, model, encoding):
    options = ("--sampler", "ddim", "--guidance", "2", "--count", "2", "--encoding", encoding)
    assert generate(model, *options, "--out", "first") == 0
    for file in (here / "first").iterdir():
        assert main(["generate", "--from", str(file), "--encoding", encoding, "--out", "again"]) == 0
        assert (here / "again" / file.name).read_bytes() == file.read_bytes()


def refused(capsys, arguments: list[str], *reasons: str) -> None:
    assert main(arguments) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("tad-course: ") and "Traceback" not in captured.err
    for reason in reasons:
        assert reason in captured.err


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--label", "gong"], "choose one of kick, snare, hihat, percussion, any"),
        (["--steps", "0"], "at least 1 step"),
        (["--count", "0"], "--count must be at least 1"),
        (["--seed", "-1"], "0 or more, not -1"),
        (["--sampler", "euler"], "choose one of dpm_solver_2m, ddim"),
        (["--device", "abacus"], "choose one of cpu, cuda, mps"),
        (["--model", "nowhere"], "nowhere: no model here"),
    ],
)
def test_what_cannot_be_made_is_refused_in_a_sentence_and_nothing_is_written(here, model, capsys, options, reason):
    refused(capsys, ["generate", "--model", model, *options], reason)
    assert not list(here.iterdir())


def test_a_file_that_was_not_made_here_cannot_be_made_again(here, capsys):
    (here / "text.wav").write_text("no sound")
    refused(capsys, ["generate", "--from", "text.wav"], "text.wav", "cannot be read")
    save_wav(here / "plain.wav", torch.zeros(2, 9))
    refused(capsys, ["generate", "--from", "plain.wav"], "does not carry the settings")
    refused(capsys, ["generate", "--from", "missing.wav"], "missing.wav")
    (here / "text.json").write_text("no settings")
    refused(capsys, ["generate", "--from", "text.json"], "text.json", "does not carry the settings")
    (here / "good.json").write_text('{"seed": 1}')
    refused(capsys, ["generate", "--from", "good.json", "--device", "abacus"], "choose one of cpu, cuda, mps")


def test_the_exported_settings_make_the_very_same_files_and_name_what_they_cannot_make(here, model, capsys):
    settings = [Settings(model=model, label=label, num_steps=1) for label in LABELS[:2]]
    sounds = [Sound(generate_sound(load_model(model), each), each) for each in settings]
    shaped = Sound(sounds[0].audio, settings[0], source="my snare", strength=0.5)
    content = zip_bytes([("first kick", sounds[0]), ("other", shaped), ("b", sounds[1])], "pcm16")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(here / "export")
    assert main(["generate", "--from", "export/settings.json", "--out", "again"]) == 1
    assert "other.wav was not made. It was made out of my snare (restyle)" in capsys.readouterr().err
    again = {file.name: file.read_bytes() for file in (here / "again").iterdir()}
    assert again == {name: (here / "export" / name).read_bytes() for name in ("first kick.wav", "b.wav")}


@pytest.mark.parametrize("as_text", [lambda each: each, lambda each: [each], lambda each: [{"settings": each}]])
def test_a_json_of_settings_may_be_one_object_or_a_list(here, model, as_text):
    settings = Settings(model=model, num_steps=1)
    (here / "one.json").write_text(json.dumps(as_text(settings.to_dict())))
    assert main(["generate", "--from", "one.json", "--out", "again"]) == 0
    assert read_comment(here / "again" / settings.file_name()) == settings.to_json()


def test_files_of_version_0_1_are_refused_by_one_sentence_that_names_it(here, capsys):
    old = {"model": "drums", "label": "kick", "seed": 7, "num_steps": 1, "sampler": "wiener_flow", "grid": "log_snr",
           "guidance_scale": 1.0, "fingerprint": "0123456789ab"}  # fmt: skip
    save_wav(here / "old.wav", torch.zeros(2, 9), comment=json.dumps(old))
    (here / "old.json").write_text(json.dumps({"sounds": [{"file": "a.wav", "settings": old}]}))
    for name in ("old.wav", "old.json"):
        assert main(["generate", "--from", name]) == 1
        assert "made by tad-course 0.1" in (error := capsys.readouterr().err) and "install tad-course 0.1.0" in error
    (here / "model").mkdir()
    (here / "model" / "config.json").write_text('{"front_end": "tiled"}')
    (here / "model" / "model.safetensors").write_bytes(b"")
    refused(capsys, ["generate", "--model", "model"], "config.json", "made by tad-course 0.1; install tad-course 0.1.0")


def test_two_sounds_of_one_name_and_odd_encodings_are_refused(here, capsys):
    (here / "a.json").write_text(
        json.dumps([{"file": "a.wav", "settings": {"seed": 1}}, {"file": "A.wav", "settings": {"seed": 2}}])
    )
    (here / "b.json").write_text(json.dumps({"sounds": [{"settings": {"seed": 1}, "encoding": "mp3"}]}))
    for name, reason in (("a.json", "several sounds are called a.wav"), ("b.json", "no encoding 'mp3'")):
        refused(capsys, ["generate", "--from", name], name, reason)


def test_a_damaged_model_is_refused_by_the_name_of_its_file(here, model, capsys):
    folder = save_model(load_model(model), here / "damaged")
    (folder / "model.safetensors").write_bytes(b"half")
    refused(capsys, ["generate", "--model", "damaged"], "model.safetensors", "damaged")


def test_options_that_do_not_exist_are_not_understood(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["generate", "--lable", "kick"])
    assert caught.value.code == 2 and "--lable" in capsys.readouterr().err


def test_restyle_takes_files_and_folders_and_says_which_file_it_refused(here, model, capsys):
    save_wav(here / "own" / "loops" / "a.wav", render("snare", 0).audio)
    save_wav(here / "own" / "b.wav", torch.rand(100_000) - 0.5, sample_rate=22_050)
    (here / "own" / "broken.flac").write_bytes(b"fLaC")
    command = ["restyle", "own", "--model", model, "--label", "kick", "--steps", "1", "--strength", "0.3"]
    assert main([*command, "--out", "new"]) == 1
    captured = capsys.readouterr()
    assert "2 restyled, 1 refused" in captured.out
    assert "refused: own/broken.flac" in captured.err.replace("\\", "/") and "Traceback" not in captured.err
    files = sorted((here / "new").rglob("*.wav"))
    assert [file.parent.name for file in files] == ["new", "loops"]
    for file in files:
        assert load_audio(file, None).shape == (2, 32_768)
        settings = json.loads(read_comment(file))
        assert settings["strength"] == 0.3 and settings["restyled"] in ("a.wav", "b.wav")
    refused(capsys, ["generate", "--from", str(files[0])], files[0].name, "made out of b.wav (restyle)")


def test_restyle_of_a_folder_without_sounds_and_of_odd_strengths_is_refused(here, model, capsys):
    refused(capsys, ["restyle", ".", "--model", model], "No sound files")
    save_wav(here / "a.wav", torch.zeros(2, 9))
    refused(capsys, ["restyle", "a.wav", "--model", model, "--strength", "2"], "between 0 and 1")


def test_train_makes_a_model_that_generate_takes(here, monkeypatch, capsys):
    monkeypatch.setitem(PRESETS, "small", replace(SMALL, name="small"))
    command = ["train", "--model", "small", "--drums", "8", "--steps", "1", "--batch-size", "2", "--out", "run"]
    assert main([*command, "--accelerator", "cpu", "--precision", "32", "--quiet"]) == 0
    assert "The model is in run" in capsys.readouterr().out
    assert load_model("run").config.name == "run"
    assert generate("run", "--out", "sounds") == 0 and len(list((here / "sounds").iterdir())) == 1


def test_a_folder_that_cannot_be_trained_on_is_refused_before_training(here, capsys):
    (here / "empty").mkdir()
    refused(capsys, ["train", "--data", "empty"], "empty: no sound files")
    refused(capsys, ["train", "--data", "nowhere"], "nowhere: no such folder")
    save_wav(here / "own" / "zither.wav", torch.ones(2, 9))
    refused(capsys, ["train", "--data", "own", "--labels", "kick", "snare"], "zither.wav", "kick, snare")
