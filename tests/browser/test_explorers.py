"""In a real browser: the explorers and quizzes of the lessons answer to the keyboard alone.

One notebook holds the cells of all lessons that show one, so that one kernel serves all tests here.
"""

import re
from pathlib import Path

import nbformat
import pytest
from conftest import PATIENCE_MS, Pages

from tad_course.lessons.quiz import questions

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
CLASSES = {
    "01_sound_as_numbers": "tad-sound-explorer",
    "02_spectrograms_and_phase": "tad-phase-explorer",
    "03_forward_diffusion": "tad-noise-explorer",
    "04_reverse_diffusion": "tad-rotation-explorer",
    "05_unet": "tad-receptive-field-explorer",
    "06_taming_length": "tad-block-explorer",
}
SETUP = "from tad_course.drums import voices as drums\nfrom tad_course.lessons.quiz import quiz\n\nkick = drums.kick()"
LISTEN = """from tad_course.lessons.listening import abx
abx("02-listen", {"as it is": kick, "half as loud": 0.5 * kick}, trials=2)"""
SHOWN_ANEW = """([name, alt, sound]) => {
    const box = document.querySelector(`.${name}`).closest('.widget-vbox');
    const image = box.querySelector('figure img'), player = box.querySelector('audio');
    return image && player && image.alt !== alt && player.getAttribute('aria-label') !== sound;
}"""


def cells() -> dict[str, str]:
    """The cells of the lessons that show an explorer or a quiz."""
    found = {"setup": SETUP, "listening": LISTEN}
    for name in CLASSES:
        sources = {cell["id"]: cell["source"] for cell in nbformat.read(NOTEBOOKS / f"{name}.ipynb", 4).cells}
        shows = sources[f"{name[:2]}-explorer"]
        explorer = shows.partition("(")[0]
        found[f"{name[:2]}-explorer"] = f"from tad_course.lessons.explorers.{explorer} import {explorer}\n\n{shows}"
        found[f"{name[:2]}-quiz"] = sources[f"{name[:2]}-quiz"]
    return found


@pytest.fixture(scope="module")
def page(lab, browser):
    """A notebook with all explorers and quizzes, after Run All."""
    with Pages(lab, browser) as pages:
        ran = pages.run_cells("explorers_test", cells())
        assert ran.errors == []
        yield ran.page


@pytest.mark.parametrize("slider_class", CLASSES.values())
def test_a_key_on_the_slider_changes_picture_and_sound(page, slider_class):
    slider = page.locator(f".{slider_class}")
    slider.scroll_into_view_if_needed()
    box = slider.locator("xpath=ancestor::*[contains(@class, 'widget-vbox')][1]")
    before = [
        box.locator("figure img").get_attribute("alt"),
        box.locator("audio").get_attribute("aria-label"),
    ]
    slider.locator(".noUi-handle").focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_function(SHOWN_ANEW, arg=[slider_class, *before], timeout=PATIENCE_MS)


@pytest.mark.parametrize("lesson", [name[:2] for name in CLASSES])
def test_a_key_answers_the_quiz(page, lesson):
    title = page.get_by_text(questions(lesson)[0].text).first
    question = title.locator("xpath=ancestor::*[contains(@class, 'widget-vbox')][1]")
    question.scroll_into_view_if_needed()
    question.locator(".tad-quiz input[type=radio]").first.focus()
    page.keyboard.press("Space")
    question.locator("[role=status]", has_text=re.compile("✓ Right|✗ Not quite")).wait_for(timeout=PATIENCE_MS)


def test_a_listening_test_is_played_through_by_keyboard_alone(page):
    test = page.locator(".tad-listening")
    test.scroll_into_view_if_needed()
    assert test.locator("audio").count() == 3
    for trial in (2, 3):
        test.get_by_role("button", name="X is A").focus()
        page.keyboard.press("Enter")
        said = test.locator("[role=status]", has_text=re.compile("Right: X was A|No: X was B"))
        said.filter(has_text="Trial 2 of 2" if trial == 2 else "of 2 right").wait_for(timeout=PATIENCE_MS)
    assert test.locator("audio").count() == 2  # the answer is known: X is gone
    test.locator("input[type=checkbox]").focus()
    page.keyboard.press("Space")
    test.locator("figure img").wait_for(timeout=PATIENCE_MS)
    assert "as it is: peak" in test.locator("figure img").get_attribute("alt")
