"""Keep: a shelf of sounds with their settings, to be named, starred, exported, and brought back. A panel of the studio.

What is deleted leaves the memory of the browser; what is needed to bring it back stays here.
"""

from pathlib import Path

from ipywidgets import HTML, Dropdown, HBox, Layout, Text, VBox

from tad_course.library.export import download_link, save_zip, zip_bytes
from tad_course.library.sound import Sound, safe_name
from tad_course.studio.cards import button, close_all
from tad_course.studio.controls import ROW
from tad_course.studio.jobs import Status, in_words
from tad_course.studio.session import Session
from tad_course.studio.shelf_item import Item

ENCODINGS = {"32-bit float (exact)": "float32", "24-bit": "pcm24", "16-bit (for old samplers)": "pcm16"}
MOST_UNDONE = 50  # deletions that can be undone
ALL, STARRED = "all", "starred"
EMPTY = "Nothing is kept yet: press <b>Keep</b> below a sound."


class Shelf:
    """The kept sounds, a folder or a download to take them away, and a way back for those that were deleted."""

    def __init__(self, session: Session, folder: str | Path):
        self.session, self.status = session, Status(session.worker)
        self.items: list[Item] = []
        self.deleted: list[tuple[int, tuple[Sound, str, bool]]] = []
        self.list = HBox(layout=Layout(flex_flow="row wrap", align_items="flex-start"))
        self.empty, self.link = HTML(EMPTY), HTML()
        self._controls(str(folder))
        rows = [[self.which, self.encoding, self.folder], [self.save_files, self.save_zip, self.download, self.undo]]
        self.box = VBox([self.empty, self.list, *(HBox(row, layout=ROW) for row in rows), self.link, self.status.box])
        self.box.add_class("tad-shelf")

    def _controls(self, folder: str) -> None:
        self.folder = Text(folder, description="folder", continuous_update=False, layout=Layout(width="330px"))
        self.which = Dropdown(options=self._choices(), description="export", layout=Layout(width="330px"))
        self.encoding = Dropdown(options=ENCODINGS, description="as", layout=Layout(width="280px"))
        self.save_files = button("Save files", "Write WAV files into the folder; none is replaced", "save", "tad-save")
        self.save_files.button_style = "primary"
        self.save_zip = button("Save zip", "Write a zip of WAV files and settings into the folder", "file-archive-o")
        self.download = button("Make a download", "Make a link to a zip for your browser", "download", "tad-download")
        self.undo = button("Undo delete", "Bring the sound deleted last back", "undo", "tad-undo")
        self.undo.disabled = True
        self.save_zip.add_class("tad-zip")
        self.which.add_class("tad-which")
        for press, act in (
            (self.save_files, self.save),
            (self.save_zip, self.save_as_zip),
            (self.download, self.offer),
            (self.undo, self.bring_back),
        ):
            press.on_click(lambda _, act=act: act())
        for choice in (self.which, self.encoding):
            choice.observe(lambda _: self._drop_link(), "value")

    @property
    def sounds(self) -> list[Sound]:
        """The kept sounds, in the order in which they were kept."""
        return [item.sound for item in self.items]

    def keep(self, sound: Sound) -> bool:
        """Put a sound on the shelf; the very same one (model, settings, sources) stands there only once."""
        if any(item.sound.same_as(sound) for item in self.items):
            self.status.say(f"{sound.title} is on the shelf already.")
            return False
        self.items.append(Item(sound, self.session.picture, self))
        self._refresh(f"Kept {sound.title}.")
        return True

    def remove(self, item: Item) -> None:
        """Take an item off the shelf; `bring_back` undoes it. Files that were saved stay."""
        self.deleted.append((self.items.index(item), item.state))
        del self.deleted[:-MOST_UNDONE]
        self.items.remove(item)
        self._refresh(f"Deleted {item.name.value}; press Undo delete if that was a mistake.")
        close_all([item.box])
        self.undo.focus()  # or the focus of the keyboard would be lost

    def bring_back(self) -> None:
        """Undo the last deletion."""
        if self.deleted:
            index, (sound, name, starred) = self.deleted.pop()
            self.items.insert(index, Item(sound, self.session.picture, self, name, starred))
            self._refresh(f"{name} is back.")
            self.items[index].name.focus()

    def changed(self, item: Item, message: str) -> None:
        """Take over a new name or star of an item."""
        self._refresh(message)

    def chosen(self) -> list[Item]:
        """Return the items to export.

        Raises:
            ValueError: if there is none.
        """
        if not self.items:
            raise ValueError("Nothing is kept yet: press Keep below a sound first.")
        which = self.which.value
        found = [item for item in self.items if which in (ALL, item) or (which == STARRED and item.star.value)]
        if not found:
            raise ValueError("No sound has a star yet: give one a star, or export all.")
        return found

    def save(self) -> list[Path]:
        """Write what is new of the chosen sounds; no file is ever replaced. Return the new files."""
        written: list[Path] = []
        with self.status.words():
            items, folder = self.chosen(), self._folder()
            try:
                for item in items:
                    path = item.save(folder, self.encoding.value)
                    written += [path] if path else []
            except (ValueError, OSError) as error:
                raise ValueError(f"{in_words(error)} {_safe(written)}") from error
            self.status.say(_report(written, len(items)))
        return written

    def save_as_zip(self) -> Path | None:
        """Write the chosen sounds and their settings as one new zip; return it, or None if that failed."""
        with self.status.words():
            items, folder = self.chosen(), self._folder()
            try:
                path = save_zip(_named(items), folder, self._zip_name(items), self.encoding.value)
            except (ValueError, OSError) as error:
                raise ValueError(f"{in_words(error)} {_safe([])}") from error
            self.status.say(f"Saved {_count(items)} and the settings in {path.resolve()}.")
            return path
        return None

    def offer(self) -> None:
        """Show a link from which the browser saves the chosen sounds as a zip."""
        with self.status.words():
            items = self.chosen()
            content = zip_bytes(_named(items), self.encoding.value)
            self.link.value = download_link(content, f"{self._zip_name(items)}.zip")
            self.status.say(f"The link below the buttons saves {_count(items)} and the settings.")

    def _folder(self) -> Path:
        folder = self.folder.value.strip()
        if not folder:
            raise ValueError("Type the name of a folder to save to.")
        return Path(folder)

    def _zip_name(self, items: list[Item]) -> str:
        return safe_name(items[0].name.value) if self.which.value in self.items else f"{self.which.value}-sounds"

    def _choices(self) -> list[tuple[str, object]]:
        titles = [item.name.value for item in self.items]
        return [("all kept sounds", ALL), ("those with a star", STARRED), *zip(titles, self.items, strict=True)]

    def _refresh(self, message: str) -> None:
        now = self.which.value
        self.list.children = [item.box for item in self.items]
        self.empty.layout.display = "none" if self.items else ""
        self.which.options = self._choices()
        self.which.value = now if now in (ALL, STARRED, *self.items) else ALL
        self.undo.disabled = not self.deleted
        self._drop_link()
        self.status.say(message)

    def _drop_link(self) -> None:
        """Forget a link whose content is no longer what would be exported; it can be large."""
        self.link.value = ""


def _named(items: list[Item]) -> list[tuple[str, Sound]]:
    return [(item.name.value, item.sound) for item in items]


def _count(items: list) -> str:
    return f"{len(items)} sound{'s' if len(items) != 1 else ''}"


def _safe(written: list[Path]) -> str:
    before = f" {len(written)} had been written before that." if written else ""
    return f"Nothing is lost: your sounds are still on the shelf.{before}"


def _report(written: list[Path], chosen: int) -> str:
    if not written:
        return "Everything here is saved already; nothing was written."
    names = ", ".join(path.name for path in written[:3]) + (", …" if len(written) > 3 else "")
    old = chosen - len(written)
    already = f" {old} saved before." if old else ""
    return f"Saved {len(written)} in {written[0].parent.resolve()}: {names}.{already}"
