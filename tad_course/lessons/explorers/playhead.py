"""The playhead of lesson 01: a line moves over waveform and spectrogram while the sound plays; a click there seeks."""

import base64
import re

import numpy as np
import torch
import traitlets
from anywidget import AnyWidget
from torch import Tensor

from tad_course.audio import SAMPLE_RATE
from tad_course.audio.levels import peak_dbfs
from tad_course.audio.players import CEILING_DBFS
from tad_course.audio.wav import wav_bytes
from tad_course.display import plots
from tad_course.display.fallback import show_widget

# Without motion, where the system asks for that, the line jumps a few times per second (`timeupdate`).
SCRIPT = """
function render({ model, el }) {
  const make = (tag, style, parent) => {
    const element = parent.appendChild(document.createElement(tag));
    element.style.cssText = style;
    return element;
  };
  const [left, right, top, bottom] = model.get("plot_box"), seconds = model.get("seconds");
  const box = make("div", "max-width:900px", el);
  const audio = make("audio", "width:min(100%,420px);vertical-align:middle", box);
  const label = make("label", "margin-left:12px;white-space:nowrap", box);
  const slow = make("input", "vertical-align:middle", label);
  label.append(" quarter speed, two octaves lower");
  label.hidden = !model.get("slow");
  const frame = make("div", "position:relative;cursor:pointer;margin-top:4px", box);
  const image = make("img", "display:block;width:100%;background:white", frame);
  const place = `position:absolute;width:2px;pointer-events:none;top:${100 * top}%;bottom:${100 * (1 - bottom)}%`;
  const line = make("div", place + ";background:#00E5FF;outline:1px solid black", frame);
  box.className = "tad-playhead";
  line.className = "tad-playhead-line";
  line.setAttribute("aria-hidden", "true");
  audio.controls = true;
  audio.setAttribute("aria-label", "Play " + model.get("title"));
  audio.src = model.get("sound");
  image.alt = model.get("alt");
  image.src = model.get("picture");
  image.draggable = false;
  slow.type = "checkbox";

  const still = window.matchMedia("(prefers-reduced-motion: reduce)");
  let request = 0;
  const draw = () => {
    const share = Math.min(1, audio.currentTime / seconds);
    line.style.left = `calc(${100 * (left + share * (right - left))}% - 1px)`;
  };
  const move = () => {
    draw();
    request = audio.paused || audio.ended ? 0 : requestAnimationFrame(move);
  };
  audio.addEventListener("play", () => { if (!request && !still.matches) move(); });
  for (const event of ["timeupdate", "seeked", "ended"]) audio.addEventListener(event, draw);
  slow.addEventListener("change", () => {
    audio.preservesPitch = false;
    audio.playbackRate = slow.checked ? 0.25 : 1;
  });
  frame.addEventListener("click", (event) => {
    const area = frame.getBoundingClientRect();
    const share = ((event.clientX - area.left) / area.width - left) / (right - left);
    audio.currentTime = seconds * Math.min(1, Math.max(0, share));
    draw();
  });
  draw();
  return () => {
    cancelAnimationFrame(request);
    audio.pause();
  };
}
export default { render };
"""


class Playhead(AnyWidget):
    """One sound, its picture, and a line that shows where the player is. Lesson: 01

    Args:
        audio: `[n]` or `[2, n]`; it plays at its own level, but never above -1 dBFS peak.
        title: what it is, for the player and the description.
        slow: whether it can be played at a quarter of its speed.
    """

    _esm = SCRIPT
    title = traitlets.Unicode().tag(sync=True)
    alt = traitlets.Unicode().tag(sync=True)
    picture = traitlets.Unicode().tag(sync=True)  # a data URI, as is the sound
    sound = traitlets.Unicode().tag(sync=True)
    seconds = traitlets.Float().tag(sync=True)
    slow = traitlets.Bool().tag(sync=True)
    plot_box = traitlets.List(traitlets.Float()).tag(sync=True)  # left, right, top, bottom: shares of the picture

    def __init__(self, audio: Tensor, title: str, sample_rate: int = SAMPLE_RATE, slow: bool = False):
        audio = torch.as_tensor(audio)
        gain = 10 ** (min(0.0, CEILING_DBFS - peak_dbfs(audio)) / 20)
        wav = wav_bytes(audio * gain, "pcm16", sample_rate=sample_rate, name=title)
        self.still, alt, plot_box = picture_of(audio, title, sample_rate)
        super().__init__(
            title=title,
            slow=slow,
            alt=alt,
            picture=re.search(r'src="([^"]+)"', self.still).group(1),
            sound=f"data:audio/wav;base64,{base64.b64encode(wav).decode('ascii')}",
            seconds=audio.shape[-1] / sample_rate,
            plot_box=plot_box,
        )


def picture_of(audio: Tensor, title: str, sample_rate: int) -> tuple[str, str, list[float]]:
    """Return a figure of `audio` as HTML, its description, and where its plots lie: left, right, top, bottom (0 to 1).

    Each channel has its own waveform; the spectrogram is that of the left one.
    """
    channels = np.atleast_2d(np.asarray(audio))
    names = ("left", "right") if len(channels) == 2 else ("",)
    fig, axes = plots.figure(len(channels) + 1, 1, 2.4 + 0.9 * len(channels), height_ratios=[1] * len(channels) + [2])
    for ax, channel, name in zip(axes, channels, names, strict=False):
        plots.draw_waveform(ax, channel, sample_rate)
        ax.set(xlabel="", xticklabels=[], ylabel=name or "amplitude")
    image = plots.draw_spectrogram(axes[-1], channels[0], sample_rate)
    axes[-1].tick_params(axis="y", labelsize=9)
    axes[0].set_title(title)
    plots.color_bar(fig, image, list(axes))
    alt = f"{title}: waveform{'s of both channels' * (len(channels) == 2)} above the spectrogram. "
    alt += f"{plots.describe(channels[0], sample_rate)}."
    html = plots.figure_html(fig, alt)  # lays the axes out
    first, last = axes[0].get_position(), axes[-1].get_position()
    return html, alt, [float(share) for share in (last.x0, last.x1, 1 - first.y1, 1 - last.y0)]


def playhead(audio: Tensor, title: str, sample_rate: int = SAMPLE_RATE, slow: bool = False) -> None:
    """Show the playhead; where widgets cannot run, its picture. Lesson: 01"""
    widget = Playhead(audio, title, sample_rate, slow)
    show_widget(widget, widget.still, f"[playhead] {widget.alt}")
