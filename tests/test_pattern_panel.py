"""The panel Play as a person uses it: press steps, turn knobs, mute, choose, save. Without a browser."""

import base64
import io
import json
import random
import re
import time
from dataclasses import replace
from pathlib import Path

import mido
import pytest
import torch

from tad_course.audio import load_audio, peak_dbfs, read_comment, save_wav
from tad_course.cli import main
from tad_course.drums.pattern import ACCENT, Pattern, midi_bytes, render_loop, surprise
from tad_course.drums.voices import LABELS
from tad_course.generate import Settings, generate
from tad_course.library.sound import Sound
from tad_course.studio.pattern_panel import FIRST
from tad_course.studio.studio import Studio

pytestmark = pytest.mark.usefixtures("one_thread")
SAMPLES = Path(__file__).parents[1] / "data_samples"


@pytest.fixture(scope="module")
def opened(model_folder) -> Studio:
    studio = Studio(str(model_folder), SAMPLES, rng=random.Random(1))
    studio.make.steps.value = 2
    assert studio.session.worker.wait(60)
    assert studio.play.pattern == FIRST
    return studio


@pytest.fixture
def studio(opened, tmp_path) -> Studio:
    """The same studio for all tests, as it is after opening."""
    panel = opened.play
    panel.pattern, panel.sounds, panel.undone, panel.taken = FIRST, dict(panel.drawn), [], []
    panel.name.value, opened.shelf.folder.value = "loop", str(tmp_path / "kept")
    panel._show()
    return opened


@pytest.fixture
def panel(studio):
    return studio.play


def row_of(panel, label: str):
    return panel.rows[LABELS.index(label)]


def message(panel) -> str:
    return re.sub("<[^>]*>", "", panel.status.message.value)


def player(panel) -> str:
    """Return the tag of the player."""
    return re.search(r"<audio [^>]*>", panel.player.value).group()


def heard(panel) -> torch.Tensor:
    """Return the loop as the browser gets it."""
    content = base64.b64decode(re.search(r'src="data:audio/wav;base64,([^"]*)"', player(panel)).group(1))
    path = Path(panel.folder()).parent / "heard.wav"
    path.write_bytes(content)
    return load_audio(path, None)


# --- what is heard ---


def test_the_player_loops_what_the_function_renders(panel):
    loop = render_loop(panel.pattern, {label: sound.audio for label, sound in panel.sounds.items()})
    assert peak_dbfs(loop) <= -1 + 1e-4
    torch.testing.assert_close(heard(panel), loop, atol=2**-15, rtol=0)
    assert " loop " in player(panel) and " controls " in player(panel)
    assert "autoplay" not in player(panel)


def test_the_first_sounds_are_those_of_the_model(studio):
    for label, sound in studio.play.sounds.items():
        assert sound.settings.label == label
        assert torch.equal(sound.audio, generate(studio.session.model, sound.settings))


def test_a_step_goes_through_all_levels_and_back_and_its_message_names_it(panel):
    step = row_of(panel, "snare").steps[2]
    names, before = [], heard(panel)
    for _ in range(4):
        step.click()
        names.append(step.tooltip)
        assert f"tad-level-{panel.pattern.levels['snare'][2]}" in step._dom_classes
        assert sum(name.startswith("tad-level-") for name in step._dom_classes) == 1
    assert names == [f"snare, step 3, {level}" for level in ("medium", "accent", "soft", "off")]
    assert message(panel) == "snare, step 3: off."
    assert torch.equal(heard(panel), before)


def test_each_press_is_heard(panel):
    loops = [heard(panel)]
    for _ in range(3):
        row_of(panel, "percussion").steps[0].click()
        loops.append(heard(panel))
    assert all(not torch.equal(a, b) for i, a in enumerate(loops) for b in loops[:i])


def test_tempo_and_swing_reach_the_loop(panel):
    panel.bpm.value = 90
    assert heard(panel).shape[-1] == round(4 * 60 / 90 * 44_100)
    panel.swing.value = 66
    assert panel.pattern == replace(FIRST, bpm=90, swing=0.66)
    assert 'data-swing="0.6600"' in player(panel)


