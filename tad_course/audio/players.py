"""Players for notebooks: ear-safe, at one fixed gain, with a line of numbers that tests can compare (lesson 01)."""

import base64
import html
from collections.abc import Mapping

import torch
from IPython.display import HTML, display
from torch import Tensor

from tad_course.audio.levels import dbfs, peak_dbfs
from tad_course.audio.wav import wav_bytes
from tad_course.config import SAMPLE_RATE

CEILING_DBFS = -1.0  # nothing is ever played louder

_ROW = "display:flex;flex-wrap:wrap;gap:10px;margin:6px 0"
_CARD = (
    "margin:0;padding:8px 12px 10px;border:1px solid var(--jp-border-color2,#c8c8c8);border-radius:8px;"
    "background:var(--jp-layout-color1,transparent);max-width:100%;box-sizing:border-box"
)
_TITLE = "font:600 13px/1.5 system-ui,sans-serif;margin-bottom:4px;color:var(--jp-ui-font-color1,inherit)"
_NOTE = "font-weight:400;opacity:.75"


def play(audio: Tensor, title: str = "", gain_db: float = 0.0, sample_rate: int = SAMPLE_RATE) -> None:
    """Show a player for one sound, and print its length and levels.

    The sound is not normalized: it plays as loud as it is, `gain_db` added. Only if it would pass -1 dBFS is it
    lowered, and the title says by how much. Noise is best scaled with `at_level(noise, -20)` first.

    Args:
        audio: `[n]`, `[1, n]` or `[2, n]`, full scale ±1.
        title: what the sound is.
        gain_db: added to the level.
        sample_rate: in Hz.

    Raises:
        ValueError: if the shape does not fit or a sample is NaN or infinite.

    Lesson: 01
    """
    play_row({title: audio}, gain_db, sample_rate)


def play_row(sounds: Mapping[str, Tensor], gain_db: float = 0.0, sample_rate: int = SAMPLE_RATE) -> None:
    """Show a row of players that share one gain, so that their levels can be compared by ear.

    Args:
        sounds: title → `[n]`, `[1, n]` or `[2, n]`; if one would pass -1 dBFS, all are lowered by the same amount.
        gain_db: added to the level of all.
        sample_rate: in Hz.

    Raises:
        ValueError: if there is no sound, a shape does not fit, or a sample is NaN or infinite.

    Lesson: 01
    """
    if not sounds:
        raise ValueError("There is nothing to play: give at least one sound.")
    sounds = {title: torch.as_tensor(x).detach().cpu().float() for title, x in sounds.items()}
    safe_db = safe_gain_db(list(sounds.values()), gain_db)
    note = f"{safe_db:+.1f} dB" if abs(safe_db) >= 0.05 else ""
    cards = [_card(title, x * 10 ** (safe_db / 20), note, sample_rate) for title, x in sounds.items()]
    display(HTML(f'<div style="{_ROW}">{"".join(cards)}</div>'))
    for title, x in sounds.items():
        print(describe(title, x, sample_rate) + (f", played at {note}" if note else ""))


def safe_gain_db(sounds: list[Tensor], gain_db: float = 0.0) -> float:
    """Return `gain_db`, or the largest gain below it at which no sound of the list passes -1 dBFS."""
    return min(gain_db, *(CEILING_DBFS - peak_dbfs(x) for x in sounds if x.numel()), gain_db)


def describe(title: str, audio: Tensor, sample_rate: int = SAMPLE_RATE) -> str:
    """Return one line: title, length in seconds, peak and rms level in dBFS, all rounded."""
    peak, rms = (f"{round(level, 1) + 0.0:.1f}" for level in (peak_dbfs(audio), dbfs(audio)))
    line = f"{audio.shape[-1] / sample_rate:.2f} s, peak {peak} dBFS, rms {rms} dBFS"
    return f"{title}: {line}" if title else line


def audio_element(wav: bytes, title: str, attributes: str = "") -> str:
    """Return the one kind of player that the course has: an `<audio>` element that holds the bytes of a WAV.

    Args:
        wav: what it plays.
        title: what screen readers call it.
        attributes: further ones of the element, as HTML: `autoplay style="width:100%"`.
    """
    data, name = base64.b64encode(wav).decode("ascii"), html.escape(title, quote=True)
    return f'<audio controls {attributes} aria-label="Play {name}" src="data:audio/wav;base64,{data}"></audio>'


def _card(title: str, audio: Tensor, note: str, sample_rate: int) -> str:
    """Return one player as HTML; the sound travels inside it as a 16-bit WAV."""
    content = wav_bytes(audio, "pcm16", sample_rate=sample_rate, name=title or "The sound")
    name = html.escape(title or "sound", quote=True)
    aside = f' <span style="{_NOTE}">({note})</span>' if note else ""
    caption = f'<figcaption style="{_TITLE}">{name if title else ""}{aside}</figcaption>' if title or note else ""
    player = audio_element(content, title or "sound", 'preload="metadata"')
    return f'<figure style="{_CARD}">{caption}{player}</figure>'
