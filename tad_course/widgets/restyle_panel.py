"""Restyle: a sound of your own, played again by the model. The second panel of the studio."""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from ipywidgets import HTML, Dropdown, FileUpload, FloatSlider, HBox, Layout, Text, VBox
from torch import Tensor

from tad_course.audio import SUFFIXES
from tad_course.generate import Settings, restyle
from tad_course.kept import Sound
from tad_course.sources import read_bytes, read_source, sound_files
from tad_course.widgets.cards import button, card, close_all, players_html
from tad_course.widgets.controls import ROW, WIDE, Quiet, SeedBox, instrument
from tad_course.widgets.desk import Desk
from tad_course.widgets.jobs import Status, Watched

Reader = Callable[[int], tuple[Tensor, str]]  # length in samples -> the sound and a line about it


class RestylePanel:
    """A source, an instrument and a strength; source and result stand side by side, at one gain."""

    def __init__(self, desk: Desk, settings: Callable[[], Settings], keep: Callable[[Sound], None], folder: str | Path):
        """`settings` tells steps, sampler and guidance; `folder` holds the sounds to choose from."""
        self.desk, self.settings, self.keep, self.status = desk, settings, keep, Status(desk.worker)
        self.readers: dict[str, Reader] = {p.name: partial(read_source, p) for p in sound_files(folder)}
        self.result: Sound | None = None
        self._controls()
        heard = [self.source, self.label, self.strength, self.seed.value]
        self.quiet = Quiet(heard, lambda: self.make(instead=True))
        self.button.on_click(lambda _: self.press())
        self.path.observe(lambda _: self._typed(), "value")
        self.upload.observe(lambda _: self._uploaded(), "value")
        rows = [[self.source, self.upload, self.path], [self.label], [self.strength, self.seed.box, self.button]]
        self.box = VBox([*(HBox(row, layout=ROW) for row in rows), self.status.box, self.about, self.cards])
        self.box.add_class("tad-restyle-panel")
        with self.status.words():
            self._work(lambda: None, at_once=False)

    def _controls(self):
        names = list(self.readers)
        self.source = Dropdown(options=names, value=names[0] if names else None, description="sound")
        self.source.layout.width = "330px"
        self.upload = FileUpload(
            accept=",".join(SUFFIXES), description="Upload", tooltip="Upload a sound of up to 10 MB"
        )
        self.path = Text(placeholder="or the path of a file", continuous_update=False, layout=Layout(width="280px"))
        self.label = instrument(self.desk, self.desk.labels[min(1, len(self.desk.labels) - 1)])
        self.strength = FloatSlider(
            value=0.5, min=0, max=1, step=0.05, description="strength", continuous_update=False, style=WIDE
        )
        self.seed = SeedBox(self.desk)
        self.seed.lock.value = True
        self.button = button(
            "Restyle", "Restyle the chosen sound (with another seed, unless locked)", "magic", "tad-do"
        )
        self.button.button_style = "primary"
        self.about, self.cards = HTML(), HBox(layout=Layout(flex_flow="row wrap", align_items="flex-start"))
        self.cards.add_class("tad-restyled")

    def press(self) -> bool:
        """Do what the button does: take another seed unless it is locked, and restyle. Busy, it does nothing."""
        if self.desk.worker.busy:
            return False
        with self.quiet:
            self.seed.next()
        return self.make()

    def make(self, instead: bool = False) -> bool:
        """Restyle in the background, `instead` of what is being made or not at all."""
        return self.status.run(self._work, self.settings().num_steps, instead)

    def take(self, sound: Sound) -> None:
        """Use a sound of the studio as the source."""
        self._offer(sound.title, lambda _: (sound.audio, "made in this studio"))

    def _work(self, tick: Callable[[], None], at_once: bool = True) -> str:
        if self.source.value is None:
            raise ValueError("There is no sound to restyle yet: upload one, or type the path of a file.")
        if self.label.options != self.desk.labels:  # another model has been loaded
            with self.quiet:
                self.label.options = self.desk.labels
        start, name, strength = time.monotonic(), self.source.value, self.strength.value
        settings = replace(self.settings(), label=self.label.value, seed=self.seed.value.value)
        audio, about = self.readers[name](self.desk.model.config.length_samples)
        made = restyle(Watched(self.desk.model, tick), audio, settings, strength)
        self._show(audio, Sound(made, settings, Path(name).stem, strength), about, at_once)
        return f"Restyled {name} in {time.monotonic() - start:.1f} s."

    def _show(self, audio: Tensor, result: Sound, about: str, at_once: bool) -> None:
        new = f"as {result.settings.label}, strength {result.strength:g}"
        after, before = players_html({new: result.audio, f"{result.source}, before": audio}, at_once)
        pictures = [self.desk.picture.html(x, t) for x, t in ((audio, result.source), (result.audio, new))]
        keep = button("Keep", f"Put on the shelf: {result.title}", "heart", "tad-keep")
        keep.on_click(lambda _: self.keep(result))
        old, self.result = self.cards.children, result
        self.cards.children = (card(result.source, before, pictures[0]), card(new, after, pictures[1], [keep]))
        self.about.value = f"<i>{about}</i>"
        close_all(old)

    def _typed(self) -> None:
        path = self.path.value.strip().strip("\"'")
        if path:
            self._check_and_offer(Path(path).name, partial(read_source, path))

    def _uploaded(self) -> None:
        for file in self.upload.value:
            self._check_and_offer(file["name"], partial(read_bytes, file["name"], bytes(file["content"])))
        if self.upload.value:
            self.upload.value = ()

    def _check_and_offer(self, name: str, reader: Reader) -> None:
        """Read a new file at once, so that a bad one is refused here and never gets into the list."""
        with self.status.words():
            reader(self.desk.model.config.length_samples)
            self._offer(name, reader)

    def _offer(self, name: str, reader: Reader) -> None:
        self.readers[name] = reader
        with self.quiet:
            self.source.options = list(self.readers)
            self.source.value = name
        self.make(instead=True)
