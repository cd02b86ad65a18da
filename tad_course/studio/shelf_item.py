"""One kept sound on the shelf: its player and picture, a name and a star that can be changed, and a way off."""

from pathlib import Path

from ipywidgets import Text, ToggleButton

from tad_course.library.sound import Sound, safe_name, save_new
from tad_course.studio.cards import button, card, players_html
from tad_course.studio.mel_picture import SoundPicture

STARRED, PLAIN = "★ starred", "☆ star"


class Item:
    """A kept sound with its widgets; `state` is what is needed to build it again. `box` is the widget."""

    def __init__(self, sound: Sound, picture: SoundPicture, shelf, name: str = "", starred: bool = False):
        """`shelf` has `changed(item, what)` and `remove(item)`, which are called when a person does that."""
        self.sound, self.shelf, self.saved = sound, shelf, {}
        self.name = Text(name or sound.name, description="name", continuous_update=False)
        self.name.layout.width = "372px"
        self.star = ToggleButton(starred, tooltip=f"Star, to export it with other favorites: {sound.title}")
        self.star.layout.width = "auto"
        self.remove = button("Delete", f"Take off the shelf (it can be undone): {sound.title}", "trash", "tad-remove")
        self.remove.on_click(lambda _: shelf.remove(self))
        self._show_star()
        (player,) = players_html({sound.title: sound.audio})
        self.box = card(sound.title, player, picture.html(sound.audio, sound.title), [self.star, self.remove])
        self.box.children = (*self.box.children[:-1], self.name, self.box.children[-1])
        self.name.observe(self._renamed, "value")
        self.star.observe(self._starred, "value")
        for widget, name in ((self.box, "tad-item"), (self.star, "tad-star"), (self.name, "tad-name")):
            widget.add_class(name)

    @property
    def state(self) -> tuple[Sound, str, bool]:
        """The sound, its name, and whether it has a star."""
        return self.sound, self.name.value, self.star.value

    def save(self, folder: Path, encoding: str) -> Path | None:
        """Write the sound unless just this was written before and is still there; return the new file."""
        key = (folder.expanduser().resolve(), self.name.value, encoding)
        if key in self.saved and self.saved[key].exists():
            return None
        self.saved[key] = save_new(self.sound, folder, self.name.value, encoding)
        return self.saved[key]

    def _renamed(self, _) -> None:
        if not self.name.value.strip():
            self.name.value = self.sound.name  # comes back here, with a name
            return
        file = f"{safe_name(self.name.value)}.wav"
        self.shelf.changed(self, f"{self.sound.title} is now called {self.name.value}; its file will be {file}.")

    def _starred(self, _) -> None:
        self._show_star()
        self.shelf.changed(self, f"{self.name.value} {'has a star' if self.star.value else 'has no star now'}.")

    def _show_star(self) -> None:
        self.star.description = STARRED if self.star.value else PLAIN
