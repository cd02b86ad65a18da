"""Play: a bar of sixteen steps for four drums, that loops while you change it. A panel of the studio."""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from ipywidgets import HTML, BoundedIntText, HBox, IntSlider, Layout, Text, VBox
from torch import Tensor

from tad_course.audio.wav import MAX_COMMENT_BYTES, wav_bytes
from tad_course.drums.pattern import BPM_RANGE, LEVEL_NAMES, Pattern, midi_bytes, mix_loop, render_loop, surprise
from tad_course.drums.voices import LABELS, render
from tad_course.generate import Settings, choices, generate
from tad_course.library.sound import Sound, safe_name, write_new
from tad_course.studio.cards import button
from tad_course.studio.controls import ROW, WIDE, Quiet, offer
from tad_course.studio.jobs import Status, Watched
from tad_course.studio.pattern_player import loop_player_html
from tad_course.studio.pattern_rows import NEXT_LEVEL, Row, grid, step_style
from tad_course.studio.session import HIGHEST_SEED, Session

FIRST = Pattern(112, 0.56, {
    "kick": "X.....x.x.-.....",
    "snare": "....X..-.-..X...",
    "hihat": "X-x-X-x-X-x-X-xx",
    "percussion": "...x..x....x..-.",
})  # fmt: skip
MOST_UNDONE, MOST_TAKEN = 50, 16

Chosen = dict[str, Sound]  # row -> its sound


