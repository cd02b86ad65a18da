"""ABX: X is one of two sounds; which one? Several trials, scored against guessing. Pictures ask the same of the eye.

The test is that of W. A. Munson and M. B. Gardner, Standardizing auditory tests, 1950.
"""

import html
import math
import random
from collections.abc import Mapping

from ipywidgets import HTML, Button, Checkbox, HBox, Layout, VBox
from torch import Tensor

from tad_course.audio.levels import peak_dbfs
from tad_course.audio.players import CEILING_DBFS, audio_element
from tad_course.audio.wav import wav_bytes
from tad_course.display import plots
from tad_course.display.fallback import live_text, show_widget


def by_guessing(right: int, trials: int) -> float:
    """Return the probability of at least `right` hits in `trials` tosses of a coin."""
    return sum(math.comb(trials, k) for k in range(right, trials + 1)) / 2**trials


class ListeningTest:
    """Two sounds, A and B, and X, which is one of them in each trial; `box` is the widget.

    Args:
        sounds: two of them, title -> `[2, n]`. They share one gain, so that none passes -1 dBFS.
        trials: number of trials.
        seed: of the order; None draws another one each time.
    """

    def __init__(self, sounds: Mapping[str, Tensor], trials: int = 5, seed: int | None = None):
        if len(sounds) != 2 or trials < 1:
            raise ValueError(f"An ABX test needs two sounds and a trial, not {len(sounds)} and {trials}.")
        self.titles = list(sounds)
        gain = 10 ** (min(0.0, *(CEILING_DBFS - peak_dbfs(x) for x in sounds.values())) / 20)
        self.sounds = [x * gain for x in sounds.values()]
        chance = random.Random(seed)
        self.hidden = [chance.randrange(2) for _ in range(trials)]  # which of the two X is
        self.right: list[bool] = []
        self.players, self.picture, self.said = HTML(), HTML(), live_text()
        self.buttons = [Button(description=f"X is {letter}") for letter in "AB"]
        for which, button in enumerate(self.buttons):
            button.on_click(lambda _, which=which: self.answer(which))
        self.look = Checkbox(description="show waveforms and spectrograms", value=False, indent=False)
        self.look.observe(lambda _: self._draw(), "value")
        self.box = VBox([self.players, HBox([*self.buttons, self.look]), self.said, self.picture])
        self.box.add_class("tad-listening")
        self.box.layout = Layout(border_left="4px solid #0072B2", padding="2px 0 2px 12px", margin="4px 0")
        self._next()

    @property
    def done(self) -> bool:
        """Tell whether all trials were answered."""
        return len(self.right) == len(self.hidden)

    def answer(self, which: int) -> None:
        """Take the answer of the present trial, 0 for A and 1 for B, say whether it is right, and go on."""
        if self.done:
            return
        truth = self.hidden[len(self.right)]
        self.right.append(which == truth)
        word = "Right" if which == truth else "No"
        self._say(f"{word}: X was {'AB'[truth]}, <i>{html.escape(self.titles[truth])}</i>. " + self.score())
        self._next()

    def score(self) -> str:
        """Return how the test stands, in words."""
        hits, trials = sum(self.right), len(self.hidden)
        if not self.done:
            return f"Trial {len(self.right) + 1} of {trials}."
        share = round(100 * by_guessing(hits, trials))
        return f"{hits} of {trials} right. Pure guessing does at least as well in {share} of 100 tests" + (
            ": you can tell the two apart." if share <= 5 else ", so this does not show that you can tell them apart."
        )

    def _say(self, text: str) -> None:
        self.said.value = f'<div role="status" aria-live="polite">{text}</div>'

    def _named(self) -> dict[str, Tensor]:
        named = {f"{letter}: {title}": x for letter, title, x in zip("AB", self.titles, self.sounds, strict=True)}
        return named if self.done else named | {"X": self.sounds[self.hidden[len(self.right)]]}

    def _next(self) -> None:
        cards = [
            f"<figure style='margin:0 12px 4px 0'><figcaption>{html.escape(title)}</figcaption>"
            f"{audio_element(wav_bytes(x, 'pcm16', name=title), title)}</figure>"
            for title, x in self._named().items()
        ]
        self.players.value = f'<div style="display:flex;flex-wrap:wrap">{"".join(cards)}</div>'
        for button in self.buttons:
            button.disabled = self.done
        if not self.right:
            self._say(self.score())
        self._draw()

    def _draw(self) -> None:
        if not self.look.value:
            self.picture.value = ""
            return
        named = self._named()
        fig, axes = plots.figure(2, len(named), 3.6, squeeze=False)
        for top, bottom, (title, x) in zip(*axes, named.items(), strict=True):
            plots.draw_waveform(top, x)
            top.set_title(title, loc="left")
            plots.draw_spectrogram(bottom, x)
        parts = [f"{title}: {plots.describe(x)}" for title, x in named.items() if title != "X"]
        self.picture.value = plots.figure_html(fig, "; ".join([*parts, "X: the same picture as one of them"]))


def abx(name: str, sounds: Mapping[str, Tensor], trials: int = 5) -> None:
    """Show a listening test of two sounds `[2, n]`; where widgets cannot run, one line that says what it compares.

    Args:
        name: "NN-listen", for the still version.
        sounds: two of them, title -> sound.
        trials: how often X is drawn anew; 5 of 5 happens by guessing in 3 of 100 tests.
    """
    test = ListeningTest(sounds, trials)
    first, second = test.titles
    text = f"[listening test {name}] Is X A ({first}) or B ({second})? {trials} trials, by ear or by eye."
    show_widget(test.box, f"<blockquote>{html.escape(text)} Run the notebook to take it.</blockquote>", text)
