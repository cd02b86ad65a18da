"""Writing WAV files: safe, exact and the same bytes for the same sound (lesson 01).

The 60 bytes of header are written here instead of by libsndfile, which stamps the time of writing into float files.
"""

import math
import struct
from pathlib import Path

import numpy as np
import soundfile
import torch
from torch import Tensor

from tad_course.audio.levels import peak_dbfs
from tad_course.config import SAMPLE_RATE
from tad_course.files import write_atomically

ENCODINGS = {"float32": (3, 4), "pcm16": (1, 2), "pcm24": (1, 3)}  # WAVE format tag, bytes a sample
MAX_COMMENT_BYTES = 1900  # libsndfile reads no longer ones


class AudioFileError(ValueError):
    """A sound file cannot be read or written; the message names the file, the reason and the cure."""


def save_wav(
    path: str | Path,
    audio: Tensor,
    encoding: str = "float32",
    comment: str | None = None,
    sample_rate: int = SAMPLE_RATE,
) -> Path:
    """Write `audio` to a WAV file in one atomic step: at no moment does a half-written file stand at `path`.

    Args:
        path: name ending in `.wav`; missing folders are made, an older file is replaced.
        audio: `[n]`, `[1, n]` or `[2, n]`, full scale ±1.
        encoding: "float32" (exact), "pcm16" or "pcm24" (rounded to 16 or 24 bits).
        comment: a text stored in the file, such as the settings that made the sound; `read_comment` reads it.
        sample_rate: in Hz.

    Returns:
        The path that was written.

    Raises:
        ValueError: if the shape does not fit, a sample is NaN or infinite, or integers would clip.
        AudioFileError: if the file cannot be written.

    Lesson: 01
    """
    path = Path(path)
    if path.suffix.lower() != ".wav":
        raise AudioFileError(f"{path}: only WAV files are written; give a name that ends in .wav.")
    content = wav_bytes(audio, encoding, comment, sample_rate, name=str(path))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content)
    except OSError as error:
        reason = error.strerror or error
        raise AudioFileError(f"{path}: cannot be written ({reason}); choose another folder.") from error
    return path


def wav_bytes(
    audio: Tensor,
    encoding: str = "float32",
    comment: str | None = None,
    sample_rate: int = SAMPLE_RATE,
    name: str = "The sound",
) -> bytes:
    """Return `audio` `[n]`, `[1, n]` or `[2, n]` as the bytes of a WAV file; `save_wav` has the details."""
    if encoding not in ENCODINGS:
        raise ValueError(f"{name}: no encoding {encoding!r}; choose one of {', '.join(ENCODINGS)}.")
    frames = _checked(audio, encoding, name)
    tag, width = ENCODINGS[encoding]
    channels = frames.shape[1]
    block = channels * width
    form = struct.pack("<HHIIHH", tag, channels, sample_rate, sample_rate * block, block, 8 * width)
    chunks = _chunk(b"fmt ", form)
    if encoding == "float32":
        chunks += _chunk(b"fact", struct.pack("<I", len(frames)))
    if comment:
        chunks += _chunk(b"LIST", b"INFO" + _chunk(b"ICMT", _comment_bytes(comment, name)))
    chunks += _chunk(b"data", _encode(frames, encoding))
    return _chunk(b"RIFF", b"WAVE" + chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def _comment_bytes(comment: str, name: str) -> bytes:
    text = comment.encode("utf-8")
    if len(text) > MAX_COMMENT_BYTES:
        raise ValueError(f"{name}: the comment has {len(text)} bytes; at most {MAX_COMMENT_BYTES} fit.")
    return text + b"\0"


def _checked(audio: Tensor, encoding: str, name: str) -> np.ndarray:
    """Return the sound as float32 frames `[n, channels]`, or say what is wrong with it."""
    x = torch.as_tensor(audio).detach().to("cpu", torch.float32)
    x = x[None] if x.ndim == 1 else x
    if x.ndim != 2 or x.shape[0] not in (1, 2) or x.shape[1] == 0:
        raise ValueError(f"{name}: needs the shape [n], [1, n] or [2, n], not {list(torch.as_tensor(audio).shape)}.")
    peak = float(x.abs().max())  # NaN, if one sample is
    if not math.isfinite(peak):
        raise ValueError(f"{name}: {int((~torch.isfinite(x)).sum())} samples are NaN or infinite; nothing was written.")
    if encoding != "float32" and peak > 1:
        over = peak_dbfs(x)
        raise ValueError(f"{name}: peaks at {over:+.2f} dBFS and would clip; lower it by {over:.2f} dB or use float32.")
    return x.T.contiguous().numpy()


def _encode(frames: np.ndarray, encoding: str) -> bytes:
    if encoding == "float32":
        return frames.astype("<f4").tobytes()
    full = 2 ** (8 * ENCODINGS[encoding][1] - 1)  # a power of two: the product is exact in float32
    integers = np.minimum(np.rint(frames * np.float32(full)), np.float32(full - 1)).astype("<i4")
    if encoding == "pcm16":
        return integers.astype("<i2").tobytes()
    return integers.view(np.uint8).reshape(-1, 4)[:, :3].tobytes()  # the three low bytes, little end first


def read_comment(path: str | Path) -> str:
    """Return the comment stored in a sound file, or "" if it has none.

    Raises:
        AudioFileError: if the file cannot be opened as sound.

    Lesson: 01
    """
    try:
        with soundfile.SoundFile(str(path)) as file:
            return file.comment
    except (RuntimeError, TypeError, ValueError, OSError) as error:
        raise AudioFileError(f"{path}: cannot be read as sound ({error}).") from error
