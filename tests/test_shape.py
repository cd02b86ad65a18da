"""Shape, and the steps from noise: choose a sound, restyle, repaint, morph, vary, stop, keep; without a browser."""

import datetime
import io
import json
import random
import re
import zipfile
from dataclasses import replace
from pathlib import Path

import ipywidgets
import pytest
import torch
from network_calls import PATIENCE_S, Calls
from small_models import small

from tad_course import edit
from tad_course.audio import load_audio, save_wav
from tad_course.audio.levels import dbfs, limit, peak_dbfs
from tad_course.cli import main
from tad_course.edit import restyle
from tad_course.generate import Settings, generate, noise_of
from tad_course.library.export import zip_bytes
from tad_course.library.sound import Sound
from tad_course.model.checkpoint import load_model, save_model
from tad_course.model.network import AudioDiffusion
from tad_course.studio.session import Session
from tad_course.studio.shape_panel import ShapePanel
from tad_course.studio.source_box import guess_label
from tad_course.studio.timeline import LOUDEST_DBFS, Stop, Timeline, stops_of, timeline_gain_db

pytestmark = pytest.mark.usefixtures("one_thread")
SAMPLES = Path(__file__).parents[1] / "data_samples"
KICK, SNARE = "kick_kick_805.wav", "snare_snare_805.wav"


@pytest.fixture(scope="module")
def session(tmp_path_factory) -> Session:
    """A session with a model that has learned nothing: it makes noise, but by the same rules."""
    folder = save_model(small(length_samples=32_768), tmp_path_factory.mktemp("models") / "untrained")
    return Session(str(folder), random.Random(1))


class Studio:
    """A panel with what surrounds it in the studio: sounds that were made, and a shelf."""

    def __init__(self, session: Session, folder: Path = SAMPLES):
        self.session, self.kept = session, []
        self.made = {f"made: {s.title}": s for s in map(self.sound, (1, 2))}
        self.shape = ShapePanel(session, self.settings, self.kept.append, folder, lambda: self.made)

    def settings(self) -> Settings:
        return Settings(model=self.session.name, num_steps=4, fingerprint=self.session.fingerprint)

    def sound(self, seed: int) -> Sound:
        settings = Settings(
            model=self.session.name, label="snare", seed=seed, num_steps=4, fingerprint=self.session.fingerprint
        )
        return Sound(generate(self.session.model, settings), settings)

    def done(self) -> None:
        assert self.session.worker.wait(PATIENCE_S), "the studio is still busy"

    def choose(self, name: str) -> None:
        self.shape.source.name.value = name
        self.done()

    def turn_to(self, part) -> None:
        self.shape.tab.selected_index = self.shape.parts.index(part)

    def press(self, part) -> list[Sound]:
        self.turn_to(part)
        part.button.click()
        self.done()
        return part.row.sounds

    def upload(self, name: str, content: bytes) -> None:
        file = {"name": name, "type": "", "size": len(content), "content": memoryview(content)}
        file["last_modified"] = datetime.datetime.now(datetime.UTC)
        self.shape.source.upload.set_trait("value", (file,))
        self.done()

    @property
    def message(self) -> str:
        return re.sub("<[^>]*>", "", self.shape.status.message.value.partition("<details>")[0])


@pytest.fixture(autouse=True)
def few_steps(monkeypatch):
    monkeypatch.setattr(edit, "INVERSION_STEPS", 4)


@pytest.fixture
def studio(session) -> Studio:
    return Studio(session)


@pytest.fixture
def calls(session, monkeypatch):
    """Watch the network calls."""
    calls = Calls()
    monkeypatch.setattr(session.model, "denoiser", calls.watching(session.model.denoiser))
    yield calls
    calls.go_on()


def html_of(row) -> str:
    return "".join(getattr(w, "value", "") for card in row.box.children for w in card.children)


def keep_button(row):
    return [w for w in row.box.children[-1].children[-1].children if w.description == "Keep"][0]


# --- the sound to be shaped ---


def test_sounds_of_the_studio_and_files_are_offered_and_the_first_is_restyled_without_noise_from_the_speakers(studio):
    names = studio.shape.source.name.options
    assert names[:2] == ("made: snare, seed 1", "made: snare, seed 2") and KICK in names
    assert html_of(studio.shape.restyle.row).count("<audio ") == 2
    assert "autoplay" not in html_of(studio.shape.restyle.row)


