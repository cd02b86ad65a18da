"""In a real browser: the explorers and quizzes of the lessons answer to the keyboard alone."""

import re

import pytest

EXPLORERS = [
    ("01_sound_as_numbers", "tad-sound-explorer"),
    ("02_spectrograms_and_phase", "tad-phase-explorer"),
    ("03_forward_diffusion", "tad-noise-explorer"),
    ("04_reverse_diffusion", "tad-rotation-explorer"),
    ("05_unet", "tad-receptive-field-explorer"),
    ("06_taming_length", "tad-block-explorer"),
]


def shown(slider) -> tuple[str, str]:
    """Return the description of the picture and the name of the sound below a slider."""
    box = slider.locator("xpath=ancestor::*[contains(@class, 'widget-vbox')][1]")
    alt = box.locator("figure img").get_attribute("alt")
    return alt, box.locator("audio").get_attribute("aria-label")


def wait_until(page, condition, timeout_s: float = 20) -> bool:
    """Return whether `condition()` comes true in time."""
    for _ in range(round(timeout_s / 0.1)):
        if condition():
            return True
        page.wait_for_timeout(100)
    return condition()


@pytest.mark.parametrize("name, slider_class", EXPLORERS)
def test_a_key_on_the_slider_changes_picture_and_sound_and_a_key_answers_the_quiz(name, slider_class, run_all):
    ran = run_all(f"notebooks/{name}.ipynb")
    assert ran.errors == []

    slider = ran.page.locator(f".{slider_class}")
    slider.scroll_into_view_if_needed()
    before = shown(slider)
    slider.locator(".noUi-handle").focus()
    ran.page.keyboard.press("ArrowLeft")
    assert wait_until(ran.page, lambda: all(a != b for a, b in zip(shown(slider), before, strict=True)))

    question = ran.page.locator(".tad-quiz").first
    question.scroll_into_view_if_needed()
    question.locator("input[type=radio]").first.focus()
    ran.page.keyboard.press("Space")
    ran.page.locator("[role=status]", has_text=re.compile("✓ Right|✗ Not quite")).first.wait_for(timeout=20_000)
