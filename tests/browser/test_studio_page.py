"""The studio in a real JupyterLab, used as a person would: press, lock, stop, compare, restyle, keep, save."""

import re
from pathlib import Path

import conftest as lab_tools
import torch
from studio_visit import AFTER_A_PRESS_MS, BUSY, PATIENCE_MS, Visit

from tad_course.audio import load_audio, read_comment
from tad_course.generate import Settings, generate, model_of

SAMPLES = Path(__file__).parents[2] / "data_samples"
NOTEBOOK = "notebooks/Inference.ipynb"
INTERRUPT = "() => window.jupyterapp.commands.execute('notebook:interrupt-kernel').then(() => null)"
NOT_RUN = "Run the notebook (Run → Run All Cells)"
COUNT_NEW_PLAYERS = """() => {
    window.newPlayers = 0;
    new MutationObserver(changes => {
        window.newPlayers += changes.flatMap(c => [...c.addedNodes])
            .filter(node => node.querySelector && (node.matches('audio') || node.querySelector('audio'))).length;
    }).observe(document.querySelector('.tad-cards'), {childList: true, subtree: true});
}"""


def upload(visit: Visit, path: Path) -> None:
    with visit.page.expect_file_chooser() as chooser:
        visit.page.locator(".tad-shape").get_by_role("button", name="Upload").first.click()
    chooser.value.set_files(path)


def test_a_notebook_that_was_not_run_is_not_trusted_and_still_names_the_cure(pages):
    page = pages.open(NOTEBOOK)
    lab_tools.playwright.expect(page.get_by_text(NOT_RUN).first).to_be_attached(timeout=PATIENCE_MS)
    assert page.locator(".tad-press").count() == 0


def test_a_visit_to_the_studio(pages, tmp_path):
    ran = pages.run_all(NOTEBOOK)
    assert ran.errors == []
    visit, page = Visit(ran.page), ran.page
    press, shape = visit.press, page.locator(".tad-shape")
    assert visit.make.locator(".tad-cards audio").count() == 1
    assert visit.make.locator(".tad-cards figure img").get_attribute("alt").startswith("kick, seed 0")

    # Each press brings another sound; with the seed locked, the same one. A double click is one press.
    first, second = visit.sound_after(visit.press_make), visit.sound_after(visit.press_make)
    assert len(first) > 100_000 and first != second
    visit.make.get_by_label("lock").check()
    seed = visit.seed()
    assert visit.sound_after(visit.press_make) == second
    assert visit.seed() == seed
    page.wait_for_timeout(AFTER_A_PRESS_MS)
    page.evaluate(COUNT_NEW_PLAYERS)
    assert visit.sound_after(press.dblclick) == second
    page.wait_for_timeout(1500)
    assert page.evaluate("window.newPlayers") == 1

    # Another instrument makes a sound at once, and the space bar presses as well as the mouse.
    hihat = visit.sound_after(visit.make.get_by_role("button", name="hihat").click)
    assert hihat != second
    press.focus()
    page.wait_for_timeout(AFTER_A_PRESS_MS)
    assert visit.sound_after(lambda: page.keyboard.press("Space")) == hihat

    # A long job shows the time left, survives an interrupt of the kernel, and stops at a press of Stop.
    visit.to_the_end("count")
    visit.to_the_end("steps")
    stop = page.locator(BUSY)
    stop.wait_for(timeout=PATIENCE_MS)
    visit.make.get_by_text(re.compile(r"[\d.]+ (s|min) left")).wait_for(timeout=PATIENCE_MS)
    page.evaluate(INTERRUPT)
    stop.click()
    visit.wait_for_message(visit.make, "Stopped")  # how quickly, test_jobs.py tests: a page may wait for the machine

    # A and B: one press switches, and the other one sounds.
    switch = visit.compare.locator(".tad-switch")
    a, b = (visit.sound_after(switch.click, ".tad-compare") for _ in "ab")
    assert a != b
    visit.compare.get_by_text("B is heard").first.wait_for()

    # A file that is no sound is refused in words; a real one is restyled.
    (tmp_path / "poem.wav").write_text("no sound at all")
    upload(visit, tmp_path / "poem.wav")
    visit.wait_for_message(shape, "poem.wav: cannot be read as sound")
    restyled = visit.sound_after(lambda: upload(visit, SAMPLES / "kick_kick_805.wav"), ".tad-shape .tad-restyle")
    assert len(restyled) > 100_000

    # Keep and save: the file's settings make the very same sound. The same notebook may be open twice.
    pages.open(NOTEBOOK)
    page.bring_to_front()  # a page behind another one is not drawn, and cannot be clicked
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