@pytest.mark.parametrize("name", ["kick_kick_805.wav", "percussion_clap_805.wav", "hihat_open_hat_805.wav"])
def test_the_instrument_of_a_file_is_known_by_its_name_and_estimated_without_it(name):
    audio, labels = load_audio(SAMPLES / name), ("kick", "snare", "hihat", "percussion")
    assert guess_label(name, audio, labels) == name.partition("_")[0]
    assert guess_label("", audio, labels) == name.partition("_")[0]
    assert guess_label("my Hi-Hat 3.wav", audio, labels) == "hihat"
    assert guess_label("", audio, ("gong",)) == "gong"


def test_a_chosen_sound_of_the_studio_stays_chosen_when_newer_ones_take_its_place(studio):
    studio.choose("made: snare, seed 1")
    chosen = studio.shape.source.read().audio
    studio.made = {"made: kick, seed 9": studio.sound(9)}
    studio.shape.refresh()
    assert studio.shape.source.name.value == "made: snare, seed 1"
    assert torch.equal(studio.shape.source.read().audio, chosen)
    assert "made: kick, seed 9" in studio.shape.source.name.options


def test_a_card_of_the_studio_can_be_taken_as_the_sound(studio):
    sound = studio.sound(5)
    studio.shape.take(sound)
    studio.done()
    assert studio.shape.restyle.row.sounds[0].source == sound.title == "snare, seed 5"
    assert studio.shape.source.label.value == "snare"


def test_an_uploaded_mono_file_of_8_khz_is_shaped_and_what_was_changed_is_shown(studio, tmp_path):
    save_wav(tmp_path / "voice.wav", torch.rand(1, 4000) - 0.5, sample_rate=8000)
    studio.upload("voice.wav", (tmp_path / "voice.wav").read_bytes())
    assert studio.shape.source.name.value == "voice.wav"
    assert studio.shape.restyle.row.sounds[0].source == "voice"
    about = studio.shape.about.value
    assert "0.50 s, mono, 8000 Hz; put on both sides; resampled to 44100 Hz; followed by silence" in about


def test_of_a_ten_minute_file_the_first_part_is_used_at_once_and_a_line_says_so(studio, tmp_path):
    save_wav(tmp_path / "song.wav", torch.rand(1, 600 * 8000) - 0.5, "pcm16", sample_rate=8000)
    studio.shape.source.path.value = str(tmp_path / "song.wav")
    studio.done()
    assert "600.00 s, mono" in studio.shape.about.value and "cut to its first 0.74 s" in studio.shape.about.value
    assert studio.shape.restyle.row.sounds[0].source == "song"


@pytest.mark.parametrize(
    "name, content, words",
    [
        ("notes.txt", b"hello", "notes.txt: cannot be read as sound"),
        ("empty.wav", b"", "empty.wav: is empty"),
        ("../../evil.wav", b"RIFF", "cannot be read as sound"),
        ("cut.wav", (SAMPLES / KICK).read_bytes()[:30], "cut.wav: "),
    ],
)
def test_an_upload_that_is_no_sound_is_refused_in_words_and_not_offered(studio, name, content, words):
    before = studio.shape.source.name.options
    studio.upload(name, content)
    assert words in studio.message and "Traceback" not in studio.message
    assert studio.shape.source.name.options == before
    assert studio.press(studio.shape.vary)


def test_silence_and_a_wrong_path_are_refused_in_words(studio, tmp_path):
    save_wav(tmp_path / "silence.wav", torch.zeros(2, 1000))
    studio.shape.source.path.value = str(tmp_path / "silence.wav")
    assert "are silent" in studio.message
    studio.shape.source.path.value = str(tmp_path / "gone.wav")
    assert "gone.wav: there is no such file" in studio.message


@pytest.mark.parametrize("verb", ["restyle", "repaint", "morph", "vary"])
def test_a_file_that_goes_away_is_refused_in_words_by_every_part(studio, tmp_path, verb):
    save_wav(tmp_path / "here.wav", torch.rand(2, 1000) - 0.5)
    studio.shape.source.path.value = str(tmp_path / "here.wav")
    studio.done()
    (tmp_path / "here.wav").unlink()
    studio.press(getattr(studio.shape, verb))
    assert "here.wav: there is no such file" in studio.message
    studio.choose(KICK)
    assert studio.press(getattr(studio.shape, verb))


def test_without_any_sound_the_panel_names_the_cure(session, tmp_path):
    panel = ShapePanel(session, lambda: Settings(num_steps=2), print, tmp_path / "nothing")
    for part in panel.parts:
        part.button.click()
        assert session.worker.wait(PATIENCE_S)
        assert "no sound to shape yet" in panel.status.message.value


