"""Vary: relatives of a sound, near ones or distant ones. A part of *Shape*."""

from collections.abc import Iterator
from dataclasses import replace

from ipywidgets import HTML, FloatSlider, HBox, IntSlider, Layout

from tad_course.edit import with_enough_steps
from tad_course.library.edits import edit_by_name
from tad_course.library.sound import Sound
from tad_course.studio.controls import WIDE
from tad_course.studio.shape_part import Part, Tick


class VaryPart(Part):
    """How much, and how many; each relative has a seed of its own."""

    verb, icon = "Vary", "random"
    about = (
        "Relatives of the sound: played again by the same drummer (a little), or on another drum of its kind (a lot)."
    )

    def controls(self):
        self.amount = FloatSlider(
            value=0.3, min=0.05, max=1, step=0.05, continuous_update=False, description="how much", style=WIDE,
            layout=Layout(width="340px"),
        )  # fmt: skip
        self.count = IntSlider(
            3, 1, 8, continuous_update=False, description="how many", style=WIDE, layout=Layout(width="280px")
        )
        ends = HBox([HTML("a little"), self.amount, HTML("a lot")], layout=Layout(align_items="center"))
        return [[ends, self.count], [self.seed.box, self.button]]

    def live_controls(self):
        return [self.amount, self.seed.value]

    def shape(self, tick: Tick) -> Iterator[Sound]:
        source, amount, count = self.context.source.read(), self.amount.value, self.count.value
        settings = source.settings  # if its noise is known, they count
        settings = settings or replace(with_enough_steps(self.context.settings()), label=source.label)
        for i in range(count):
            each = replace(settings, seed=self.seed.value.value + i)

            def progress(done: int, total: int, i: int = i) -> None:
                tick(i * total + done, count * total)

            model, seek = self.context.session.model, self.context.seek
            sound = edit_by_name(model, "vary", [source], each, amount=amount, seek=seek, on_step=progress)
            if i == 0:
                self.row.begin({f"{source.name}, before": source.audio})
            self.row.add(sound, f"varied by {amount:.0%}, seed {each.seed}", at_once=i == 0)
            yield sound
