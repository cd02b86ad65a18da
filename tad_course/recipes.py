"""Files from which sounds can be made again: a WAV made here, or a JSON of settings (`tad-course generate --from`)."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from tad_course.generate import Settings, generate, model_of
from tad_course.kept import GENERATE, safe_name
from tad_course.wav import ENCODINGS, read_comment


@dataclass(frozen=True)
class Recipe:
    """How one sound was made: `kind` is "generate" if its settings alone make it, else it needs a sound as well."""

    file: str  # the name to write it under; "" lets the settings give one
    kind: str
    values: dict
    encoding: str = ""  # "float32", "pcm24" or "pcm16"; "" leaves the choice

    @property
    def name(self) -> str:
        """The name of the file to write, safe on every system."""
        return f"{safe_name(Path(self.file).stem)}.wav" if self.file else self.settings().file_name()

    def settings(self) -> Settings:
        """Return the settings that make the sound.

        Raises:
            ValueError: if they do not make it alone, or make no sound.
        """
        if self.kind != GENERATE:
            source = self.values.get("source") or self.values.get("restyled") or "another sound"
            raise ValueError(f"It was made out of {source} ({self.kind}), so settings alone do not make it again.")
        return Settings.from_json(json.dumps(self.values))


def read_recipes(path: str | Path) -> list[Recipe]:
    """Return the recipes in a WAV made here, or in a JSON: one object, a list of them, or `{"sounds": [...]}`.

    An object has `settings`, and perhaps `file`, `kind` and `encoding`, as the studio's export writes them; or it is
    the settings.

    Raises:
        AudioFileError: if a sound file cannot be read.
        ValueError: if the file holds no recipe.
    """
    path = Path(path)
    if path.suffix.lower() != ".json":
        return [_recipe(_parsed(read_comment(path) or "", path), path)]
    found = _parsed(path.read_text(encoding="utf-8"), path)
    found = found.get("sounds", found) if isinstance(found, dict) else found
    recipes = [_recipe(each, path) for each in (found if isinstance(found, list) else [found])]
    names = [recipe.file.casefold() for recipe in recipes if recipe.file]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"{path}: several sounds are called {', '.join(sorted(twice))}; rename all but one.")
    return recipes


def make_again(recipes: Sequence[Recipe], device: str = "cpu") -> Iterator[tuple[Recipe, Tensor | ValueError]]:
    """Yield each recipe with the sound `[2, N]` that it makes, or with the reason why it makes none."""
    models = {}
    for recipe in recipes:
        try:
            settings = recipe.settings()
            key = settings.model, settings.fingerprint
            models[key] = models.get(key) or model_of(settings, device)
            yield recipe, generate(models[key], settings)
        except ValueError as error:  # one that cannot be made must not stop the others
            yield recipe, error


def _parsed(text: str, path: Path):
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}: this file does not carry the settings of a generated sound.") from error


def _recipe(found, path: Path) -> Recipe:
    if not isinstance(found, dict) or not isinstance(found.get("settings", {}), dict):
        raise ValueError(f"{path}: this file does not carry the settings of a generated sound.")
    values = found.get("settings", found)
    kind = found.get("kind") or ("restyle" if "restyled" in values else GENERATE)
    encoding = found.get("encoding", "")
    if encoding and encoding not in ENCODINGS:
        raise ValueError(f"{path}: no encoding {encoding!r}; choose one of {', '.join(ENCODINGS)}.")
    if kind == GENERATE and not values:
        raise ValueError(f"{path}: this file does not carry the settings of a generated sound.")
    return Recipe(str(found.get("file", "")), str(kind), values, encoding)
