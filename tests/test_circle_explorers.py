"""The explorers of lessons 03 and 04: what they show is on the circle, what they play is safe."""

import base64
import io
import re

import numpy as np
import pytest
import soundfile

from tad_course.lessons.explorers.noise_explorer import SOUNDS, NoiseExplorer, outline
from tad_course.lessons.explorers.rotation_explorer import MEAN, NOISY, RIGHT, RotationExplorer


@pytest.fixture(scope="module")
def noise():
    return NoiseExplorer()


@pytest.fixture(scope="module")
def rotation():
    return RotationExplorer()


def played(explorer) -> np.ndarray:
    data = re.search(r"base64,([A-Za-z0-9+/=]+)", explorer.player_widget.value).group(1)
    return soundfile.read(io.BytesIO(base64.b64decode(data)))[0]


def picture(explorer) -> str:
    return explorer.figure_widget.value


@pytest.mark.parametrize("sound", SOUNDS)
def test_every_mix_of_sound_and_noise_stays_below_the_ceiling(noise, sound):
    noise.sound.value = sound
    for t in (0.0, 0.5, 1.0):
        noise.slider.value = t
        assert np.abs(played(noise)).max() <= 10 ** (-1 / 20) + 1e-3


def test_all_noise_levels_of_a_sound_are_played_at_one_gain(noise):
    noise.sound.value = "kick"
    levels = []
    for t in (0.0, 0.5, 1.0):
        noise.slider.value = t
        levels.append(20 * np.log10(played(noise).std()))
    assert max(levels) - min(levels) < 0.2


def test_moving_the_slider_changes_picture_sound_and_description(noise):
    noise.sound.value, noise.slider.value = "kick", 0.2
    before = picture(noise), noise.player_widget.value
    noise.slider.value = 0.7
    assert picture(noise) != before[0] and noise.player_widget.value != before[1]
    assert "t = 0.70, SNR -5.9 dB" in picture(noise)


def test_the_outline_of_a_wave_keeps_its_peaks():
    x = np.random.default_rng(0).standard_normal(32_768)
    assert (outline(x).max(), outline(x).min()) == (x.max(), x.min())


def test_with_the_right_drum_a_step_stays_on_the_circle_and_turns_by_its_time(rotation):
    rotation.predicted.value = RIGHT
    rotation.t.value, rotation.s.value = 0.8, 0.3
    x_t, _, x_s = rotation.step()
    cosine = float((x_t * x_s).sum() / (x_t.norm() * x_s.norm()))
    assert np.degrees(np.arccos(cosine)) == pytest.approx(45, abs=0.3)
    assert np.hypot(*rotation.shares(x_s)) == pytest.approx(1, abs=0.01)


def test_with_the_mean_of_four_drums_it_lands_inside_the_circle(rotation):
    rotation.predicted.value, rotation.t.value, rotation.s.value = MEAN, 0.8, 0.3
    assert np.hypot(*rotation.shares(rotation.step()[2])) < 0.8


def test_with_noise_left_in_it_keeps_more_noise_than_its_level_has(rotation):
    rotation.predicted.value, rotation.t.value, rotation.s.value = NOISY, 0.8, 0.1
    assert rotation.shares(rotation.step()[2])[1] > 2 * np.sin(0.1 * np.pi / 2)


def test_a_step_never_leads_back_to_more_noise(rotation):
    rotation.t.value, rotation.s.value = 0.9, 0.6
    rotation.t.value = 0.4
    assert rotation.s.value <= 0.4
    assert "from t = 0.40 to s = 0.40" in picture(rotation)


@pytest.mark.parametrize("predicted", (RIGHT, NOISY, MEAN))
def test_every_step_stays_below_the_ceiling(rotation, predicted):
    rotation.predicted.value = predicted
    for t, s in ((0.99, 0.0), (0.99, 0.99), (0.05, 0.05)):
        rotation.t.value, rotation.s.value = t, s
        assert np.abs(played(rotation)).max() <= 10 ** (-1 / 20) + 1e-3
