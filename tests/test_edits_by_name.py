"""Edited sounds are made again from an export, to the last bit; a sentence names what is missing or has changed."""

import io
import json
import struct
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from small_models import small

import tad_course
from tad_course.audio.wav import read_comment, save_wav
from tad_course.cli import main
from tad_course.drums.pattern import Pattern
from tad_course.generate import Settings, fingerprint, generate
from tad_course.library.edits import NUMBERS, SOURCES, edit_by_name
from tad_course.library.export import save_zip, zip_bytes
from tad_course.library.recipes import read_recipes
from tad_course.library.sound import Sound, Source, save_new
from tad_course.model.checkpoint import load_model, save_model
from tad_course.model.network import AudioDiffusion

pytestmark = pytest.mark.usefixtures("one_thread")
VALUES = {"strength": 0.4, "start_s": 0.02, "stop_s": 0.06, "turns": 2, "amount": 0.3}
KINDS = list(NUMBERS)


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> AudioDiffusion:
    """A small untrained model; `model.folder` is where it lies."""
    folder = str(save_model(small(length_samples=4096), tmp_path_factory.mktemp("models") / "small"))
    loaded = load_model(folder)
    loaded.folder = folder
    return loaded


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def settings_for(model, **changes) -> Settings:
    return replace(Settings(model.folder, "snare", 3, num_steps=3, fingerprint=fingerprint(model)), **changes)


def noise(seed: int, name: str = "my door", label: str = "kick") -> Source:
    audio = torch.rand(2, 4096, generator=torch.Generator().manual_seed(seed)) - 0.5
    return Source(audio, name, label)


def from_noise(model, seed: int) -> Source:
    settings = settings_for(model, seed=seed, label="any")
    return Source(generate(model, settings), f"any, seed {seed}", "kick", settings)


def edited(model, kind: str, *sources: Source, **changes) -> Sound:
    """Return a sound of a kind; without `sources`, out of noises that stand for files."""
    sources = sources or [noise(seed) for seed in range(SOURCES[kind])]
    numbers = {name: VALUES[name] for name in NUMBERS[kind]}
    return edit_by_name(model, kind, sources, settings_for(model, **changes), **numbers)


def unzip(here: Path, *sounds: Sound, encoding: str = "float32") -> Path:
    """Write the export of sounds "0", "1" and so on into the folder "export"; return that."""
    with zipfile.ZipFile(io.BytesIO(zip_bytes(list(zip("0123456789", sounds, strict=False)), encoding))) as archive:
        archive.extractall(here / "export")
    return here / "export"


