"""The listening test: fair trials, a right score, one gain for all, and a twin for the eye."""

import re

import pytest
import torch
from scipy.stats import binomtest

from tad_course.lessons.listening import ListeningTest, abx, by_guessing

QUIET, LOUD = torch.full((2, 400), 0.1), torch.full((2, 400), 1.0)


@pytest.fixture
def test_of_two():
    return ListeningTest({"quiet": QUIET, "loud": LOUD}, trials=5, seed=1)


@pytest.mark.parametrize("right, trials", [(0, 5), (3, 5), (5, 5), (9, 12)])
def test_the_probability_of_guessing_is_that_of_a_binomial_test(right, trials):
    assert by_guessing(right, trials) == pytest.approx(binomtest(right, trials, alternative="greater").pvalue)


def test_somebody_who_hears_all_is_right_in_all(test_of_two):
    for truth in list(test_of_two.hidden):
        test_of_two.buttons[truth].click()
    assert test_of_two.right == [True] * 5 and test_of_two.done
    assert "5 of 5 right" in test_of_two.said.value and "can tell the two apart" in test_of_two.said.value
    assert all(button.disabled for button in test_of_two.buttons)


def test_somebody_who_says_always_a_scores_as_often_as_x_was_a(test_of_two):
    for _ in range(7):  # two more than there are
        test_of_two.answer(0)
    assert sum(test_of_two.right) == test_of_two.hidden.count(0) and len(test_of_two.right) == 5
    assert "does not show" in test_of_two.said.value


def test_each_trial_plays_a_b_and_x_at_one_gain_never_above_minus_one(test_of_two):
    assert re.findall(r"<figcaption>(.*?)</figcaption>", test_of_two.players.value) == ["A: quiet", "B: loud", "X"]
    low, high = (x.abs().max() for x in test_of_two.sounds)
    assert high <= 10 ** (-1 / 20) + 1e-6 and low / high == pytest.approx(0.1)


def test_x_is_drawn_anew_for_each_test():
    assert len({tuple(ListeningTest({"a": QUIET, "b": LOUD}, trials=16).hidden) for _ in range(8)}) > 1


def test_the_pictures_come_when_asked_for_and_go_again(test_of_two):
    assert test_of_two.picture.value == ""
    test_of_two.look.value = True
    assert "alt=" in test_of_two.picture.value and "quiet" in test_of_two.picture.value
    test_of_two.look.value = False
    assert test_of_two.picture.value == ""


def test_without_a_kernel_a_line_says_what_is_compared(monkeypatch):
    shown = []
    monkeypatch.setattr("tad_course.display.fallback.display", lambda data, raw: shown.append(data))
    abx("02-listen", {"<a>": QUIET, "b": LOUD}, trials=3)
    assert "Is X A (<a>) or B (b)? 3 trials" in shown[0]["text/plain"]
    assert "&lt;a&gt;" in shown[0]["text/html"] and "audio" not in shown[0]["text/html"]


@pytest.mark.parametrize(
    "sounds, trials", [({"a": QUIET}, 5), ({"a": QUIET, "b": LOUD, "c": LOUD}, 5), ({"a": QUIET, "b": LOUD}, 0)]
)
def test_a_test_needs_two_sounds_and_a_trial(sounds, trials):
    with pytest.raises(ValueError, match="two sounds"):
        ListeningTest(sounds, trials)
