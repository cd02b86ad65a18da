"""Restyle: a sound of your own, played again by the model. A part of *Shape*."""

from collections.abc import Iterator
from dataclasses import replace

from ipywidgets import FloatSlider, Layout

from tad_course.library.edits import edit_by_name
from tad_course.library.sound import Sound
from tad_course.studio.controls import WIDE, instrument
from tad_course.studio.shape_part import Part, Tick, offer_labels


class RestylePart(Part):
    """An instrument and a strength; every change makes a sound."""

    verb, locked = "Restyle", True
    about = (
        "Noise is added to the sound up to a level, the <b>strength</b>, and the network of the chosen instrument "
        "takes it away again. 0 gives the sound back; 1 ignores it."
    )

    def controls(self):
        labels = self.context.session.labels
        self.label = instrument(self.context.session, labels[min(1, len(labels) - 1)])
        self.strength = FloatSlider(
            value=0.5, min=0, max=1, step=0.05, description="strength", continuous_update=False, style=WIDE,
            layout=Layout(width="340px"),
        )  # fmt: skip
        return [[self.label], [self.strength, self.seed.box, self.button]]

    def live_controls(self):
        return [self.label, self.strength, self.seed.value]

    def shape(self, tick: Tick, at_once: bool = True) -> Iterator[Sound]:
        session = self.context.session
        offer_labels(self.label, session.labels, self.quiet)
        source, strength = self.context.source.read(), self.strength.value
        settings = replace(self.context.settings(), label=self.label.value, seed=self.seed.value.value)
        sound = edit_by_name(session.model, "restyle", [source], settings, strength=strength, on_step=tick)
        self.row.begin({f"{source.name}, before": source.audio})
        self.row.add(sound, f"as {settings.label}, strength {strength:g}", at_once=at_once)
        yield sound
