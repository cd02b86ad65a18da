"""Folders of sounds: labelled by their names, checked before training, dealt out the same way again (lesson 10)."""

from itertools import islice

import pytest
import soundfile
import torch

from tad_course.audio import load_audio, save_wav
from tad_course.drums.folder import render_folder
from tad_course.drums.voices import LABELS
from tad_course.training.data import Batches, DataError, check_sounds, find_sounds, load_batch, split


def write(path, seconds: float = 0.01, level: float = 0.1):
    """Write a short tone; each path gets its own pitch."""
    path.parent.mkdir(parents=True, exist_ok=True)
    n = torch.arange(int(44_100 * seconds))
    return save_wav(path, level * torch.sin(n * (0.01 + 0.001 * (sum(path.name.encode()) % 97))))


@pytest.fixture
def folder(tmp_path):
    """Ten sounds, some labelled by their names, some by their folder's."""
    for i in range(5):
        write(tmp_path / f"kick_{i}.wav")
        write(tmp_path / "Snares" / f"{i}.wav")
    return tmp_path


def test_a_sound_is_labelled_by_its_name_or_by_its_folder(folder):
    sounds = find_sounds(folder, LABELS)
    assert len(sounds) == 10
    assert all(LABELS[s.label] == ("kick" if s.path.name.startswith("kick") else "snare") for s in sounds)


def test_the_name_of_a_file_counts_more_than_that_of_its_folder(folder):
    write(folder / "kicks" / "Snare on kick.wav")
    assert {s.path.name: s.label for s in find_sounds(folder, LABELS)}["Snare on kick.wav"] == 1


def test_without_labels_every_sound_counts(folder):
    write(folder / "something.wav")
    assert [s.label for s in find_sounds(folder, ())] == 11 * [0]


def test_with_one_label_there_is_nothing_to_tell_apart(folder):
    assert [s.label for s in find_sounds(folder, ("gong",))] == 10 * [0]


def test_the_longest_label_counts(folder):
    write(folder / "kick_low_1.wav")
    sounds = find_sounds(folder, ("kick", "kick_low", "snare"))
    assert {s.path.name: s.label for s in sounds}["kick_low_1.wav"] == 1


def test_a_label_may_be_a_word_inside_the_name(tmp_path):
    render_folder(tmp_path, 6, labels=("percussion",), progress=False)
    voices = tuple(sorted({path.name.split("_")[1] for path in tmp_path.glob("*.wav")}))
    assert len(voices) > 1
    assert all(sound.path.name.split("_")[1] == voices[sound.label] for sound in find_sounds(tmp_path, voices))
    with pytest.raises(DataError, match="have no label"):
        find_sounds(tmp_path, voices[:-1] + ("gong",))


def test_other_files_and_the_hidden_ones_of_macos_are_passed_over(folder):
    (folder / "kick.txt").write_text("not a sound")
    (folder / "._kick_0.wav").write_bytes(b"Mac OS X")
    (folder / "kick.wav").mkdir()
    assert len(find_sounds(folder, LABELS)) == 10


def test_a_missing_and_an_empty_folder_are_refused_by_name(tmp_path):
    with pytest.raises(DataError, match="nowhere: no such folder"):
        find_sounds(tmp_path / "nowhere", LABELS)
    with pytest.raises(DataError, match=f"{tmp_path.name}: no sound files .*wav"):
        find_sounds(tmp_path, LABELS)


def test_sounds_without_a_label_are_counted_and_the_first_is_named(folder):
    write(folder / "mystery.wav")
    write(folder / "zither.wav")
    with pytest.raises(DataError, match="2 of 12 files .* first is .*mystery.wav.* one of: kick, snare") as caught:
        find_sounds(folder, LABELS)
    assert str(folder) in str(caught.value)


def test_silent_and_damaged_sounds_are_left_out_with_a_reason_each(folder):
    write(folder / "kick_silent.wav", level=1e-5)
    (folder / "kick_text.wav").write_text("This is not a drum.")
    soundfile.write(folder / "kick_nan.wav", [float("nan")] * 9, 44_100, subtype="FLOAT")
    good, refused = check_sounds(find_sounds(folder, LABELS))
    assert len(good) == 10 and len(refused) == 3
    for name, reason in [("kick_silent", "silent"), ("kick_text", "cannot be read"), ("kick_nan", "NaN")]:
        assert any(name in line and reason in line for line in refused)


def test_a_folder_without_any_good_sound_is_refused_with_the_reasons(tmp_path):
    write(tmp_path / "kick.wav", level=0)
    with pytest.raises(DataError, match="(?s)None of the files.*kick.wav: silent"):
        check_sounds(find_sounds(tmp_path, LABELS))


def test_a_sound_is_either_for_training_or_for_validation_and_always_the_same(folder):
    sounds = find_sounds(folder, LABELS)
    training, validation = split(sounds)
    assert not set(training) & set(validation) and set(training) | set(validation) == set(sounds)
    assert (training, validation) == split(find_sounds(folder, LABELS))
    assert len(validation) == 1
    assert {len(split(sounds[:n])[1]) for n in range(2, 11)} == {1} and all(split(sounds[:n])[0] for n in range(1, 11))


def dealt(sounds, start_step: int, steps: int, seed: int = 0, batch_size: int = 4) -> list[torch.Tensor]:
    batches = Batches(sounds, batch_size, 441, seed, start_step)
    return [audio for audio, _ in islice(batches, steps)]


def test_a_run_resumed_at_a_step_sees_the_batches_it_would_have_seen(folder):
    sounds = find_sounds(folder, LABELS)
    straight = dealt(sounds, 0, 12)
    for start in (1, 2, 5, 10):
        assert torch.equal(torch.stack(straight[start:]), torch.stack(dealt(sounds, start, 12 - start)))
    assert not torch.equal(straight[0], dealt(sounds, 0, 1, seed=1)[0])


def test_every_epoch_deals_each_sound_once_in_a_new_order(folder):
    sounds = find_sounds(folder, LABELS)
    rows = torch.cat(dealt(sounds, 0, 5)).flatten(1)  # 20 sounds, two epochs of 10
    every = torch.stack([load_audio(s.path, 441) for s in sounds]).flatten(1)
    order = torch.cdist(rows, every).argmin(1).tolist()
    assert sorted(order[:10]) == sorted(order[10:]) == list(range(10)) and order[:10] != order[10:]


def test_fewer_sounds_than_a_batch_are_dealt_again_and_again(folder):
    (audio,) = dealt(find_sounds(folder, LABELS)[:2], 0, 1, batch_size=5)
    assert audio.shape == (5, 2, 441) and len(audio.flatten(1).unique(dim=0)) == 2


def test_a_batch_carries_the_labels_of_its_sounds(folder):
    sounds = find_sounds(folder, LABELS)
    audio, labels = load_batch(sounds, 441)
    assert audio.shape == (10, 2, 441) and labels.tolist() == [s.label for s in sounds]
