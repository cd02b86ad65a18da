"""Long work behind a button: in the background, one at a time, with time left, a stop, and errors in plain words.

A widget's handlers must return at once, or a stop button could not act. So the work runs in a thread, which changes
only traits of widgets (whatever a thread prints or displays is lost) and never lets an exception escape.
"""

import contextlib
import html
import threading
import time
import traceback
from collections.abc import Callable, Iterator

from ipywidgets import HTML, Button, FloatProgress, HBox, Layout, VBox, Widget

from tad_course.display.fallback import live_text
from tad_course.generate import Model
from tad_course.model.samplers import Denoiser

QUICK_S = 1.0  # a job that takes no longer needs no bar: each message to the page would delay its sound
GLANCE_S = 0.2  # before the time left is estimated, and between two movements of the bar
EXPECTED = (ValueError, OSError)  # the errors of this project, whose messages name the cure
SHORT_OF_MEMORY = (
    "The computer is short of memory: close other programs, or make fewer sounds at a time. Your sounds are safe."
)


class Stopped(Exception):
    """The user pressed stop."""


class Watched:
    """A model that calls `after_call` after each network call: there, progress is shown and a stop can act."""

    def __init__(self, model: Model, after_call: Callable[[], None]):
        self._model, self._after_call = model, after_call

    def __getattr__(self, name):
        return getattr(self._model, name)

    def denoiser(self, labels, guidance_scale: float = 1.0) -> Denoiser:
        denoise = self._model.denoiser(labels, guidance_scale)

        def watched(x_t, t):
            x_0 = denoise(x_t, t)
            self._after_call()
            return x_0

        return watched


class Worker:
    """Does one job at a time in a background thread; all panels of a studio share it."""

    def __init__(self):
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._thread, self._next = None, None

    @property
    def busy(self) -> bool:
        thread = self._thread  # one that could not be started, or was interrupted at its start, does not count
        return thread is not None and thread.is_alive()

    @property
    def waiting(self) -> bool:
        """Whether another job follows the one under way."""
        return self._next is not None

    def start(self, job: Callable[[threading.Event], None], instead: bool = False) -> bool:
        """Start `job(stop)` and return True, or return False if another one is under way.

        With `instead`, that one is stopped, and `job` follows it; of several that wait, only the last is done.
        """
        with self._lock:
            if self.busy:
                if instead:
                    self._next = job
                    self._stop.set()
                return False
            self._stop.clear()
            self._thread = threading.Thread(target=self._run, args=(job,), daemon=True)
            self._thread.start()
            return True

    def stop(self) -> None:
        """Ask the job under way to end after its present network call, and forget those that wait."""
        with self._lock:
            self._next = None
            self._stop.set()

    def wait(self, timeout_s: float = 60.0) -> bool:
        """Wait until nothing is under way; return whether that came true in time."""
        thread = self._thread
        if thread is not None:
            thread.join(timeout_s)
        return not self.busy

    def _run(self, job):
        while job is not None:
            with contextlib.suppress(BaseException):  # jobs report their own errors; the worker must live on
                job(self._stop)
            with self._lock:
                job, self._next = self._next, None
                self._stop.clear()
                if job is None:
                    self._thread = None