# --- restyle ---


def test_strength_0_gives_the_file_back_and_more_strength_goes_farther_from_it(studio):
    studio.choose(SNARE)
    given, distances = load_audio(SAMPLES / SNARE), []
    for strength in (0.0, 0.05, 0.15, 0.4):
        studio.shape.restyle.strength.value = strength
        studio.done()
        distances.append(float((studio.shape.restyle.row.sounds[0].audio - given).norm()))
    assert distances[0] == 0 and distances == sorted(distances)


def test_restyling_is_what_the_function_does_and_stands_beside_what_was_before(studio):
    studio.choose(KICK)
    studio.shape.restyle.label.value = "hihat"
    studio.done()
    (sound,) = studio.shape.restyle.row.sounds
    again = restyle(studio.session.model, load_audio(SAMPLES / KICK), sound.settings, sound.strength)
    assert torch.equal(sound.audio, again)
    assert (sound.kind, sound.settings.label) == ("restyle", "hihat")
    assert "kick_kick_805, before" in html_of(studio.shape.restyle.row)


# --- repaint ---


def test_repainting_changes_the_marked_region_and_nothing_else(studio):
    studio.choose(KICK)
    part = studio.shape.repaint
    part.region.value = (0.2, 0.4)
    (sound,) = studio.press(part)
    given = load_audio(SAMPLES / KICK)
    start, stop = (round(s * 44_100) for s in (0.2, 0.4))
    assert torch.equal(sound.audio[:, :start], given[:, :start]) and torch.equal(sound.audio[:, stop:], given[:, stop:])
    assert (sound.audio[:, start:stop] - given[:, start:stop]).norm() > 0.01
    again = edit.inpaint(studio.session.model, given, sound.settings, 0.2, 0.4)
    assert torch.equal(sound.audio, again)


def test_each_press_paints_something_else_and_the_settings_hold_where(studio):
    studio.choose(KICK)
    part = studio.shape.repaint
    first, second = (studio.press(part)[0] for _ in range(2))
    assert first.settings.seed != second.settings.seed and not torch.equal(first.audio, second.audio)
    assert (
        first.recipe() | {"kind": "repaint", "source": "kick_kick_805", "start_s": 0.1, "stop_s": 0.3} == first.recipe()
    )


def test_the_picture_follows_the_region_and_names_it_in_words(studio):
    studio.choose(KICK)
    part = studio.shape.repaint
    studio.turn_to(part)
    before = part.image.value
    assert 'alt="The region from 0.10 to 0.30 s is marked in kick_kick_805: peak' in before
    part.region.value = (0.25, 0.5)
    assert part.image.value != before and "0.25 s to 0.50 s" in part.readout.value
    assert part.label.value == "kick"


def test_the_handles_of_the_region_stand_below_the_time_they_mark(studio):
    part = studio.shape.repaint
    studio.turn_to(part)
    left, width = part.picture.axis_px
    figure_px = part.picture.live.canvas.get_width_height()[0]
    assert 0 < left < left + width < figure_px
    assert part.region.max == pytest.approx(part.picture.length_s, abs=0.01)


@pytest.mark.parametrize("region", [(0.3, 0.3), (0.3, 0.301)])
def test_an_empty_region_is_refused_in_words(studio, region):
    studio.shape.repaint.region.value = region
    studio.press(studio.shape.repaint)
    assert "region" in studio.message and "Traceback" not in studio.message


# --- morph ---


def test_two_sounds_of_the_studio_are_morphed_through_their_own_noises(studio):
    studio.choose("made: snare, seed 1")
    part = studio.shape.morph
    studio.turn_to(part)
    part.second.name.value = "made: snare, seed 2"
    first, second = studio.made.values()
    for amount, end in ((0.0, first), (1.0, second)):
        part.amount.value = amount
        studio.done()
        assert torch.equal(part.row.sounds[0].audio, end.audio)
    part.amount.value = 0.5
    studio.done()
    (sound,) = part.row.sounds
    assert torch.equal(sound.audio, edit.morph(studio.session.model, first.settings, second.settings, 0.5))
    assert sound.title == "50% of the way from snare, seed 1 to snare, seed 2"
    titles = [re.sub("<[^>]*>", "", card.children[0].value.split("</div>")[0]) for card in part.row.box.children]
    assert titles == ["first: snare, seed 1", "50% of the way", "second: snare, seed 2"]


