"""Make: choose, press, listen. The first panel of the studio."""

import time

from ipywidgets import Checkbox, Combobox, Dropdown, FloatSlider, HBox, IntSlider, Layout, VBox

from tad_course.generate import STEPS, Settings, generate, generate_many
from tad_course.library.sound import Sound
from tad_course.model.checkpoint import shipped_models
from tad_course.studio.cards import Cards, button
from tad_course.studio.compare_panel import SAMPLERS
from tad_course.studio.controls import ROW, WIDE, Quiet, SeedBox, instrument
from tad_course.studio.jobs import Status, Watched
from tad_course.studio.session import Session

SAMPLER_NAMES = {name: sampler for sampler, name in SAMPLERS.items()}
GUIDANCE = {
    True: "How far each prediction goes from that for any label (0) to that for the chosen label (1), and beyond it",
    False: "No effect with this model: guidance needs one network that knows several labels",
}
DOUBLE_PRESS_S = 0.4  # two presses within this time are one


class MakePanel:
    """Model, instrument, number, seed, steps, sampler and guidance; a button, and a card for each sound."""

    def __init__(self, session: Session, actions: dict):
        self.session, self.status, self.cards = session, Status(session.worker), Cards(session, actions)
        self._pressed_s = -DOUBLE_PRESS_S
        self._controls()
        self.button.on_click(lambda _: self.press())
        self.model.observe(lambda _: self.load(), "value")
        self.sampler.observe(lambda _: self._enough_steps(), "value")  # before a sound is made
        live = [self.label, self.steps, self.sampler, self.guidance, self.seed.value]
        self.quiet = Quiet(live, lambda: self.follow.value and self.make(instead=True))
        self.box = VBox([*self._rows(), self.status.box, self.cards.box])
        self.box.add_class("tad-make")
        self.status.home = self.button
        with self.status.words():
            first = self.settings()
            self.cards.show(Sound(generate(session.model, first), first))

    def _controls(self):
        slider = {"continuous_update": False, "style": WIDE, "layout": Layout(width="300px")}
        self.model = Combobox(
            value=self.session.name, options=shipped_models(), ensure_option=False, continuous_update=False,
            description="model", placeholder="name or folder", layout=Layout(width="330px"),
        )  # fmt: skip
        self.label = instrument(self.session, self.session.labels[0])
        self.count = IntSlider(1, 1, 16, description="number of sounds", **slider)
        self.steps = IntSlider(Settings.num_steps, 1, 50, description="steps", **slider)
        guidance = Settings.guidance_scale
        self.guidance = FloatSlider(value=guidance, min=0, max=8, step=0.5, description="guidance", **slider)
        self.sampler = Dropdown(
            options=SAMPLER_NAMES, value=Settings.sampler, description="sampler", layout=Layout(width="260px")
        )
        self.seed = SeedBox(self.session)
        self.follow = Checkbox(True, description="make one at every change", indent=False, layout=Layout(width="210px"))
        self.button = button(
            "Make", "Make sounds with these settings (another seed, unless locked)", "play", "tad-press"
        )
        self.button.button_style = "primary"
        named = {"model": self.model, "steps": self.steps, "guidance": self.guidance, "sampler": self.sampler}
        named |= {"count": self.count, "seed": self.seed.value, "lock": self.seed.lock, "follow": self.follow}
        for name, control in named.items():
            control.add_class(f"tad-{name}")
        self._offer_guidance()

    def _rows(self):
        return [
            HBox([self.model, self.label], layout=ROW),
            HBox([self.seed.box, self.count], layout=ROW),
            HBox([self.steps, self.guidance, self.sampler], layout=ROW),
            HBox([self.button, self.follow], layout=ROW),
        ]

    def _enough_steps(self) -> None:
        """Take as many steps as the chosen sampler needs."""
        with self.quiet:
            self.steps.value = STEPS[self.sampler.value]

    def _offer_guidance(self) -> None:
        """Disable the guidance where it has no effect."""
        self.guidance.disabled, self.guidance.tooltip = not self.session.guided, GUIDANCE[self.session.guided]
        if self.guidance.disabled:
            self.guidance.value = Settings.guidance_scale

    def settings(self) -> Settings:
        """Return the settings of the controls."""
        return Settings(
            model=self.session.name, label=self.label.value, seed=self.seed.value.value, num_steps=self.steps.value,
            sampler=self.sampler.value, guidance_scale=self.guidance.value, fingerprint=self.session.fingerprint,
        )  # fmt: skip

    def press(self) -> bool:
        """Do what the button does: take another seed unless it is locked, and make. Busy, it does nothing."""
        now, before = time.monotonic(), self._pressed_s
        self._pressed_s = now
        if self.session.worker.busy or now - before < DOUBLE_PRESS_S:
            return False
        with self.quiet:
            self.seed.next()
        return self.make()

    def make(self, instead: bool = False) -> bool:
        """Make the sounds of the present settings in the background, `instead` of what is being made or not at all."""
        model, settings, count = self.session.model, self.settings(), self.count.value

        def work(tick) -> str:
            start = time.monotonic()
            seeds = range(settings.seed, settings.seed + count)
            for each, audio in generate_many(Watched(model, tick), settings, seeds):
                self.cards.show(Sound(audio, each), after=each.seed > settings.seed, at_once=count == 1)
            made = f"{count} sounds" if count > 1 else self.cards.sounds[0].title
            return f"Made {made} in {time.monotonic() - start:.1f} s."

        return self.status.run(work, count * settings.num_steps, instead)

    def load(self) -> None:
        """Load the model named in the box; if that fails, say why and stay with the one in use."""
        name = self.model.value.strip()
        if name == self.session.name:
            return
        with self.status.words():
            if self.session.worker.busy:
                raise ValueError("A sound is being made; press Stop or wait, then choose the model again.")
            self.session.load(name)
            with self.quiet:
                now = self.label.value
                self.label.options = self.session.labels
                self.label.value = now if now in self.session.labels else self.session.labels[0]
                self._offer_guidance()
            self.status.say(f"The model is now {name}.")
        self.model.value = self.session.name