class Status:
    """A bar with the time left, a stop button, and a line that screen readers read out. `box` is the widget.

    Bar and button are there while a job runs that takes longer than `QUICK_S`.
    """

    def __init__(self, worker: Worker):
        self.worker = worker
        self.bar = FloatProgress(min=0, max=1, layout=Layout(width="220px", visibility="hidden"))
        self.left = HTML(layout=Layout(visibility="hidden"))
        self.stop = Button(description="Stop", icon="stop", tooltip="Stop making sounds", layout=Layout(width="90px"))
        self.stop.layout.visibility = "hidden"
        self.message = live_text()
        self.stop.add_class("tad-stop")
        self.message.add_class("tad-message")
        self.home: Widget | None = None  # takes the keyboard when the stop button, which has it, vanishes
        self.stop.on_click(lambda _: self._stop())
        row = HBox([self.stop, self.bar, self.left], layout=Layout(align_items="center", flex_flow="row wrap"))
        self.box = VBox([self.message, row])

    def say(self, text: str, wrong: bool = False, details: str = "") -> None:
        """Show a sentence; `wrong` marks it in color and in words, `details` are folded away below it."""
        color, mark = ("#A33F00", "⚠ ") if wrong else ("inherit", "")
        more = f"<details><summary>details</summary><pre>{html.escape(details)}</pre></details>" if details else ""
        line = f'<div role="status" aria-live="polite" style="color:{color}">{mark}{html.escape(text)}{more}</div>'
        self.message.value = line

    @contextlib.contextmanager
    def words(self) -> Iterator[None]:
        """Turn every error inside the `with` into a message."""
        try:
            yield
        except Stopped:
            self.say("Stopped. What was finished is kept below.")
        except KeyboardInterrupt:
            self.say("Interrupted. Your sounds are safe and the studio goes on.")
        except Exception as error:
            self.say(in_words(error), wrong=True, details=traceback.format_exc())

    def run(self, work: Callable[[Callable[[], None]], str], calls: int, instead: bool = False) -> bool:
        """Do `work(tick)` in the background and then show the sentence it returns.

        Args:
            work: calls `tick()` after each network call; this moves the bar, and raises `Stopped` after a stop. If it
                knows a better number than `calls`, it calls `tick(done, total)`.
            calls: how often it will.
            instead: of what is under way, rather than not at all.
        """

        def job(stop: threading.Event) -> None:
            with self.words():
                try:
                    self.say(work(self._ticker(stop, calls)))
                except Stopped:
                    if not self.worker.waiting:  # else the message of the next job counts
                        raise
            self._show(False)

        with self.words():  # a thread may be refused when memory is short
            return self.worker.start(job, instead)
        return False

    def _stop(self) -> None:
        self.worker.stop()
        if self.home is not None:
            self.home.focus()

    def _ticker(self, stop: threading.Event, calls: int) -> Callable[[], None]:
        start, done = time.monotonic(), 0
        glanced, shown = start, False

        def tick(now: int | None = None, total: int = calls) -> None:
            nonlocal done, glanced, shown
            done = done + 1 if now is None else now
            if stop.is_set():
                raise Stopped
            moment = time.monotonic()
            if moment - glanced < GLANCE_S:
                return
            left_s = (moment - start) / max(1, done) * max(0, total - done)
            glanced, shown = moment, shown or moment - start + left_s > QUICK_S
            if shown:
                self.bar.value, self.left.value = min(1.0, done / max(1, total)), f"{time_left(left_s)} left"
                self._show(True)

        return tick

    def _show(self, busy: bool) -> None:
        for widget in (self.bar, self.left, self.stop):
            widget.layout.visibility = "visible" if busy else "hidden"


def in_words(error: Exception) -> str:
    """Return what went wrong as a sentence for people who make music."""
    if isinstance(error, MemoryError) or _allocation_failed(error):
        return SHORT_OF_MEMORY
    if isinstance(error, EXPECTED):
        return str(error)
    return f"Something unexpected happened; your sounds are safe and the studio goes on. ({type(error).__name__})"


def _allocation_failed(error: Exception) -> bool:
    """Whether torch or NumPy got no memory: with torch, only the text of a RuntimeError shows it."""
    text = str(error).lower()
    signs = ("out of memory", "allocate memory", "start new thread")
    return isinstance(error, RuntimeError) and any(sign in text for sign in signs)


def time_left(left_s: float) -> str:
    """Return seconds in words that do not flicker: 0.4 s, 12 s, 3 min."""
    if left_s < 10:
        return f"{left_s:.1f} s"
    return f"{left_s:.0f} s" if left_s < 100 else f"{left_s / 60:.0f} min"
