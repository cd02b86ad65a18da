"""Labels that stand for several kinds of sounds: the model tells them apart, whoever asks need not (lesson 06)."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tad_course import training
from tad_course.audio import save_wav
from tad_course.data import DataError, Sound, find_sounds, name_kinds
from tad_course.drums import LABELS, VOICES, kinds_of
from tad_course.generate import ANY, Settings, class_of, generate, restyle
from tad_course.hearing import generate_together
from tad_course.model import DRUMS, DrumModel, ModelConfig
from tad_course.shaping import named

SMALL = ModelConfig(
    name="small", labels=("kick", "percussion"), kinds={"percussion": ("tom", "clap", "shaker")}, gain_shape=True,
    window="vorbis", length_samples=32_768, block_size=64, channels=(8, 8), factors=(1, 4), items=(1, 1),
    attentions=(0, 0), attention_heads=2, attention_features=8, modulation_features=16, label_features=8,
)  # fmt: skip


@pytest.fixture(scope="module")
def model() -> DrumModel:
    """An untrained model that knows how loud kicks, toms, claps and shakers are."""
    torch.manual_seed(0)
    made = DrumModel(SMALL)
    audio = torch.stack([VOICES[name].play(seed=seed) for name in SMALL.classes for seed in range(6)])
    made.whitening.fit_to([(made.front_end.encode(audio), torch.arange(4).repeat_interleave(6))])
    return made.eval()


def test_kinds_take_the_place_of_their_label_among_the_classes():
    assert SMALL.classes == ("kick", "tom", "clap", "shaker")
    assert SMALL.names == ("kick", "percussion", "tom", "clap", "shaker")
    assert [SMALL.classes_of(name) for name in ("kick", "percussion", "clap", "gong")] == [[0], [1, 2, 3], [2], []]
    assert ModelConfig.from_dict(json.loads(json.dumps(SMALL.to_dict()))) == SMALL


def test_the_course_s_model_tells_all_voices_of_the_drum_machine_apart_and_is_asked_for_four_instruments():
    assert DRUMS.labels == LABELS and DRUMS.kinds_told_apart == tuple(VOICES)
    assert DRUMS.names == tuple(dict.fromkeys((*LABELS, *VOICES)))
    assert set(kinds_of(LABELS)) == {"hihat", "percussion"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"kinds": {"gong": ("a", "b")}}, "gong, which is none of the labels"),
        ({"gain_shape": False}, "kinds needs gain_shape"),
        ({"components": 3}, "power of two, not 3"),
        ({"gain_shape": False, "kinds": {}, "components": 2}, "components needs gain_shape"),
    ],
)
def test_kinds_and_components_that_do_not_fit_are_refused(changes, reason):
    with pytest.raises(ValueError, match=reason):
        replace(SMALL, **changes)


def test_the_seed_picks_the_kind_and_a_kind_can_be_asked_for(model):
    drawn = [int(class_of(model, Settings(label="percussion", seed=seed))) for seed in range(40)]
    assert set(drawn) == {1, 2, 3} and drawn == [
        int(class_of(model, Settings(label="percussion", seed=seed))) for seed in range(40)
    ]
    assert int(class_of(model, Settings(label="clap", seed=5))) == 2
    assert {int(class_of(model, Settings(label="kick", seed=seed))) for seed in range(9)} == {0}


def test_any_draws_a_label_first_so_that_many_kinds_are_not_heard_more_often(model):
    drawn = [int(class_of(model, Settings(label=ANY, seed=seed))) for seed in range(200)]
    assert 70 < drawn.count(0) < 130 and set(drawn) == {0, 1, 2, 3}


def test_an_unknown_label_is_answered_with_all_that_can_be_asked_for(model):
    with pytest.raises(ValueError, match="no label 'gong'; choose one of kick, percussion, tom, clap, shaker, any"):
        class_of(model, Settings(label="gong"))


def test_a_percussion_of_a_seed_is_the_same_sound_as_the_kind_that_the_seed_picks(model):
    asked = Settings(label="percussion", seed=3, num_steps=2)
    kind = SMALL.classes[int(class_of(model, asked))]
    sound = generate(model, asked)
    assert torch.equal(sound, generate(model, replace(asked, label=kind)))
    assert torch.allclose(generate_together(model, [asked, replace(asked, seed=4)])[0], sound, atol=1e-4)


def test_components_are_drawn_by_the_seed_and_have_their_kind_s_name():
    torch.manual_seed(0)
    parts = DrumModel(replace(SMALL, components=4)).eval()
    assert parts.config.names == SMALL.names and len(parts.config.classes) == 4 * len(SMALL.classes)
    drawn = [int(class_of(parts, Settings(label="tom", seed=seed))) for seed in range(40)]
    assert set(drawn) == set(parts.config.classes_of("tom")) and len(set(drawn)) == 4
    asked = [Settings(label="percussion", seed=seed, num_steps=2) for seed in range(8)]
    for each in asked:
        name = parts.config.classes[int(class_of(parts, each))]
        assert torch.equal(class_of(parts, each), class_of(parts, replace(each, label=name)))
    alone = parts.only("percussion", "bits")
    assert torch.equal(generate(alone, asked[0]), generate(parts, asked[0]))
    assert parts.loss(torch.zeros(2, 2, 32_768), torch.tensor([0, 3])).isfinite()


def test_a_sound_that_is_there_is_taken_for_the_kind_it_is_most_like(model):
    settings = Settings(label="percussion", num_steps=2)
    sounds = {name: VOICES[name].play(seed=77) for name in ("tom", "clap", "shaker")}
    for seed in range(3):
        asked = replace(settings, seed=seed)
        assert {name: named(model, asked, audio).label for name, audio in sounds.items()} == {n: n for n in sounds}
        found = restyle(model, sounds["clap"], asked, 0.3)
        assert torch.equal(found, restyle(model, sounds["clap"], replace(asked, label="clap"), 0.3))


def test_one_label_alone_keeps_its_kinds(model):
    alone = model.only("percussion", "bits")
    assert alone.config.classes == ("tom", "clap", "shaker") and alone.whitening.attack.shape[0] == 3
    asked = Settings(label="percussion", seed=8, num_steps=2)
    assert torch.equal(generate(alone, asked), generate(model, asked))


@pytest.fixture
def folder(tmp_path) -> Path:
    for name in ("kick_1", "percussion_tom_1", "percussion-clap 2", "clap_7", "loops/tom/1", "kick/a", "Shaker 3"):
        path = tmp_path / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        save_wav(path, VOICES["tom"].play(seed=1)[:, :2000])
    return tmp_path


def test_the_names_of_files_and_folders_tell_the_kind(folder):
    found = {s.path.relative_to(folder).as_posix(): s.label for s in find_sounds(folder, SMALL.labels, SMALL.kinds)}
    assert found == {
        "kick_1.wav": 0, "kick/a.wav": 0, "percussion_tom_1.wav": 1, "loops/tom/1.wav": 1, "percussion-clap 2.wav": 2,
        "clap_7.wav": 2, "Shaker 3.wav": 3,
    }  # fmt: skip
    assert name_kinds(folder, SMALL.labels, SMALL.kinds)


def test_a_name_that_tells_only_the_label_is_not_enough_to_tell_the_kind(folder):
    save_wav(folder / "percussion_9.wav", VOICES["tom"].play(seed=1)[:, :2000])
    assert not name_kinds(folder, SMALL.labels, SMALL.kinds)
    with pytest.raises(DataError, match="percussion_9.wav.*kick, tom, clap, shaker"):
        find_sounds(folder, SMALL.labels, SMALL.kinds)


def test_own_sounds_that_tell_only_their_label_are_sorted_into_kinds_when_a_model_is_tuned_to_them(model, tmp_path):
    for name in ("tom", "clap", "shaker"):
        save_wav(tmp_path / f"percussion {name[0]}.wav", VOICES[name].play(seed=50))
    save_wav(tmp_path / "kick.wav", VOICES["kick"].play(seed=50))
    config = training.TrainConfig(out=tmp_path / "run", data=tmp_path, quiet=True)
    found = training._sounds(config, model, print)
    assert sorted((s.path.stem, s.label) for s in found) == [
        ("kick", 0), ("percussion c", 2), ("percussion s", 3), ("percussion t", 1),
    ]  # fmt: skip


def test_a_model_from_scratch_has_kinds_only_where_all_sounds_name_them(tmp_path, monkeypatch):
    monkeypatch.setitem(training.PRESETS, "drums", SMALL)
    for data, classes in ((None, SMALL.classes), (tmp_path, SMALL.labels)):
        save_wav(tmp_path / "percussion_1.wav", VOICES["tom"].play(seed=1))
        made = training._start_model(training.TrainConfig(out=tmp_path / "run", data=data, quiet=True))
        assert made.config.classes == classes
    save_wav(tmp_path / "percussion_1.wav", VOICES["tom"].play(seed=1))
    (tmp_path / "percussion_1.wav").rename(tmp_path / "percussion_tom_1.wav")
    made = training._start_model(training.TrainConfig(out=tmp_path / "run", data=tmp_path, quiet=True))
    assert made.config.classes == SMALL.classes


def test_a_class_without_a_sound_is_named_before_training(model):
    with pytest.raises(DataError, match="No sound has the label clap, shaker"):
        training.fit_whitening(model, [Sound(Path("a.wav"), 0), Sound(Path("b.wav"), 1)])
