"""Sound files and players: any file comes in, what goes out is exact, and ears are safe."""

import base64
import html
import io
import re
from pathlib import Path

import numpy as np
import pytest
import scipy.io.wavfile
import scipy.signal
import soundfile
import torch

from tad_course.audio import (
    LENGTH_SAMPLES,
    SAMPLE_RATE,
    AudioFileError,
    at_level,
    dbfs,
    fit_length,
    load_audio,
    peak_dbfs,
    play,
    play_row,
    players,
    read_comment,
    save_wav,
    to_rate,
    to_stereo,
)


def sine(pitch_hz: float, rate: int, length_s: float = 1.0, amplitude: float = 0.5) -> np.ndarray:
    return amplitude * np.sin(2 * np.pi * pitch_hz * np.arange(round(length_s * rate)) / rate)


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return 2 * torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) - 1


def pitch_of(audio: torch.Tensor) -> float:
    spectrum = torch.fft.rfft(audio[0] * torch.hann_window(audio.shape[-1])).abs()
    return spectrum.argmax().item() * SAMPLE_RATE / audio.shape[-1]


@pytest.mark.parametrize(
    ("suffix", "subtype", "rate", "channels"),
    [
        ("wav", "PCM_U8", 22_050, 1),
        ("wav", "PCM_16", 44_100, 2),
        ("wav", "PCM_24", 48_000, 1),
        ("wav", "PCM_32", 192_000, 2),
        ("wav", "FLOAT", 8_000, 6),
        ("wav", "DOUBLE", 44_101, 7),
        ("flac", "PCM_24", 96_000, 2),
        ("aiff", "PCM_16", 32_000, 1),
        ("ogg", "VORBIS", 44_100, 2),
        ("mp3", "MPEG_LAYER_III", 48_000, 1),
    ],
)
def test_a_tone_keeps_its_pitch_and_level_from_any_file(tmp_path, suffix, subtype, rate, channels):
    path = tmp_path / f"tone.{suffix}"
    soundfile.write(path, np.tile(sine(440, rate)[:, None], channels), rate, subtype=subtype)
    audio = load_audio(path)
    assert audio.shape == (2, LENGTH_SAMPLES) and audio.dtype == torch.float32
    assert pitch_of(audio) == pytest.approx(440, abs=SAMPLE_RATE / LENGTH_SAMPLES)
    middle = audio[:, 4000:-4000]
    assert dbfs(middle) == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.2)


@pytest.mark.parametrize(("encoding", "error"), [("float32", 0), ("pcm16", 2**-16), ("pcm24", 2**-24)])
def test_what_is_written_comes_back_to_half_a_step(tmp_path, encoding, error):
    audio = 0.99 * noise(2, LENGTH_SAMPLES)
    path = save_wav(tmp_path / "sound.wav", audio, encoding)
    assert (load_audio(path) - audio).abs().max() <= error


@pytest.mark.parametrize(("encoding", "full_scale"), [("float32", 1), ("pcm16", 2**15)])
def test_another_library_reads_the_same_samples(tmp_path, encoding, full_scale):
    audio = 0.99 * noise(2, 999)
    rate, frames = scipy.io.wavfile.read(
        save_wav(tmp_path / "sound.wav", audio, encoding, comment="odd", sample_rate=22_050)
    )
    assert rate == 22_050
    assert np.allclose(frames.T / full_scale, audio.numpy(), rtol=0, atol=0.5 / 2**15 if full_scale > 1 else 0)


@pytest.mark.parametrize("encoding", ["float32", "pcm16", "pcm24"])
def test_full_scale_survives_and_the_same_sound_gives_the_same_bytes(tmp_path, encoding):
    audio = torch.tensor([[1.0, -1.0, 0.0]] * 2)
    first, second = (save_wav(tmp_path / name, audio, encoding).read_bytes() for name in ("a.wav", "b.wav"))
    assert first == second
    back = load_audio(tmp_path / "a.wav", length_samples=None)
    assert back.shape == (2, 3) and torch.allclose(back, audio, atol=2**-15)


def test_a_mono_sound_reaches_both_ears(tmp_path):
    audio = load_audio(save_wav(tmp_path / "mono.wav", noise(1000) / 2))
    assert torch.equal(audio[0], audio[1]) and audio.abs().max() > 0.4


def test_surround_sound_keeps_its_sides_and_drops_the_bass_channel():
    left, right, center, bass, side_left, side_right = (to_stereo(row[:, None])[:, 0] for row in torch.eye(6))
    assert left[0] > 0 and left[1] == 0 and right[1] > 0 and right[0] == 0
    assert center[0] == center[1] > 0 and (bass == 0).all()
    assert side_left[0] > 0 and side_left[1] == 0 and side_right[1] > 0 and side_right[0] == 0


@pytest.mark.parametrize("channels", range(1, 12))
def test_no_number_of_channels_clips_when_mixed_down(channels):
    mixed = to_stereo(torch.ones(channels, 5))
    assert mixed.shape == (2, 5) and torch.allclose(mixed, torch.ones(2, 5))