def test_files_are_morphed_as_the_function_does_and_their_noise_is_searched_for_only_once(studio, calls):
    studio.choose(KICK)
    part = studio.shape.morph
    studio.turn_to(part)
    part.second.name.value = SNARE
    (sound,) = studio.press(part)
    before = calls.count
    part.amount.value = 0.25
    studio.done()
    assert calls.count - before == 4
    pair = (load_audio(SAMPLES / KICK), "kick"), (load_audio(SAMPLES / SNARE), "snare")
    again = edit.morph_sounds(studio.session.model, *pair, studio.settings(), 0.25)
    assert torch.equal(part.row.sounds[0].audio, again) and not torch.equal(sound.audio, again)
    assert part.row.sounds[0].settings.label == "kick"


# --- vary ---


def test_a_file_is_varied_as_the_function_does_by_seeds_that_count_up(studio):
    studio.choose(KICK)
    part = studio.shape.vary
    part.count.value = 2
    sounds = studio.press(part)
    assert [s.settings.seed for s in sounds] == [part.seed.value.value, part.seed.value.value + 1]
    again = edit.vary_sound(studio.session.model, load_audio(SAMPLES / KICK), sounds[1].settings, part.amount.value)
    assert torch.equal(sounds[1].audio, again)
    assert sounds[0].settings.label == "kick" and sounds[0].recipe()["amount"] == part.amount.value


def test_a_varied_sound_of_the_studio_carries_the_settings_it_was_made_with(studio):
    studio.choose("made: snare, seed 1")
    studio.settings = lambda: Settings(num_steps=9)  # Make has been changed since
    sound, given = studio.press(studio.shape.vary)[0], studio.made["made: snare, seed 1"].settings
    assert sound.settings == replace(given, seed=sound.settings.seed)
    again = edit.vary(studio.session.model, given, studio.shape.vary.amount.value, sound.settings.seed)
    assert torch.equal(sound.audio, again)


def test_a_sound_of_the_studio_varied_a_little_is_nearer_than_one_varied_a_lot(studio):
    studio.choose("made: snare, seed 1")
    part, given = studio.shape.vary, studio.made["made: snare, seed 1"].audio
    studio.turn_to(part)
    part.count.value, distances = 1, []
    for amount in (0.05, 0.3, 1.0):
        part.amount.value = amount
        studio.press(part)
        distances.append(float((part.row.sounds[0].audio - given).norm()))
    assert distances == sorted(distances)


# --- all parts ---


def test_a_slider_moves_the_result_and_leaves_the_card_of_the_sound_from_before(studio):
    part = studio.shape.restyle
    studio.turn_to(part)
    before, after = part.row.box.children
    studio.choose(KICK)
    given, result = part.row.box.children
    assert given is not before and result is not after
    part.strength.value = 0.8
    studio.done()
    assert part.row.box.children[0] is given and part.row.box.children[1] is not result
    assert all("<img " in card.children[1].value for card in part.row.box.children)


def test_stop_ends_a_long_job_after_the_present_call_and_keeps_what_was_finished(studio, calls, every_tick):
    studio.choose(KICK)
    part = studio.shape.vary
    studio.turn_to(part)
    part.count.value = 8
    calls.hold(part.button.click, until=lambda: len(part.row.sounds) == 2)
    assert studio.shape.status.stop.layout.visibility == "visible"
    assert re.fullmatch(r"[\d.]+ (s|min) left", studio.shape.status.left.value)
    assert 0.2 < studio.shape.status.bar.value < 0.6
    studio.shape.status.stop.click()
    before = calls.count
    calls.go_on()
    studio.done()
    assert calls.count == before
    assert len(part.row.sounds) == 2 and studio.message.startswith("Stopped")


@pytest.mark.parametrize("verb", ["repaint", "morph", "vary"])
def test_a_second_press_while_busy_makes_nothing_twice(studio, calls, verb):
    studio.choose(KICK)
    part = getattr(studio.shape, verb)
    studio.turn_to(part)
    calls.hold(part.button.click)
    seed = part.seed.value.value
    part.button.click()
    calls.go_on()
    studio.done()
    assert part.seed.value.value == seed and studio.message.startswith("Made")


