"""Controls that several panels of the studio use: the seed with its lock, the instrument, sliders with a label."""

from collections.abc import Callable, Sequence

from ipywidgets import BoundedIntText, Checkbox, Dropdown, HBox, Layout, ToggleButtons, Widget

from tad_course.studio.cards import button
from tad_course.studio.session import HIGHEST_SEED, Session

ROW = Layout(flex_flow="row wrap", align_items="center")
WIDE = {"description_width": "initial"}


class SeedBox:
    """A seed, a lock, and a button that rolls another one. `box` is the widget."""

    def __init__(self, session: Session, seed: int = 0):
        self.session = session
        self.value = BoundedIntText(seed, min=0, max=HIGHEST_SEED, description="seed", layout=Layout(width="170px"))
        self.lock = Checkbox(False, description="lock", indent=False, layout=Layout(width="70px"))
        self.roll = button("Roll", "Take another seed", "random", "tad-roll")
        self.roll.on_click(lambda _: self._roll())
        self.box = HBox([self.value, self.roll, self.lock], layout=ROW)

    def next(self) -> None:
        """Take another seed, unless it is locked."""
        if not self.lock.value:
            self._roll()

    def _roll(self):
        before = self.value.value
        while self.value.value == before:
            self.value.value = self.session.roll()


def instrument(session: Session, value: str) -> ToggleButtons:
    """Return buttons to choose one of the model's labels, or any."""
    made = ToggleButtons(options=session.labels, value=value, description="instrument", style={"button_width": "auto"})
    made.add_class("tad-instrument")
    return made


def offer(box: Dropdown, options: Sequence[str], value: str | None) -> None:
    """Change what a list offers and what is chosen of it, in one message to the page."""
    with box.hold_sync():
        if box.options != tuple(options):
            box.options = tuple(options)
        box.value = value


class Quiet:
    """Calls a function when one of some widgets changes, except inside `with quiet:`."""

    def __init__(self, widgets: list[Widget], act: Callable[[], None]):
        self.act, self.silent = act, 0
        for widget in widgets:
            widget.observe(self._changed, "value")

    def _changed(self, _):
        if not self.silent:
            self.act()

    def __enter__(self):
        self.silent += 1

    def __exit__(self, *_):
        self.silent -= 1
