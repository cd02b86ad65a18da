"""Repaint: a region of a sound, marked in its picture, is made anew; the rest stays. A part of *Shape*."""

from collections.abc import Iterator
from dataclasses import replace

from ipywidgets import HTML, FloatRangeSlider, HBox, Layout, VBox

from tad_course.edit import TURNS
from tad_course.library.edits import edit_by_name
from tad_course.library.sound import Sound, Source
from tad_course.studio.controls import instrument
from tad_course.studio.region_picture import RegionPicture
from tad_course.studio.shape_part import Part, Tick, offer_labels

STEP_S = 0.01
HANDLE_PX = 10  # the track of a slider is that much shorter than the slider, on either side


class RepaintPart(Part):
    """A picture of the chosen sound with a region in it, an instrument for what comes into the region, a button."""

    verb, icon = "Repaint", "paint-brush"
    about = (
        "Move the two handles below the picture to mark a region. <b>Repaint</b> makes it anew so that it fits to the "
        "rest, which stays as it is; each press is another try."
    )

    def controls(self):
        session = self.context.session
        self.picture, self.source = None, None
        self.label = instrument(session, session.labels[0])
        self.image = HTML()
        self.region = FloatRangeSlider(
            value=(0.1, 0.3), min=0, max=0.74, step=STEP_S, readout=False, tooltip="The region to repaint, in seconds",
        )  # fmt: skip
        self.region.add_class("tad-region")
        self.readout = HTML()
        self.region.observe(lambda _: self._draw(), "value")
        picture = VBox([self.image, HBox([self.region]), self.readout], layout=Layout(overflow="hidden"))
        return [picture, [self.label], [self.seed.box, self.button]]

    def show(self) -> None:
        session, model = self.context.session, self.context.session.model.config
        if self.picture is None or self.picture.length_samples != model.length_samples:
            self.picture = RegionPicture(model.length_samples)
            self.region.max = STEP_S * int(self.picture.length_s / STEP_S)
            left, width = self.picture.axis_px
            self.region.layout = Layout(width=f"{width + 2 * HANDLE_PX}px", margin=f"0 0 0 {left - HANDLE_PX}px")
        offer_labels(self.label, session.labels, self.quiet)
        with self.status.words():
            self._take(self.context.source.read())

    def _take(self, source: Source) -> None:
        if self.source is None or self.source.audio is not source.audio:
            self.source = source
            self.picture.take(source.audio, source.name)
            with self.quiet:
                self.label.value = source.label if source.label in self.label.options else self.label.options[0]
        self._draw()

    def _draw(self) -> None:
        if self.source is not None:
            self.image.value = self.picture.html(*self.region.value)
            start_s, stop_s = self.region.value
            self.readout.value = f"region: <b>{start_s:.2f} s to {stop_s:.2f} s</b>"

    def shape(self, tick: Tick) -> Iterator[Sound]:
        session = self.context.session
        start_s, stop_s = (round(edge_s, 3) for edge_s in self.region.value)
        offer_labels(self.label, session.labels, self.quiet)
        source = self.context.source.read()
        settings = replace(self.context.settings(), label=self.label.value, seed=self.seed.value.value)
        region = {"start_s": start_s, "stop_s": stop_s, "turns": TURNS}
        sound = edit_by_name(session.model, "repaint", [source], settings, **region, on_step=tick)
        self.row.begin({f"{source.name}, before": source.audio})
        self.row.add(sound, f"{start_s:.2f} to {stop_s:.2f} s repainted, seed {settings.seed}")
        yield sound