def wavs(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.wav")}


def again(source: Path) -> int:
    return main(["generate", "--from", str(source), "--out", "again"])


# --- the same once more ---


@pytest.mark.parametrize("encoding", ["float32", "pcm16"])
@pytest.mark.parametrize("kind", KINDS)
def test_an_edited_sound_is_made_again_byte_for_byte_from_an_unzipped_export(here, model, kind, encoding):
    export = unzip(here, edited(model, kind), encoding=encoding)
    assert again(export / "settings.json") == 0
    assert wavs(here / "again") == wavs(export) and len(wavs(export)) == 1


@pytest.mark.parametrize("kind", ["morph", "vary"])
def test_sounds_whose_noise_is_known_go_the_short_way_and_come_again_too(here, model, kind):
    known = [from_noise(model, seed) for seed in range(5, 5 + SOURCES[kind])]
    short, long = (
        edited(model, kind, *known),
        edited(model, kind, *[replace(source, settings=None) for source in known]),
    )
    assert not torch.equal(short.audio, long.audio)
    export = unzip(here, short, long)
    assert again(export / "settings.json") == 0
    assert wavs(here / "again") == wavs(export)


def test_the_zip_itself_will_do_and_nothing_of_it_is_written(here, model):
    path = save_zip([("a", edited(model, "restyle")), ("b", edited(model, "vary"))], here)
    assert again(path) == 0
    with zipfile.ZipFile(path) as archive:
        assert wavs(here / "again") == {name: archive.read(name) for name in ("a.wav", "b.wav")}
    assert sorted(each.name for each in here.iterdir()) == ["again", path.name]


def test_a_chain_of_edits_is_made_again_link_by_link(here, model):
    morphed = edited(model, "morph")
    varied = edited(model, "vary", Source(morphed.audio, morphed.title, "snare"))
    painted = edited(model, "repaint", Source(varied.audio, varied.title, "snare"))
    export = unzip(here, painted, morphed, varied)
    assert again(export / "settings.json") == 0
    assert wavs(here / "again") == wavs(export)


def test_a_source_of_several_sounds_is_stored_once_and_others_of_its_name_beside_it(here, model):
    door, other = noise(0), noise(1)
    sounds = [edited(model, "restyle", door), edited(model, "repaint", replace(door)), edited(model, "vary", other)]
    export = unzip(here, *sounds)
    assert sorted(wavs(export / "sources")) == ["my door-2.wav", "my door.wav"]
    assert again(export / "settings.json") == 0
    assert wavs(here / "again") == wavs(export)


@pytest.mark.parametrize("name", ["AC/DC: ../..\\x", "CON", "x" * 300, "鼓" * 99, "\udc80", " ."])
def test_a_source_of_any_name_is_stored_and_found_again(here, model, name):
    export = unzip(here, edited(model, "morph", noise(0, name), noise(1, name)))
    assert again(export / "settings.json") == 0
    assert wavs(here / "again") == wavs(export)


def test_an_export_holds_all_that_the_function_needs(here, model):
    (entry,) = json.loads((unzip(here, edited(model, "morph")) / "settings.json").read_text("utf-8"))["sounds"]
    assert (entry["kind"], entry["settings"]["amount"], entry["settings"]["num_steps"]) == ("morph", 0.3, 3)
    assert entry["settings"]["fingerprint"] == fingerprint(model)
    first, second = entry["sources"]
    assert (first["file"], first["label"], first["length_samples"]) == ("sources/my door.wav", "kick", 4096)
    assert second["file"] == "sources/my door-2.wav" and "settings" not in second


# --- what cannot be made ---


def refused(here: Path, capsys, *reasons: str, source: str = "export/settings.json") -> None:
    assert again(here / source) == 1
    error = capsys.readouterr().err
    assert "Traceback" not in error and all(reason in error for reason in reasons), error
    assert not (here / "again").exists()


def change_entry(export: Path, change) -> None:
    """Change the first entry of an export's settings."""
    found = json.loads((export / "settings.json").read_text("utf-8"))
    change(found["sounds"][0])
    (export / "settings.json").write_text(json.dumps(found), "utf-8")


DAMAGES = {
    "is missing": lambda file: file.unlink(),
    "is no sound": lambda file: file.write_text("no sound"),
    "has 4000 samples a channel, not 4096": lambda file: save_wav(file, torch.zeros(2, 4000)),
    "has 1 channels, not 2": lambda file: save_wav(file, torch.zeros(4096)),
    "has been changed": lambda file: save_wav(file, torch.zeros(2, 4096)),
}


@pytest.mark.parametrize("reason", DAMAGES)
def test_a_missing_or_damaged_source_is_named(here, model, capsys, reason):
    export = unzip(here, edited(model, "restyle"))
    DAMAGES[reason](export / "sources" / "my door.wav")
    refused(here, capsys, "0.wav was not made. Its source sources/my door.wav", reason)


def test_a_sound_without_its_source_does_not_stop_the_others(here, model, capsys):
    export = unzip(here, edited(model, "restyle"), edited(model, "vary", noise(9, "other")))
    (export / "sources" / "my door.wav").unlink()
    assert again(export / "settings.json") == 1
    assert list(wavs(here / "again")) == ["1.wav"] and "0.wav was not made" in capsys.readouterr().err


def test_another_model_of_the_same_name_is_refused(here, model, capsys):
    sound = edited(model, "vary", fingerprint="0123456789ab")
    unzip(here, sound)
    refused(here, capsys, "0.wav was not made", "the model has changed since")


def test_a_wav_alone_is_refused_because_it_needs_its_source(here, model, capsys):
    path = save_new(edited(model, "repaint"), here, "it")
    refused(here, capsys, "made out of my door (repaint), so settings alone do not make it again", source=path.name)


def test_settings_from_before_sources_were_kept_say_the_same(here, model, capsys):
    sound = replace(edited(model, "morph"), sources=())
    export = unzip(here, sound)
    assert not (export / "sources").exists() and "sources" not in (export / "settings.json").read_text("utf-8")
    refused(here, capsys, "made out of my door (morph)")


ODD_ENTRIES = {
    "needs a number 'amount'": lambda entry: entry["settings"].pop("amount"),
    "needs a number 'amount', not inf": lambda entry: entry["settings"].update(amount=float("inf")),
    "needs a number 'amount', not '1'": lambda entry: entry["settings"].update(amount="1"),
    "between 0 and 1, not 2": lambda entry: entry["settings"].update(amount=2),
    "called 'bend'": lambda entry: entry.update(kind="bend"),
    "is made out of 1, not out of 2": lambda entry: entry.update(sources=2 * entry["sources"]),
    "cannot be understood": lambda entry: entry["sources"][0].pop("label"),
    "cannot be understood; export": lambda entry: entry.update(sources=["x"]),
    "does not carry the settings": lambda entry: entry.update(sources="x"),
}


@pytest.mark.parametrize("reason", ODD_ENTRIES)
def test_odd_entries_are_refused_in_words(here, model, capsys, reason):
    change_entry(unzip(here, edited(model, "vary")), ODD_ENTRIES[reason])
    refused(here, capsys, reason)


@pytest.mark.parametrize("turns", [0, 1.5, True, None, 10**400])
def test_turns_are_counted_in_whole_numbers(model, turns):
    with pytest.raises(ValueError, match="needs a number 'turns'"):
        edit_by_name(model, "repaint", [noise(0)], settings_for(model), start_s=0.02, stop_s=0.06, turns=turns)


# --- what version 0.1 made ---


def as_old(settings: Settings) -> dict:
    """Return settings as version 0.1 wrote them."""
    values = settings.to_dict() | {"sampler": "dpm_solver_3m", "grid": "log_snr"}
    del values["version"]
    return values


OLD = "was not made. It was made by tad-course 0.1", "install tad-course 0.1.0 to make it again"


def test_settings_name_the_version_that_made_the_sound(model):
    settings = settings_for(model)
    assert settings.to_dict()["version"] == tad_course.__version__
    with pytest.raises(ValueError, match=r"made by tad-course 0\.1, with a model that this version does not have"):
        Settings.from_dict(as_old(settings))


def test_a_wav_of_version_0_1_is_refused_in_a_sentence(here, model, capsys):
    save_wav(here / "old.wav", torch.zeros(2, 100), comment=json.dumps(as_old(settings_for(model))))
    refused(here, capsys, "old.wav: It was made by tad-course 0.1, ", OLD[1], source="old.wav")
    with pytest.raises(ValueError, match=r"made by tad-course 0\.1"):
        Settings.from_json(read_comment(here / "old.wav"))


@pytest.mark.parametrize("kind", ["generate", *KINDS])
def test_an_export_of_version_0_1_is_refused_in_a_sentence(here, model, capsys, kind):
    generated = Sound(torch.zeros(2, 100), settings_for(model))
    export = unzip(here, generated if kind == "generate" else edited(model, kind))

    def make_old(entry):
        entry["settings"] |= {"grid": "log_snr"}
        del entry["settings"]["version"]

    change_entry(export, make_old)
    refused(here, capsys, "settings.json: It was made by tad-course 0.1, ", OLD[1])


def test_a_loop_with_a_sound_of_version_0_1_is_refused_in_a_sentence(here, model, capsys):
    loop = {"pattern": json.loads(Pattern(levels={"kick": "X..............."}).to_json())}
    loop["sounds"] = {"kick": as_old(settings_for(model))}
    save_wav(here / "loop.wav", torch.zeros(2, 100), comment=json.dumps(loop))
    refused(here, capsys, "Its kick cannot be made again. ", "It was made by tad-course 0.1, ", source="loop.wav")


@pytest.mark.parametrize("kind", ["morph", "vary"])
def test_a_source_that_version_0_1_made_is_refused_in_a_sentence(here, model, capsys, kind):
    sources = [from_noise(model, seed) for seed in range(SOURCES[kind])]
    export = unzip(here, edited(model, kind, *sources))

    def make_old(entry):
        entry["sources"][0]["settings"] = as_old(sources[0].settings)

    change_entry(export, make_old)
    refused(here, capsys, f"0.wav {OLD[0]}", OLD[1])


# --- hostile zips ---

OUTSIDE = ["../secret.wav", "sources/../../secret.wav", "/secret.wav", "sources\\..\\x.wav", "C:\\x.wav", "0.wav"]


@pytest.mark.parametrize("file", OUTSIDE)
def test_no_way_leads_out_of_the_folder_of_sources(here, model, capsys, file):
    sound = edited(model, "restyle")
    save_wav(here / "secret.wav", sound.sources[0].audio)
    export = unzip(here, sound)
    change_entry(export, lambda entry: entry["sources"][0].update(file=file))
    refused(here, capsys, "does not lie in the folder 'sources'")
    with zipfile.ZipFile(here / "odd.zip", "w") as archive:
        archive.write(export / "settings.json", "settings.json")
        archive.write(here / "secret.wav", file)
    refused(here, capsys, "does not lie in the folder 'sources'", source="odd.zip")


def test_a_link_out_of_the_folder_is_not_followed(here, model, capsys):
    sound = edited(model, "restyle")
    export = unzip(here, sound)
    source = export / "sources" / "my door.wav"
    source.rename(here / "secret.wav")
    try:
        source.symlink_to(here / "secret.wav")
    except OSError:
        pytest.skip("links are not allowed here")
    refused(here, capsys, "is missing")


def test_members_with_ways_out_are_written_nowhere_and_only_names_within_become_files(here, model):
    sound = edited(model, "restyle")
    export = unzip(here, sound)
    change_entry(export, lambda entry: entry.update(file="../../escaped.wav"))
    (here / "inner").mkdir()
    with zipfile.ZipFile(here / "odd.zip", "w") as archive:
        archive.writestr("../evil.txt", "out")
        archive.write(export / "settings.json", "settings.json")
        archive.write(export / "sources" / "my door.wav", "sources/my door.wav")
    assert again(here / "odd.zip") == 0
    assert list(wavs(here / "again")) == ["escaped.wav"]
    assert not list(here.parent.glob("escaped*")) and not list(here.rglob("evil*"))


def test_a_member_that_swells_is_refused_before_it_fills_the_memory(here, capsys, monkeypatch):
    monkeypatch.setattr("tad_course.library.recipes.MOST_BYTES", 1000)
    with zipfile.ZipFile(here / "odd.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("settings.json", " " * 1001)
    refused(here, capsys, "is too big", source="odd.zip")


def test_zips_that_are_none_or_damaged_or_hold_no_settings_are_refused_in_words(here, model, capsys):
    refused(here, capsys, "missing.zip", source="missing.zip")
    (here / "none.zip").write_text("no zip")
    refused(here, capsys, "none.zip: settings.json is not readable in it", source="none.zip")
    with zipfile.ZipFile(here / "empty.zip", "w"):
        pass
    refused(here, capsys, "there is no settings.json in it", source="empty.zip")
    content = bytearray(zip_bytes([("0", edited(model, "restyle"))]))
    start = content.index(b"sources/my door.wav") + 1000
    content[start : start + 64] = bytes(64)
    (here / "torn.zip").write_bytes(content)
    refused(here, capsys, "sources/my door.wav is not readable in it", source="torn.zip")
    with zipfile.ZipFile(here / "nested.zip", "w") as archive:
        archive.writestr("settings.json", "[" * 200_000)
    refused(here, capsys, "does not carry the settings", source="nested.zip")


def test_a_locked_zip_is_refused_in_words(here, model, capsys):
    content = bytearray(zip_bytes([("0", edited(model, "restyle"))]))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = content.rindex(mark) + offset
        content[start : start + 2] = struct.pack("<H", 1)  # encrypted, says the flag
    (here / "locked.zip").write_bytes(content)
    refused(here, capsys, "settings.json is not readable in it", source="locked.zip")


def test_a_recipe_of_an_export_carries_its_sources_and_one_of_a_wav_none(here, model):
    sound = edited(model, "vary")
    (packed,), (alone,) = read_recipes(save_zip([("a", sound)], here)), read_recipes(save_new(sound, here))
    assert len(packed.sources) == 1 and alone.sources == ()
    assert packed.settings() == sound.settings
