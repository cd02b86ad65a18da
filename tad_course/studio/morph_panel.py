"""Morph: what lies between two sounds. A part of *Shape*."""

from collections.abc import Iterator
from dataclasses import replace

from ipywidgets import HTML, FloatSlider, HBox, Layout

from tad_course.edit import with_enough_steps
from tad_course.library.edits import edit_by_name
from tad_course.library.sound import Sound
from tad_course.studio.controls import WIDE
from tad_course.studio.shape_part import Context, Part, Tick
from tad_course.studio.source_box import Choice


class MorphPart(Part):
    """A second sound, and a slider from the first to the second."""

    verb, icon, locked = "Morph", "exchange", True
    about = (
        "From the sound above to a second one. Two sounds made in this studio take a moment; for files, the model "
        "first searches for the noise from which it would make each of them, which takes longer."
    )

    def __init__(self, context: Context):
        self.second = Choice(context.source.sources, context.status, lambda: None, "second")
        self.second.name.add_class("tad-second")
        super().__init__(context)

    def controls(self):
        self.amount = FloatSlider(
            value=0.5, min=0, max=1, step=0.05, continuous_update=False, style=WIDE, description="on the way",
            tooltip="0 is the first sound, 1 the second", layout=Layout(width="420px"),
        )  # fmt: skip
        ends = HBox([HTML("first"), self.amount, HTML("second")], layout=Layout(align_items="center"))
        return [self.second.box, [ends, self.button]]

    def live_controls(self):
        return [self.amount]

    def show(self) -> None:
        names = self.second.sources.names
        fresh = self.second.name.value is None
        others = [name for name in names if name != self.context.source.name.value]
        self.second.refresh(others[0] if fresh and others else None)
        self.second.fit_model()

    def shape(self, tick: Tick) -> Iterator[Sound]:
        first, second, amount = self.context.source.read(), self.second.read(), self.amount.value
        known = first.settings and second.settings  # then their noises are known
        settings = first.settings if known else with_enough_steps(self.context.settings())
        settings = replace(settings, label=second.label if amount > 0.5 else first.label)
        context = self.context
        sound = edit_by_name(
            context.session.model, "morph", [first, second], settings, amount=amount, seek=context.seek, on_step=tick
        )
        self.row.begin({f"first: {first.name}": first.audio, f"second: {second.name}": second.audio})
        self.row.add(sound, f"{amount:.0%} of the way", index=1)
        yield sound
