"""Files from which sounds can be made again: a WAV or a loop made here, a JSON of settings, or the zip of an export.

`tad-course generate --from` reads them. Sounds that were shaped out of others need those as well; only an export holds
them. Nothing of a zip is written anywhere: its members are read in memory.
"""

import io
import json
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import soundfile
import torch

from tad_course.audio.wav import ENCODINGS, AudioFileError, read_comment
from tad_course.drums.pattern import Pattern, render_loop
from tad_course.generate import Model, Settings, generate, model_of, refuse_old
from tad_course.library.edits import NUMBERS, check_edit, edit_by_name
from tad_course.library.export import SETTINGS_FILE, SOURCES_FOLDER
from tad_course.library.sound import GENERATE, Sound, Source, safe_name

Reader = Callable[[str], bytes]  # the name of a file of an export -> its content
MOST_BYTES = 64_000_000  # of one file of an export: minutes of sound, and no more than a machine can hold
NO_SETTINGS = "this file does not carry the settings of a generated sound."
_SETTINGS = {field.name for field in fields(Settings)}
_DAMAGED = (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError, OSError, ValueError)


@dataclass(frozen=True)
class Recipe:
    """How one sound was made: `kind` is "generate" if its settings alone make it, else it needs `sources` as well."""

    file: str  # the name to write it under; "" lets the settings give one
    kind: str
    values: dict
    encoding: str = ""  # "float32", "pcm24" or "pcm16"; "" leaves the choice
    sources: tuple[dict, ...] = ()  # the entry of each in the export
    read: Reader | None = None  # of the files of the export

    @property
    def name(self) -> str:
        """The name of the file to write, safe on every system."""
        return f"{safe_name(Path(self.file).stem)}.wav" if self.file else self.settings().file_name()

    def settings(self) -> Settings:
        """Return the settings with which the sound was made.

        Raises:
            ValueError: if they do not make it alone and its sources are missing, or if they make no sound.
        """
        if self.kind == GENERATE:
            return Settings.from_json(json.dumps(self.values))
        if not self.sources:
            source = self.values.get("source") or self.values.get("restyled") or "another sound"
            raise ValueError(
                f"It was made out of {source} ({self.kind}), so settings alone do not make it again; an export has "
                "its source as well."
            )
        return Settings.from_json(json.dumps({name: self.values[name] for name in _SETTINGS & set(self.values)}))

    def make(self, model_for: Callable[[Settings], Model]) -> Sound:
        """Make the sound again, with the model that `model_for` gives for its settings.

        Raises:
            ValueError: if a source is missing or another one, or the sound cannot be made.
        """
        settings = self.settings()
        if self.kind == GENERATE:
            return Sound(generate(model_for(settings), settings), settings)
        numbers = {name: self.values[name] for name in NUMBERS.get(self.kind, ()) if name in self.values}
        check_edit(self.kind, len(self.sources), numbers)
        sources = [_source(entry, self.read) for entry in self.sources]
        return edit_by_name(model_for(settings), self.kind, sources, settings, **numbers)


@dataclass(frozen=True)
class Loop:
    """A bar `[2, n]` of a pattern, and the text from which it can be made again."""

    audio: torch.Tensor
    text: str

    def comment(self) -> str:
        """Return the text, to be stored in a WAV file."""
        return self.text


@dataclass(frozen=True)
class LoopRecipe:
    """How a bar was made: its `values` are the `pattern` and, of each drum in `sounds`, the settings."""

    file: str
    values: dict
    encoding: str = "pcm24"  # as the studio saves it

    @property
    def name(self) -> str:
        """The name of the file to write, safe on every system."""
        return f"{safe_name(Path(self.file).stem)}.wav"

    def make(self, model_for: Callable[[Settings], Model]) -> Loop:
        """Make the sounds and the bar again.

        Raises:
            ValueError: if a sound cannot be made from its settings alone, or they are missing; it names the drum.
        """
        pattern, recipes = Pattern.from_json(json.dumps(self.values["pattern"])), self.values.get("sounds")
        if not isinstance(recipes, dict):
            raise ValueError("It holds its pattern, but had no room for the settings of its sounds; export these too.")
        sounds = {}
        for label, recipe in recipes.items():
            try:
                sounds[label] = _recipe(recipe, Path(self.file)).make(model_for).audio
            except ValueError as error:
                raise ValueError(f"Its {label} cannot be made again. {error}") from error
        return Loop(render_loop(pattern, sounds), json.dumps(self.values))


def read_recipes(path: str | Path) -> list[Recipe | LoopRecipe]:
    """Return the recipes in a WAV made here, in the zip of an export, or in a JSON.

    A JSON holds one object, a list of them, or `{"sounds": [...]}`. An object has `settings`, and perhaps `file`,
    `kind`, `encoding` and `sources`, as the studio's export writes them; or it is the settings. Sources lie beside it.

    Raises:
        AudioFileError: if a sound file cannot be read.
        ValueError: if the file holds no recipe.
    """
    path = Path(path)
    if path.suffix.lower() not in (".json", ".zip"):
        found = _parsed(read_comment(path) or "", path)
        loop = isinstance(found, dict) and "pattern" in found
        return [LoopRecipe(path.name, found) if loop else _recipe(found, path)]
    packed = path.suffix.lower() == ".zip"
    read = _in_zip(path) if packed else _in_folder(path.parent)
    found = _parsed(read(SETTINGS_FILE) if packed else path.read_bytes(), path)
    found = found.get("sounds", found) if isinstance(found, dict) else found
    recipes = [_recipe(each, path, read) for each in (found if isinstance(found, list) else [found])]
    names = [recipe.file.casefold() for recipe in recipes if recipe.file]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"{path}: several sounds are called {', '.join(sorted(twice))}; rename all but one.")
    return recipes