@pytest.mark.parametrize("verb", ["restyle", "repaint", "morph", "vary"])
def test_every_result_can_be_kept_and_names_its_kind(studio, verb):
    studio.choose(KICK)
    part = getattr(studio.shape, verb)
    sounds = studio.press(part)
    index = 1 if verb == "morph" else -1
    buttons = part.row.box.children[index].children[-1].children
    buttons[0].click()
    assert studio.kept == [sounds[-1]]
    assert (sounds[-1].kind, sounds[-1].source) == (verb, "kick_kick_805")
    assert sounds[-1].recipe()["kind"] == verb


@pytest.mark.parametrize("source", [KICK, "made: snare, seed 1"])
@pytest.mark.parametrize("verb", ["restyle", "repaint", "morph", "vary"])
def test_every_result_can_be_made_again_from_an_export_to_the_last_bit(studio, verb, source, monkeypatch, tmp_path):
    studio.choose(source)
    sound = studio.press(getattr(studio.shape, verb))[-1]
    with zipfile.ZipFile(io.BytesIO(zip_bytes([("it", sound)]))) as archive:
        archive.extractall(tmp_path / "export")
    monkeypatch.setattr(edit, "INVERSION_STEPS", 7)  # another version may find more steps right
    arguments = ["--from", str(tmp_path / "export" / "settings.json"), "--out", str(tmp_path / "again")]
    assert main(["generate", *arguments]) == 0
    assert (tmp_path / "again" / "it.wav").read_bytes() == (tmp_path / "export" / "it.wav").read_bytes()


def test_all_players_of_a_row_share_one_gain_and_none_is_louder_than_it_should_be(studio, monkeypatch, tmp_path):
    levels = []
    monkeypatch.setattr(
        "tad_course.studio.shape_part.player_html", lambda x, *_: levels.append(peak_dbfs(x)) or "<audio >"
    )
    save_wav(tmp_path / "hot.wav", 3 * (torch.rand(2, 30_000) - 0.5))
    studio.shape.source.path.value = str(tmp_path / "hot.wav")
    studio.done()
    audio, gain = studio.shape.restyle.row.sounds[0].audio, studio.shape.restyle.row.gain
    assert levels[-2:] == pytest.approx([-1, peak_dbfs(audio * gain)], abs=0.01)
    assert max(levels[-2:]) <= -0.99


def test_old_cards_leave_the_memory(studio):
    studio.choose(KICK)
    studio.press(studio.shape.vary)
    before = len(ipywidgets.widgets.widget._instances)
    for _ in range(3):
        studio.press(studio.shape.vary)
    assert len(ipywidgets.widgets.widget._instances) == before


def test_a_model_of_other_instruments_can_shape_too(tmp_path):
    model = small(labels=("gong", "bell"), length_samples=32_768)
    studio = Studio.__new__(Studio)
    folder = save_model(model, tmp_path / "gongs")
    studio.session, studio.kept, studio.made = Session(str(folder)), [], {}
    settings = Settings(model=str(folder), num_steps=2)
    studio.shape = ShapePanel(studio.session, lambda: settings, print, SAMPLES)
    for part in studio.shape.parts:
        assert studio.press(part)[0].settings.label in ("gong", "bell")


@pytest.fixture
def kit_folder(tmp_path) -> Path:
    """A folder of a kit of two nets, one a label, beside the folders of the nets."""
    for seed, label in enumerate(("kick", "snare")):
        save_model(small(seed, labels=(label,), adaptive=True, length_samples=32_768), tmp_path / f"{label}s")
    (tmp_path / "kit").mkdir()
    names = {"name": "kit", "models": {"kick": "kicks", "snare": "snares"}}
    (tmp_path / "kit" / "config.json").write_text(json.dumps(names), "utf-8")
    return tmp_path / "kit"


def test_a_kit_can_shape_too_and_a_morph_between_its_labels_mixes_its_nets(kit_folder, monkeypatch):
    studio = Studio(Session(str(kit_folder)))
    studio.choose(KICK)
    for part in (studio.shape.restyle, studio.shape.repaint, studio.shape.vary):
        assert studio.press(part)[0].settings.label in ("kick", "snare")
    used, velocity = [], AudioDiffusion.velocity
    monkeypatch.setattr(AudioDiffusion, "velocity", lambda net, *a: used.append(net.config.labels) or velocity(net, *a))
    part = studio.shape.morph
    studio.turn_to(part)
    part.second.name.value = SNARE
    (sound,) = studio.press(part)
    assert used[-2:] == [("kick",), ("snare",)] and sound.audio.isfinite().all()
    before = len(used)
    part.amount.value = 0.25
    studio.done()
    assert used[before:] == 4 * [("kick",), ("snare",)]  # their noises are known by now: four steps, two nets


