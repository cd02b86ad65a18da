"""In a real browser: the explorers and quizzes of lessons 01 and 02 answer to the keyboard alone."""

import pytest

EXPLORERS = [("01_sound_as_numbers", "tad-sound-explorer"), ("02_spectrograms_and_phase", "tad-phase-explorer")]


def shown(slider) -> tuple[str, str]:
    """Return the description of the picture and the name of the sound below a slider."""
    box = slider.locator("xpath=ancestor::*[contains(@class, 'widget-vbox')][1]")
    alt = box.locator("figure img").get_attribute("alt")
    return alt, box.locator("audio").get_attribute("aria-label")


@pytest.mark.parametrize("name, slider_class", EXPLORERS)
def test_a_key_on_the_slider_changes_picture_and_sound_and_a_key_answers_the_quiz(name, slider_class, run_all):
    ran = run_all(f"notebooks/{name}.ipynb")
    assert ran.errors == []

    slider = ran.page.locator(f".{slider_class}")
    slider.scroll_into_view_if_needed()
    before = shown(slider)
    slider.locator(".noUi-handle").focus()
    ran.page.keyboard.press("ArrowRight")
    ran.page.wait_for_timeout(100)
    for _ in range(100):
        if all(now != then for now, then in zip(shown(slider), before, strict=True)):
            break
        ran.page.wait_for_timeout(100)
    assert all(now != then for now, then in zip(shown(slider), before, strict=True))

    question = ran.page.locator(".tad-quiz").first
    question.scroll_into_view_if_needed()
    question.locator("input[type=radio]").first.focus()
    ran.page.keyboard.press("Space")
    explanation = ran.page.locator("[role=status]", has_text="Not quite.").first
    explanation.wait_for(timeout=20_000)
