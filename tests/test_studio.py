"""The studio as a person uses it: press, listen, stop, keep. All through widget objects, without a browser."""

import json
import random
import re
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from ipywidgets import Widget
from network_calls import PATIENCE_S, Calls

from tad_course.audio import AudioFileError, load_audio, peak_dbfs, read_comment, save_wav
from tad_course.generate import STEPS, Settings, generate
from tad_course.library.describe import read_bytes, read_source
from tad_course.model.checkpoint import save_model
from tad_course.model.network import AudioDiffusion
from tad_course.studio.cards import players_html
from tad_course.studio.jobs import Status, Worker, time_left
from tad_course.studio.studio import Studio

pytestmark = pytest.mark.usefixtures("one_thread")
SAMPLES = Path(__file__).parents[1] / "data_samples"


@pytest.fixture
def studio(model_folder, tmp_path) -> Studio:
    return Studio(str(model_folder), SAMPLES, tmp_path / "kept", rng=random.Random(1))


def done(studio: Studio) -> None:
    assert studio.session.worker.wait(PATIENCE_S), "the studio is still busy"


def press(studio: Studio) -> torch.Tensor:
    """Press Make as a person would, wait, and return the first sound."""
    studio.make._pressed_s = -1e9  # long ago
    studio.make.button.click()
    done(studio)
    return studio.make.cards.sounds[0].audio


def message(panel) -> str:
    return re.sub("<[^>]*>", "", panel.status.message.value)


def html_of(box) -> str:
    return "".join(getattr(w, "value", "") for card in box.children for w in card.children)


@pytest.fixture
def calls(studio):
    """Watch the network calls."""
    calls = Calls()
    studio.session.model.denoiser = calls.watching(studio.session.model.denoiser)
    yield calls
    calls.go_on()


# --- make ---


def test_there_is_a_sound_before_anything_is_pressed(studio):
    assert len(studio.make.cards.sounds) == 1
    assert "<audio " in html_of(studio.make.cards.box)
    assert "autoplay" not in html_of(studio.make.cards.box)


def test_a_press_makes_another_sound_with_player_picture_and_description(studio):
    before = studio.make.cards.sounds[0].audio
    after = press(studio)
    assert after.shape == (2, 32_768)
    assert not torch.equal(before, after)
    shown = html_of(studio.make.cards.box)
    seed = studio.make.seed.value.value
    assert f'aria-label="Play kick, seed {seed}"' in shown
    assert f'alt="kick, seed {seed}, waveform and mel spectrogram: peak' in shown
    assert "autoplay" in shown
    assert message(studio.make).startswith(f"Made kick, seed {seed} in")


def test_a_locked_seed_brings_the_same_sound_back_and_an_unlocked_one_another(studio):
    studio.make.seed.lock.value = True
    first, second = press(studio), press(studio)
    assert torch.equal(first, second)
    studio.make.seed.lock.value = False
    assert not torch.equal(second, press(studio))


def test_roll_takes_another_seed_even_when_it_is_locked_and_makes_its_sound(studio):
    studio.make.seed.lock.value = True
    before = studio.make.seed.value.value
    studio.make.seed.roll.click()
    done(studio)
    assert studio.make.seed.value.value != before
    assert studio.make.cards.sounds[0].settings.seed == studio.make.seed.value.value


@pytest.mark.parametrize("label", ["any", "kick", "snare", "hihat", "percussion"])
def test_what_the_studio_makes_is_what_the_function_makes(studio, label):
    studio.make.label.value = label
    done(studio)
    sound = studio.make.cards.sounds[0]
    assert sound.settings.label == label
    assert torch.equal(sound.audio, generate(studio.session.model, sound.settings))


def test_every_control_reaches_the_settings_and_makes_a_sound_at_once(studio):
    for control, value in ((studio.make.sampler, "ddim"), (studio.make.steps, 3), (studio.make.guidance, 2.5)):
        control.value = value
        done(studio)
    settings = studio.make.cards.sounds[0].settings
    assert (settings.num_steps, settings.guidance_scale, settings.sampler) == (3, 2.5, "ddim")
    studio.make.follow.value = False
    studio.make.steps.value = 5
    done(studio)
    assert studio.make.cards.sounds[0].settings.num_steps == 3


