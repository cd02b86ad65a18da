"""Sounds with all that is needed to make them again, and how they get into a folder without overwriting anything."""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from torch import Tensor

from tad_course.generate import Settings
from tad_course.wav import AudioFileError, save_wav

_RESERVED = {"con", "prn", "aux", "nul", *(f"com{n}" for n in range(10)), *(f"lpt{n}" for n in range(10))}
LONGEST_NAME = 100


@dataclass(frozen=True)
class Sound:
    """A sound `[2, N]`, its settings and, if it was restyled, from what and how strongly."""

    audio: Tensor
    settings: Settings
    source: str = ""
    strength: float = 1.0

    @property
    def title(self) -> str:
        """What it is, in few words: "kick, seed 7"."""
        plain = f"{self.settings.label}, seed {self.settings.seed}"
        return f"{self.source} as {plain}, strength {self.strength:g}" if self.source else plain

    @property
    def name(self) -> str:
        """A file name without ending that tells every setting."""
        name = Path(self.settings.file_name()).stem
        return safe_name(f"{self.source}_strength{self.strength:g}_{name}" if self.source else name)

    def comment(self) -> str:
        """Return the settings as JSON; those of a restyled sound name its source, and so are no recipe from noise."""
        restyled = {"restyled": self.source, "strength": self.strength} if self.source else {}
        return json.dumps(asdict(self.settings) | restyled)


def safe_name(text: str) -> str:
    """Return `text` as a file name (without ending) that Linux, macOS and Windows accept."""
    name = re.sub(r'[<>:"/\\|?*\x00-\x1f]+', "_", text).strip(" .")[:LONGEST_NAME].rstrip(" .") or "sound"
    return f"_{name}" if name.partition(".")[0].lower() in _RESERVED else name


def save_new(sound: Sound, folder: str | Path, name: str = "", encoding: str = "float32") -> Path:
    """Write a sound into `folder` under a name that is not taken: "kick.wav", else "kick-2.wav", and so on.

    Args:
        sound: its settings go into the file as a comment.
        folder: made if it is missing.
        name: without ending; made safe. Without a name, the settings give one.
        encoding: "float32" (exact), "pcm16" or "pcm24".

    Returns:
        The file that was written.

    Raises:
        AudioFileError: if it cannot be written.
    """
    folder, stem = Path(folder).expanduser(), safe_name(name or sound.name)
    path = _reserve(folder, stem)
    try:
        return save_wav(path, sound.audio, encoding, comment=sound.comment())
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def save_all(sounds: Sequence[Sound], folder: str | Path, encoding: str = "float32") -> list[Path]:
    """Write several sounds into `folder`, none over another; return the files."""
    return [save_new(sound, folder, encoding=encoding) for sound in sounds]


def _reserve(folder: Path, stem: str) -> Path:
    """Create an empty file that nobody else has, so that two notebooks that save at once cannot meet."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        number = 1
        while True:
            path = folder / (f"{stem}.wav" if number == 1 else f"{stem}-{number}.wav")
            try:
                path.open("x").close()
                return path
            except FileExistsError:
                number += 1
    except OSError as error:
        reason = error.strerror or error
        raise AudioFileError(f"{folder}: nothing can be written there ({reason}); choose another folder.") from error
