"""What a visitor of the studio does, by mouse or by keyboard, on a page of JupyterLab or of Voila."""

import re
from pathlib import Path

from conftest import PATIENCE_MS

FORGET = "() => document.querySelectorAll('audio').forEach(player => { player.dataset.old = 'yes'; })"
BUSY = ".tad-make .tad-stop:not([style*='hidden'])"
HAS_FOCUS = "selector => document.activeElement && document.activeElement.closest(selector) !== null"
AFTER_A_PRESS_MS = 600  # a second press within 400 ms belongs to a double click
MOST_TABS = 500  # players have five stops each


class Visit:
    """The studio on a page, and what a visitor does with it."""

    def __init__(self, page):
        self.page, self.keyboard = page, page.keyboard
        page.set_default_timeout(PATIENCE_MS)
        self.make, self.compare, self.shelf = (page.locator(c) for c in (".tad-make", ".tad-compare", ".tad-shelf"))
        self.press = self.make.locator(".tad-press")

    def sound_after(self, act, where: str = ".tad-cards") -> str:
        """Do something and return the sound that appears, as a data URI."""
        self.page.evaluate(FORGET)
        act()
        player = self.page.locator(f"{where} audio:not([data-old])").last
        player.wait_for(state="attached", timeout=PATIENCE_MS)
        self.page.locator(BUSY).wait_for(state="detached", timeout=PATIENCE_MS)
        return player.get_attribute("src")

    def press_make(self) -> None:
        """Press Make, so late that it is no double click."""
        self.page.wait_for_timeout(AFTER_A_PRESS_MS)
        self.press.click()

    def seed(self) -> int:
        return int(self.make.locator(".tad-seed input").input_value())

    def wait_for_message(self, panel, words: str) -> str:
        line = panel.locator(".tad-message").filter(has_text=re.compile(words))
        line.wait_for(timeout=PATIENCE_MS)
        return line.inner_text()

    def to_the_end(self, slider: str) -> None:
        handle = self.make.locator(f".tad-{slider} .noUi-handle")
        handle.focus()
        handle.press("End")

    def download(self, act, to: Path) -> Path:
        """Do something that starts a download and return the file."""
        with self.page.expect_download(timeout=PATIENCE_MS) as download:
            act()
        download.value.save_as(to)
        return to

    # --- the keyboard alone ---

    def tab_to(self, selector: str, back: bool = False) -> None:
        """Press Tab (or Shift+Tab) until something inside `selector` has the focus."""
        for _ in range(MOST_TABS):
            self.keyboard.press("Shift+Tab" if back else "Tab")
            if self.page.evaluate(HAS_FOCUS, selector):
                return
        raise AssertionError(f"{selector} cannot be reached with {MOST_TABS} presses of Tab")

    def has_focus(self, selector: str) -> None:
        """Wait until something inside `selector` has the focus."""
        self.page.wait_for_function(HAS_FOCUS, arg=selector, timeout=PATIENCE_MS)