def make_again(
    recipes: Sequence[Recipe | LoopRecipe], device: str = "cpu"
) -> Iterator[tuple[Recipe | LoopRecipe, Sound | Loop | ValueError]]:
    """Yield each recipe with the sound that it makes, or with the reason why it makes none."""
    models = {}

    def model_for(settings: Settings) -> Model:
        key = settings.model, settings.fingerprint
        models[key] = models.get(key) or model_of(settings, device)
        return models[key]

    for recipe in recipes:
        try:
            yield recipe, recipe.make(model_for)
        except ValueError as error:  # one that cannot be made must not stop the others
            yield recipe, error


def _parsed(content: str | bytes, path: Path):
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: {NO_SETTINGS}") from error


def _recipe(found, path: Path, read: Reader | None = None) -> Recipe:
    if not isinstance(found, dict) or not isinstance(found.get("settings", {}), dict):
        raise ValueError(f"{path}: {NO_SETTINGS}")
    values = found.get("settings", found)
    try:
        refuse_old(values)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    kind = found.get("kind") or ("restyle" if "restyled" in values else GENERATE)
    encoding, sources = found.get("encoding", ""), found.get("sources", [])
    if encoding and str(encoding) not in ENCODINGS:
        raise ValueError(f"{path}: no encoding {encoding!r}; choose one of {', '.join(ENCODINGS)}.")
    if kind == GENERATE and not values or not isinstance(sources, list):
        raise ValueError(f"{path}: {NO_SETTINGS}")
    return Recipe(str(found.get("file", "")), str(kind), values, encoding, tuple(sources), read)


def _source(entry, read: Reader) -> Source:
    """Read a source and check that it is still the sound that was exported."""
    try:
        file, name, label = (str(entry[key]) for key in ("file", "name", "label"))
        made, length, digest = entry.get("settings"), entry["length_samples"], entry["digest"]
        settings = Settings.from_dict(made) if made else None
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError("The entry of its source cannot be understood; export it again.") from error
    audio = _exact(read(_inside(file)), file)
    if audio.shape[-1] != length:
        raise AudioFileError(
            f"Its source {file} has {audio.shape[-1]} samples a channel, not {length}; take it from the export again."
        )
    source = Source(audio, name, label, settings)
    if source.digest != digest:
        raise AudioFileError(f"Its source {file} has been changed since the export; take it from there again.")
    return source


def _inside(file: str) -> str:
    """Return the name of a source if it is one that an export gives: no way leads out of its folder."""
    stem = file.removeprefix(f"{SOURCES_FOLDER}/").removesuffix(".wav")
    if file != f"{SOURCES_FOLDER}/{safe_name(stem)}.wav":
        raise AudioFileError(f"Its source {file!r} does not lie in the folder {SOURCES_FOLDER!r} of an export.")
    return file


def _exact(content: bytes, file: str) -> torch.Tensor:
    """Return the samples `[2, N]` of a stereo WAV as they are."""
    try:
        frames, _ = soundfile.read(io.BytesIO(content), dtype="float32", always_2d=True)
    except (RuntimeError, TypeError, ValueError, OSError) as error:
        raise AudioFileError(f"Its source {file} is no sound ({error}); take it from the export again.") from error
    if frames.shape[1] != 2:
        raise AudioFileError(f"Its source {file} has {frames.shape[1]} channels, not 2; take it from the export again.")
    return torch.from_numpy(frames.T.copy())


def _in_folder(folder: Path) -> Reader:
    def read(file: str) -> bytes:
        path = folder / file
        if not path.is_file() or not path.resolve().is_relative_to(folder.resolve()):
            raise AudioFileError(f"Its source {file} is missing in {folder.resolve()}; unzip the whole export there.")
        if path.stat().st_size > MOST_BYTES:
            raise AudioFileError(f"Its source {file} is too big for a source; take it from the export again.")
        return path.read_bytes()

    return read


def _in_zip(path: Path) -> Reader:
    def read(file: str) -> bytes:
        try:
            with zipfile.ZipFile(path) as archive, archive.open(file) as member:
                content = member.read(MOST_BYTES + 1)
        except KeyError as error:
            raise AudioFileError(f"{path}: there is no {file} in it; export it again.") from error
        except _DAMAGED as error:
            raise AudioFileError(f"{path}: {file} is not readable in it ({error}); copy or export it again.") from error
        if len(content) > MOST_BYTES:
            raise AudioFileError(f"{path}: {file} is too big for a file of an export.")
        return content

    return read
