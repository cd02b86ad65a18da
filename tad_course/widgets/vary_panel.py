"""Vary: relatives of a sound, near ones or distant ones. A part of *Shape*."""

from collections.abc import Iterator
from dataclasses import replace

from ipywidgets import HTML, FloatSlider, HBox, IntSlider, Layout

from tad_course.kept import Sound
from tad_course.shaping import vary, vary_sound
from tad_course.widgets.controls import WIDE
from tad_course.widgets.shape_part import Part, Tick
from tad_course.widgets.source_box import Source


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

    def heard(self):
        return [self.amount, self.seed.value]

    def shape(self, tick: Tick) -> Iterator[Sound]:
        source, amount, count = self.bench.source.read(), self.amount.value, self.count.value
        known = source.is_from(self.bench.desk.fingerprint)  # then its noise is known, and its settings count
        settings = source.settings if known else replace(self.bench.settings(), label=source.label)
        for i in range(count):
            each = replace(settings, seed=self.seed.value.value + i)

            def told(done: int, total: int, i: int = i) -> None:
                tick(i * total + done, count * total)

            made = self._relative(source, each, amount, told)
            sound = Sound(made, each, source.name, kind="vary", details={"amount": amount})
            if i == 0:
                self.row.begin({f"{source.name}, before": source.audio})
            self.row.add(sound, f"varied by {amount:.0%}, seed {each.seed}", at_once=i == 0)
            yield sound

    def _relative(self, source: Source, settings, amount: float, told: Tick):
        model = self.bench.desk.model
        if source.is_from(self.bench.desk.fingerprint):  # its noise is known
            return vary(model, source.settings, amount, settings.seed, on_step=told)
        return vary_sound(model, source.audio, settings, amount, seek=self.bench.seek, on_step=told)
