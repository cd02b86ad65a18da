"""The view on a training run never changes the run: it shows it, and stops it between two steps."""

import signal

import pytest
import torch

from tad_course.drums import render
from tad_course.lessons.explorers.training_explorer import TrainingView, clock, smooth
from tad_course.lessons.explorers.training_figures import hiss_dbfs, learning_curves, mel_distance

LOSSES = [1.0, 0.5, 0.4, 0.35, 0.3]


def test_every_loss_passes_through_with_its_step():
    view = TrainingView(len(LOSSES))
    assert list(view.follow(LOSSES)) == list(enumerate(LOSSES, start=1))
    assert view.bar.value == view.bar.max == len(LOSSES)
    assert "done" in view.status.value
    assert "data:image/png" in view.curve.value


def test_the_curve_shows_a_weighted_loss_from_its_first_step_to_its_last():
    def curve(loss: float) -> str:
        view = TrainingView(2)
        list(view.follow([loss, loss]))
        return view.curve.value

    assert len({curve(loss) for loss in (0.06, 10.8, 0.4, 19.0)}) == 4
    assert curve(0.001) == curve(0.002), "outside of the axes nothing is drawn"


def test_stop_ends_the_run_after_the_step_under_way_and_another_view_goes_on_from_there():
    steps, seen = iter(LOSSES), []
    view = TrainingView(len(LOSSES))
    for step, loss in view.follow(steps):
        seen.append(loss)
        if step == 2:
            view.button.click()
    assert seen == LOSSES[:2]
    assert "stopped at step 2 of 5" in view.status.value
    assert list(TrainingView(len(LOSSES), seen).follow(steps)) == list(enumerate(LOSSES, start=1))[2:]


def test_an_interrupt_is_a_stop_and_is_an_interrupt_again_afterwards():
    before = signal.getsignal(signal.SIGINT)
    followed = TrainingView(len(LOSSES)).follow(LOSSES)
    next(followed)
    signal.raise_signal(signal.SIGINT)
    assert list(followed) == []
    assert signal.getsignal(signal.SIGINT) is before


def test_an_error_in_the_training_loop_comes_through():
    def breaks():
        yield 1.0
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        list(TrainingView(3).follow(breaks()))


def test_a_sound_heard_on_the_way_gets_a_player():
    view = TrainingView(3)
    view.hear("step 1", render("kick", 0).audio)
    assert view.sounds.value.count("<audio") == 1
    assert "step 1" in view.sounds.value


def test_the_running_average_of_a_constant_is_that_constant_from_the_first_step():
    assert smooth([0.7] * 20) == pytest.approx([0.7] * 20)
    assert smooth([1.0] + [0.0] * 200)[-1] < 1e-4


@pytest.mark.parametrize("seconds, said", [(0.2, "1 s"), (59, "59 s"), (60, "1 min 00 s"), (125, "2 min 05 s")])
def test_times_are_said_in_minutes_and_seconds(seconds, said):
    assert clock(seconds) == said


def test_the_hiss_of_a_sound_is_its_level_above_2_khz_and_never_below_the_floor():
    seconds = torch.arange(16_384) / 44_100
    low, high = (0.1 * torch.sin(2 * torch.pi * hz * seconds).repeat(2, 1) for hz in (60, 5000))
    assert hiss_dbfs(low) == -96
    assert hiss_dbfs(high) == pytest.approx(-23, abs=0.5)
    assert hiss_dbfs(low, above_hz=30) == pytest.approx(-23, abs=0.5)


def test_the_mel_distance_grows_with_a_difference_and_forgives_what_is_below_the_floor():
    kick = render("kick", 1).audio
    assert mel_distance(kick, kick) == 0
    assert mel_distance(kick, kick + 1e-4 * torch.randn(kick.shape)) < 1 < mel_distance(kick, render("snare", 1).audio)


def test_the_learning_curves_are_described(capsys):
    learning_curves([3.0, 2.0], {2: (2.0, 2.1, 1.9)}, {2: (0.5, -40.0)}, "The loss falls, the hiss stays as it is.")
    assert "The loss falls" in capsys.readouterr().out
