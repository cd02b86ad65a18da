"""Reading: any sound file becomes stereo at 44.1 kHz, of the length that was asked for (lesson 01)."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import soundfile
import torch
from torch import Tensor
from torchaudio.functional import resample

from tad_course.audio.wav import AudioFileError
from tad_course.config import LENGTH_SAMPLES, SAMPLE_RATE

SUFFIXES = (".wav", ".flac", ".aif", ".aiff", ".ogg", ".mp3")  # what a folder of sounds is searched for
RATES_HZ = (1_000, 768_000)
FADE_S = 0.01
LOOK_AHEAD_S = 0.1  # read beyond the cut, so that resampling has neighbors there

# Gains of each channel into (left, right) by channel count, in the order of WAV and FLAC files. Centre and surrounds
# enter 3 dB lower and the bass channel is left out (ITU-R BS.775, 1992); `to_stereo` scales so that nothing clips.
_LEFT, _RIGHT, _CENTRE, _BASS, _SIDE_L, _SIDE_R = (1, 0), (0, 1), (0.7071, 0.7071), (0, 0), (0.7071, 0), (0, 0.7071)
_DOWNMIX = {
    3: (_LEFT, _RIGHT, _CENTRE),
    4: (_LEFT, _RIGHT, _SIDE_L, _SIDE_R),
    5: (_LEFT, _RIGHT, _CENTRE, _SIDE_L, _SIDE_R),
    6: (_LEFT, _RIGHT, _CENTRE, _BASS, _SIDE_L, _SIDE_R),
    8: (_LEFT, _RIGHT, _CENTRE, _BASS, _SIDE_L, _SIDE_R, _SIDE_L, _SIDE_R),
}


def find_sound_files(folder: Path) -> list[Path]:
    """Return the sound files in a folder and below it, in order; hidden ones, as macOS's ._kick.wav, hold no sound."""
    found = (path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and not path.name.startswith("."))
    return sorted(path for path in found if path.is_file())


def load_audio(path: str | Path, length_samples: int | None = LENGTH_SAMPLES, sample_rate: int = SAMPLE_RATE) -> Tensor:
    """Read a WAV, FLAC, AIFF, OGG or MP3 file of any rate, depth, length and channel count.

    Mono goes to both channels; more than two channels are mixed down. A longer sound is cut, and the last 10 ms
    before the cut fade out so that it does not click; a shorter one is followed by zeros. The level is not changed.

    Args:
        path: the file.
        length_samples: length of the result; None keeps the length of the file.
        sample_rate: of the result, in Hz.

    Returns:
        `[2, length_samples]` float32.

    Raises:
        AudioFileError: if the file is missing, empty, damaged, not audio, or has samples that are not numbers.

    Lesson: 01
    """
    path = Path(path)
    frames, file_rate = _read(path, None if length_samples is None else length_samples / sample_rate)
    if len(frames) == 0:
        raise AudioFileError(f"{path}: holds no sound, 0 samples; remove it or export it again.")
    if not np.isfinite(frames).all():
        raise AudioFileError(f"{path}: has samples that are NaN or infinite; export it again or remove it.")
    audio = to_stereo(torch.from_numpy(frames.T.copy()))
    return fit_length(to_rate(audio, file_rate, sample_rate), length_samples)


def _read(path: Path, length_s: float | None) -> tuple[np.ndarray, int]:
    """Return the first `length_s` seconds and a little more as frames `[n, channels]`, and the rate in Hz."""
    if not path.exists():
        raise AudioFileError(f"{path}: there is no such file; check the name and the folder ({Path.cwd()}).")
    if not path.is_file():
        raise AudioFileError(f"{path}: is a folder, not a sound file; give the name of one file in it.")
    if path.stat().st_size == 0:
        raise AudioFileError(f"{path}: is empty, 0 bytes; copy it again or remove it.")
    try:
        with soundfile.SoundFile(str(path)) as file:
            low, high = RATES_HZ
            if not low <= file.samplerate <= high:
                raise AudioFileError(f"{path}: claims {file.samplerate} Hz, not {low} to {high}; export it again.")
            count = -1 if length_s is None else round((length_s + LOOK_AHEAD_S) * file.samplerate)
            return file.read(count, dtype="float32", always_2d=True), file.samplerate
    except (RuntimeError, TypeError, OSError) as error:
        reason = str(error).removeprefix(f"Error opening {str(path)!r}: ")
        cure = "it may be damaged or no sound; use WAV, FLAC, AIFF, OGG or MP3"
        raise AudioFileError(f"{path}: cannot be read as sound ({reason}); {cure}.") from error


def to_stereo(audio: Tensor) -> Tensor:
    """Return `audio` `[channels, n]` as `[2, n]`: mono on both sides, surround sound mixed down without clipping.

    For 3, 4, 5, 6 and 8 channels the order of WAV files is assumed; any other number is averaged to mono.
    """
    channels = len(audio)
    if channels == 2:
        return audio
    if channels not in _DOWNMIX:
        return audio.mean(0, keepdim=True).repeat(2, 1)
    gains = torch.tensor(_DOWNMIX[channels], dtype=audio.dtype).T  # [2, channels]
    return gains / gains.sum(1, keepdim=True) @ audio


def to_rate(audio: Tensor, from_hz: int, to_hz: int) -> Tensor:
    """Return `audio` `[..., n]` resampled with a long Kaiser-windowed sinc (64 zero crossings).

    The ratio is exact for all usual rates. An odd one (44,101 Hz) is replaced by the nearest fraction with a
    denominator below 1000, less than a cent away, for the filter bank would need gigabytes otherwise.
    """
    ratio = Fraction(to_hz, from_hz).limit_denominator(1000)
    if ratio == 1:
        return audio
    return resample(
        audio, ratio.denominator, ratio.numerator, lowpass_filter_width=64, rolloff=0.9475937167399596,
        resampling_method="sinc_interp_kaiser", beta=14.769656459379492,
    )  # fmt: skip


def fit_length(audio: Tensor, length_samples: int | None) -> Tensor:
    """Return `audio` `[..., n]` cut to `length_samples` with a fade-out of 10 ms, or followed by zeros."""
    missing = 0 if length_samples is None else length_samples - audio.shape[-1]
    if missing >= 0:
        return torch.nn.functional.pad(audio, (0, missing))
    fade = min(round(FADE_S * SAMPLE_RATE), length_samples)
    gain = torch.ones(length_samples, dtype=audio.dtype)
    gain[length_samples - fade :] = 0.5 + 0.5 * torch.cos(torch.pi * torch.arange(1, fade + 1) / fade)
    return audio[..., :length_samples] * gain
