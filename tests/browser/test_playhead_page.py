"""In a real browser: the line of the playhead follows its sound, and a click in the picture moves both."""

import pytest
from conftest import PATIENCE_MS, Pages

CELL = """from tad_course.drums import voices
from tad_course.lessons.explorers.playhead import playhead
playhead(voices.snare(), "snare")"""
SHARE = """() => {
    const line = document.querySelector('.tad-playhead-line').getBoundingClientRect();
    const image = document.querySelector('.tad-playhead img').getBoundingClientRect();
    return (line.left + 1 - image.left) / image.width;
}"""
NOW_S = "() => document.querySelector('.tad-playhead audio').currentTime"


@pytest.fixture(scope="module")
def page(lab, browser):
    with Pages(lab, browser) as pages:
        ran = pages.run_cells("playhead_test", {"playhead": CELL})
        assert ran.errors == []
        ran.page.locator(".tad-playhead img").wait_for(timeout=PATIENCE_MS)
        ran.page.wait_for_function("() => document.querySelector('.tad-playhead audio').readyState >= 1")
        yield ran.page


def test_a_click_in_the_picture_moves_the_sound_and_the_line(page):
    image = page.locator(".tad-playhead img").bounding_box()
    start = page.evaluate(SHARE)
    assert 0.02 < start < 0.2
    page.mouse.click(image["x"] + 0.5 * image["width"], image["y"] + 0.6 * image["height"])
    page.wait_for_function(f"() => ({NOW_S})() > 0.2")
    assert page.evaluate(SHARE) == pytest.approx(0.5, abs=0.01)


def test_the_player_runs_by_keyboard_and_the_line_follows_to_the_end(page):
    page.locator(".tad-playhead audio").focus()
    page.keyboard.press("Space")
    page.wait_for_function("() => document.querySelector('.tad-playhead audio').ended", timeout=PATIENCE_MS)
    page.wait_for_function(f"() => ({SHARE})() > 0.85")
