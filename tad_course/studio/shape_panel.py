"""Shape: take a sound that is there and restyle, repaint, morph or vary it. A panel of the studio."""

from collections.abc import Callable
from pathlib import Path

from ipywidgets import HTML, Tab, VBox

from tad_course.generate import Settings
from tad_course.library.sound import Sound
from tad_course.studio.found_noise import FoundNoise
from tad_course.studio.jobs import Status
from tad_course.studio.morph_panel import MorphPart
from tad_course.studio.repaint_panel import RepaintPart
from tad_course.studio.restyle_panel import RestylePart
from tad_course.studio.session import Session
from tad_course.studio.shape_part import Context
from tad_course.studio.source_box import SourceBox, Sources
from tad_course.studio.vary_panel import VaryPart


class ShapePanel:
    """One sound, chosen above, and four ways to shape it, on a tab each. `box` is the widget."""

    def __init__(
        self,
        session: Session,
        settings: Callable[[], Settings],
        keep: Callable[[Sound], None],
        folder: str | Path,
        sounds: Callable[[], dict[str, Sound]] = dict,
    ):
        """`settings` returns steps, sampler and guidance; `folder` and `sounds` hold what can be chosen."""
        self.session, self.status, self.about = session, Status(session.worker), HTML()
        self.source = SourceBox(Sources(session, folder, sounds), self.status, self._changed)
        context = Context(session, self.source, settings, keep, self.status, FoundNoise(session))
        self.restyle, self.repaint, self.morph, self.vary = (
            part(context) for part in (RestylePart, RepaintPart, MorphPart, VaryPart)
        )
        self.parts = (self.restyle, self.repaint, self.morph, self.vary)
        self.tab = Tab([part.box for part in self.parts], titles=[part.verb for part in self.parts])
        self.tab.selected_index = 0
        self.tab.observe(lambda _: self.part.show(), "selected_index")
        self.box = VBox([self.source.box, self.about, self.status.box, self.tab])
        self.box.add_class("tad-shape")
        self.source.refresh()
        self._describe()
        if self.source.name.value is not None:
            with self.status.words():
                list(self.restyle.shape(lambda *_: None, at_once=False))
                self.restyle.row.draw()

    @property
    def part(self):
        """The part that is in view."""
        return self.parts[self.tab.selected_index or 0]

    def refresh(self) -> None:
        """Offer what the studio has made and kept since."""
        self.source.refresh()
        self.source.fit_model()
        if self.part is self.morph:
            self.morph.show()

    def take(self, sound: Sound) -> None:
        """Use a sound of the studio as the source."""
        self.source.take(sound)

    def _changed(self) -> None:
        self._describe()
        self.part.show()
        if self.part is self.restyle:
            self.restyle.make(instead=True)

    def _describe(self) -> None:
        if self.source.name.value is not None:
            with self.status.words():
                self.about.value = f"<i>{self.source.read().about}</i>"
