"""Sounds with all that is needed to make them again, and how they get into a folder without overwriting anything."""

import errno
import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from tad_course.audio.wav import AudioFileError, wav_bytes, write_atomically
from tad_course.generate import Settings

# Windows keeps these for devices, with any ending; the digits of com and lpt may be raised ones.
_DEVICES = {"con", "prn", "aux", "nul", "conin$", "conout$"}
_RESERVED = _DEVICES | {f"{port}{n}" for port in ("com", "lpt") for n in "0123456789¹²³"}
LONGEST_NAME = 100  # characters, so that a folder's path and "-2.wav" fit into the 260 of Windows
LONGEST_NAME_BYTES = 200  # most file systems take 255 bytes a name, and a letter can have four
_REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EACCES: "writing there is not allowed",
    errno.EPERM: "writing there is not allowed",
    errno.EROFS: "it can only be read",
    errno.ENOTDIR: "part of the path is a file",
    errno.EEXIST: "part of the path is a file",
    errno.ENAMETOOLONG: "the name is too long",
}


GENERATE = "generate"  # the kind of a sound that was made from noise alone
# The other kinds, made out of a sound that was already there; `plain` is "kick, seed 7".
TITLES = {
    GENERATE: "{plain}",
    "restyle": "{source} as {plain}, strength {strength:g}",
    "repaint": "{source}, {start_s:.2f} to {stop_s:.2f} s repainted as {plain}",
    "morph": "{amount:.0%} of the way from {source} to {second}",
    "vary": "{source}, varied by {amount:.0%}, seed {seed}",
}


@dataclass(frozen=True)
class Source:
    """A sound `[2, N]` to be shaped: its name, its label, and a line about it.

    `settings` are those that made it from noise with the model that is to shape it, which knows its noise then; None
    for all other sounds.
    """

    audio: Tensor
    name: str
    label: str
    settings: Settings | None = None
    about: str = ""

    @property
    def digest(self) -> str:
        """Sixteen hex digits that change with any sample."""
        return hashlib.sha256(self.audio.contiguous().numpy().tobytes()).hexdigest()[:16]


@dataclass(frozen=True)
class Sound:
    """A sound `[2, N]`, its settings and, if it was shaped out of another one, from which and how.

    `kind` is a key of `TITLES`; `details` holds what its title names besides `source` and `strength`. From `sources`
    it can be made again (`library.edits`); a sound of which they are not known has none.
    """

    audio: Tensor
    settings: Settings
    source: str = ""
    strength: float = 1.0
    kind: str = ""
    details: Mapping = field(default_factory=dict)
    sources: tuple[Source, ...] = ()

    def __post_init__(self):
        object.__setattr__(self, "kind", self.kind or ("restyle" if self.source else GENERATE))

    @property
    def title(self) -> str:
        """What it is, in few words: "kick, seed 7"."""
        plain, seed = f"{self.settings.label}, seed {self.settings.seed}", self.settings.seed
        words = {"plain": plain, "seed": seed, "source": self.source, "strength": self.strength}
        return TITLES[self.kind].format(**words | dict(self.details))

    @property
    def name(self) -> str:
        """A file name without ending that holds every setting."""
        name = Path(self.settings.file_name()).stem
        if self.kind == GENERATE:
            return safe_name(name)
        details = {"strength": self.strength} if self.kind == "restyle" else self.details
        values = [f"{key}{value:g}" if isinstance(value, int | float) else str(value) for key, value in details.items()]
        return safe_name("_".join([self.source, *([] if self.kind == "restyle" else [self.kind]), *values, name]))

    def recipe(self) -> dict:
        """Return the settings; those of a shaped sound also name its kind and source, and are no recipe from noise."""
        settings = self.settings.to_dict()
        if self.kind == GENERATE:
            return settings
        restyled = {"restyled": self.source, "strength": self.strength} if self.kind == "restyle" else {}
        return settings | {"kind": self.kind, "source": self.source} | restyled | dict(self.details)

    def same_as(self, other: "Sound") -> bool:
        """Whether the same model and settings made both, out of the same sounds."""
        sources, others = ([source.digest for source in sound.sources] for sound in (self, other))
        return self.comment() == other.comment() and sources == others

    def comment(self) -> str:
        """Return the recipe as JSON, to be stored in a WAV file."""
        return json.dumps(self.recipe())


def safe_name(text: str) -> str:
    """Return `text` as a file name (without ending) that Linux, macOS and Windows accept."""
    composed = unicodedata.normalize("NFC", text)  # as macOS and Linux would spell one letter in two ways
    kept = "".join("_" if unicodedata.category(c)[0] == "C" else c for c in composed)  # no controls, no half letters
    name = re.sub(r'[<>:"/\\|?*]+', "_", kept).strip(" .")[:LONGEST_NAME]
    while len(name.encode()) > LONGEST_NAME_BYTES:
        name = name[:-1]
    name = name.rstrip(" .") or "sound"
    return f"_{name}" if name.partition(".")[0].strip().lower() in _RESERVED else name


def save_new(sound: Sound, folder: str | Path, name: str = "", encoding: str = "float32") -> Path:
    """Write a sound into `folder` under a name that is not taken: "kick.wav", else "kick-2.wav", and so on.

    Args:
        sound: its settings go into the file as a comment.
        folder: made if it is missing.
        name: without ending; made safe. Without a name, the settings give one.
        encoding: "float32" (exact), "pcm24" or "pcm16".

    Returns:
        The file that was written.

    Raises:
        AudioFileError: if it cannot be written.
        ValueError: if a sample is NaN or infinite, or 16 or 24 bits would clip.
    """
    stem = safe_name(name or sound.name)
    return write_new(folder, stem, ".wav", wav_bytes(sound.audio, encoding, sound.comment(), name=f"{stem}.wav"))


def save_all(sounds: Sequence[Sound], folder: str | Path, encoding: str = "float32") -> list[Path]:
    """Write several sounds into `folder`, none over another; return the files."""
    return [save_new(sound, folder, encoding=encoding) for sound in sounds]


def write_new(folder: str | Path, stem: str, ending: str, content: bytes) -> Path:
    """Write `content` into `folder` as "stem.ending" or, if that is taken, "stem-2.ending"; return the file.

    Nothing is replaced, also not by two who write at once; what cannot be written leaves nothing behind.

    Raises:
        AudioFileError: if it cannot be written; the message has the reason in words.
    """
    folder = Path(folder).expanduser()
    try:
        path = _reserve(folder, stem, ending)
        try:
            write_atomically(path, content)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
    except OSError as error:
        reason = _REASONS.get(error.errno, error.strerror or error)
        raise AudioFileError(f"{folder}: nothing can be written there ({reason}); choose another folder.") from error
    return path


def _reserve(folder: Path, stem: str, ending: str) -> Path:
    """Create an empty file that nobody else has, so that two notebooks that save at once cannot meet."""
    folder.mkdir(parents=True, exist_ok=True)
    number = 1
    while True:
        path = folder / (f"{stem}{ending}" if number == 1 else f"{stem}-{number}{ending}")
        try:
            path.open("x").close()
            return path
        except FileExistsError:
            number += 1