def test_a_sampler_brings_as_many_steps_as_it_needs_and_makes_one_sound(studio):
    studio.make.count.value = 1
    for sampler in ("ddim", "dpm_solver_2m"):
        studio.make.sampler.value = sampler
        done(studio)
        settings = studio.make.cards.sounds[0].settings
        assert (settings.sampler, settings.num_steps) == (sampler, STEPS[sampler])


def test_the_panel_opens_with_sixteen_steps_of_dpm_solver_2m_and_offers_two_samplers(studio):
    make = studio.make
    assert (make.sampler.value, make.steps.value) == ("dpm_solver_2m", 16)
    assert dict(make.sampler.options) == {"DPM-Solver++ 2M": "dpm_solver_2m", "DDIM": "ddim"}
    assert (make.steps.min, make.steps.max) == (1, 50)
    assert set(make.model.options) == {"drums", "kicks", "snares", "hihats", "percussion"}


def test_several_sounds_have_seeds_that_count_up_and_each_can_be_made_alone(studio):
    studio.make.count.value, studio.make.steps.value = 3, 2
    press(studio)
    sounds = studio.make.cards.sounds
    first = studio.make.seed.value.value
    assert [s.settings.seed for s in sounds] == [first, first + 1, first + 2]
    assert torch.equal(sounds[2].audio, generate(studio.session.model, sounds[2].settings))
    assert len(studio.make.cards.box.children) == 3


def test_a_second_press_while_busy_makes_nothing_twice(studio, calls):
    studio.make.count.value, studio.make.steps.value = 2, 4
    done(studio)
    before = calls.count
    studio.make._pressed_s = -1e9
    calls.hold(studio.make.button.click)
    studio.make._pressed_s = -1e9
    studio.make.button.click()
    calls.go_on()
    done(studio)
    assert calls.count - before == 2 * 4
    assert len(studio.make.cards.sounds) == 2


def test_a_double_click_is_one_press(studio):
    seeds = []
    studio.make.seed.value.observe(lambda change: seeds.append(change["new"]), "value")
    studio.make._pressed_s = -1e9
    studio.make.button.click()
    done(studio)
    studio.make._pressed_s = time.monotonic() - 0.2  # the second click follows 0.2 s later, whatever the machine
    studio.make.button.click()
    done(studio)
    assert len(seeds) == 1


def test_stop_stops_after_the_present_network_call_and_keeps_what_was_finished(studio, calls, every_tick):
    studio.make.follow.value = False
    studio.make.count.value, studio.make.steps.value = 16, 5
    studio.make._pressed_s = -1e9
    calls.hold(studio.make.button.click, until=lambda: len(studio.make.cards.sounds) == 2)
    assert studio.make.status.stop.layout.visibility == "visible"
    assert re.fullmatch(r"[\d.]+ (s|min) left", studio.make.status.left.value)
    studio.make.status.stop.click()
    before = calls.count
    calls.go_on()
    done(studio)
    assert calls.count == before
    assert len(studio.make.cards.sounds) == 2
    assert message(studio.make).startswith("Stopped")
    assert studio.make.status.stop.layout.visibility == "hidden"
    assert press(studio) is not None


def test_turning_a_slider_while_busy_ends_with_the_sound_of_its_last_position(studio, calls):
    studio.make.seed.lock.value = True
    calls.hold(lambda: setattr(studio.make.steps, "value", 40))
    for steps in (30, 6):
        studio.make.steps.value = steps
    calls.go_on()
    done(studio)
    assert studio.make.cards.sounds[0].settings.num_steps == 6
    assert message(studio.make).startswith("Made")


def test_the_first_message_to_the_page_after_a_change_is_the_sound_and_its_picture_follows(studio, no_bar, monkeypatch):
    sent, send = [], Widget.send_state
    monkeypatch.setattr(Widget, "send_state", lambda self, *a, **k: sent.append(self) or send(self, *a, **k))
    studio.make.seed.value.value = 77
    done(studio)
    player, picture, _ = studio.make.cards.box.children[0].children
    assert sent[:3] == [studio.make.seed.value, player, picture]
    assert 'aria-label="Play kick, seed 77"' in player.value and 'alt="kick, seed 77, waveform' in picture.value


def test_a_new_sound_takes_over_the_card_and_its_buttons(studio):
    (card,) = studio.make.cards.box.children
    studio.make.seed.value.value = 77
    done(studio)
    assert studio.make.cards.box.children == (card,)
    keep = button_of(studio.make.cards.box, "Keep")
    assert keep.tooltip == "Put on the shelf: kick, seed 77"
    keep.click()
    assert studio.shelf.sounds == studio.make.cards.sounds and studio.shelf.sounds[0].settings.seed == 77