# --- the steps from noise to a drum ---


@pytest.fixture
def timeline(session, studio) -> Timeline:
    return Timeline(session, lambda: studio.sound(3))


def test_the_timeline_leads_from_the_seeds_noise_to_the_very_sound(timeline, session, studio):
    assert len(timeline.stops) == 5
    first, last = timeline.stops[0], timeline.stops[-1]
    assert (first.title, last.title) == ("start: noise", "end: the drum")
    assert torch.equal(last.noisy, studio.sound(3).audio) and torch.equal(last.predicted, last.noisy)
    noise_db = [stop.noise_db for stop in timeline.stops]
    assert noise_db == sorted(noise_db, reverse=True)


@pytest.fixture(scope="module")
def way() -> list[Stop]:
    """The stops of a kick of the shipped model."""
    return stops_of(load_model("drums"), Settings(label="kick", seed=1))


def quarters_db(audio: torch.Tensor) -> tuple[float, float]:
    """Return the levels of the first and the last quarter of a sound, in dBFS."""
    quarter = audio.shape[-1] // 4
    return dbfs(audio[:, :quarter]), dbfs(audio[:, -quarter:])


def test_the_first_stop_is_the_noise_itself_and_the_last_one_a_drum(way):
    model = load_model("drums")
    noise = model.decode(noise_of(model, Settings(label="kick", seed=1)))[0]
    assert torch.equal(way[0].noisy, limit(noise))
    start_db, end_db = quarters_db(way[0].noisy)
    assert start_db == pytest.approx(end_db, abs=1)
    start_db, end_db = quarters_db(way[-1].noisy)
    assert end_db < start_db - 30


def test_the_stops_are_called_by_their_step_and_their_noise(way):
    titles = [stop.title for stop in way]
    assert titles[0] == "start: noise" and titles[-1] == "end: the drum"
    assert all(re.fullmatch(r"step \d+: noise [+-]\d+ dB", title) for title in titles[1:-1])
    assert dbfs(way[0].noisy * 10 ** (timeline_gain_db(way) / 20)) <= LOUDEST_DBFS


def test_of_many_steps_nine_stops_are_shown_the_ends_among_them(session):
    settings = Settings(model=session.name, num_steps=30)
    stops = stops_of(session.model, settings)
    assert [s.step for s in stops] == [0, 4, 8, 11, 15, 19, 22, 26, 30]


def test_every_stop_has_a_player_and_a_picture_with_a_text(timeline):
    shown = timeline.strip.value
    assert shown.count("<audio ") == shown.count("<img ") == 5
    assert 'aria-label="Play noisy, start: noise"' in shown and 'alt="noisy sound, start: noise: peak' in shown
    before = timeline.strip.value
    timeline.view.value = "predicted"
    assert timeline.strip.value != before and 'aria-label="Play predicted, start: noise"' in timeline.strip.value


def test_no_stop_is_louder_than_minus_20_dbfs_and_all_share_one_gain():
    def loud(level):
        return level * (2 * torch.rand(2, 5000, generator=torch.Generator().manual_seed(0)) - 1)

    stops = [Stop(0, float("inf"), loud(0.9), loud(0.5)), Stop(1, -float("inf"), loud(0.01), loud(0.01))]
    gain = 10 ** (timeline_gain_db(stops) / 20)
    assert dbfs(stops[0].noisy * gain) == pytest.approx(LOUDEST_DBFS, abs=0.01)
    quiet = [Stop(0, 0.0, loud(0.01), loud(0.01))]
    assert timeline_gain_db(quiet) == 0


def test_the_timeline_of_an_edited_sound_is_refused_in_words(timeline, session, studio):
    timeline.show(Sound(torch.zeros(2, 32_768), studio.settings(), "a voice"))
    assert session.worker.wait(PATIENCE_S)
    assert "was not made from noise" in timeline.status.message.value
    timeline.show(None)
    assert session.worker.wait(PATIENCE_S)
    assert "No sound has been made yet" in timeline.status.message.value


def test_the_timeline_stops_at_a_press_of_stop(timeline, session, calls):
    settings = Settings(model=session.name, num_steps=200, fingerprint=session.fingerprint)
    calls.hold(lambda: timeline.show(Sound(torch.zeros(2, 8), settings)), until=lambda: calls.count == 3)
    timeline.status.stop.click()
    calls.go_on()
    assert session.worker.wait(PATIENCE_S) and calls.count == 3
    assert "Stopped" in timeline.status.message.value
