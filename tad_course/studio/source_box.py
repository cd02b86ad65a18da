"""What to shape: a file, an upload, or a sound made or kept in this studio, and which instrument it is."""

import functools
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from ipywidgets import Dropdown, FileUpload, HBox, Layout, Text
from torch import Tensor

from tad_course.audio import SUFFIXES, fit_length
from tad_course.drums.voices import LABELS
from tad_course.evaluation.embeddings import load_classifier
from tad_course.generate import ANY, Settings, choices, label_index
from tad_course.library.describe import read_bytes, read_source, sound_files
from tad_course.library.sound import GENERATE, Sound, Source
from tad_course.studio.controls import ROW, Quiet, offer
from tad_course.studio.jobs import Status
from tad_course.studio.session import Session

Reader = Callable[[int], tuple[Tensor, str]]  # length in samples -> the sound and a line about it
NO_SOUND = "There is no sound to shape yet: upload one, or type the path of a file."
LONGEST_TITLE = 48


class Sources:
    """All sounds that can be shaped, by the names under which they are offered."""

    def __init__(self, session: Session, folder: str | Path, sounds: Callable[[], dict[str, Sound]]):
        """`folder` holds files to choose from; `sounds` returns what the studio has made and kept."""
        self.session, self.sounds = session, sounds
        self.files: dict[str, Reader] = {path.name: partial(read_source, path) for path in sound_files(folder)}
        self.held: dict[object, tuple[str, Sound]] = {}  # who chose a sound of the studio -> it, should it go away

    @property
    def ours(self) -> dict[str, Sound]:
        """The sounds made and kept in this studio, and those that are still chosen."""
        return dict(self.held.values()) | self.sounds()

    @property
    def names(self) -> list[str]:
        """What is offered: kept and made sounds, then files."""
        return [*sorted(self.ours, key=lambda name: not name.startswith("kept")), *self.files]

    def read(self, name: str | None) -> Source:
        """Return the sound of this name at the length of the model in use.

        Raises:
            ValueError: if there is none, or it cannot be read (`AudioFileError`).
        """
        length = self.session.model.config.length_samples
        if name in self.files:
            audio, about = self.files[name](length)
            label = guess_label(name, audio, self._known)
            return Source(audio, Path(name).stem, label, about=about)
        sound = self.ours.get(name)
        if sound is None:
            raise ValueError(NO_SOUND)
        audio, about = fit_length(sound.audio, length), "from this studio"
        return Source(audio, short(sound.title), self._label(sound), self._made_by(sound), about)

    def _made_by(self, sound: Sound) -> Settings | None:
        """Return the settings with which the model in use made the sound from noise, so that its noise is known."""
        whole = sound.audio.shape[-1] == self.session.model.config.length_samples
        ours = sound.kind == GENERATE and sound.settings.fingerprint == self.session.fingerprint
        return sound.settings if ours and whole else None

    def _label(self, sound: Sound) -> str:
        label, model = sound.settings.label, self.session.model
        if label not in choices(model):
            return guess_label("", sound.audio, self._known)
        index = label_index(model, sound.settings)  # of a group or any, the one that it has become
        return label if index is None else model.config.labels[int(index)]

    @property
    def _known(self) -> tuple[str, ...]:
        return tuple(label for label in self.session.labels if label != ANY)


def short(title: str) -> str:
    """Return a title that stays readable when it becomes part of the next one."""
    return title if len(title) <= LONGEST_TITLE else f"{title[: LONGEST_TITLE - 1]}…"


@functools.cache
def _classifier():
    return load_classifier()


@torch.no_grad()
def guess_label(name: str, audio: Tensor, labels: tuple[str, ...]) -> str:
    """Return which of the model's labels a sound `[2, N]` is: by its file's name, else by the classifier."""
    plain = re.sub("[^a-z]", "", name.lower())
    named = [label for label in labels if re.sub("[^a-z]", "", label.lower()) in plain]
    if named or not labels:
        return named[0] if named else ANY
    found = LABELS[int(_classifier()(audio[None]).argmax())]
    return found if found in labels else labels[0]


class Choice:
    """A list to choose a sound from, and its instrument (estimated, and can be corrected). `box` is the widget."""

    def __init__(self, sources: Sources, status: Status, changed: Callable[[], None], title: str = "sound"):
        """`changed` is called after another sound or instrument has been chosen."""
        self.sources, self.status, self.changed = sources, status, changed
        self.name = Dropdown(description=title, layout=Layout(width="400px"))
        self.label = Dropdown(options=sources.session.labels, description="is a", layout=Layout(width="200px"))
        self.label.tooltip = "The instrument that the model takes this sound for"
        self.box = HBox([self.name, self.label], layout=ROW)
        self.quiet = Quiet([self.name], self._chosen)
        self.quiet_label = Quiet([self.label], changed)

    def refresh(self, prefer: str | None = None) -> None:
        """Offer what there is now; the choice stays while its sound is there, or becomes the one to `prefer`."""
        names, now = self.sources.names, self.name.value
        wanted = next((n for n in (prefer, now) if n in names), names[0] if names else None)
        with self.quiet:
            offer(self.name, names, wanted)
        if wanted != now:
            self._chosen(report=prefer is not None)

    def read(self) -> Source:
        """Return the chosen sound with the instrument chosen for it.

        Raises:
            ValueError: if there is none or it cannot be read.
        """
        source = self.sources.read(self.name.value)
        label = self.label.value if self.label.value in self.sources.session.labels else source.label
        return replace(source, label=label)

    def fit_model(self) -> None:
        """Offer the instruments of the model in use."""
        if self.label.options != self.sources.session.labels:
            self._chosen(report=False)

    def _chosen(self, report: bool = True) -> None:
        self._hold(self.sources.ours.get(self.name.value))
        with self.status.words(), self.quiet_label:
            self.label.options = self.sources.session.labels
            if self.name.value is not None:
                self.label.value = self.sources.read(self.name.value).label
        if report:
            self.changed()

    def _hold(self, sound: Sound | None) -> None:
        self.sources.held.pop(self, None)
        if sound is not None:
            self.sources.held[self] = self.name.value, sound


class SourceBox(Choice):
    """A choice that also takes files: uploaded ones, and ones on this computer by their path."""

    def __init__(self, sources: Sources, status: Status, changed: Callable[[], None]):
        super().__init__(sources, status, changed)
        self.upload = FileUpload(
            accept=",".join(SUFFIXES), description="Upload", tooltip="Upload a sound of up to 10 MB"
        )
        self.path = Text(placeholder="or the path of a file", continuous_update=False, layout=Layout(width="220px"))
        self.path.observe(lambda _: self._typed(), "value")
        self.upload.observe(lambda _: self._uploaded(), "value")
        self.box.children = (self.name, self.label, self.upload, self.path)
        self.name.add_class("tad-source")
        self.label.add_class("tad-is-a")

    def take(self, sound: Sound) -> None:
        """Choose a sound of the studio."""
        known = {id(each): name for name, each in self.sources.sounds().items()}
        name = known.get(id(sound)) or f"made: {sound.title}"
        self.sources.held[self] = name, sound
        same = self.name.value == name
        self.refresh(name)
        if same:
            self._chosen()

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
            reader(self.sources.session.model.config.length_samples)
            self.sources.files[name] = reader
            same = self.name.value == name
            self.refresh(name)
            if same:  # another file under the name that is chosen already
                self._chosen()
