"""In a real browser: the phasors turn when they are told to, by keyboard, and the cloud follows its slider."""

import pytest
from conftest import PATIENCE_MS, Pages

CELLS = {
    "phasors": """from tad_course.lessons.explorers.phasor_explorer import phasor_explorer
phasor_explorer()""",
    "cloud": """from tad_course.lessons.explorers.cloud_explorer import cloud_explorer
cloud_explorer()""",
}
DRAWN = "() => document.querySelector('.tad-phasor-explorer canvas').toDataURL()"


@pytest.fixture(scope="module")
def page(lab, browser):
    with Pages(lab, browser) as pages:
        ran = pages.run_cells("moving_test", CELLS)
        assert ran.errors == []
        ran.page.locator(".tad-phasor-explorer canvas").wait_for(timeout=PATIENCE_MS)
        yield ran.page


def test_the_phasors_turn_while_they_play_and_stand_still_otherwise(page):
    page.locator(".tad-phasor-explorer canvas").scroll_into_view_if_needed()
    before = page.evaluate(DRAWN)
    page.wait_for_timeout(300)
    assert page.evaluate(DRAWN) == before
    page.locator(".tad-phasor-explorer button").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_function(f"before => ({DRAWN})() !== before", arg=before, timeout=PATIENCE_MS)
    page.keyboard.press("Enter")


def test_the_canvas_says_in_words_what_it_shows(page):
    label = page.locator(".tad-phasor-explorer canvas").get_attribute("aria-label")
    assert "partials, phases" in label


def test_a_key_on_the_slider_moves_the_cloud(page):
    slider = page.locator(".tad-cloud-explorer")
    slider.scroll_into_view_if_needed()
    box = slider.locator("xpath=ancestor::*[contains(@class, 'widget-vbox')][1]")
    before = box.locator("figure img").get_attribute("alt")
    slider.locator(".noUi-handle").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "before => document.querySelector('.tad-cloud-explorer').closest('.widget-vbox')"
        ".querySelector('figure img').alt !== before",
        arg=before,
        timeout=PATIENCE_MS,
    )
