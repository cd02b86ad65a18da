"""The way from noise to a drum as a row of small pictures, each of which can be played. A panel of the studio."""

import html
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from ipywidgets import HTML, HBox, Layout, ToggleButtons, VBox
from torch import Tensor

from tad_course.audio.levels import dbfs, finish, limit
from tad_course.audio.players import safe_gain_db
from tad_course.audio.spectra import mel_db, mono
from tad_course.display import plots
from tad_course.display.fallback import player_html
from tad_course.display.live import LiveFigure
from tad_course.generate import Model, Settings, noise_of, steps_of
from tad_course.library.sound import GENERATE, Sound
from tad_course.model.diffusion import snr_db
from tad_course.studio.cards import WIDE_PLAYER, button
from tad_course.studio.controls import ROW
from tad_course.studio.jobs import Status, Watched
from tad_course.studio.mel_picture import FLOOR_DB
from tad_course.studio.session import Session

MOST_STOPS = 9
LOUDEST_DBFS = -20.0  # rms of the loudest stop: noise is hard on ears
VIEWS = {"what is there (x_t)": "noisy", "what the network predicts (x_0)": "predicted"}
ROWS = "display:flex;flex-wrap:wrap;gap:8px"
CARD = "width:204px;padding:6px 8px;border:1px solid #c8c8c8;box-sizing:border-box"  # five fit into a row


@dataclass(frozen=True)
class Stop:
    """A stop on the way: step number, noise in dB against the sound, and the sounds x_t and x_0 `[2, N]`."""

    step: int
    noise_db: float
    noisy: Tensor
    predicted: Tensor

    @property
    def title(self) -> str:
        """Where on the way this is, in few words."""
        if self.step == 0:
            return "start: noise"
        return "end: the drum" if np.isneginf(self.noise_db) else f"step {self.step}: noise {self.noise_db:+.0f} dB"


def stops_of(model: Model, settings: Settings, most: int = MOST_STOPS) -> list[Stop]:
    """Return at most `most` stops on the way from noise to the sound of `settings`, first and last included.

    `noisy` is x_t itself, through the inverse transform: the first one is noise and nothing else. Before the first
    step nothing is predicted yet: there the first prediction stands, as the network makes it from noise alone.

    Lesson: 04
    """
    steps = list(steps_of(model, settings))
    wanted = np.unique(np.linspace(0, len(steps), min(most, len(steps) + 1)).round().astype(int))

    def audible(coefficients: Tensor, index: int) -> Tensor:
        sound = model.decode(coefficients)[0].cpu()
        return finish(sound) if index == len(steps) else limit(sound)  # the last one as `generate` makes it

    # A step holds the noisy sound after it, and what was predicted before it.
    noisy = [noise_of(model, settings), *(step.x_t for step in steps)]
    predicted = [*(step.x_0 for step in steps), steps[-1].x_t]
    noise_db = [np.inf, *(-float(snr_db(step.t)) if step.t > 0 else -np.inf for step in steps)]
    return [Stop(int(i), noise_db[i], audible(noisy[i], i), audible(predicted[i], i)) for i in wanted]


class Thumbnail:
    """A small waveform over a mel spectrogram without axes, always at the same scale."""

    def __init__(self, length_samples: int, width: float = 1.85, height: float = 1.4):
        fig, (top, bottom) = plots.figure(2, 1, height, width, height_ratios=(1, 1.6))
        fig.get_layout_engine().set(w_pad=0.01, h_pad=0.01, hspace=0.02)
        plots.draw_waveform(top, np.zeros(length_samples))
        self.image = plots.draw_spectrogram(bottom, np.zeros(length_samples), floor_db=FLOOR_DB, mel=True)
        top.axis("off")
        bottom.axis("off")
        self.line = top.lines[0]
        self.line.set_linewidth(0.6)
        self.live, self.one_at_a_time = LiveFigure(fig, [self.line, self.image]), threading.Lock()

    def html(self, audio: Tensor, alt: str) -> str:
        """Return the picture of `audio` `[2, N]` as an HTML figure."""
        x = mono(audio.numpy())
        mel = mel_db(x, plots.SAMPLE_RATE)
        with self.one_at_a_time:  # the view may be turned while the background draws
            self.line.set_ydata(x)
            self.image.set_data(mel)
            return self.live.html(alt)


def timeline_gain_db(stops: list[Stop]) -> float:
    """Return the one gain, never above 0 dB, at which no stop is louder than -20 dBFS (rms) or -1 dBFS (peak)."""
    sounds = [audio for stop in stops for audio in (stop.noisy, stop.predicted)]
    return min(safe_gain_db(sounds), *(LOUDEST_DBFS - dbfs(audio) for audio in sounds))


