"""The player of the panel *Play*: a loop without a gap, that goes on when the pattern changes, and links to save it."""

import base64
import html
from pathlib import Path

from torch import Tensor

from tad_course.audio.players import safe_gain_db
from tad_course.config import SAMPLE_RATE
from tad_course.drums.pattern import Pattern, midi_bytes
from tad_course.studio.cards import WIDE_PLAYER, players_html

TITLE = "the pattern, in a loop"
# An HTML widget runs no <script>, but the handlers of its elements.
_SCRIPT = Path(__file__).with_name("pattern_player.js").read_text(encoding="utf-8")
_HANDLER = html.escape(f"((audio) => {{{_SCRIPT}}})(this)", quote=True)
_HREF = "this.href = this.closest('.tad-play').querySelector('.tad-loop').src"  # the WAV need not be sent twice


def loop_player_html(pattern: Pattern, mix: Tensor) -> str:
    """Return a player for one bar.

    Args:
        pattern: that is played.
        mix: the bar `[2, n]`; it is turned down if it peaks above -1 dBFS, and a line gives the gain.
    """
    loop = f'loop preload="auto" class="tad-loop" data-swing="{pattern.swing:.4f}" onloadeddata="{_HANDLER}"'
    (player,) = players_html({TITLE: mix}, attributes=f"{loop} {WIDE_PLAYER}")
    gain_db = safe_gain_db([mix])
    lowered = f", played at {gain_db:.1f} dB" if gain_db < -0.05 else ""
    line = f"one bar, {mix.shape[-1] / SAMPLE_RATE:.2f} s{lowered}"
    midi = base64.b64encode(midi_bytes(pattern)).decode("ascii")
    links = (
        f'download <a class="tad-link-wav" download="loop.wav" href="#" onclick="{_HREF}">WAV</a> or '
        f'<a class="tad-link-midi" download="loop.mid" href="data:audio/midi;base64,{midi}">MIDI</a>'
    )
    return player + f'<div class="tad-about">{line} · {links}</div>'
