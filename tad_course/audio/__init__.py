"""Sound in and out: read any file, write WAVs, levels, spectra, players (lessons 01 and 02).

A sound is a float32 tensor `[2, n]`, left and right, full scale ±1, at 44.1 kHz.
"""

from tad_course.audio.io import SUFFIXES, find_sound_files, fit_length, load_audio, to_rate, to_stereo
from tad_course.audio.levels import at_level, dbfs, peak_dbfs
from tad_course.audio.wav import AudioFileError, read_comment, save_wav
from tad_course.config import LENGTH_SAMPLES, SAMPLE_RATE

__all__ = [
    "LENGTH_SAMPLES", "SAMPLE_RATE", "SUFFIXES", "AudioFileError", "at_level", "dbfs", "find_sound_files", "fit_length",
    "load_audio", "peak_dbfs", "play", "play_row", "read_comment", "save_wav", "to_rate", "to_stereo",
]  # fmt: skip


def __getattr__(name: str):
    """Load the players when a lesson asks for one: IPython is heavy, and a program without a notebook needs it not."""
    if name in ("play", "play_row"):
        from tad_course.audio import players

        return getattr(players, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