def test_a_muted_row_is_silent_and_comes_back(panel):
    row, before = row_of(panel, "hihat"), heard(panel)
    row.mute.value = True
    assert row.mute.tooltip == "hihat is muted: press to hear it" and "tad-muted" in row.box._dom_classes
    audio = {label: sound.audio for label, sound in panel.sounds.items()}
    alone = Pattern(FIRST.bpm, FIRST.swing, {k: v for k, v in FIRST.levels.items() if k != "hihat"})
    torch.testing.assert_close(heard(panel), render_loop(alone, audio), atol=2**-15, rtol=0)
    row.mute.value = False
    assert torch.equal(heard(panel), before)


def test_a_pattern_without_a_stroke_is_silent_and_undo_brings_it_back(panel):
    panel.clear.click()
    assert not heard(panel).any()
    assert not panel.undo.disabled
    panel.undo.click()
    assert panel.pattern == FIRST
    assert panel.undo.disabled


def test_every_change_is_heard_within_a_quarter_of_a_second(panel):
    panel.bpm.value = 60  # a long bar
    row_of(panel, "kick").steps[1].click()

    def took() -> float:
        start = time.thread_time()  # of this thread alone, for others may be busy
        row_of(panel, "kick").steps[1].click()
        return time.thread_time() - start

    assert min(took() for _ in range(3)) < 0.25


# --- sounds ---


def test_a_taken_sound_plays_in_the_row_of_its_label(studio):
    panel, settings = studio.play, replace(studio.make.settings(), label="snare", seed=9)
    sound = Sound(generate(studio.session.model, settings), settings)
    panel.take(sound)
    assert panel.sounds["snare"] is sound
    assert row_of(panel, "snare").sound.value == "snare, seed 9"
    assert message(panel) == "snare, seed 9 plays the row snare."


def test_a_sound_of_any_kind_plays_the_percussion(studio):
    settings = replace(studio.make.settings(), label="any")
    studio.play.take(sound := Sound(torch.zeros(2, 100), settings))
    assert studio.play.sounds["percussion"] is sound


def test_two_sounds_of_one_title_stay_apart(studio):
    settings = replace(studio.make.settings(), label="kick", seed=0)
    studio.play.take(first := Sound(torch.zeros(2, 100), settings))
    studio.play.take(second := Sound(torch.ones(2, 100), settings))
    row = row_of(studio.play, "kick")
    assert studio.play.sounds["kick"] is second
    row.sound.value = next(name for name, each in studio.play.choices["kick"].items() if each is first)
    assert studio.play.sounds["kick"] is first


def test_each_row_can_play_any_sound_and_offers_its_own_kind_first(panel):
    row = row_of(panel, "kick")
    assert panel.choices["kick"][row.sound.options[0]].settings.label == "kick"
    row.sound.value = "snare, seed 0"
    assert panel.sounds["kick"] is panel.sounds["snare"]
    panel.undo.click()
    assert panel.sounds["kick"].settings.label == "kick"


def test_a_card_sends_its_sound_into_the_pattern(studio):
    made = studio.make.cards.sounds[0]
    (press,) = [b for b in studio.make.cards.box.children[0].children[-1].children if b.description == "Pattern"]
    press.click()
    assert studio.play.sounds[made.settings.label] is made


def test_kept_sounds_are_offered_under_their_names(studio):
    sound = Sound(torch.zeros(2, 32_768), Settings(label="kick", seed=77))
    studio.shelf.keep(sound)
    item = studio.shelf.items[-1]
    item.name.value = "my thump"
    try:
        assert any("my thump" in name for name in row_of(studio.play, "kick").sound.options)
    finally:
        studio.shelf.remove(item)


def test_the_sounds_of_a_pattern_can_be_kept(studio):
    studio.play.keep_all.click()
    assert {s.settings.label for s in studio.shelf.sounds} >= set(LABELS)
    assert message(studio.play).startswith("On the shelf: kick, seed 0, snare, seed 0")


# --- at random ---


def surprised(studio, act) -> tuple[Pattern, dict]:
    act()
    assert studio.session.worker.wait(60)
    return studio.play.pattern, {label: sound.audio for label, sound in studio.play.sounds.items()}


