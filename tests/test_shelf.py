"""Keep and compare: nothing kept is lost, nothing saved is replaced, A and B are equally loud. No model is needed."""

import base64
import errno
import io
import json
import re
import threading
import zipfile
from html import escape
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from small_models import small

from tad_course.audio import load_audio, read_comment
from tad_course.audio.levels import peak_dbfs
from tad_course.audio.wav import AudioFileError, wav_bytes, write_atomically
from tad_course.cli import main
from tad_course.generate import Settings, fingerprint, generate
from tad_course.library.export import download_link, save_zip, unique_names, zip_bytes
from tad_course.library.sound import Sound, Source, safe_name, save_all, save_new
from tad_course.model.checkpoint import save_model
from tad_course.studio.compare_panel import ComparePanel, named
from tad_course.studio.jobs import Worker
from tad_course.studio.shelf import Shelf


class StillPicture:
    """Stands in for the picture, which is slow to draw."""

    def html(self, audio, title):
        return f'<img alt="{escape(title)}">'


def sound(seed: int = 0, level: float = 0.5, label: str = "kick", **more) -> Sound:
    noise = torch.rand(2, 1000, generator=torch.Generator().manual_seed(seed)) * 2 - 1
    return Sound(level * noise / noise.abs().max(), Settings(label=label, seed=seed), **more)


@pytest.fixture
def session():
    return SimpleNamespace(worker=Worker(), picture=StillPicture())


@pytest.fixture
def shelf(session, tmp_path) -> Shelf:
    made = Shelf(session, tmp_path / "kept")
    for seed in range(3):
        made.keep(sound(seed))
    return made


def message(panel) -> str:
    return re.sub("<[^>]*>", "", panel.status.message.value.partition("<details>")[0])


def names(shelf) -> list[str]:
    return [item.name.value for item in shelf.items]


def rename(shelf, *new: str) -> None:
    for item, name in zip(shelf.items, new, strict=False):
        item.name.value = name


