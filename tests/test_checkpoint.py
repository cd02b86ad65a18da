"""A model on disk is whole or not there, readable, and says what is wrong with it."""

import json
import pickletools
import shutil

import pytest
import torch
from safetensors import safe_open
from small_models import SMALL, small

from tad_course import files
from tad_course.generate import Settings, generate
from tad_course.model import checkpoint
from tad_course.model.checkpoint import CheckpointError, load_model, rename, save_model
from tad_course.model.network import AudioDiffusion


@pytest.fixture
def folder(tmp_path):
    """A saved model."""
    return save_model(small(), tmp_path / "runs" / "small")


def same(one: AudioDiffusion, other: AudioDiffusion) -> bool:
    a, b = one.state_dict(), other.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_a_model_comes_back_to_the_last_bit(folder):
    loaded = load_model(folder)
    assert same(loaded, small()) and loaded.config == SMALL and not loaded.training
    assert not same(loaded, small(seed=1))


def test_a_model_can_be_named_by_its_folder_its_file_or_a_string(folder):
    for name in (folder, folder / "model.safetensors", str(folder)):
        assert same(load_model(name), small())


def test_saving_twice_gives_the_same_bytes(folder, tmp_path):
    again = save_model(load_model(folder), tmp_path / "again")
    for name in ("model.safetensors", "config.json"):
        assert (folder / name).read_bytes() == (again / name).read_bytes()


def test_half_precision_halves_the_file(folder, tmp_path):
    half = save_model(small(), tmp_path / "half", dtype=torch.float16)
    full_size, half_size = ((f / "model.safetensors").stat().st_size for f in (folder, half))
    assert half_size < 0.65 * full_size
    for (name, a), b in zip(load_model(half).named_parameters(), small().parameters(), strict=True):
        assert a.dtype == torch.float32 and torch.allclose(a, b, rtol=1e-3, atol=1e-6), name


def test_nothing_is_pickled_and_every_number_is_stored_once(folder):
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.safetensors"]
    with pytest.raises(ValueError):
        pickletools.dis((folder / "model.safetensors").read_bytes())
    with safe_open(folder / "model.safetensors", "pt") as file:
        stored = sum(file.get_tensor(name).numel() for name in file.keys())  # noqa: SIM118
    assert stored == sum(p.numel() for p in small().parameters())
    assert json.loads((folder / "config.json").read_text())["name"] == "small"


@pytest.mark.parametrize("file", ["model.safetensors", "config.json"])
def test_a_write_that_fails_leaves_the_older_model_whole_and_no_litter(folder, monkeypatch, file):
    replace_file = files.os.replace

    def full_disk(source, target):
        if target.name == file:
            raise OSError(28, "No space left on device")
        replace_file(source, target)

    monkeypatch.setattr(files.os, "replace", full_disk)
    with pytest.raises(OSError, match="No space left"):
        save_model(small(seed=1), folder)
    assert same(load_model(folder), small(seed=0 if file == "model.safetensors" else 1))
    assert len(list(folder.iterdir())) == 2


def test_a_write_that_is_cut_short_leaves_the_older_model_whole_and_no_litter(folder, monkeypatch):
    def cut_short(weights, path):
        path.write_bytes(b"half of a model")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "save_file", cut_short)
    with pytest.raises(OSError, match="No space left"):
        save_model(small(seed=1), folder)
    assert same(load_model(folder), small())
    assert len(list(folder.iterdir())) == 2


def refused(path, *reasons: str) -> None:
    with pytest.raises(CheckpointError) as caught:
        load_model(path)
    for reason in (str(path), *reasons):
        assert reason in str(caught.value)


def test_a_folder_without_a_model_lists_what_is_missing(folder, tmp_path):
    refused(tmp_path / "nowhere", "model.safetensors and config.json missing", "tad-course train")
    (folder / "config.json").unlink()
    refused(folder, "config.json missing")


def test_a_file_that_is_no_model_is_refused(tmp_path):
    file = tmp_path / "model.ckpt"
    file.write_bytes(b"0")
    refused(file, "a model is a folder")


@pytest.mark.parametrize("keep", [0, 5, 200, -1])
def test_damaged_weights_are_told_by_the_name_of_their_file(folder, keep):
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:keep])
    refused(folder, "model.safetensors", "damaged or cut short")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Expecting value"),
        ('{"name": "small"', "Expecting"),
        ("[]", "not list"),
        ("3", "not int"),
        ('{"channels": 5}', "not the settings"),
        ('{"channels": "wide"}', "not the settings"),
        ('{"block_size": 0}', "must be 1 or more"),
        ('{"modulation_features": -1}', "not the settings"),
        ('{"models": {"kick": "../kicks"}}', "not the name of a folder beside this one"),
        ('{"models": ["kicks"]}', "not the settings"),
        ('{"front_end": "tiled", "components": 16}', "made by tad-course 0.1; install tad-course 0.1.0"),
        ('{"attention_heads": null}', "not the settings"),
        ('{"depth": 3}', "Unknown settings depth"),
    ],
)
def test_a_damaged_config_is_told_by_the_name_of_its_file(folder, text, reason):
    (folder / "config.json").write_text(text)
    refused(folder, "config.json", reason)


@pytest.mark.parametrize("changes", [{"channels": (64, 16)}, {"labels": ("kick",)}, {"adaptive": True}])
def test_weights_beside_the_config_of_another_model_are_refused(folder, tmp_path, changes):
    other = save_model(small(**changes), tmp_path / "other")
    shutil.copy(other / "config.json", folder)
    refused(folder, "model.safetensors", "belong to different models")


def test_a_shipped_model_is_found_by_its_name(folder, monkeypatch):
    monkeypatch.setattr(checkpoint, "SHIPPED", folder.parent)
    assert checkpoint.shipped_models() == ["small"]
    assert same(load_model("small"), small())
    with pytest.raises(CheckpointError, match="Shipped models: small"):
        load_model("smal")


def test_a_model_can_be_given_another_name(tmp_path):
    assert load_model(save_model(rename(small(), "deep kicks"), tmp_path / "a")).config.name == "deep kicks"


@pytest.fixture
def kit(tmp_path):
    """A kit of two small models, on disk."""
    for name, seed in (("lows", 1), ("highs", 2)):
        save_model(small(seed, labels=(name[:-1],)), tmp_path / name)
    folder = tmp_path / "pair"
    folder.mkdir()
    (folder / "config.json").write_text('{"name": "pair", "models": {"low": "lows", "high": "highs"}}')
    return folder


def test_a_kit_is_the_models_beside_it(kit):
    pair, low = load_model(kit), load_model(kit.parent / "lows")
    settings = Settings(label="low", seed=3, num_steps=2)
    assert pair.config.labels == ("low", "high") and pair.config.name == "pair"
    assert torch.allclose(generate(pair, settings), generate(low, settings), atol=1e-6)


def test_a_kit_without_one_of_its_models_names_it(kit):
    shutil.rmtree(kit.parent / "highs")
    with pytest.raises(CheckpointError, match="highs: no model here"):
        load_model(kit)


@pytest.mark.parametrize(("label", "name"), [("kick", "kicks"), ("cowbell", "percussion")])
def test_a_label_of_drums_is_the_model_of_that_instrument(label, name):
    settings = Settings(label=label, seed=3, num_steps=2)
    alone = load_model(name)
    assert label in alone.config.labels and alone.config.name == name
    assert torch.allclose(generate(load_model("drums"), settings), generate(alone, settings), atol=1e-6)