def test_a_long_sound_is_cut_with_a_fade_and_a_short_one_is_followed_by_silence():
    long, short = fit_length(torch.ones(2, 50_000), LENGTH_SAMPLES), fit_length(torch.ones(2, 100), LENGTH_SAMPLES)
    fade = round(0.01 * SAMPLE_RATE)
    assert (long[:, :-fade] == 1).all() and (long[:, -fade:].diff() <= 0).all() and long[:, -1].abs().max() < 1e-6
    assert (short[:, :100] == 1).all() and (short[:, 100:] == 0).all()
    assert short.shape == long.shape == (2, LENGTH_SAMPLES)


def test_resampling_agrees_with_another_resampler():
    x = scipy.signal.sosfilt(scipy.signal.butter(8, 8000, fs=48_000, output="sos"), noise(48_000).double().numpy())
    expected = scipy.signal.resample_poly(x, 147, 160)
    ours = to_rate(torch.from_numpy(x)[None], 48_000, SAMPLE_RATE)[0].numpy()
    inside = slice(500, -500)
    assert np.abs(ours - expected)[inside].max() < 0.01 * np.abs(expected).max()
    assert np.corrcoef(ours[inside], expected[inside])[0, 1] > 0.9999


def test_what_lies_above_the_new_nyquist_frequency_vanishes_instead_of_folding_down():
    audio = to_rate(torch.from_numpy(sine(30_000, 96_000))[None], 96_000, SAMPLE_RATE)
    assert dbfs(audio[:, 2000:-2000]) < -90


def test_a_long_file_is_not_read_to_its_end(tmp_path, monkeypatch):
    path = tmp_path / "long.wav"
    soundfile.write(path, np.zeros(SAMPLE_RATE * 60), SAMPLE_RATE)
    asked = []
    read = soundfile.SoundFile.read
    monkeypatch.setattr(soundfile.SoundFile, "read", lambda self, n, **kw: asked.append(n) or read(self, n, **kw))
    load_audio(path)
    assert asked[0] < 2 * SAMPLE_RATE


def broken_files(folder: Path) -> dict[str, Path]:
    """Write one file for each thing that goes wrong with other people's sounds."""
    files = {
        name: folder / f"{name}.wav" for name in ("missing", "empty", "text", "no samples", "nan", "inf", "headless")
    }
    files["empty"].write_bytes(b"")
    files["text"].write_text("This is not a drum.")
    soundfile.write(files["no samples"], np.zeros((0, 2)), SAMPLE_RATE)
    for name in ("nan", "inf"):
        soundfile.write(files[name], np.full(100, float(name)), SAMPLE_RATE, subtype="FLOAT")
    whole = folder / "whole.wav"
    soundfile.write(whole, np.zeros(100), SAMPLE_RATE)
    files["headless"].write_bytes(whole.read_bytes()[20:])
    files["folder"] = folder / "drums"
    files["folder"].mkdir()
    files["raw"] = folder / "numbers.raw"
    files["raw"].write_bytes(bytes(1000))
    files["slow"] = folder / "slow.wav"
    soundfile.write(files["slow"], np.zeros(10), 20)
    return files


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("missing", "no such file"),
        ("empty", "0 bytes"),
        ("text", "cannot be read as sound"),
        ("headless", "cannot be read as sound"),
        ("raw", "cannot be read as sound"),
        ("no samples", "0 samples"),
        ("nan", "NaN"),
        ("inf", "infinite"),
        ("folder", "is a folder"),
        ("slow", "20 Hz"),
    ],
)
def test_what_cannot_be_read_says_why_and_names_the_file(tmp_path, kind, reason):
    path = broken_files(tmp_path)[kind]
    with pytest.raises(AudioFileError, match=reason) as caught:
        load_audio(path)
    assert path.name in str(caught.value)


@pytest.mark.parametrize(
    ("audio", "arguments", "reason"),
    [
        (torch.full((2, 9), torch.nan), {}, "18 samples are NaN"),
        (torch.full((2, 9), torch.inf), {}, "infinite"),
        (torch.zeros(3, 9), {}, r"not \[3, 9\]"),
        (torch.zeros(1, 2, 9), {}, r"not \[1, 2, 9\]"),
        (torch.zeros(2, 0), {}, r"not \[2, 0\]"),
        (torch.full((2, 9), 2.0), {"encoding": "pcm16"}, r"\+6.02 dBFS and would clip"),
        (torch.full((2, 9), -1.1), {"encoding": "pcm24"}, "would clip"),
        (torch.zeros(2, 9), {"encoding": "mp3"}, "choose one of float32"),
        (torch.zeros(2, 9), {"comment": "x" * 3000}, "at most 1900"),
    ],
)
def test_what_should_not_be_written_is_refused_and_the_older_file_stays(tmp_path, audio, arguments, reason):
    path = save_wav(tmp_path / "sound.wav", torch.ones(2, 5))
    before = path.read_bytes()
    with pytest.raises(ValueError, match=reason) as caught:
        save_wav(path, audio, **arguments)
    assert "sound.wav" in str(caught.value)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_other_suffixes_than_wav_are_refused(tmp_path):
    with pytest.raises(AudioFileError, match="ends in .wav"):
        save_wav(tmp_path / "sound.mp3", torch.zeros(2, 9))


