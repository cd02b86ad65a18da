"""Training can be stopped at any moment, and what it saves is the same as if it had not been (lesson 07)."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import lightning.pytorch as pl
import pytest
import torch

from tad_course.config import PRESETS, ModelConfig, TrainConfig
from tad_course.drums import LABELS
from tad_course.drums.folder import render_folder
from tad_course.model.checkpoint import load_model, save_model
from tad_course.model.network import AudioDiffusion
from tad_course.training import loop as training
from tad_course.training.data import DataError
from tad_course.training.loop import ema_update, train, warmup_cosine
from tad_course.training.loss import losses_at_random_levels

SMALL = ModelConfig(
    name="small", labels=LABELS, length_samples=1024, block_size=32, channels=(64, 8), factors=(1, 4), items=(1, 1),
    attentions=(0, 0), attention_heads=2, attention_features=8, modulation_features=16,
)  # fmt: skip


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setitem(PRESETS, "small", SMALL)


@pytest.fixture(scope="module")
def sounds(tmp_path_factory) -> Path:
    """A folder of 12 drums."""
    folder = tmp_path_factory.mktemp("sounds")
    render_folder(folder, 12, seed=0, progress=False)
    return folder


@pytest.fixture
def config(tmp_path, sounds) -> TrainConfig:
    return TrainConfig(
        out=tmp_path / "run", data=sounds, model="small", name="small", steps=6, batch_size=2, warmup_steps=2,
        validate_every=2, save_every=100, accelerator="cpu", precision="32", quiet=True,
    )  # fmt: skip


def interrupt_at(monkeypatch, step: int, how) -> None:
    """Do `how()` in the middle of training step `step`, counted from 0."""
    original = training.TrainingModule.training_step

    def training_step(self, batch, batch_index):
        if self.global_step == step:
            how()
        return original(self, batch, batch_index)

    monkeypatch.setattr(training.TrainingModule, "training_step", training_step)


def press_ctrl_c() -> None:
    signal.raise_signal(signal.SIGINT)


def pull_the_plug() -> None:
    raise RuntimeError("the plug was pulled")


def weights(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


def validation_losses(run: Path) -> list[str]:
    """Return all validation losses that the logs of a run hold, as text."""
    lines = []
    for file in sorted(run.glob("log/*/metrics.csv")):
        head, *rows = (line.split(",") for line in file.read_text().splitlines())
        lines += [row[head.index("validation_loss")] for row in rows if row[head.index("validation_loss")]]
    return lines


def saved_step(folder: Path) -> int:
    return torch.load(folder / "resume.ckpt", weights_only=True)["global_step"]


@pytest.mark.parametrize("stop", [press_ctrl_c, pull_the_plug])
def test_a_run_that_was_stopped_and_resumed_ends_where_an_unstopped_one_does(config, monkeypatch, stop):
    straight = train(replace(config, out=config.out.with_name("straight")))
    config = replace(config, save_every=3)
    with monkeypatch.context() as patch:
        if stop is press_ctrl_c:
            interrupt_at(patch, 2, stop)  # the step under way is finished, so that three are done
            train(config)
        else:
            interrupt_at(patch, 4, stop)
            with pytest.raises(RuntimeError, match="plug"):
                train(config)
    assert saved_step(config.out) == 3 and weights(config.out) != weights(straight)
    train(config)
    assert saved_step(config.out) == 6 and weights(config.out) == weights(straight)
    assert validation_losses(straight)[-1] == validation_losses(config.out)[-1]


def test_the_stop_button_saves_and_leaves_the_process_and_its_ctrl_c_alive(config, monkeypatch, capsys):
    before = signal.getsignal(signal.SIGINT)
    interrupt_at(monkeypatch, 1, press_ctrl_c)
    assert train(replace(config, quiet=False)) == config.out
    assert "Stopped at step 2" in capsys.readouterr().out
    assert signal.getsignal(signal.SIGINT) == before
    assert load_model(config.out).config.name == "small" and saved_step(config.out) == 2


def test_a_second_ctrl_c_does_not_wait_and_still_saves(config, monkeypatch):
    before = signal.getsignal(signal.SIGINT)
    interrupt_at(monkeypatch, 1, lambda: (press_ctrl_c(), press_ctrl_c()))
    train(config)
    assert signal.getsignal(signal.SIGINT) == before
    load_model(config.out)
    assert saved_step(config.out) == 1


class Remember(pl.Callback):
    """Keep the weights after each step, as the optimizer left them."""

    def __init__(self):
        self.steps = []

    def on_train_batch_end(self, trainer, module, *_) -> None:
        self.steps.append({name: p.detach().clone() for name, p in module.model.named_parameters()})


def test_the_saved_model_is_the_running_average_of_all_steps(config, monkeypatch):
    remember = Remember()
    monkeypatch.setattr(training, "SaveRun", lambda *a, kind=training.SaveRun: [kind(*a), remember])
    original = pl.Trainer

    def flat(*args, callbacks, **options):
        return original(*args, callbacks=[*callbacks[0], *callbacks[1:]], **options)

    monkeypatch.setattr(pl, "Trainer", flat)
    train(replace(config, save_every=4, steps=4))  # the last step is saved before the last hooks have run
    saved = dict(load_model(config.out).named_parameters())
    average = remember.steps[0]
    for n, step in enumerate(remember.steps[1:], start=1):
        keep = min(config.ema_decay, (1 + n) / (10 + n))
        average = {name: keep * average[name] + (1 - keep) * step[name] for name in average}
    assert len(remember.steps) == 4
    assert all(torch.allclose(saved[name], average[name], atol=1e-6) for name in saved)


def test_the_running_average_forgets_at_the_rate_of_its_decay():
    average, target = [torch.zeros(3)], [torch.ones(3)]
    for n in range(1, 2001):
        ema_update(0.99)(average, target, torch.tensor(10_000 + n))
        assert average[0][0] == pytest.approx(1 - 0.99**n, abs=1e-4)
    young = [torch.zeros(3)]
    ema_update(0.99)(young, target, torch.tensor(1))
    assert young[0][0] == pytest.approx(1 - 2 / 11)


def test_the_learning_rate_rises_in_a_line_and_falls_along_half_a_cosine():
    rates = [warmup_cosine(step, 100, 1000) for step in range(1001)]
    assert rates[0] == 0.01 and rates[99] == rates[100] == 1 == max(rates)
    assert rates[550] == pytest.approx((1 + 0.05) / 2) and rates[1000] == pytest.approx(0.05)
    assert all(a >= b for a, b in zip(rates[100:], rates[101:], strict=False))
    assert warmup_cosine(0, 0, 10) == 1 and warmup_cosine(99, 0, 10) == pytest.approx(0.05)


def test_a_run_learns_and_writes_down_what_it_did(config):
    config = replace(config, steps=60, batch_size=8, learning_rate=1e-2, validate_every=30)
    model = load_model(train(config))
    learnt, _ = training.split(training.find_sounds(config.data, SMALL.labels))
    batch = training.load_batch(learnt, 1024)
    losses = []
    for enabled in (True, False):
        model.enabled = enabled
        torch.manual_seed(0)
        with torch.no_grad():
            losses.append(torch.stack([losses_at_random_levels(model, *batch)[0] for _ in range(10)]).mean())
    assert losses[0] < 0.9 * losses[1]  # of a network that outputs 0
    assert len(validation_losses(config.out)) == 2
    settings = json.loads((config.out / "run.json").read_text())
    assert settings["steps"] == 60 and settings["training_sounds"] + settings["validation_sounds"] == 12
    assert sorted(p.name for p in config.out.iterdir()) == [
        "config.json", "log", "model.safetensors", "resume.ckpt", "run.json",
    ]  # fmt: skip


def test_a_finished_run_stays_as_it_is(config, capsys):
    train(replace(config, steps=2))
    before = weights(config.out)
    train(replace(config, steps=2, quiet=False))
    assert weights(config.out) == before and "already trained for 2 steps" in capsys.readouterr().out


def test_of_a_family_only_the_voices_that_are_asked_for_are_heard(config):
    folder = train(replace(config, data=None, drums=24, labels=("tom",), steps=1))
    rendered = list((folder / "sounds").glob("*.wav"))
    toms = [path for path in rendered if "_tom_" in path.name]
    settings = json.loads((folder / "run.json").read_text())
    assert 1 < len(toms) < len(rendered) == 24
    assert settings["training_sounds"] + settings["validation_sounds"] == len(toms)


def test_one_instrument_is_trained_on_its_own_sounds_without_a_label_in_the_network(config):
    folder = train(replace(config, data=None, drums=4, labels=("hihat",), steps=1))
    assert {path.name.partition("_")[0] for path in (folder / "sounds").glob("*.wav")} == {"hihat"}
    model = load_model(folder)
    assert model.config.labels == ("hihat",) and not hasattr(model, "label_embedding")


def test_only_the_sounds_of_this_call_are_trained_on(config):
    train(replace(config, data=None, drums=8, steps=1))
    train(replace(config, data=None, drums=4, steps=2))
    settings = json.loads((config.out / "run.json").read_text())
    assert settings["training_sounds"] + settings["validation_sounds"] == 4


def test_the_door_to_several_networks_cannot_be_trained_but_names_them(config):
    with pytest.raises(ValueError, match="drums is a kit of several models; train one of them further: kicks, snares"):
        train(replace(config, model="drums"))


@pytest.mark.parametrize(
    ("changes", "error", "reason"),
    [
        ({"steps": 0}, ValueError, "steps must be at least 1"),
        ({"batch_size": -1}, ValueError, "batch_size must be at least 1"),
        ({"learning_rate": 0.0}, ValueError, "learning_rate must be above 0"),
        ({"precision": "8"}, ValueError, "choose auto, 32 or bf16"),
        ({"accelerator": "abacus"}, ValueError, "no accelerator 'abacus'"),
        ({"loggers": ("paper",)}, ValueError, "Unknown loggers paper"),
        ({"model": "huge"}, ValueError, "huge: no model here"),
        ({"data": Path("nowhere")}, DataError, "nowhere: no such folder"),
        ({"labels": ("zither", "gong")}, DataError, "have no label"),
        ({"labels": ("zither",), "data": None}, ValueError, "choose one or more of kick"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_the_first_step(config, monkeypatch, changes, error, reason):
    monkeypatch.setattr(training.pl, "Trainer", lambda *_, **__: pytest.fail("training was started"))
    with pytest.raises(error, match=reason):
        train(replace(config, **changes))


def test_a_label_without_any_sound_is_told_before_training(config, sounds, tmp_path):
    data = tmp_path / "few"
    data.mkdir()
    for path in sounds.glob("*.wav"):
        if not path.name.startswith("snare"):
            (data / path.name).write_bytes(path.read_bytes())
    with pytest.raises(DataError, match="No sound has the label snare"):
        train(replace(config, data=data))


def test_a_folder_of_silence_is_refused_and_one_bad_file_left_out(config, tmp_path, sounds, capsys):
    data = tmp_path / "own"
    data.mkdir()
    (data / "kick.wav").write_bytes(b"broken")
    with pytest.raises(DataError, match="kick.wav"):
        train(replace(config, data=data))
    for path in sounds.glob("*.wav"):
        (data / path.name).write_bytes(path.read_bytes())
    train(replace(config, data=data, steps=1, quiet=False))
    assert "1 of 13 files are left out, 12 are used" in capsys.readouterr().out


def test_a_damaged_state_is_named_with_what_to_do(config):
    train(replace(config, steps=1))
    (config.out / "resume.ckpt").write_bytes(b"half")
    with pytest.raises(DataError, match=r"resume.ckpt: cannot be read .* Delete it"):
        train(config)


def test_another_model_does_not_go_on_with_this_run(config, monkeypatch):
    train(replace(config, steps=1))
    monkeypatch.setitem(PRESETS, "wide", replace(SMALL, channels=(16, 16)))
    with pytest.raises(ValueError, match=r"another model \(channels differ\); choose another --out"):
        train(replace(config, model="wide"))


def test_a_trained_model_can_be_trained_further_on_other_sounds_but_keeps_its_labels(config, tmp_path, sounds):
    torch.manual_seed(0)
    start = save_model(AudioDiffusion(SMALL), tmp_path / "start")
    data = tmp_path / "kicks"  # one label is enough
    data.mkdir()
    for path in sounds.glob("kick*.wav"):
        (data / path.name).write_bytes(path.read_bytes())
    tuned = train(replace(config, model=str(start), data=data, steps=1, learning_rate=1e-9))
    for a, b in zip(load_model(tuned).parameters(), load_model(start).parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-6)
    with pytest.raises(ValueError, match="fine-tuning cannot change them"):
        train(replace(config, model=str(start), labels=("kick",), out=tmp_path / "other"))


def test_without_a_folder_the_drum_machine_plays_also_for_a_model_without_labels(config, monkeypatch):
    monkeypatch.setitem(PRESETS, "free", replace(SMALL, labels=()))
    train(replace(config, data=None, drums=8, model="free", steps=1))
    assert len(list((config.out / "sounds").glob("*.wav"))) == 8
    assert load_model(config.out).config.labels == ()


CHILD = """
import sys
from pathlib import Path
from tad_course.config import PRESETS, ModelConfig, TrainConfig
from tad_course.training.loop import train

out, data, steps = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
PRESETS["small"] = ModelConfig(**eval(sys.argv[4]))
train(TrainConfig(out=out, data=data, model="small", name="small", steps=steps, batch_size=2, save_every=1,
                  accelerator="cpu", precision="32", quiet=True))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no kill -9")
def test_kill_9_in_the_middle_of_training_leaves_a_whole_model_and_the_run_goes_on(config):
    command = [sys.executable, "-c", CHILD, str(config.out), str(config.data), "100000", repr(SMALL.to_dict())]
    process = subprocess.Popen(command, env=os.environ | {"OMP_NUM_THREADS": "1"})
    try:
        deadline = time.monotonic() + 120
        while not (config.out / "model.safetensors").exists() and time.monotonic() < deadline:
            assert process.poll() is None
            time.sleep(0.02)
        time.sleep(0.3)  # it saves after every step, so it is likely saving now
    finally:
        process.kill()
        process.wait()
    assert process.returncode == -signal.SIGKILL
    load_model(config.out)
    step = saved_step(config.out)
    assert step > 0
    train(replace(config, steps=step + 2))
    assert saved_step(config.out) == step + 2
    load_model(config.out)
