"""Widgets that leave something behind: where no kernel runs (HTML, GitHub), a still version takes their place."""

from IPython.display import display
from ipywidgets import HTML, Widget
from torch import Tensor

from tad_course.audio.levels import peak_dbfs
from tad_course.audio.players import CEILING_DBFS, audio_element
from tad_course.audio.wav import wav_bytes

_VIEW = "application/vnd.jupyter.widget-view+json"


def show_widget(widget: Widget, still_html: str, still_text: str) -> None:
    """Display `widget`; viewers that cannot run it show `still_html`, or `still_text` in a terminal.

    The text is also what a notebook test compares, so it must be the same from run to run.
    """
    view = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
    display({_VIEW: view, "text/html": still_html, "text/plain": still_text}, raw=True)


def live_text(html: str = "") -> HTML:
    """Return an HTML widget whose changes are read out by screen readers."""
    return HTML(f'<div role="status" aria-live="polite">{html}</div>')


def player_html(audio: Tensor, title: str, attributes: str = "") -> str:
    """Return a player for `audio` `[2, n]` as HTML, at its own level but never above -1 dBFS peak.

    `attributes` are further ones of its element, as HTML.
    """
    gain = 10 ** (min(0.0, CEILING_DBFS - peak_dbfs(audio)) / 20)
    return audio_element(wav_bytes(audio * gain, "pcm16", name=title), title, attributes)