def test_the_very_same_sound_is_played_again_when_it_is_made_again(studio):
    studio.make.seed.lock.value = True
    players = []
    studio.make.cards.box.children[0].children[0].observe(lambda change: players.append(change["new"]), "value")
    first, second = press(studio), press(studio)
    assert torch.equal(first, second)
    assert len(players) == 2 and all("autoplay" in player for player in players)


def test_each_card_keeps_the_sound_that_it_shows(studio):
    studio.make.count.value, studio.make.steps.value = 3, 2
    press(studio)
    for card in studio.make.cards.box.children:
        card.children[-1].children[0].click()
    assert studio.shelf.sounds == studio.make.cards.sounds and len(studio.shelf.sounds) == 3


def test_old_cards_leave_the_memory(studio):
    import ipywidgets

    press(studio)
    before = len(ipywidgets.widgets.widget._instances)
    for _ in range(3):
        press(studio)
    assert len(ipywidgets.widgets.widget._instances) == before


def test_another_model_brings_its_own_labels_and_a_bad_name_changes_nothing(studio, tmp_path):
    other = save_model(AudioDiffusion(replace(studio.session.model.config, labels=("gong",))), tmp_path / "gongs")
    studio.make.model.value = str(other)
    assert studio.make.label.options == ("gong", "any")
    press(studio)
    assert studio.make.cards.sounds[0].settings.model == str(other)
    studio.make.model.value = "nowhere"
    assert "nowhere: no model here" in message(studio.make)
    assert studio.make.model.value == str(other) == studio.session.name
    assert press(studio) is not None


def test_guidance_can_be_turned_only_where_it_has_an_effect(studio, tmp_path):
    config, slider = studio.session.model.config, studio.make.guidance
    assert not slider.disabled and "beyond" in slider.tooltip
    slider.value = 3.0
    done(studio)
    for label in ("gong", "bell"):
        save_model(AudioDiffusion(replace(config, labels=(label,))), tmp_path / f"{label}s")
    (tmp_path / "kit").mkdir()
    kit = {"name": "kit", "models": {"gong": "gongs", "bell": "bells"}}
    (tmp_path / "kit" / "config.json").write_text(json.dumps(kit), "utf-8")
    several = studio.make.model.value
    for folder, labels in (("gongs", ("gong",)), ("kit", ("gong", "bell"))):
        studio.make.model.value = str(tmp_path / folder)
        assert studio.make.label.options == (*labels, "any")
        assert slider.disabled and slider.value == 1 and "No effect with this model" in slider.tooltip
        press(studio)
        sound = studio.make.cards.sounds[0]
        assert (sound.settings.guidance_scale, sound.settings.label) == (1, "gong")
        assert torch.equal(sound.audio, generate(studio.session.model, sound.settings))
    studio.make.model.value = several
    assert not slider.disabled


def test_a_damaged_checkpoint_is_refused_in_words(studio, model_folder, tmp_path):
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "config.json").write_bytes((model_folder / "config.json").read_bytes())
    (broken / "model.safetensors").write_bytes((model_folder / "model.safetensors").read_bytes()[:5000])
    studio.make.model.value = str(broken)
    assert "damaged or cut short" in message(studio.make)
    sentence, details = studio.make.status.message.value.split("<details>")
    assert "Traceback" not in sentence and "Traceback" in details


def test_an_unexpected_error_is_shown_in_words_with_the_traceback_one_click_away(studio):
    def broken(*_):
        raise RuntimeError("<wires crossed>")

    quick, studio.session.model.denoiser = studio.session.model.denoiser, broken
    studio.make._pressed_s = -1e9
    studio.make.button.click()
    done(studio)
    shown = studio.make.status.message.value
    assert "Something unexpected" in shown
    assert "<details>" in shown and "&lt;wires crossed&gt;" in shown
    studio.session.model.denoiser = quick
    assert press(studio) is not None
    assert message(studio.make).startswith("Made")


# --- from make to shape ---


