"""The studio: make, compare, shape, keep. Panels that share a model and a shelf; the notebook `Inference` shows."""

import random
from functools import cached_property
from pathlib import Path

from tad_course.display.fallback import show_widget
from tad_course.library.sound import Sound
from tad_course.studio.compare_panel import ComparePanel, named
from tad_course.studio.make_panel import MakePanel
from tad_course.studio.pattern_panel import FIRST, PatternPanel
from tad_course.studio.pattern_rows import still_html
from tad_course.studio.session import Session
from tad_course.studio.shape_panel import ShapePanel
from tad_course.studio.shelf import Shelf
from tad_course.studio.timeline import Timeline

RUN_FIRST = "<p><i>Run the notebook (Run → Run All Cells) to play with this part of the studio.</i></p>"


class Studio:
    """An instrument made of panels: `make`, `timeline`, `compare`, `shape`, `shelf` and `play`.

    Each `show_...` displays one of them; where widgets cannot run, a still picture stands there instead.
    """

    def __init__(
        self,
        model: str = "drums",
        samples_folder: str | Path = "../data_samples",
        save_folder: str | Path = "../sounds",
        rng: random.Random | None = None,
    ):
        """Open the studio with a model.

        Args:
            model: a shipped model's name, or the folder of your own.
            samples_folder: sounds to choose from for restyling.
            save_folder: where kept sounds go, unless another folder is typed in.
            rng: where new seeds come from.

        Raises:
            CheckpointError: if the model cannot be loaded.
        """
        self.session = Session(model, rng)
        self.shelf = Shelf(self.session, save_folder)
        keep = ("Put on the shelf", "heart", self._keep)
        again = ("Restyle, repaint, morph or vary it", "magic", self._shape)
        way = ("Show the steps from noise to this sound", "film", self._way)
        drum = ("Play it in the pattern", "th", self._drum)
        self.make = MakePanel(self.session, {"Keep": keep, "Shape it": again, "Its steps": way, "Pattern": drum})
        self.timeline = Timeline(self.session, lambda: next(iter(self.make.cards.recent), None))
        self.compare = ComparePanel(self.session, self._all_sounds, self._keep_compared)
        self.make.cards.changed = self._refresh
        self.shelf.which.observe(lambda _: self._refresh(), "_options_labels")
        self.shape = ShapePanel(self.session, self.make.settings, self._keep_shaped, samples_folder, self._all_sounds)

    def show_make(self) -> None:
        """Display the panel that makes sounds."""
        still = self.session.picture.html(self.make.cards.sounds[0].audio, self.make.cards.sounds[0].title)
        show_widget(self.make.box, still + RUN_FIRST, "[studio] Make: instrument, seed, steps, sampler, guidance.")

    def show_compare(self) -> None:
        """Display the panel that compares two sounds at one gain."""
        show_widget(self.compare.box, RUN_FIRST, "[studio] Compare: two sounds, A and B, at one gain.")

    def show_timeline(self) -> None:
        """Display the way from noise to a sound, step by step."""
        show_widget(
            self.timeline.box,
            self.timeline.still() + RUN_FIRST,
            "[studio] Steps: from noise to the drum, each to be played.",
        )

    def show_shape(self) -> None:
        """Display the panel that restyles, repaints, morphs and varies sounds."""
        show_widget(self.shape.box, RUN_FIRST, "[studio] Shape: a sound; restyle, repaint, morph or vary it.")

    def show_shelf(self) -> None:
        """Display the shelf of kept sounds."""
        show_widget(self.shelf.box, RUN_FIRST, "[studio] Shelf: kept sounds, a folder, save.")

    @cached_property
    def play(self) -> PatternPanel:
        """The panel of the pattern; its first four sounds are made at the first access."""
        return PatternPanel(
            self.session, self.make.settings, lambda: self.shelf.folder.value, self.shelf.keep, self._all_sounds
        )

    def show_play(self) -> None:
        """Display the pattern of sixteen steps."""
        show_widget(self.play.box, still_html(FIRST) + RUN_FIRST, "[studio] Play: sixteen steps, tempo, swing, a loop.")

    def _keep(self, sound: Sound) -> None:
        new = self.shelf.keep(sound)
        self.make.status.say(f"Kept {sound.title}." if new else f"{sound.title} is on the shelf already.")

    def _keep_shaped(self, sound: Sound) -> None:
        new = self.shelf.keep(sound)
        self.shape.status.say(f"Kept {sound.title}." if new else f"{sound.title} is on the shelf already.")

    def _refresh(self) -> None:
        """Offer what was made or kept just now to the panels that work on such sounds."""
        self.compare.refresh()
        self.shape.refresh()
        if "play" in vars(self):  # not before its first access
            self.play.refresh()

    def _all_sounds(self) -> dict[str, Sound]:
        return named(self.make.cards.recent, [(item.name.value, item.sound) for item in self.shelf.items])

    def _keep_compared(self, sound: Sound) -> None:
        new = self.shelf.keep(sound)
        self.compare.status.say(f"Kept {sound.title}." if new else f"{sound.title} is on the shelf already.")

    def _shape(self, sound: Sound) -> None:
        self.shape.take(sound)
        self.make.status.say(f"{sound.title} is now the sound in the panel Shape, below.")

    def _drum(self, sound: Sound) -> None:
        self.play.take(sound)
        self.make.status.say(f"{sound.title} is now in the pattern, below.")

    def _way(self, sound: Sound) -> None:
        self.timeline.show(sound)
        self.make.status.say(f"The steps to {sound.title} are shown below.")