def test_a_write_that_fails_half_way_leaves_the_older_file_and_no_litter(tmp_path, monkeypatch):
    path = save_wav(tmp_path / "sound.wav", torch.ones(2, 5))
    before = path.read_bytes()

    def full_disk(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tad_course.files.os.replace", full_disk)
    with pytest.raises(AudioFileError, match="No space left"):
        save_wav(path, torch.zeros(2, 5))
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_more_than_full_scale_is_kept_in_float_files(tmp_path):
    path = save_wav(tmp_path / "deep" / "er" / "loud.wav", torch.full((2, 5), 3.0))
    assert torch.equal(load_audio(path, length_samples=None), torch.full((2, 5), 3.0))


@pytest.mark.parametrize("comment", ["kick, seed 3", '{"label": "kick", "größe": 1.5}', "x" * 1900])
def test_a_comment_comes_back(tmp_path, comment):
    assert read_comment(save_wav(tmp_path / "a.wav", noise(2, 9), comment=comment)) == comment


def test_a_file_without_a_comment_has_an_empty_one_and_no_file_has_none(tmp_path):
    assert read_comment(save_wav(tmp_path / "a.wav", noise(2, 9))) == ""
    with pytest.raises(AudioFileError, match="b.wav"):
        read_comment(tmp_path / "b.wav")


def test_levels_are_those_of_the_textbook():
    tone = torch.from_numpy(sine(441, SAMPLE_RATE, amplitude=1.0))
    assert peak_dbfs(tone) == pytest.approx(0, abs=0.01)
    assert dbfs(tone) == pytest.approx(-3.01, abs=0.01)
    assert dbfs(tone / 10) == pytest.approx(-23.01, abs=0.01)
    assert dbfs(torch.zeros(5)) == peak_dbfs(torch.zeros(5)) == -np.inf
    assert dbfs(at_level(noise(2, 999), -20)) == pytest.approx(-20)


@pytest.mark.parametrize("audio", [torch.zeros(2, 9), torch.full((2, 9), torch.nan)])
def test_silence_cannot_be_brought_to_a_level(audio):
    with pytest.raises(ValueError, match="cannot be brought to -20"):
        at_level(audio, -20)


@pytest.fixture
def shown(monkeypatch) -> list[str]:
    """Collect the HTML that would have been displayed."""
    pages = []
    monkeypatch.setattr(players, "display", lambda page: pages.append(page.data))
    return pages


def sounds_in(page: str) -> list[np.ndarray]:
    data = re.findall(r'src="data:audio/wav;base64,([^"]+)"', page)
    return [soundfile.read(io.BytesIO(base64.b64decode(text)), always_2d=True)[0].T for text in data]


def test_a_player_plays_the_sound_as_loud_as_it_is(shown, capsys):
    quiet = 0.01 * noise(2, SAMPLE_RATE)
    assert play(quiet, "quiet noise") is None
    assert np.allclose(sounds_in(shown[0])[0], quiet.numpy(), atol=2**-15)
    assert capsys.readouterr().out == f"quiet noise: 1.00 s, peak -40.0 dBFS, rms {dbfs(quiet):.1f} dBFS\n"


def test_a_row_is_lowered_together_so_that_nothing_passes_minus_one_dbfs(shown, capsys):
    loud, soft = 4 * noise(2, 5000), 0.5 * noise(2, 5000, seed=1)
    play_row({"loud": loud, "soft": soft})
    a, b = (torch.from_numpy(x) for x in sounds_in(shown[0]))
    assert peak_dbfs(a) == pytest.approx(-1, abs=0.01)
    assert peak_dbfs(a) - peak_dbfs(b) == pytest.approx(peak_dbfs(loud) - peak_dbfs(soft), abs=0.01)
    assert shown[0].count("(-13.0 dB)") == 2 and capsys.readouterr().out.count("played at -13.0 dB") == 2


@pytest.mark.parametrize("gain_db", [0, 6, 60, -20])
def test_no_gain_makes_a_player_pass_minus_one_dbfs(shown, gain_db):
    play(noise(2, 5000) / 2, gain_db=gain_db)
    assert peak_dbfs(torch.from_numpy(sounds_in(shown[0])[0])) <= min(-1, -6 + gain_db) + 0.05


def test_every_player_has_a_name_for_those_who_do_not_see_it_and_titles_are_text(shown):
    title = 'kick <b> & "snare"'
    play(noise(100) / 2, title)
    assert f'aria-label="Play {html.escape(title)}"' in shown[0] and "<b>" not in shown[0]
    assert "autoplay" not in shown[0]


def test_silence_can_be_played_and_broken_sounds_cannot(shown, capsys):
    play(torch.zeros(2, 100), "silence")
    assert "peak -inf dBFS" in capsys.readouterr().out
    with pytest.raises(ValueError, match="NaN"):
        play(torch.full((2, 100), torch.nan), "broken")
    with pytest.raises(ValueError, match="nothing to play"):
        play_row({})
    assert len(shown) == 1