class PatternPanel:
    """Steps, tempo, swing and a sound for each drum; a player that loops without a gap; WAV and MIDI to take away."""

    def __init__(
        self,
        session: Session,
        settings: Callable[[], Settings],
        folder: Callable[[], str],
        keep: Callable[[Sound], None],
        offered: Callable[[], Mapping[str, Sound]] = dict,
    ):
        """Make the panel.

        Args:
            session: model, worker and random numbers of the studio.
            settings: steps, sampler and guidance of new sounds.
            folder: where WAV and MIDI files go.
            keep: puts a sound on the shelf.
            offered: name -> sound, all that can be chosen besides the panel's own.
        """
        self.session, self.settings, self.folder, self.keep, self.offered = session, settings, folder, keep, offered
        self.status, self._lock = Status(session.worker), threading.RLock()
        self.undone: list[tuple[Pattern, Chosen]] = []
        self.taken: list[Sound] = []
        self.drawn = {label: self._first_sound(label) for label in LABELS}
        self.pattern, self.sounds = FIRST, dict(self.drawn)
        self._controls()
        live = [self.bpm, self.swing, *(row.mute for row in self.rows), *(row.sound for row in self.rows)]
        self.quiet = Quiet(live, self._changed)
        self.quiet_seed = Quiet([self.seed], lambda: self.draw(self.seed.value))
        self._lay_out()
        self._show()

    def _controls(self) -> None:
        shared, slider = step_style(), {"continuous_update": False, "style": WIDE, "layout": Layout(width="300px")}
        self.rows = [Row(label, shared, lambda step, label=label: self.step(label, step)) for label in LABELS]
        low, high = BPM_RANGE
        self.bpm = IntSlider(112, low, high, description="tempo (bpm)", **slider)
        self.swing = IntSlider(56, 50, 75, description="swing (%)", **slider)
        self.seed = BoundedIntText(0, min=0, max=HIGHEST_SEED, description="seed", layout=Layout(width="130px"))
        self.seed.style = {"description_width": "40px"}
        self.name = Text("loop", description="file name", continuous_update=False, style=WIDE)
        self.name.layout.width = "244px"
        self.player = HTML(layout=Layout(width="100%", max_width="520px"))
        self.surprise = self._button("Surprise me", "Fill the pattern and make four new sounds", "magic", self.press)
        self.surprise.button_style = "primary"
        self.clear = self._button("Clear", "Silence all steps", "eraser", self.empty)
        self.undo = self._button("Undo", "Take the last change back", "undo", self.back)
        self.keep_all = self._button(
            "Keep the sounds", "Put the sounds of this pattern on the shelf", "heart", self.shelve
        )
        self.wav = self._button("Save WAV", "Write one bar that loops as a WAV file", "save", self.save_wav)
        self.midi = self._button("Save MIDI", "Write the pattern as a MIDI file", "music", self.save_midi)

    def _button(self, text: str, tooltip: str, icon: str, act: Callable[[], object]):
        made = button(text, tooltip, icon, f"tad-{text.lower().replace(' ', '-')}")
        made.on_click(lambda _: act())
        return made

    def _lay_out(self) -> None:
        rows = [
            [self.bpm, self.swing, self.clear, self.undo],
            [self.surprise, self.seed, self.keep_all],
            [self.name, self.wav, self.midi],
        ]
        top, *others = (HBox(row, layout=ROW) for row in rows)
        self.box = VBox([self.player, grid(self.rows), top, *others, self.status.box])
        self.box.add_class("tad-play")

    def _first_sound(self, label: str) -> Sound:
        """Return a sound of the model or, if it has none of that label, of the drum machine."""
        settings = replace(self.settings(), label=label, seed=0)
        if label in choices(self.session.model):
            return Sound(generate(self.session.model, settings), settings)
        return Sound(render(label, 0).audio, Settings(model="drum machine", label=label, seed=0))

    # --- what a person does ---

    def step(self, label: str, step: int) -> None:
        """Take the next level of a step, counted from 0: off, medium, accent, soft, off."""
        level = NEXT_LEVEL[self.pattern.levels[label][step]]
        if self._set(self.pattern.with_level(label, step, level)):
            self.status.say(f"{label}, step {step + 1}: {LEVEL_NAMES[level]}.")

    def empty(self) -> None:
        """Silence all steps."""
        if self._set(replace(self.pattern, levels=dict.fromkeys(LABELS, "." * 16))):
            self.status.say("All steps are off; Undo brings them back.")

    def back(self) -> None:
        """Undo the last change."""
        with self._lock:
            if self.undone:
                self.pattern, self.sounds = self.undone.pop()
                self._show()
                self.status.say("Took the last change back.")

    def press(self) -> bool:
        """Do what *Surprise me* does: roll a seed, and fill the pattern and the sounds by it. Busy, it does nothing."""
        if self.session.worker.busy:
            return False
        with self.quiet_seed:
            before = self.seed.value
            while self.seed.value == before:
                self.seed.value = self.session.roll()
        return self.draw(self.seed.value)

    def draw(self, seed: int) -> bool:
        """Fill the pattern by a seed at once, and the sounds as soon as they are made."""
        if self._set(surprise(seed)):
            self.status.say(f"A pattern of seed {seed}; its sounds are being made.")
        settings, model = replace(self.settings(), seed=seed), self.session.model
        labels = [label for label in LABELS if label in choices(model)]

        def work(tick: Callable[[], None]) -> str:
            each = [replace(settings, label=label) for label in labels]
            made = {s.label: Sound(generate(Watched(model, tick), s), s) for s in each}
            with self._lock:
                self.drawn = self.drawn | made
                self.sounds = self.sounds | made
                self._show()
            return f"A pattern and {len(made)} sounds of seed {seed}."

        return self.status.run(work, len(labels) * settings.num_steps, instead=True)

    def take(self, sound: Sound) -> None:
        """Use a sound of the studio in the row of its label; one of no such label plays the percussion."""
        label = sound.settings.label if sound.settings.label in LABELS else LABELS[-1]
        self.taken = [*self.taken[-MOST_TAKEN:], sound]
        if self._set(self.pattern, self.sounds | {label: sound}):
            self.status.say(f"{sound.title} plays the row {label}.")

    def shelve(self) -> None:
        """Put the sounds that are heard on the shelf."""
        heard = [label for label in LABELS if label not in self.pattern.muted]
        for label in heard:
            self.keep(self.sounds[label])
        self.status.say(f"On the shelf: {', '.join(self.sounds[label].title for label in heard)}.")

    def save_wav(self) -> Path | None:
        """Write one bar as a 24-bit WAV that carries the pattern as a comment; return the file."""
        return self._save(".wav", lambda: wav_bytes(self.loop(), "pcm24", self._comment()))

    def save_midi(self) -> Path | None:
        """Write the pattern as a MIDI file; return it."""
        return self._save(".mid", lambda: midi_bytes(self.pattern))

    def _save(self, ending: str, content: Callable[[], bytes]) -> Path | None:
        with self.status.words():
            folder = str(self.folder()).strip()
            if not folder:
                raise ValueError("Type the name of a folder to save to, at the shelf.")
            path = write_new(folder, safe_name(self.name.value), ending, content())
            self.status.say(f"Saved {path.resolve()}.")
            return path
        return None

    def _comment(self) -> str:
        pattern = {"pattern": json.loads(self.pattern.to_json())}
        whole = json.dumps(pattern | {"sounds": {label: sound.recipe() for label, sound in self.sounds.items()}})
        return whole if len(whole.encode()) <= MAX_COMMENT_BYTES else json.dumps(pattern)

    # --- what is shown and heard ---

    def loop(self) -> Tensor:
        """Return the bar `[2, n]` as it is heard."""
        return render_loop(self.pattern, self._audio())

    def refresh(self) -> None:
        """Offer again what can be chosen: sounds were made, kept, renamed or deleted."""
        with self._lock, self.quiet:
            self._offer()

    def _audio(self) -> dict[str, Tensor]:
        return {label: sound.audio for label, sound in self.sounds.items()}

    def _changed(self) -> None:
        """Take over a slider, a mute or another sound in a row."""
        muted = tuple(row.label for row in self.rows if row.mute.value)
        chosen = {row.label: self.choices[row.label][row.sound.value] for row in self.rows}
        with self.status.words():
            self._set(replace(self.pattern, bpm=self.bpm.value, swing=self.swing.value / 100, muted=muted), chosen)

    def _set(self, pattern: Pattern, sounds: Chosen | None = None) -> bool:
        """Take over a pattern and sounds, show them, and remember what was before; return whether it went well."""
        with self._lock, self.status.words():
            self.undone = [*self.undone, (self.pattern, self.sounds)][-MOST_UNDONE:]
            self.pattern, self.sounds = pattern, sounds or self.sounds
            self._show()
            return True
        return False

    def _show(self) -> None:
        # First what is heard: it should follow the press at once.
        self.player.value = loop_player_html(self.pattern, mix_loop(self.pattern, self._audio()))
        with self.quiet:
            self.bpm.value, self.swing.value = round(self.pattern.bpm), round(100 * self.pattern.swing)
            for row in self.rows:
                row.show(self.pattern.levels[row.label], row.label in self.pattern.muted)
            self._offer()
        self.undo.disabled = not self.undone

    def _offer(self) -> None:
        """Let each row choose among all sounds, those of its own drum first."""
        every = dict(self.offered())
        for sound in (*self.drawn.values(), *self.taken, *self.sounds.values()):
            if not any(each is sound for each in every.values()):
                every[_new_name(sound.title, every)] = sound
        self.choices = {}
        for row in self.rows:
            now = self.sounds[row.label]
            choices = dict(sorted(every.items(), key=lambda item: item[1].settings.label != row.label))
            self.choices[row.label] = choices
            offer(row.sound, tuple(choices), next(name for name, each in choices.items() if each is now))


def _new_name(title: str, taken: Mapping[str, Sound]) -> str:
    """Return `title`, or "title (2)" and so on if another sound has it."""
    names = (title, *(f"{title} ({n})" for n in range(2, len(taken) + 3)))
    return next(name for name in names if name not in taken)