def test_surprise_me_fills_the_pattern_and_the_sounds_by_its_seed(studio):
    panel = studio.play
    pattern, sounds = surprised(studio, panel.surprise.click)
    seed = panel.seed.value
    assert pattern == surprise(seed) and seed != 0
    for label, audio in sounds.items():
        assert panel.sounds[label].settings.seed == seed
        assert torch.equal(
            audio, generate(studio.session.model, replace(studio.make.settings(), label=label, seed=seed))
        )
    panel.undo.click()
    assert panel.pattern == FIRST and panel.sounds["kick"].settings.seed == 0
    again, same = surprised(studio, lambda: panel.draw(seed))
    assert again == pattern and all(torch.equal(sounds[label], same[label]) for label in LABELS)
    panel.drawn = {label: panel._first_sound(label) for label in LABELS}


def test_a_second_press_while_busy_rolls_no_second_seed(studio):
    panel = studio.play
    panel.surprise.click()
    seed = panel.seed.value
    assert studio.session.worker.busy and panel.press() is False
    assert studio.session.worker.wait(60)
    assert panel.seed.value == seed
    panel.drawn = {label: panel._first_sound(label) for label in LABELS}


# --- to take away ---


def test_a_saved_wav_is_the_loop_and_holds_its_pattern(panel):
    path = panel.save_wav()
    torch.testing.assert_close(load_audio(path, None), panel.loop(), atol=2**-23, rtol=0)
    story = json.loads(read_comment(path))
    assert Pattern.from_json(json.dumps(story["pattern"])) == FIRST
    assert story["sounds"]["kick"] == panel.sounds["kick"].recipe()
    assert message(panel) == f"Saved {path.resolve()}."


def test_a_saved_wav_is_made_again_to_the_last_bit(panel, tmp_path):
    path = panel.save_wav()
    assert main(["generate", "--from", str(path), "--out", str(tmp_path / "again")]) == 0
    assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes()


def test_a_loop_that_cannot_be_made_again_names_what_is_missing(panel, tmp_path, capsys):
    made = panel.sounds["hihat"]
    panel.sounds = panel.sounds | {"hihat": replace(made, source="my door", kind="restyle", strength=0.5)}
    bare = save_wav(tmp_path / "bare.wav", panel.loop(), comment=json.dumps({"pattern": json.loads(FIRST.to_json())}))
    for path, words in ((panel.save_wav(), "Its hihat cannot be made again. It was made out of my door"),
                        (bare, "had no room for the settings of its sounds")):  # fmt: skip
        assert main(["generate", "--from", str(path), "--out", str(tmp_path / "again")]) == 1
        assert f"{path.name} was not made. " in (error := capsys.readouterr().err) and words in error
    assert not (tmp_path / "again").exists()


def test_a_saved_midi_file_is_that_of_the_pattern(panel):
    path = panel.save_midi()
    assert path.suffix == ".mid" and path.read_bytes() == midi_bytes(FIRST)
    assert mido.MidiFile(path).length == pytest.approx(4 * 60 / FIRST.bpm, abs=1e-3)


def test_names_are_made_safe_and_nothing_is_overwritten(panel):
    panel.name.value = "../a:b*"
    first, second = panel.save_wav(), panel.save_wav()
    assert first.parent == second.parent == Path(panel.folder())
    assert first != second and first.exists() and second.exists()
    assert not set(':*"') & set(first.name)


def test_a_folder_that_cannot_be_written_is_shown_in_words(studio, tmp_path):
    (tmp_path / "file").write_text("in the way")
    studio.shelf.folder.value = str(tmp_path / "file")
    assert studio.play.save_midi() is None
    assert "nothing can be written there" in message(studio.play)
    studio.shelf.folder.value = " "
    assert studio.play.save_wav() is None
    assert "Type the name of a folder" in message(studio.play)


def test_the_links_carry_the_midi_file_and_the_sound_that_is_heard(panel):
    data = re.search(r'href="data:audio/midi;base64,([^"]*)"', panel.player.value).group(1)
    assert mido.MidiFile(file=io.BytesIO(base64.b64decode(data))).ticks_per_beat == 960
    assert base64.b64decode(data) == midi_bytes(FIRST)


# --- where no widget runs ---


def test_the_still_version_shows_the_steps_as_text():
    from tad_course.studio.pattern_rows import still_html

    lines = re.sub("<[^>]*>", "", still_html(FIRST.with_level("kick", 1, ACCENT))).splitlines()
    assert len(lines) == 1 + len(LABELS)
    assert lines[1].split() == ["kick", *FIRST.with_level("kick", 1, ACCENT).signs("kick")]
