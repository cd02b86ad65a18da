"""Steps and Shape in a real JupyterLab: every control is used once, as a person would."""

import re
from pathlib import Path

from conftest import CELLS, PATIENCE_MS

SAMPLES = Path(__file__).parents[2] / "data_samples"
BUSY = ".tad-shape .tad-stop:not([style*='hidden'])"
FORGET = "() => document.querySelectorAll('audio').forEach(player => { player.dataset.old = 'yes'; })"


RUN = """async ids => {
    const notebook = window.jupyterapp.shell.currentWidget.content;
    for (const id of ids) {
        notebook.activeCellIndex = [...notebook.model.cells].findIndex(cell => cell.id === id);
        notebook.deselectAll();
        await window.jupyterapp.commands.execute('notebook:run-cell');
    }
}"""


class Visit:
    """The panels on a page, and what a visitor does with them."""

    def __init__(self, page):
        self.page, self.timeline, self.shape = page, page.locator(".tad-strip"), page.locator(".tad-shape")

    def sound_after(self, act, where: str) -> str:
        """Do something and return the sound that appears, as a data URI."""
        self.page.evaluate(FORGET)
        act()
        player = self.page.locator(f"{where} audio:not([data-old])[autoplay]").first
        player.wait_for(state="attached", timeout=PATIENCE_MS)
        sound = player.get_attribute("src")
        self.page.locator(BUSY).wait_for(state="detached", timeout=PATIENCE_MS)
        return sound

    def wait_for_message(self, words: str) -> None:
        self.shape.locator(".tad-message").filter(has_text=re.compile(words)).wait_for(timeout=PATIENCE_MS)

    def turn_to(self, part: str):
        self.shape.get_by_role("tab", name=part).click()
        panel = self.page.locator(f".tad-{part.lower()}")
        panel.locator(".tad-do").wait_for(timeout=PATIENCE_MS)
        return panel

    def keep(self, panel) -> None:
        panel.locator(".tad-keep").first.click()
        self.wait_for_message("Kept ")

    def upload(self, path: Path) -> None:
        with self.page.expect_file_chooser() as chooser:
            self.shape.get_by_role("button", name="Upload").click()
        chooser.value.set_files(path)


def turn(panel, place: int, key: str) -> None:
    """Move a slider's handle with a key."""
    handle = panel.locator(".noUi-handle").nth(place)
    handle.focus()
    handle.press(key)


def test_every_control_of_steps_and_shape_is_used_once(pages, tmp_path):
    page = pages.open("notebooks/Inference.ipynb")
    page.evaluate(RUN, ["studio-open", "studio-strip", "studio-shape"])
    outputs = [output for cell in page.evaluate(CELLS) for output in cell.get("outputs", [])]
    assert [output for output in outputs if output["output_type"] == "error"] == []
    visit = Visit(page)
    visit.timeline.locator(".tad-do").wait_for(timeout=PATIENCE_MS)

    # The timeline: nine stops that play; what is predicted has another picture and sound; a card of Make leads here.
    stops = visit.timeline.locator(".tad-strip-cards audio")
    assert stops.count() == 9
    noisy = stops.nth(3).get_attribute("src")
    visit.timeline.get_by_role("button", name="what the network predicts").click()
    page.wait_for_function(
        "old => document.querySelectorAll('.tad-strip-cards audio')[3].getAttribute('src') !== old", arg=noisy
    )
    visit.timeline.locator(".tad-do").click()
    visit.timeline.locator(".tad-message").filter(has_text="Took the 16 steps again").wait_for(timeout=PATIENCE_MS)
    assert stops.first.evaluate("p => new Promise(go => { p.onplaying = () => go(true); p.muted = true; p.play(); })")

    # The sound: from the list, by upload, by its path; what is no sound is refused in words.
    restyle = visit.turn_to("Restyle")
    visit.sound_after(
        lambda: visit.shape.locator(".tad-source select").select_option("kick_kick_805.wav"), ".tad-restyle"
    )
    # Its message would take the place of the refusal, so the restyling that follows is waited for.
    visit.sound_after(lambda: visit.shape.locator(".tad-is-a select").select_option("percussion"), ".tad-restyle")
    (tmp_path / "poem.wav").write_text("no sound at all")
    visit.upload(tmp_path / "poem.wav")
    visit.wait_for_message("poem.wav: cannot be read as sound")
    visit.sound_after(lambda: visit.upload(SAMPLES / "snare_snare_805.wav"), ".tad-restyle")
    path = visit.shape.get_by_placeholder("or the path of a file")
    path.fill(str(SAMPLES / "kick_kick_806.wav"))
    visit.sound_after(lambda: path.press("Enter"), ".tad-restyle")

    # Restyle: each control makes another sound.
    as_hat = visit.sound_after(restyle.get_by_role("button", name="hihat").click, ".tad-restyle")
    stronger = visit.sound_after(lambda: turn(restyle, 0, "ArrowRight"), ".tad-restyle")
    rolled = visit.sound_after(restyle.locator(".tad-roll").click, ".tad-restyle")
    assert visit.sound_after(restyle.locator(".tad-do").click, ".tad-restyle") == rolled  # the seed is locked
    restyle.get_by_label("lock").uncheck()
    other = visit.sound_after(restyle.locator(".tad-do").click, ".tad-restyle")
    assert len({as_hat, stronger, rolled, other}) == 4
    visit.keep(restyle)

    # Repaint: the region follows its handles, each press is another try.
    repaint = visit.turn_to("Repaint")
    picture = repaint.locator("figure img").first
    picture.wait_for(timeout=PATIENCE_MS)
    before = picture.get_attribute("alt")
    turn(repaint, 1, "ArrowRight")
    page.wait_for_function("old => document.querySelector('.tad-repaint img').alt !== old", arg=before)
    repaint.get_by_role("button", name="snare").click()
    first, second = (visit.sound_after(repaint.locator(".tad-do").click, ".tad-repaint") for _ in range(2))
    assert first != second
    visit.keep(repaint)

    # Morph: between two sounds, by the slider and by the button; what was kept is offered.
    morph = visit.turn_to("Morph")
    offered = morph.locator(".tad-second select option").all_inner_texts()
    assert sum(name.startswith("kept") for name in offered) == 2
    visit.shape.locator(".tad-source select").select_option(next(n for n in offered if n.startswith("made")))
    morph.locator(".tad-second select").select_option("hihat_open_hat_805.wav")
    half = visit.sound_after(morph.locator(".tad-do").click, ".tad-morph")
    assert visit.sound_after(lambda: turn(morph, 0, "ArrowRight"), ".tad-morph") != half
    assert morph.locator(".tad-shaped audio").count() == 3
    visit.keep(morph)

    # Vary: how much and how many; a long job shows the time left and stops.
    vary = visit.turn_to("Vary")
    turn(vary, 1, "Home")
    little = visit.sound_after(vary.locator(".tad-do").click, ".tad-vary")
    vary.get_by_label("lock").check()
    assert visit.sound_after(lambda: turn(vary, 0, "End"), ".tad-vary") != little
    visit.keep(vary)
    turn(vary, 1, "End")
    visit.shape.locator(".tad-source select").select_option("snare_snare_806.wav")
    vary.locator(".tad-do").click()
    visit.shape.get_by_text(re.compile(r"[\d.]+ (s|min) left")).wait_for(timeout=PATIENCE_MS)
    page.locator(BUSY).click()
    visit.wait_for_message("Stopped")
    assert page.locator(".jp-OutputArea-output[data-mime-type*='stderr']").count() == 0
