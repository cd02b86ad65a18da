"""Short-time spectra agree with SciPy, come back without loss, and put a sound where its phase says."""

import numpy as np
import pytest
import scipy.signal
import torch

from tad_course.audio import spectra as spectral
from tad_course.drums import voices as drums

SNARE = drums.snare().double()


@pytest.mark.parametrize("block", [64, 1024])
def test_stft_agrees_with_scipy(block):
    transform = scipy.signal.ShortTimeFFT(np.hanning(block + 1)[:-1], block // 4, fs=1.0)
    x = SNARE[0].numpy()
    expected = transform.stft(x, p0=0, p1=1 + len(x) * 4 // block, k_offset=0)
    # SciPy refers phases to the middle of a block, we to its start: half a block is pi for every odd bin.
    expected = expected * (-1.0) ** np.arange(block // 2 + 1)[:, None]
    np.testing.assert_allclose(spectral.stft(SNARE[0], block, block // 4).numpy(), expected, atol=1e-9)


def test_there_and_back_keeps_every_channel_of_a_batch():
    batch = torch.stack([SNARE, drums.kick().double()])
    spectrum = spectral.stft(batch)
    assert spectrum.shape == (2, 2, 513, 129)
    torch.testing.assert_close(spectral.istft(spectrum, 32_768), batch)


def test_a_hop_that_leaves_gaps_is_refused():
    with pytest.raises(ValueError, match="at most a quarter"):
        spectral.stft(SNARE, 1024, 512)


@pytest.mark.parametrize("block", [256, 1024, 32_768])
def test_swapping_a_sound_with_itself_changes_nothing(block):
    torch.testing.assert_close(spectral.swap_phase(SNARE, SNARE, block), SNARE)


def test_one_spectrum_of_the_whole_puts_the_sound_where_the_phase_says():
    click, late = torch.zeros(2, 4096).double()
    click[0] = late[3000] = 1.0
    assert spectral.swap_phase(0.5 * click, late, block=4096).argmax() == 3000


def test_the_same_seed_gives_the_same_phase_and_another_seed_does_not():
    magnitude = torch.ones(5, 7)
    assert torch.equal(spectral.random_phase(magnitude, 3), spectral.random_phase(magnitude, 3))
    assert not torch.equal(spectral.random_phase(magnitude, 3), spectral.random_phase(magnitude, 4))


def test_a_click_a_sweep_and_a_hiss_hold_the_same_amount_of_every_frequency():
    sounds = spectral.click_sweep_hiss()
    for x in sounds.values():
        np.testing.assert_allclose(np.abs(np.fft.rfft(x.numpy())), 0.7, atol=1e-4)
    peaks = [x.abs().max().item() for x in sounds.values()]
    assert peaks[0] == pytest.approx(0.7, abs=1e-4)  # all of the click is in one sample
    assert sounds["click"].argmax() == 4096
    assert max(peaks[1:]) < 0.05


@pytest.mark.parametrize("gain, expected_db", [(0.9, -20.0), (0.99, -40.0), (2.0, 0.0)])
def test_error_is_relative_to_the_sound(gain, expected_db):
    assert spectral.error_db(gain * SNARE, SNARE) == pytest.approx(expected_db, abs=1e-6)


@pytest.mark.parametrize("frequency_hz", [100.0, 3_333.0, 15_000.0])
def test_a_log_frequency_picture_shows_a_tone_at_its_place(frequency_hz):
    x = np.sin(2 * np.pi * frequency_hz / 44_100 * np.arange(16_384))
    rows = spectral.log_frequency_db(x, 44_100)
    top = rows[:, 10:-10].mean(axis=1).argmax()
    assert np.geomspace(40.0, 22_050, len(rows))[top] == pytest.approx(frequency_hz, rel=0.12)
