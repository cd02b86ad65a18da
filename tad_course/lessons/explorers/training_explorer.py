"""Watch a training run while it goes on: a bar with the time left, a live loss curve, players, a Stop button."""

import math
import signal
import threading
import time
from collections.abc import Iterable, Iterator

from ipywidgets import HTML, Button, HBox, IntProgress, Layout, VBox
from torch import Tensor

from tad_course.display import plots
from tad_course.display.fallback import live_text, player_html, show_widget
from tad_course.display.live import LiveFigure

STILL = "While this cell runs, a bar with the time left, a live loss curve and a Stop button stand here."
LOSS_RANGE = (0.05, 20)  # of the axis: lessons 05 to 07 stay within it, apart from runs that fail on purpose
REFRESH_S = 1.0  # drawing more often would only slow the training down


class TrainingView:
    """What to look at while a network learns; `follow` goes around the steps of a training loop.

    Both its Stop button and the notebook's own (■) end the loop *after* the step under way, so nothing is left half
    done and the loop can go on later. Lesson: 07

    Args:
        num_steps: of the whole run.
        losses: those of an earlier part of the run, which is now continued.
    """

    def __init__(self, num_steps: int, losses: Iterable[float] = ()):
        self.num_steps, self.losses = num_steps, list(losses)
        self.stopped = threading.Event()
        self.bar = IntProgress(min=0, max=num_steps, value=len(self.losses), layout=Layout(width="320px"))
        self.button = Button(description="Stop", icon="stop", tooltip="Stop; run the cell again to go on")
        self.button.add_class("tad-stop")
        self.button.on_click(lambda _: self.stopped.set())
        self.status, self.sounds, self.curve = live_text("starting …"), HTML(), HTML()
        self.box = VBox([HBox([self.bar, self.button, self.status]), self.sounds, self.curve])
        self._draw_axes()

    def follow(self, steps: Iterable[float]) -> Iterator[tuple[int, float]]:
        """Yield `(step, loss)`, counted from 1, for every loss that `steps` yields, until stopped; shows the view."""
        show_widget(self.box, f"<p><i>{STILL}</i></p>", f"[training] {STILL}")
        self._began, self._first, self._drawn = time.monotonic(), len(self.losses), 0.0
        _answer_while_busy(self.button)
        before = self._take_over_interrupt()
        try:
            for loss in steps:
                self.losses.append(loss)
                self._refresh()
                yield len(self.losses), loss
                if self.stopped.is_set():
                    break
        finally:
            if before is not None:
                signal.signal(signal.SIGINT, before)
            self._refresh(last=True)

    def hear(self, title: str, audio: Tensor) -> None:
        """Add a player for `audio` `[2, n]`, at its own level but never above -1 dBFS peak."""
        card = f'<span style="display:inline-block;margin:2px 10px 2px 0">{title}<br>{player_html(audio, title)}</span>'
        self.sounds.value += card

    def _take_over_interrupt(self):
        if threading.current_thread() is not threading.main_thread():
            return None  # only the main thread may handle signals
        return signal.signal(signal.SIGINT, lambda *_: self.stopped.set())

    def _draw_axes(self) -> None:
        fig, ax = plots.figure(height=2.4)
        self._raw = ax.plot([], [], linewidth=0.6, alpha=0.45, color=plots.PALETTE[4], linestyle="-")[0]
        self._smooth = ax.plot([], [], linewidth=2.0, color=plots.PALETTE[0], linestyle="-")[0]
        ax.set(xlim=(0, self.num_steps), ylim=LOSS_RANGE, yscale="log", xlabel="step", ylabel="loss")
        ax.set_yticks((0.05, 0.1, 0.5, 1, 5, 10), ("0.05", "0.1", "0.5", "1", "5", "10"))
        ax.minorticks_off()
        self._figure = LiveFigure(fig, [self._raw, self._smooth])

    def _refresh(self, last: bool = False) -> None:
        now, done = time.monotonic(), len(self.losses)
        if not last and now - self._drawn < REFRESH_S:
            return
        self._drawn, self.bar.value = now, done
        steps = range(1, done + 1)
        self._raw.set_data(steps, self.losses)
        self._smooth.set_data(steps, smooth(self.losses))
        self.curve.value = self._figure.html("The loss of each step (thin) and its running average (thick).")
        self.status.value = f'<div role="status">{self._said(now, done, last)}</div>'

    def _said(self, now: float, done: int, last: bool) -> str:
        if last and done >= self.num_steps:
            return f"done: {done} steps in {clock(now - self._began)}"
        if last:
            return f"stopped at step {done} of {self.num_steps}; run this cell again to go on"
        seconds = (now - self._began) / max(1, done - self._first)
        return f"step {done} of {self.num_steps} · {clock(seconds * (self.num_steps - done))} left"


def _answer_while_busy(button: Button) -> None:
    """Let clicks on `button` be handled while its cell still runs.

    JupyterLab (since 4.4) sends clicks to a thread of their own, but the kernel sends them back to the thread that
    last changed the widget, which is the busy one, unless it forgets which one that was. Elsewhere ■ does the same.
    """
    vars(button.comm).pop("_reply_subshell_id", None)


def smooth(values: list[float], decay: float = 0.95) -> list[float]:
    """Return the running average of `values`, `decay` kept a step, without start-up bias. Lesson: 07"""
    average, result = 0.0, []
    for n, value in enumerate(values, start=1):
        average = decay * average + (1 - decay) * value
        result.append(average / (1 - decay**n))
    return result


def clock(seconds: float) -> str:
    """Return seconds as "45 s" or "2 min 05 s"."""
    minutes, rest = divmod(math.ceil(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
