"""Sounds to start from: files on disk or handed over as bytes, read and described in words."""

import tempfile
from pathlib import Path

import soundfile
from torch import Tensor

from tad_course.audio import LENGTH_SAMPLES, SAMPLE_RATE, SUFFIXES, AudioFileError, load_audio
from tad_course.library.sound import safe_name

CHANNELS = {1: "mono", 2: "stereo"}


def sound_files(folder: str | Path) -> list[Path]:
    """Return the sound files directly in `folder`, sorted by name; none if there is no such folder."""
    folder = Path(folder)
    return sorted(p for p in folder.glob("*") if p.suffix.lower() in SUFFIXES) if folder.is_dir() else []


def read_source(path: str | Path, length_samples: int = LENGTH_SAMPLES) -> tuple[Tensor, str]:
    """Read a file as `[2, length_samples]` at 44.1 kHz and return in words what it was and what was changed.

    Raises:
        AudioFileError: if it cannot be read, or holds nothing but silence where it is read.
    """
    path = Path(path).expanduser()
    audio = load_audio(path, length_samples)
    if not audio.any():
        raise AudioFileError(f"{path}: the first {length_samples / SAMPLE_RATE:.2f} s are silent; choose another file.")
    return audio, describe_file(path, length_samples)


def describe_file(path: Path, length_samples: int) -> str:
    """Return one line: length, channels and rate of a file, and what `load_audio` does to make it fit."""
    info = soundfile.info(str(path))
    length_s = length_samples / SAMPLE_RATE
    done = [f"{info.duration:.2f} s, {CHANNELS.get(info.channels, f'{info.channels} channels')}, {info.samplerate} Hz"]
    if info.channels == 1:
        done.append("put on both sides")
    elif info.channels > 2:
        done.append("mixed down to stereo")
    if info.samplerate != SAMPLE_RATE:
        done.append(f"resampled to {SAMPLE_RATE} Hz")
    if info.duration > length_s + 1e-4:
        done.append(f"cut to its first {length_s:.2f} s")
    elif info.duration < length_s - 1e-4:
        done.append(f"followed by silence up to {length_s:.2f} s")
    return "; ".join(done)


def read_bytes(name: str, content: bytes, length_samples: int = LENGTH_SAMPLES) -> tuple[Tensor, str]:
    """Read a sound handed over as the bytes of a file called `name`; otherwise as `read_source`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{safe_name(Path(name).stem)}{Path(name).suffix}"
        path.write_bytes(content)
        try:
            return read_source(path, length_samples)
        except AudioFileError as error:
            raise AudioFileError(str(error).replace(str(path), name)) from error
