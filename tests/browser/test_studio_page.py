"""The studio in a real JupyterLab, used as a person would: press, lock, stop, restyle, keep, save."""

import re
import time
from pathlib import Path

import torch

from tad_course.audio import load_audio, read_comment
from tad_course.generate import Settings, generate, model_of

SAMPLES = Path(__file__).parents[2] / "data_samples"
PATIENCE_MS = 60_000
FORGET = "() => document.querySelectorAll('audio').forEach(player => { player.dataset.old = 'yes'; })"
WAIT_FOR_MAKER = ".tad-make .tad-stop:not([style*='hidden'])"


class Visit:
    """The studio on a page, and what a visitor does with it."""

    def __init__(self, page):
        self.page = page
        self.make, self.restyle, self.shelf = (page.locator(c) for c in (".tad-make", ".tad-shape", ".tad-shelf"))

    def sound_after(self, act, where: str = ".tad-cards") -> str:
        """Do something and return the sound that appears, as a data URI."""
        self.page.evaluate(FORGET)
        act()
        player = self.page.locator(f"{where} audio:not([data-old])").last
        player.wait_for(state="attached", timeout=PATIENCE_MS)
        self.page.locator(WAIT_FOR_MAKER).wait_for(state="detached", timeout=PATIENCE_MS)
        return player.get_attribute("src")

    def seed(self) -> int:
        return int(self.make.locator("input[type=number]").first.input_value())

    def wait_for_message(self, panel, words: str) -> str:
        line = panel.locator(".tad-message").filter(has_text=re.compile(words))
        line.wait_for(timeout=PATIENCE_MS)
        return line.inner_text()

    def to_the_end(self, slider: str) -> None:
        handle = self.make.locator(".widget-slider", has_text=slider).locator(".noUi-handle")
        handle.focus()
        handle.press("End")

    def upload(self, path: Path) -> None:
        with self.page.expect_file_chooser() as chooser:
            self.restyle.get_by_role("button", name="Upload").click()
        chooser.value.set_files(path)


def test_a_visit_to_the_studio(run_all, tmp_path):
    ran = run_all("notebooks/Inference.ipynb")
    assert ran.errors == []
    visit, page = Visit(ran.page), ran.page
    press = visit.make.locator(".tad-press")
    assert visit.make.locator(".tad-cards audio").count() == 1
    assert visit.make.locator(".tad-cards figure img").get_attribute("alt").startswith("kick, seed 0")

    # Each press brings another sound; with the seed locked, the same one.
    first, second = visit.sound_after(press.click), visit.sound_after(press.click)
    assert len(first) > 100_000 and first != second
    page.wait_for_timeout(500)  # later than a double click
    visit.make.get_by_label("lock").check()
    seed = visit.seed()
    assert visit.sound_after(press.click) == second
    assert visit.seed() == seed

    # Another instrument is answered at once, and the space bar presses as well as the mouse.
    snare = visit.sound_after(visit.make.get_by_role("button", name="snare").click)
    assert snare != second
    page.wait_for_timeout(500)
    press.focus()
    assert visit.sound_after(lambda: page.keyboard.press("Space")) == snare

    # A long job shows the time left and stops when told to.
    visit.to_the_end("number of sounds")
    visit.to_the_end("steps")
    stop = page.locator(WAIT_FOR_MAKER)
    stop.wait_for(timeout=PATIENCE_MS)
    visit.make.get_by_text(re.compile(r"[\d.]+ (s|min) left")).wait_for(timeout=PATIENCE_MS)
    start = time.monotonic()
    stop.click()
    visit.wait_for_message(visit.make, "Stopped")
    assert time.monotonic() - start < 3

    # A file that is no sound is refused in words; a real one is restyled.
    (tmp_path / "poem.wav").write_text("no sound at all")
    visit.upload(tmp_path / "poem.wav")
    visit.wait_for_message(visit.restyle, "poem.wav: cannot be read as sound")
    restyled = visit.sound_after(lambda: visit.upload(SAMPLES / "kick_kick_805.wav"), ".tad-shape .tad-restyle")
    assert len(restyled) > 100_000
    assert visit.restyle.locator(".tad-restyle audio").count() == 2

    # Keep and save: the file's settings make the very same sound.
    visit.make.locator(".tad-keep").first.click()
    visit.shelf.locator("audio").wait_for(state="attached", timeout=PATIENCE_MS)
    visit.shelf.locator(".tad-save").click()
    said = visit.wait_for_message(visit.shelf, "Saved 1 in ")
    folder, name = re.search(r"Saved 1 in (.*): (.*\.wav)\.", said).groups()
    settings = Settings.from_json(read_comment(Path(folder) / name))
    assert torch.equal(generate(model_of(settings), settings), load_audio(Path(folder) / name))
    visit.shelf.locator(".tad-save").click()
    visit.wait_for_message(visit.shelf, "saved already")

    assert page.locator(".jp-OutputArea-output[data-mime-type*='stderr']").count() == 0
