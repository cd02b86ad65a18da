"""Restyle: a sound of your own, played again by the model. A part of *Shape*."""

from collections.abc import Iterator
from dataclasses import replace

from ipywidgets import FloatSlider, Layout

from tad_course.library.edits import edit_by_name
from tad_course.library.sound import Sound
from tad_course.studio.controls import WIDE, instrument
from tad_course.studio.jobs import Watched
from tad_course.studio.shape_part import Part, Tick, offer_labels


class RestylePart(Part):
    """An instrument and a strength; every change is answered."""

    verb, locked = "Restyle", True
    about = (
        "The sound drowns in noise up to a level, the <b>strength</b>, and the model brings an instrument back out of "
        "it. 0 gives the sound back; 1 ignores it."
    )

    def controls(self):
        labels = self.bench.desk.labels
        self.label = instrument(self.bench.desk, labels[min(1, len(labels) - 1)])
        self.strength = FloatSlider(
            value=0.5, min=0, max=1, step=0.05, description="strength", continuous_update=False, style=WIDE,
            layout=Layout(width="340px"),
        )  # fmt: skip
        return [[self.label], [self.strength, self.seed.box, self.button]]

    def heard(self):
        return [self.label, self.strength, self.seed.value]

    def shape(self, tick: Tick, at_once: bool = True) -> Iterator[Sound]:
        desk = self.bench.desk
        offer_labels(self.label, desk.labels, self.quiet)
        source, strength = self.bench.source.read(), self.strength.value
        settings = replace(self.bench.settings(), label=self.label.value, seed=self.seed.value.value)
        sound = edit_by_name(Watched(desk.model, tick), "restyle", [source], settings, strength=strength)
        self.row.begin({f"{source.name}, before": source.audio})
        self.row.add(sound, f"as {settings.label}, strength {strength:g}", at_once=at_once)
        yield sound
