"""Work behind a button, without a studio: errors become words, interruptions pass, and the worker lives on."""

import threading
import time

import pytest
import torch

from tad_course.studio.jobs import SHORT_OF_MEMORY, Status, Stopped, Worker


@pytest.fixture
def status() -> Status:
    return Status(Worker())


def run(status: Status, work) -> tuple[str, str]:
    """Do `work` in the background and return what is said of it: the sentence, and what is folded away below."""
    assert status.run(work, calls=1)
    assert status.worker.wait(60)
    sentence, _, details = status.message.value.partition("<details>")
    return sentence, details


def fail(error: BaseException):
    def work(tick):
        raise error

    return work


TOO_MUCH = [
    MemoryError(),
    RuntimeError("CUDA out of memory. Tried to allocate"),
    RuntimeError("can't start new thread"),
]


@pytest.mark.parametrize("error", TOO_MUCH, ids=str)
def test_short_memory_is_shown_in_words(status, error):
    sentence, details = run(status, fail(error))
    assert SHORT_OF_MEMORY in sentence
    assert type(error).__name__ in details


def test_a_tensor_that_does_not_fit_is_shown_as_short_memory(status):
    sentence, details = run(status, lambda tick: torch.empty(10**15))
    assert SHORT_OF_MEMORY in sentence and "RuntimeError" in details


ERRORS = [ValueError("Say 1."), OSError("no disk"), RuntimeError("<odd>"), KeyError("x"), ZeroDivisionError()]


@pytest.mark.parametrize("error", ERRORS, ids=repr)
def test_every_error_is_a_sentence_with_the_traceback_one_click_away(status, error):
    sentence, details = run(status, fail(error))
    assert "Traceback" not in sentence
    assert details.startswith("<summary>details</summary><pre>Traceback")
    assert "<odd>" not in status.message.value
    assert run(status, lambda tick: "Well.")[0].count("Well.") == 1


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit()], ids=repr)
def test_an_interrupt_in_the_middle_leaves_the_worker_working(status, error):
    run(status, fail(error))
    assert not status.worker.busy
    assert "Well." in run(status, lambda tick: "Well.")[0]


def test_an_interrupted_handler_shows_that(status):
    with status.words():
        raise KeyboardInterrupt
    assert "Interrupted. Your sounds are safe" in status.message.value


def test_a_thread_that_is_refused_leaves_the_worker_free(status, monkeypatch):
    def refuse(_):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as full:
        full.setattr(threading.Thread, "start", refuse)
        assert not status.run(lambda tick: "", calls=1)
    assert SHORT_OF_MEMORY in status.message.value
    assert not status.worker.busy
    assert "Well." in run(status, lambda tick: "Well.")[0]


def test_a_quick_job_shows_no_bar(status, no_bar):
    changes = []
    for widget, trait in ((status.stop.layout, "visibility"), (status.bar, "value"), (status.left, "value")):
        widget.observe(changes.append, trait)
    assert "Well." in run(status, lambda tick: [tick() for _ in range(9)] and "Well.")[0]
    assert changes == []


def test_a_long_job_shows_its_bar_as_soon_as_the_time_left_is_known_and_hides_it_at_the_end(status, every_tick):
    seen = []

    def work(tick):
        for done in (1, 3):
            tick(done, 4)
            seen.append((status.stop.layout.visibility, status.bar.value))
        return "Well."

    run(status, work)
    assert seen == [("visible", 0.25), ("visible", 0.75)]
    assert status.stop.layout.visibility == "hidden"


def test_a_job_that_ticks_stops_at_its_next_tick_and_the_bar_moves_until_then(status, every_tick):
    ticks = []

    def work(tick):
        for _ in range(1000):
            time.sleep(0.005)
            ticks.append(status.bar.value)
            tick()

    status.run(work, calls=1000)
    while len(ticks) < 3:
        time.sleep(0.005)
    assert status.left.value.endswith(" left")
    status.stop.click()
    so_far = len(ticks)
    assert status.worker.wait(60) and len(ticks) <= so_far + 1
    assert len(ticks) < 1000 and ticks == sorted(ticks)
    assert "Stopped" in status.message.value


def test_what_is_pressed_while_busy_is_not_done_later(status):
    done, go_on = [], threading.Event()
    assert status.run(lambda tick: go_on.wait(60) and "first", calls=1)
    assert not status.run(lambda tick: done.append("second") or "second", calls=1)
    go_on.set()
    assert status.worker.wait(60)
    assert done == []


def test_stopped_is_no_error(status):
    sentence, details = run(status, fail(Stopped()))
    assert "Stopped" in sentence and not details