def unzipped(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


# --- the shelf ---


def test_each_kept_sound_has_a_player_a_picture_a_name_and_a_star(shelf):
    for item in shelf.items:
        shown = item.box.children[0].value + item.box.children[1].value
        assert "<audio " in shown and "autoplay" not in shown and f'alt="{item.sound.title}"' in shown
        assert item.name.value == item.sound.name
        assert not item.star.value


def test_the_same_sound_stands_on_the_shelf_once(shelf):
    assert not shelf.keep(sound(1))
    assert "on the shelf already" in message(shelf)
    assert shelf.keep(sound(1, label="snare"))
    assert len(shelf.items) == 4


def test_a_sound_made_out_of_another_file_of_the_same_name_is_another_sound(shelf):
    one, other = (Source(sound(seed).audio, "door", "kick") for seed in (1, 2))
    assert shelf.keep(sound(7, source="door", sources=(one,)))
    assert shelf.keep(sound(7, source="door", sources=(other,)))
    assert not shelf.keep(sound(7, source="door", sources=(other,)))


def test_a_deleted_sound_comes_back_with_its_name_and_star_at_its_old_place(shelf):
    rename(shelf, "a", "b", "c")
    shelf.items[1].star.value = True
    shelf.items[1].remove.click()
    shelf.items[0].remove.click()
    assert names(shelf) == ["c"]
    assert "press Undo delete" in message(shelf)
    shelf.undo.click()
    shelf.undo.click()
    assert names(shelf) == ["a", "b", "c"]
    assert shelf.items[1].star.value and torch.equal(shelf.items[1].sound.audio, sound(1).audio)
    assert shelf.undo.disabled


def test_what_is_deleted_leaves_the_memory_of_the_browser(shelf):
    import ipywidgets

    def alive():
        return len(ipywidgets.widgets.widget._instances)

    before = alive()
    shelf.items[0].remove.click()
    assert alive() < before
    shelf.undo.click()
    assert alive() == before


def test_an_empty_name_becomes_the_old_one_and_of_an_odd_one_the_file_is_shown(shelf):
    rename(shelf, "  ", "AC/DC: loud?")
    assert names(shelf)[0] == shelf.items[0].sound.name
    assert "its file will be AC_DC_ loud_.wav" in message(shelf)


# --- files ---


def test_saving_again_writes_nothing_and_nothing_is_ever_overwritten(shelf, tmp_path):
    rename(shelf, "boom", "boom", "boom")
    assert [p.name for p in shelf.save()] == ["boom.wav", "boom-2.wav", "boom-3.wav"]
    first = (tmp_path / "kept" / "boom.wav").read_bytes()
    assert shelf.save() == []
    assert "saved already" in message(shelf)
    shelf.encoding.value = "pcm16"
    assert [p.name for p in shelf.save()] == ["boom-4.wav", "boom-5.wav", "boom-6.wav"]
    assert (tmp_path / "kept" / "boom.wav").read_bytes() == first
    (tmp_path / "kept" / "boom-4.wav").unlink()
    assert [p.name for p in shelf.save()] == ["boom-4.wav"]


def test_saved_files_carry_the_settings_and_the_very_samples(shelf):
    for path, item in zip(shelf.save(), shelf.items, strict=True):
        assert Settings.from_json(read_comment(path)) == item.sound.settings
        assert torch.equal(load_audio(path, None), item.sound.audio)


FAILURES = [
    (errno.ENOSPC, "No space left on device", "the disk is full"),
    (errno.EACCES, "Permission denied", "writing there is not allowed"),
    (errno.EROFS, "Read-only file system", "it can only be read"),
]


@pytest.mark.parametrize("number, text, words", FAILURES)
@pytest.mark.parametrize("press", ["save_files", "save_zip"])
def test_a_full_disk_or_read_only_folder_is_shown_in_words_and_loses_nothing(
    shelf, tmp_path, monkeypatch, press, number, text, words
):
    def fail(*_):
        raise OSError(number, text)

    with monkeypatch.context() as full:
        full.setattr("tad_course.library.sound.write_atomically", fail)
        getattr(shelf, press).click()
    assert words in message(shelf) and "choose another folder" in message(shelf) and "Nothing is lost" in message(shelf)
    assert "OSError" in shelf.status.message.value.partition("<details>")[2]
    assert len(shelf.items) == 3
    assert not list((tmp_path / "kept").iterdir())
    getattr(shelf, press).click()
    assert message(shelf).startswith("Saved ")


def test_a_disk_that_fills_up_on_the_way_keeps_what_was_written_and_the_rest_follows_later(shelf, monkeypatch):
    rename(shelf, "a", "b", "c")

    def fail_at_b(path, content):
        if path.name == "b.wav":
            raise OSError(errno.ENOSPC, "No space left on device")
        write_atomically(path, content)

    with monkeypatch.context() as full:
        full.setattr("tad_course.library.sound.write_atomically", fail_at_b)
        assert [p.name for p in shelf.save()] == ["a.wav"]
    assert "1 had been written before that" in message(shelf)
    assert [p.name for p in shelf.save()] == ["b.wav", "c.wav"]


def test_a_folder_that_cannot_be_is_refused_in_words(shelf, tmp_path):
    (tmp_path / "file").write_text("in the way")
    shelf.folder.value = str(tmp_path / "file" / "below")
    shelf.save_files.click()
    assert "part of the path is a file" in message(shelf)
    shelf.folder.value = " "
    shelf.save_zip.click()
    assert "Type the name of a folder" in message(shelf)


def test_an_empty_shelf_names_the_cure(session, tmp_path):
    shelf = Shelf(session, tmp_path)
    for press in (shelf.save_files, shelf.save_zip, shelf.download):
        press.click()
        assert "Nothing is kept yet: press Keep" in message(shelf)


# --- zip ---


def test_a_zip_holds_the_chosen_sounds_and_their_settings(shelf, tmp_path):
    rename(shelf, "low", "mid", "high")
    shelf.items[2].star.value = True
    for which, files in (("all", ["low.wav", "mid.wav", "high.wav"]), ("starred", ["high.wav"])):
        shelf.which.value = which
        content = unzipped(shelf.save_as_zip().read_bytes())
        assert list(content) == [*files, "settings.json"]
        assert [entry["file"] for entry in json.loads(content["settings.json"])["sounds"]] == files
    shelf.which.value = shelf.items[1]
    path = shelf.save_as_zip()
    assert path.name == "mid.zip"
    assert list(unzipped(path.read_bytes())) == ["mid.wav", "settings.json"]


@pytest.mark.parametrize("encoding", ["float32", "pcm24", "pcm16"])
def test_each_file_in_a_zip_follows_from_its_entry_in_the_settings(encoding):
    one = sound(5)
    content = unzipped(zip_bytes([("one", one)], encoding))
    (entry,) = json.loads(content["settings.json"])["sounds"]
    assert entry["kind"] == "generate" and entry["encoding"] == encoding
    settings = Settings(**entry["settings"])
    assert settings == one.settings
    assert content[entry["file"]] == wav_bytes(one.audio, entry["encoding"], settings.to_json())


@pytest.mark.parametrize("encoding", ["float32", "pcm24", "pcm16"])
def test_the_command_line_makes_the_very_same_files_from_a_zip_of_the_shelf(shelf, tmp_path, encoding):
    model = small()
    folder = str(save_model(model, tmp_path / "untrained"))
    for seed, label in ((7, "kick"), (8, "any")):
        settings = Settings(folder, label, seed, num_steps=2, guidance_scale=2.0, fingerprint=fingerprint(model))
        shelf.keep(Sound(generate(model, settings), settings))
    for item, name in zip(shelf.items[3:], ("Boom: one", "b\u00f6se"), strict=True):
        item.name.value, item.star.value = name, True
    shelf.which.value, shelf.encoding.value = "starred", encoding
    with zipfile.ZipFile(shelf.save_as_zip()) as archive:
        archive.extractall(tmp_path / "export")
    arguments = ["--from", str(tmp_path / "export" / "settings.json"), "--out", str(tmp_path / "again")]
    assert main(["generate", *arguments]) == 0
    again = {path.name: path.read_bytes() for path in (tmp_path / "again").iterdir()}
    assert again == {path.name: path.read_bytes() for path in (tmp_path / "export").glob("*.wav")}
    assert sorted(again) == ["Boom_ one.wav", "b\u00f6se.wav"]


def test_a_restyled_sound_shows_that_it_needs_its_source():
    content = unzipped(zip_bytes([("door", sound(source="door", strength=0.4))]))
    (entry,) = json.loads(content["settings.json"])["sounds"]
    assert entry["kind"] == "restyle"
    assert (entry["settings"]["restyled"], entry["settings"]["strength"]) == ("door", 0.4)


def test_equal_sounds_give_equal_zips():
    assert zip_bytes([("a", sound(1))]) == zip_bytes([("a", sound(1))])


def test_nobody_s_zip_is_replaced(tmp_path):
    named = [("a", sound())]
    assert [save_zip(named, tmp_path).name for _ in range(3)] == ["sounds.zip", "sounds-2.zip", "sounds-3.zip"]


def test_a_download_is_a_link_that_holds_the_same_zip_until_something_changes(shelf):
    shelf.download.click()
    name, data = re.search(r'download="([^"]+)" href="data:application/zip;base64,([^"]+)"', shelf.link.value).groups()
    assert name == "all-sounds.zip"
    assert base64.b64decode(data) == zip_bytes([(item.name.value, item.sound) for item in shelf.items])
    shelf.items[0].name.value = "other"
    assert shelf.link.value == ""


def test_without_a_star_an_export_of_stars_is_refused(shelf):
    shelf.which.value = "starred"
    shelf.download.click()
    assert "No sound has a star yet" in message(shelf) and shelf.link.value == ""


def test_a_sound_that_would_clip_is_refused_by_name_and_float_takes_it(shelf):
    shelf.keep(sound(9, level=1.5))
    shelf.items[3].name.value = "too loud"
    shelf.encoding.value = "pcm16"
    assert shelf.save_as_zip() is None
    assert "too loud.wav: peaks at +3.52 dBFS" in message(shelf)
    shelf.encoding.value = "float32"
    assert shelf.save_as_zip().exists()


# --- names ---

DEVICES = ["CON", "con .x", "nul.wav", "COM¹"]
ODD = ["a/b\\c:d", "  ..", "", "x" * 300, "鼓" * 300, "tab\there", "\ud800", "🥁\u202e"]


@pytest.mark.parametrize("text", DEVICES + ODD)
def test_any_text_becomes_a_name_that_every_system_accepts(text):
    name = safe_name(text)
    assert 1 <= len(name) <= 101 and len(f"{name}-999.wav".encode()) <= 255
    assert not re.search(r'[<>:"/\\|?*\x00-\x1f]', name) and name.isprintable()
    assert name == name.strip(" .") and name.partition(".")[0].strip().lower() not in ("con", "nul", "com¹")


def test_names_differ_also_where_capitals_and_ways_to_write_a_letter_do_not_count():
    assert unique_names(["Kick", "kick", "e\u0301", "\u00e9", "kick-2"]) == ["Kick", "kick-2", "é", "é-2", "kick-2-2"]


def test_two_who_save_at_once_never_share_a_file(tmp_path):
    threads = [threading.Thread(target=save_new, args=(sound(), tmp_path, "same")) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list(tmp_path.glob("*.wav"))) == 8


def test_a_sound_that_cannot_be_written_leaves_no_empty_file_behind(tmp_path):
    with pytest.raises(ValueError, match="NaN"):
        save_all([Sound(torch.full((2, 100), torch.nan), Settings())], tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_error_of_a_bad_folder_is_one_of_ours(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(AudioFileError, match="choose another folder"):
        save_new(sound(), tmp_path / "file")


def test_a_link_cannot_smuggle_html_in():
    assert "<b>" not in download_link(b"", "<b>.zip")


# --- compare ---


@pytest.fixture
def compare(session):
    sounds = {"made: loud": sound(1, level=2.0), "made: quiet": sound(2, level=0.2)}
    kept = []
    panel = ComparePanel(session, lambda: sounds, kept.append)
    panel.all, panel.kept = sounds, kept
    return panel


def listen(panel) -> torch.Tensor:
    """Press the button and return what is played."""
    panel.switch.click()
    data = re.search(r"data:audio/wav;base64,([^\"]+)", panel.player.value)[1]
    samples = torch.frombuffer(bytearray(base64.b64decode(data)[44:]), dtype=torch.int16)
    return samples.float() / 32768


def test_one_press_switches_and_both_are_played_at_one_gain(compare):
    a, b = listen(compare), listen(compare)
    assert peak_dbfs(a) == pytest.approx(-1, abs=0.01)
    assert peak_dbfs(a) - peak_dbfs(b) == pytest.approx(20, abs=0.01)
    assert "autoplay" in compare.player.value
    assert "B is heard, both at -7.0 dB" in compare.note.value
    assert torch.equal(listen(compare), a)


def test_a_choice_stays_while_its_sound_is_there(compare):
    compare.b.value = "made: loud"
    compare.all["kept: third"] = sound(3)
    compare.refresh()
    assert (compare.a.value, compare.b.value) == ("made: loud", "made: loud")
    assert "kept: third" in compare.a.options
    del compare.all["made: loud"]
    compare.refresh()
    assert compare.a.value == "made: quiet"


def test_until_somebody_chooses_the_two_newest_are_compared_and_nothing_is_drawn_before_it_is_played(compare):
    newest = {"made: new": sound(3), **compare.all}
    compare.sounds = lambda: newest
    compare.refresh()
    assert (compare.a.value, compare.b.value) == ("made: new", "made: loud")
    assert compare.player.value == "" and compare.switch.description == "Hear A"


def test_sounds_that_differ_only_in_a_setting_have_other_names_and_the_same_one_is_offered_once():
    coarse, fine = (Sound(torch.zeros(2, 10), Settings(seed=7, num_steps=n, guidance_scale=1)) for n in (2, 8))
    offered = named([fine, coarse, fine], [("boom", fine), ("boom", coarse)])
    assert list(offered.values()) == [fine, coarse, fine, coarse]
    assert list(offered)[1] == "made: kick, seed 7 (drums, 2 steps, DPM-Solver++ 2M)"


def test_what_is_heard_can_be_kept(compare):
    assert compare.keep_it.disabled
    listen(compare), listen(compare)
    compare.keep_it.click()
    assert [one.settings.seed for one in compare.kept] == [2]


def test_without_a_sound_there_is_nothing_to_switch(session):
    panel = ComparePanel(session, dict, print)
    panel.press()
    assert panel.switch.disabled and "Make or keep a sound first" in panel.note.value


def test_names_of_sounds_cannot_smuggle_html_in(session):
    panel = ComparePanel(session, lambda: {"x": sound(source="<script>")}, print)
    panel.press()
    assert "&lt;script&gt;" in panel.player.value and "<script>" not in panel.player.value


def test_the_folder_is_made_when_it_is_missing(tmp_path):
    path = save_new(sound(), tmp_path / "deep" / "down")
    assert path.parent == Path(tmp_path / "deep" / "down")
