"""Keep: a shelf of sounds with their settings, to be named, saved, and brought back. The third panel of the studio."""

from pathlib import Path

from ipywidgets import HTML, Dropdown, HBox, Layout, Text, VBox

from tad_course.kept import Sound, save_new
from tad_course.widgets.cards import button, close_all, players_html
from tad_course.widgets.controls import ROW
from tad_course.widgets.desk import Desk
from tad_course.widgets.jobs import Status

ENCODINGS = {"32-bit float (exact)": "float32", "16-bit (for old samplers)": "pcm16"}
EMPTY = "Nothing is kept yet: press <b>Keep</b> below a sound."


class Item:
    """One kept sound: its name, which can be changed, its player, and where it was saved last."""

    def __init__(self, sound: Sound, remove):
        self.sound, self.saved = sound, {}
        self.name = Text(sound.name, description="name", continuous_update=False, layout=Layout(width="420px"))
        self.remove = button("Remove", f"Take off the shelf: {sound.title}", "trash", "tad-remove")
        self.remove.on_click(lambda _: remove(self))
        (player,) = players_html({sound.title: sound.audio})
        self.box = HBox([HTML(player, layout=Layout(width="300px")), self.name, self.remove], layout=ROW)

    def save(self, folder: Path, encoding: str) -> Path | None:
        """Write the sound unless just this was written before and is still there; return the new file."""
        key = (folder.expanduser().resolve(), self.name.value, encoding)
        if key in self.saved and self.saved[key].exists():
            return None
        self.saved[key] = save_new(self.sound, folder, self.name.value, encoding)
        return self.saved[key]


class Shelf:
    """The kept sounds, a folder to save them to, and a way back for one that was removed."""

    def __init__(self, desk: Desk, folder: str | Path):
        self.status, self.items, self.removed = Status(desk.worker), [], []
        self.folder = Text(str(folder), description="folder", continuous_update=False, layout=Layout(width="330px"))
        self.encoding = Dropdown(options=ENCODINGS, description="as", layout=Layout(width="280px"))
        self.button = button("Save all", "Write all kept sounds into the folder as WAV files", "save", "tad-save")
        self.button.button_style = "primary"
        self.undo = button("Bring back", "Bring the sound removed last back", "undo", "tad-undo")
        self.undo.disabled = True
        self.button.on_click(lambda _: self.save())
        self.undo.on_click(lambda _: self.bring_back())
        self.list = VBox([HTML(EMPTY)])
        row = HBox([self.folder, self.encoding, self.button, self.undo], layout=ROW)
        self.box = VBox([self.list, row, self.status.box])
        self.box.add_class("tad-shelf")

    @property
    def sounds(self) -> list[Sound]:
        """The kept sounds, in the order in which they were kept."""
        return [item.sound for item in self.items]

    def keep(self, sound: Sound) -> bool:
        """Put a sound on the shelf; the very same one (model and settings) stands there only once."""
        if any(item.sound.comment() == sound.comment() for item in self.items):
            self.status.say(f"{sound.title} is on the shelf already.")
            return False
        self.items.append(Item(sound, self.remove))
        self._refresh(f"Kept {sound.title}.")
        return True

    def remove(self, item: Item) -> None:
        """Take an item off the shelf; `bring_back` undoes it. Files that were saved stay."""
        self.removed.append((self.items.index(item), item))
        self.items.remove(item)
        self._refresh(f"Removed {item.name.value}; press Bring back if that was a mistake.")

    def bring_back(self) -> None:
        """Undo the last removal."""
        if self.removed:
            index, item = self.removed.pop()
            self.items.insert(index, item)
            self._refresh(f"{item.name.value} is back.")

    def save(self) -> list[Path]:
        """Write what is new; no file is ever replaced. Return the new files."""
        written: list[Path] = []
        with self.status.words():
            if not self.items:
                raise ValueError("Nothing is kept yet: press Keep below a sound first.")
            if not self.folder.value.strip():
                raise ValueError("Type the name of a folder to save to.")
            for item in self.items:
                path = item.save(Path(self.folder.value.strip()), self.encoding.value)
                written += [path] if path else []
            self.status.say(self._report(written))
        return written

    def _report(self, written: list[Path]) -> str:
        if not written:
            return "Everything here is saved already; nothing was written."
        names = ", ".join(path.name for path in written[:3]) + (", …" if len(written) > 3 else "")
        old = len(self.items) - len(written)
        already = f" {old} saved before." if old else ""
        return f"Saved {len(written)} in {written[0].parent.resolve()}: {names}.{already}"

    def _refresh(self, message: str) -> None:
        old = [child for child in self.list.children if isinstance(child, HTML)]
        self.list.children = [item.box for item in self.items] or [HTML(EMPTY)]
        close_all(old)
        self.undo.disabled = not self.removed
        self.status.say(message)