def timeline_html(stops: list[Stop], view: str, thumbnail: Thumbnail, players: bool = True) -> str:
    """Return the timeline as HTML: a small card for each stop, from noise to the drum, all at one gain.

    Args:
        view: "noisy" shows and plays x_t, "predicted" x_0.
        thumbnail: draws the pictures.
        players: whether there is a player on each card.
    """
    gain = 10 ** (timeline_gain_db(stops) / 20)
    cards = []
    for stop in stops:
        audio, title = getattr(stop, view), html.escape(stop.title)
        picture = thumbnail.html(audio, f"{view} sound, {stop.title}: {plots.describe(audio)}")
        style = 'style="width:100%;height:34px"'
        player = player_html(audio * gain, f"{view}, {stop.title}", style) if players else ""
        heading = f'<div style="font-weight:600;font-size:12px;line-height:1.4">{title}</div>'
        cards.append(f'<div class="tad-stop-card" style="{CARD}">{heading}{picture}{player}</div>')
    return f'<div style="{ROWS}">{"".join(cards)}</div>'


def whole_way(stops: list[Stop], view: str) -> Tensor:
    """Return all stops one after another, `[2, n * N]`, at the gain of the timeline."""
    return torch.cat([getattr(stop, view) for stop in stops], dim=-1) * 10 ** (timeline_gain_db(stops) / 20)


class Timeline:
    """How a sound came about, step by step; `view` chooses what is shown. `box` is the widget."""

    def __init__(self, session: Session, sound: Callable[[], Sound | None]):
        """`sound` returns the one made last, or None."""
        self.session, self.sound, self.status = session, sound, Status(session.worker)
        self.stops: list[Stop] = []
        self.thumbnail: Thumbnail | None = None
        self.button = button("Show how the last sound came about", "Noise to drum, step by step", "film", "tad-do")
        self.button.button_style = "primary"
        self.view = ToggleButtons(options=VIEWS, style={"button_width": "auto"})
        self.title, self.strip, self.whole = HTML(), HTML(), HTML(layout=Layout(width="398px"))
        self.strip.add_class("tad-strip-cards")
        self.whole.add_class("tad-strip-whole")
        self.button.on_click(lambda _: self.show(self.sound()))
        self.status.home = self.button
        self.view.observe(lambda _: self._draw(), "value")
        row = HBox([self.button, self.view], layout=ROW)
        self.box = VBox([row, self.status.box, self.title, self.strip, self.whole])
        self.box.add_class("tad-strip")
        with self.status.words():
            self._work(self.sound(), lambda: None)

    def show(self, sound: Sound | None) -> bool:
        """Show the way to a sound that was made from noise, in the background."""
        calls = sound.settings.num_steps if sound else 1
        return self.status.run(lambda tick: self._work(sound, tick), calls, instead=True)

    def _work(self, sound: Sound | None, tick: Callable[[], None]) -> str:
        start = time.monotonic()
        if sound is None:
            raise ValueError("No sound has been made yet: press Make first.")
        if sound.kind != GENERATE or sound.settings.fingerprint != self.session.fingerprint:
            raise ValueError(f"{sound.title}: was not made from noise by the model in use, {self.session.name}.")
        self.stops = stops_of(Watched(self.session.model, tick), sound.settings)
        count = sound.settings.num_steps
        steps = f"{count} step{'s' * (count != 1)}"
        self.title.value = f"<b>{html.escape(sound.title)}</b>, {steps}"
        self._draw()
        return f"Took the {steps} again in {time.monotonic() - start:.1f} s."

    def still(self) -> str:
        """Return the timeline without players, for where no kernel runs."""
        return timeline_html(self.stops, "noisy", self.thumbnail, players=False) if self.stops else ""

    def _draw(self) -> None:
        if self.stops:
            view = self.view.value
            self._fit_thumbnail(self.stops[0].noisy.shape[-1])
            self.strip.value = timeline_html(self.stops, view, self.thumbnail)
            player = player_html(whole_way(self.stops, view), "the whole way, one stop after another", WIDE_PLAYER)
            self.whole.value = f"<div>The whole way, one stop after another:</div>{player}"

    def _fit_thumbnail(self, length_samples: int) -> None:
        if self.thumbnail is None or len(self.thumbnail.line.get_xdata()) != length_samples:
            self.thumbnail = Thumbnail(length_samples)
