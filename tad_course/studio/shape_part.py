"""What the parts of *Shape* share: a press, a job in the background, and cards beside the sounds they came from."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from ipywidgets import HTML, Button, HBox, Layout, VBox, Widget
from torch import Tensor

from tad_course.audio.players import safe_gain_db
from tad_course.display.fallback import player_html
from tad_course.generate import Settings
from tad_course.library.sound import Sound
from tad_course.studio.cards import WIDE_PLAYER, button, card, close_all
from tad_course.studio.controls import ROW, Quiet, SeedBox
from tad_course.studio.found_noise import FoundNoise
from tad_course.studio.jobs import Status
from tad_course.studio.session import Session
from tad_course.studio.source_box import SourceBox

Tick = Callable[..., None]  # tick() or tick(done, total) after each network call; raises to stop


@dataclass(frozen=True)
class Context:
    """What all parts work with: session, chosen sound, settings of Make's controls, the way to the shelf."""

    session: Session
    source: SourceBox
    settings: Callable[[], Settings]
    keep: Callable[[Sound], None]
    status: Status
    seek: FoundNoise


class Row:
    """Cards side by side: sounds that were there before, and what was made of them, all at one gain.

    A new sound is heard at once; the pictures of all new cards come with `draw`.
    """

    def __init__(self, context: Context):
        self.context, self.box = context, HBox(layout=Layout(flex_flow="row wrap", align_items="flex-start"))
        self.box.add_class("tad-shaped")
        self.sounds: list[Sound] = []
        self.given: list[tuple[str, Tensor, VBox]] = []  # title, sound, card
        self.undrawn: list[tuple[str, Tensor, VBox]] = []
        self.gain = 1.0

    def begin(self, given: Mapping[str, Tensor]) -> None:
        """Show the sounds that are there already: title -> `[2, N]`; cards that show just these stay."""
        self.sounds = []
        if not self._shows(given):
            self.gain = 10 ** (safe_gain_db(list(given.values())) / 20)
            self.given = [(title, audio, self._card(title, audio)) for title, audio in given.items()]
        stay = [made for _, _, made in self.given]
        old = [each for each in self.box.children if each not in stay]
        self.box.children = stay
        self.undrawn = [each for each in self.undrawn if each[-1] in stay]
        close_all(old)

    def _shows(self, given: Mapping[str, Tensor]) -> bool:
        shown = {title: audio for title, audio, _ in self.given}
        return shown.keys() == given.keys() and all(torch.equal(shown[title], given[title]) for title in given)

    def add(self, sound: Sound, title: str, index: int | None = None, at_once: bool = True) -> None:
        """Show a new sound with a button to keep it, at `index` or last; its player starts `at_once`."""
        keep = button("Keep", f"Put on the shelf: {sound.title}", "heart", "tad-keep")
        keep.on_click(lambda _: self.context.keep(sound))
        self.sounds = [*self.sounds, sound]
        cards = list(self.box.children)
        cards.insert(len(cards) if index is None else index, self._card(title, sound.audio, [keep], at_once))
        self.box.children = cards

    def draw(self) -> None:
        """Draw the pictures that are not there yet."""
        while self.undrawn:
            title, audio, made = self.undrawn.pop(0)
            made.children[1].value = self.context.session.picture.html(audio, title)

    def _card(self, title: str, audio: Tensor, buttons: Sequence[Button] = (), at_once: bool = False) -> VBox:
        player = player_html(audio * self.gain, title, f"autoplay {WIDE_PLAYER}" if at_once else WIDE_PLAYER)
        made = card(title, player, buttons=buttons)
        made.layout.width = "386px"  # two fit side by side on a tab beside an open file list
        self.undrawn.append((title, audio, made))
        return made


class Part:
    """One way to shape a sound. A subclass has `verb`, `icon`, `about`, `controls`, and yields sounds from `shape`."""

    verb, icon, about = "Shape", "magic", ""
    locked = False  # whether the seed stays from press to press

    def __init__(self, context: Context):
        self.context, self.status, self.row = context, context.status, Row(context)
        self.seed = SeedBox(context.session)
        self.seed.lock.value = self.locked
        self.button = button(
            self.verb, f"{self.verb} the chosen sound (with another seed, unless locked)", self.icon, "tad-do"
        )
        self.button.button_style = "primary"
        self.button.on_click(lambda _: self.press())
        rows = [HBox(row, layout=ROW) if isinstance(row, list) else row for row in self.controls()]
        self.quiet = Quiet(self.live_controls(), lambda: self.make(instead=True))
        self.box = VBox([HTML(f"<div>{self.about}</div>"), *rows, self.row.box])
        self.box.add_class(f"tad-{self.verb.lower()}")

    def controls(self) -> list[Widget | list[Widget]]:
        """Make the controls and return them in rows; seed and button are there already."""
        return [[self.seed.box, self.button]]

    def live_controls(self) -> list[Widget]:
        """Return the controls of which every change makes a sound."""
        return [self.seed.value]

    def shape(self, tick: Tick) -> Iterator[Sound]:
        """Read the controls and make sounds, one after another; called in the background."""
        raise NotImplementedError

    def show(self) -> None:
        """Bring what is on the screen up to date with the chosen sound; called when this part comes into view."""

    def press(self) -> bool:
        """Do what the button does: take another seed unless it is locked, and make. Busy, it does nothing."""
        if self.context.session.worker.busy:
            return False
        with self.quiet:
            self.seed.next()
        return self.make()

    def make(self, instead: bool = False) -> bool:
        """Make sounds in the background, `instead` of what is being made or not at all."""
        self.status.home = self.button
        return self.status.run(self._work, self.context.settings().num_steps, instead)

    def _work(self, tick: Tick) -> str:
        start = time.monotonic()
        made = []
        for sound in self.shape(tick):
            self.row.draw()
            made.append(sound.title)
        what = made[0] if len(made) == 1 else f"{len(made)} sounds"
        return f"Made {what} in {time.monotonic() - start:.1f} s."


def offer_labels(control, labels: tuple[str, ...], quiet: Quiet) -> None:
    """Offer the labels of the model in use; the choice stays if the model knows it."""
    if tuple(control.options) == labels:
        return
    with quiet:
        now = control.value
        control.options = labels
        control.value = now if now in labels else labels[0]