def test_a_made_sound_can_be_shaped_and_its_steps_shown(studio):
    press(studio)
    sound = studio.make.cards.sounds[0]
    button_of(studio.make.cards.box, "Shape it").click()
    done(studio)
    assert studio.shape.source.name.value.startswith(f"made: {sound.title}")
    assert studio.shape.restyle.row.sounds[0].source == sound.title
    button_of(studio.make.cards.box, "Its steps").click()
    done(studio)
    assert torch.equal(studio.timeline.stops[-1].noisy, sound.audio)


def test_what_is_kept_can_be_shaped_and_what_is_shaped_can_be_kept(studio):
    press(studio)
    studio.shelf.keep(studio.make.cards.sounds[0])
    assert studio.shape.source.name.options[0] == f"kept 1: {studio.shelf.items[0].name.value}"
    button_of(studio.shape.restyle.row.box, "Keep").click()
    assert studio.shelf.sounds[-1] is studio.shape.restyle.row.sounds[0]
    assert "Kept " in message(studio.shape)


# --- keep ---


def button_of(box, text: str):
    """The first button with this text on the cards of `box`."""
    for card in box.children:
        for row in card.children:
            for child in getattr(row, "children", ()):
                if getattr(child, "description", "") == text:
                    return child
    raise AssertionError(f"no button {text!r}")


def test_a_kept_sound_is_saved_with_the_settings_that_make_it_again(studio, tmp_path):
    press(studio)
    button_of(studio.make.cards.box, "Keep").click()
    studio.shelf.save_files.click()
    (path,) = (tmp_path / "kept").glob("*.wav")
    settings = Settings.from_json(read_comment(path))
    assert torch.equal(generate(studio.session.model, settings), load_audio(path))
    assert f"Saved 1 in {tmp_path / 'kept'}" in message(studio.shelf)


def test_a_restyled_sound_names_its_source_and_is_no_recipe_from_noise(studio):
    button_of(studio.shape.restyle.row.box, "Keep").click()
    (path,) = studio.shelf.save()
    kept = json.loads(read_comment(path))
    assert (kept["kind"], kept["restyled"], kept["strength"]) == ("restyle", "kick, seed 0", 0.5)
    with pytest.raises(ValueError, match="does not carry the settings"):
        Settings.from_json(read_comment(path))


# --- the parts ---


def test_players_that_are_compared_share_one_gain(monkeypatch):
    levels = []
    monkeypatch.setattr("tad_course.studio.cards.player_html", lambda x, *_: levels.append(peak_dbfs(x)) or "<audio >")
    loud, quiet = torch.full((2, 10), 2.0), torch.full((2, 10), 0.2)
    players_html({"loud": loud, "quiet": quiet})
    assert levels[0] == pytest.approx(-1, abs=0.01)
    assert levels[0] - levels[1] == pytest.approx(20, abs=0.01)


def test_a_refused_upload_names_the_file_as_its_owner_does():
    with pytest.raises(AudioFileError, match="^my song.mp3: "):
        read_bytes("my song.mp3", b"not at all")


def test_a_long_file_is_cut_and_that_is_message(tmp_path):
    save_wav(tmp_path / "long.wav", torch.rand(2, 100_000))
    audio, about = read_source(tmp_path / "long.wav")
    assert audio.shape == (2, 32_768)
    assert "cut to its first 0.74 s" in about


def test_the_worker_survives_a_job_that_breaks_all_rules():
    worker = Worker()
    worker.start(lambda stop: 1 / 0)
    assert worker.wait(PATIENCE_S)
    ran = threading.Event()
    worker.start(lambda stop: ran.set())
    assert worker.wait(PATIENCE_S) and ran.is_set()


def test_of_several_jobs_that_wait_only_the_last_is_done():
    worker, log = Worker(), []
    worker.start(lambda stop: stop.wait(PATIENCE_S))
    for name in "abc":
        worker.start(lambda stop, name=name: log.append(name), instead=True)
    assert worker.wait(PATIENCE_S)
    assert log == ["c"]


def test_messages_are_read_out_and_cannot_smuggle_html_in():
    status = Status(Worker())
    status.say("<script>alert(1)</script>", wrong=True)
    assert "<script>" not in status.message.value
    assert 'aria-live="polite"' in status.message.value


@pytest.mark.parametrize("left_s, words", [(0.44, "0.4 s"), (12.4, "12 s"), (99, "99 s"), (150, "2 min")])
def test_the_time_left_is_written_as_people_write_it(left_s, words):
    assert time_left(left_s) == words
