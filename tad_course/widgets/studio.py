"""The studio: make, restyle, keep. Three panels that share a model and a shelf; the notebook `Inference` shows them."""

import random
from pathlib import Path

from tad_course.kept import Sound
from tad_course.widgets.compare_panel import ComparePanel
from tad_course.widgets.desk import Desk
from tad_course.widgets.fallback import show_widget
from tad_course.widgets.make_panel import MakePanel
from tad_course.widgets.restyle_panel import RestylePanel
from tad_course.widgets.shelf import Shelf

RUN_FIRST = "<p><i>Run the notebook (Run → Run All Cells) to play with this part of the studio.</i></p>"


class Studio:
    """An instrument made of panels: `make`, `compare`, `restyle` and `shelf`.

    Each `show_...` displays one of them; where widgets cannot run, a still picture takes its place.
    """

    def __init__(
        self,
        model: str = "drums",
        samples_folder: str | Path = "../data_samples",
        save_folder: str | Path = "../sounds",
        luck: random.Random | None = None,
    ):
        """Open the studio with a model.

        Args:
            model: a shipped model's name, or the folder of your own.
            samples_folder: sounds to choose from for restyling.
            save_folder: where kept sounds go, unless another folder is typed in.
            luck: where new seeds come from.

        Raises:
            CheckpointError: if the model cannot be loaded.
        """
        self.desk = Desk(model, luck)
        self.shelf = Shelf(self.desk, save_folder)
        keep = ("Put on the shelf", "heart", self._keep)
        again = ("Use as the source for restyling", "magic", self._restyle)
        self.make = MakePanel(self.desk, {"Keep": keep, "Restyle it": again})
        self.compare = ComparePanel(self.desk, self._all_sounds, self._keep_compared)
        for box in (self.make.cards.box, self.shelf.list):
            box.observe(lambda _: self.compare.refresh(), "children")
        self.restyle = RestylePanel(self.desk, self.make.settings, self._keep_restyled, samples_folder)

    def show_make(self) -> None:
        """Display the panel that makes sounds."""
        still = self.desk.picture.html(self.make.cards.sounds[0].audio, self.make.cards.sounds[0].title)
        show_widget(self.make.box, still + RUN_FIRST, "[studio] Make: instrument, seed, steps, sampler, guidance.")

    def show_compare(self) -> None:
        """Display the panel that compares two sounds at one gain."""
        show_widget(self.compare.box, RUN_FIRST, "[studio] Compare: two sounds, A and B, at one gain.")

    def show_restyle(self) -> None:
        """Display the panel that restyles sounds."""
        show_widget(self.restyle.box, RUN_FIRST, "[studio] Restyle: a sound, an instrument, a strength.")

    def show_shelf(self) -> None:
        """Display the shelf of kept sounds."""
        show_widget(self.shelf.box, RUN_FIRST, "[studio] Shelf: kept sounds, a folder, save.")

    def _keep(self, sound: Sound) -> None:
        new = self.shelf.keep(sound)
        self.make.status.say(f"Kept {sound.title}." if new else f"{sound.title} is on the shelf already.")

    def _keep_restyled(self, sound: Sound) -> None:
        new = self.shelf.keep(sound)
        self.restyle.status.say(f"Kept {sound.title}." if new else f"{sound.title} is on the shelf already.")

    def _all_sounds(self) -> dict[str, Sound]:
        made = {f"made: {sound.title}": sound for sound in self.make.cards.recent}
        return made | {f"kept: {item.name.value}": item.sound for item in self.shelf.items}

    def _keep_compared(self, sound: Sound) -> None:
        new = self.shelf.keep(sound)
        self.compare.status.say(f"Kept {sound.title}." if new else f"{sound.title} is on the shelf already.")

    def _restyle(self, sound: Sound) -> None:
        self.restyle.take(sound)
        self.make.status.say(f"{sound.title} is now the sound in the panel Restyle, below.")
