"""The drum machine sounds and measures like the drums it claims to be, and the shipped sounds are its own."""

import csv
import inspect
import json
from pathlib import Path

import numpy as np
import pytest
import scipy.signal
import torch

from tad_course.audio import load_audio, peak_dbfs, read_comment, save_wav
from tad_course.drums import synthesis as synth
from tad_course.drums.folder import TOLERANCE, render_folder
from tad_course.drums.voices import LABELS, VOICES, Range, render

RATE, LENGTH = synth.SAMPLE_RATE, synth.LENGTH_SAMPLES
T = synth.time_s()
MANY = 24


def share(audio: torch.Tensor, low_hz: float, high_hz: float = RATE) -> float:
    """Return how much of the energy lies between two frequencies, 0 to 1."""
    power = (torch.fft.rfft(audio.double()).abs() ** 2).sum(0)
    pitch_hz = torch.fft.rfftfreq(audio.shape[-1], 1 / RATE)
    return float(power[(pitch_hz >= low_hz) & (pitch_hz < high_hz)].sum() / power.sum())


def length_s(audio: torch.Tensor, part: float = 0.99) -> float:
    """Return the time by which `part` of the energy has sounded."""
    energy = audio.double().square().sum(0).cumsum(0)
    return int((energy < part * energy[-1]).sum()) / RATE


def strongest_hz(audio: torch.Tensor) -> float:
    power = torch.fft.rfft(audio.double() * torch.hann_window(audio.shape[-1], dtype=torch.float64)).abs().sum(0)
    return int(power.argmax()) * RATE / audio.shape[-1]


@pytest.fixture(scope="module")
def family() -> dict:
    """Some drums of each family."""
    return {label: [render(label, 10_000 + seed) for seed in range(MANY)] for label in LABELS}


# --- what every sound promises ---------------------------------------------------------------------------------


@pytest.mark.parametrize("label", LABELS)
def test_every_drum_is_stereo_peaks_at_minus_three_dbfs_and_ends_in_silence(family, label):
    for drum in family[label]:
        assert drum.audio.shape == (2, LENGTH) and drum.audio.dtype == torch.float32
        assert torch.isfinite(drum.audio).all()
        assert peak_dbfs(drum.audio) == pytest.approx(-3, abs=1e-3)
        assert (drum.audio[:, -220:] == 0).all()
        assert drum.audio[:, -1000:-220].abs().max() < 10 ** (-30 / 20)


@pytest.mark.parametrize("label", LABELS)
def test_a_drum_begins_at_once_without_a_click_or_an_offset(family, label):
    for drum in family[label]:
        assert drum.audio[:, 0].abs().max() < 0.05
        assert length_s(drum.audio, 0.01) < 0.05
        assert drum.audio.mean().abs() < 0.02 * drum.audio.std()


@pytest.mark.parametrize("label", LABELS)
def test_the_same_seed_gives_the_same_drum_and_another_seed_another(label):
    one, again, other = render(label, 7), render(label, 7), render(label, 8)
    assert torch.equal(one.audio, again.audio) and one.params == again.params
    assert not torch.equal(one.audio, other.audio) and one.params != other.params


@pytest.mark.parametrize("label", LABELS)
def test_parameters_lie_in_their_ranges_and_make_the_sound_again(family, label):
    for drum in family[label]:
        ranges = VOICES[drum.voice].ranges
        assert drum.params.keys() == ranges.keys() and VOICES[drum.voice].label == label
        assert all(ranges[name].low <= value <= ranges[name].high for name, value in drum.params.items())
    assert torch.equal(VOICES[drum.voice].play(**drum.params, seed=drum.seed), drum.audio)


@pytest.mark.parametrize("voice", VOICES)
def test_every_parameter_has_a_range_that_holds_its_default_and_can_be_heard(voice):
    defaults = {name: p.default for name, p in inspect.signature(VOICES[voice].play).parameters.items()}
    assert defaults.keys() - {"seed"} == VOICES[voice].ranges.keys()
    plain = VOICES[voice].play()
    for name, span in VOICES[voice].ranges.items():
        assert span.low <= defaults[name] <= span.high
        assert not torch.equal(VOICES[voice].play(**{name: span.low}), VOICES[voice].play(**{name: span.high})), name
        for end in (span.low, span.high):
            assert peak_dbfs(VOICES[voice].play(**{name: end})) == pytest.approx(peak_dbfs(plain), abs=1e-3)


def test_every_voice_of_a_family_is_played():
    seeds = range(200)
    played = {
        str(np.random.default_rng([seed, index]).choice([n for n, v in VOICES.items() if v.label == label]))
        for index, label in enumerate(LABELS)
        for seed in seeds
    }
    assert played == set(VOICES)


@pytest.mark.parametrize(
    ("label", "seed", "reason"), [("gong", 0, "choose one of kick, snare"), ("kick", -1, "0 or more")]
)
def test_what_the_machine_cannot_play_says_so(label, seed, reason):
    with pytest.raises(ValueError, match=reason):
        render(label, seed)


# --- where the energy of each drum lies -------------------------------------------------------------------------


def test_most_of_a_kick_is_deeper_than_150_hz_and_almost_all_deeper_than_500(family):
    kicks = [drum.audio for drum in family["kick"]]
    assert np.median([share(x, 0, 150) for x in kicks]) > 0.7
    assert np.mean([share(x, 0, 250) > 0.5 for x in kicks]) > 0.85
    assert min(share(x, 0, 500) for x in kicks) > 0.8


def test_a_kick_falls_in_pitch():
    kick = VOICES["kick"].play(pitch_hz=50, sweep_ratio=6, sweep_s=0.03, drive=0.5, click=0.02)
    assert strongest_hz(kick[:, :1500]) > 1.5 * strongest_hz(kick[:, 8000:16_000])
    assert strongest_hz(kick[:, 8000:16_000]) == pytest.approx(50, abs=6)


def test_a_snare_has_a_body_between_120_and_350_hz_and_wires_above_1500(family):
    snares = [drum.audio for drum in family["snare"]]
    assert min(share(x, 120, 600) for x in snares) > 0.015
    assert min(share(x, 1500) for x in snares) > 0.05
    assert np.median([share(x, 120, 350) for x in snares]) > 0.15
    assert np.median([share(x, 1500) for x in snares]) > 0.3


def test_the_wires_knob_moves_a_snare_from_membrane_to_noise():
    shares = [share(VOICES["snare"].play(wires=wires), 1500) for wires in (0.3, 0.5, 0.7, 0.85)]
    assert shares == sorted(shares) and shares[-1] > 2 * shares[0]


def test_more_than_90_percent_of_a_hat_lies_above_4_khz(family):
    assert min(share(drum.audio, 4000) for drum in family["hihat"]) > 0.9


def test_every_closed_hat_is_shorter_than_every_open_one(family):
    closed, opened = (
        [length_s(drum.audio) for drum in family["hihat"] if drum.voice == voice]
        for voice in ("closed_hat", "open_hat")
    )
    assert len(closed) > 5 and len(opened) > 5 and max(closed) < min(opened)


def test_metal_rings_in_lines_where_noise_is_flat():
    ring, hiss = (VOICES["open_hat"].play(metallic=metallic, width=0.0) for metallic in (0.9, 0.0))

    def crest(x):  # the strongest frequency against the mean of the band
        power = torch.fft.rfft(x[0].double()).abs()[round(7000 * LENGTH / RATE) : round(12_000 * LENGTH / RATE)] ** 2
        return float(power.max() / power.mean())

    assert crest(ring) > 3 * crest(hiss)


@pytest.mark.parametrize(
    ("voice", "low_hz", "high_hz", "at_least"),
    [
        ("tom", 60, 450, 0.8),
        ("conga", 120, 900, 0.7),
        ("clap", 500, 6000, 0.8),
        ("rim", 250, 4000, 0.7),
        ("cowbell", 350, 6000, 0.8),
        ("woodblock", 600, 14_000, 0.9),
        ("shaker", 2000, 20_000, 0.9),
    ],
)
def test_each_percussion_voice_stays_in_its_part_of_the_spectrum(voice, low_hz, high_hz, at_least):
    rng = np.random.default_rng(3)
    for seed in range(12):
        params = {name: span.draw(rng) for name, span in VOICES[voice].ranges.items()}
        assert share(VOICES[voice].play(**params, seed=seed), low_hz, high_hz) > at_least, params


@pytest.mark.parametrize("voice", ["tom", "conga", "rim", "woodblock"])
@pytest.mark.parametrize("pitch", ["low", "high"])
def test_pitched_voices_sound_at_their_pitch(voice, pitch):
    pitch_hz = getattr(VOICES[voice].ranges["pitch_hz"], pitch)
    late = VOICES[voice].play(pitch_hz=pitch_hz, room_level=0.0)[:, 1500:9000]
    assert strongest_hz(late) == pytest.approx(pitch_hz, abs=0.03 * pitch_hz + RATE / late.shape[-1])


def test_decays_last_as_long_as_they_say():
    for decay_s in (0.2, 0.3, 0.4):
        tom = VOICES["tom"].play(decay_s=decay_s, room_level=0.0, skin=0.1)[0].double()
        level = [10 * np.log10(tom[i : i + 2205].square().mean().item()) for i in (3000, 7410)]  # 0.1 s apart
        assert (level[0] - level[1]) == pytest.approx(60 * 0.1 / decay_s, rel=0.1)


def test_the_hands_of_a_clap_are_heard_one_by_one():
    def level_db(start_s, stop_s, hands=2):
        claps = [
            VOICES["clap"].play(hands=hands, spacing_s=0.016, decay_s=0.12, room_level=0.0, seed=seed)
            for seed in range(8)
        ]
        part = torch.stack(claps)[..., round(start_s * RATE) : round(stop_s * RATE)].double()
        return 10 * np.log10(part.square().mean().item())

    first, pause, second = level_db(0.0, 0.004), level_db(0.009, 0.013), level_db(0.0185, 0.0225)
    assert first > pause + 6 and second > pause + 6
    assert level_db(0.045, 0.06, hands=4) > level_db(0.045, 0.06, hands=2) + 3


def test_a_shaker_swells_without_a_jump():
    shaker = VOICES["shaker"].play(rise_s=0.05)
    early, loudest = shaker[:, :400].abs().max(), shaker[:, 1500:4000].abs().max()
    assert early < 0.1 * loudest
    before, after = shaker[:, 1000:1100].double().std(), shaker[:, 1110:1210].double().std()  # around rise_s / 2
    assert after / before < 2


# --- stereo -----------------------------------------------------------------------------------------------------


def side_share(audio: torch.Tensor) -> float:
    """Return the energy of (left - right) / 2 against all of it."""
    mid, side = (audio[0] + audio[1]).double(), (audio[0] - audio[1]).double()
    return float(side.square().sum() / (mid.square().sum() + side.square().sum()))


@pytest.mark.parametrize("voice", [name for name, v in VOICES.items() if "width" in v.ranges])
def test_width_makes_left_and_right_independent(voice):
    still = {name: 0.0 for name in ("room_level", "position") if name in VOICES[voice].ranges}
    narrow, wide = (side_share(VOICES[voice].play(width=width, **still)) for width in (0.0, 0.8))
    assert wide > 0.05 and wide > 2 * narrow


@pytest.mark.parametrize("voice", [name for name, v in VOICES.items() if "position" in v.ranges])
def test_position_moves_a_drum_from_left_to_right(voice):
    left, right = (VOICES[voice].play(position=position).double().square().sum(1) for position in (-0.5, 0.5))
    assert left[0] > 2 * left[1] and right[1] > 2 * right[0]


def test_a_kick_in_a_dry_room_is_mono_and_a_room_opens_it():
    assert side_share(VOICES["kick"].play(room_level=0.0)) == 0
    assert side_share(VOICES["kick"].play(room_level=0.3)) > 1e-4


# --- the building blocks against independent oracles --------------------------------------------------------------


def test_a_swept_sine_has_the_frequency_that_was_asked_for():
    t = np.arange(44_100 * 8 // 10) / 44_100 / 8  # 8 times finer, so that the derivative is exact enough
    phase = np.unwrap(np.angle(scipy.signal.hilbert(synth.swept_sine(500.0, 3.0, 0.02, t))))
    measured = np.gradient(phase, t) / (2 * np.pi)
    expected = 500.0 * (1 + 2.0 * np.exp(-t / 0.02))
    inside = slice(len(t) // 8, -len(t) // 8)
    assert np.abs(measured / expected - 1)[inside].max() < 0.02


def test_a_decay_falls_by_60_db_in_its_time_and_is_zero_before_it():
    t = np.array([-0.1, 0.0, 0.15, 0.3])
    assert np.allclose(synth.decay(0.3, t), [0, 1, 10**-1.5, 1e-3])


def test_struck_modes_are_the_zeros_of_bessel_functions():
    zeros = sorted(zero for order in range(5) for zero in scipy.special.jn_zeros(order, 3))
    assert np.allclose(synth.MEMBRANE_MODES, np.array(zeros[:6]) / zeros[0], atol=2e-3)


@pytest.mark.parametrize(("low_hz", "high_hz"), [(1000, None), (None, 1000), (800, 3000)])
def test_filters_have_the_response_of_a_butterworth_filter(low_hz, high_hz):
    impulse = np.zeros(LENGTH)
    impulse[0] = 1.0
    measured = np.abs(np.fft.rfft(synth.band(impulse, low_hz, high_hz)))
    edges, kind = (
        ([low_hz, high_hz], "bandpass") if low_hz and high_hz else (low_hz or high_hz, "high" if low_hz else "low")
    )
    b, a = scipy.signal.butter(2, edges, kind, fs=RATE)
    _, expected = scipy.signal.freqz(b, a, worN=np.fft.rfftfreq(LENGTH, 1 / RATE), fs=RATE)
    assert np.abs(measured - np.abs(expected)).max() < 1e-4
    for edge in filter(None, (low_hz, high_hz)):  # 3 dB down at the edge
        assert measured[round(edge * LENGTH / RATE)] == pytest.approx(np.sqrt(0.5), abs=0.01)


@pytest.mark.parametrize("pitch_hz", [437.0, 1231.0, 3001.0])
def test_smoothed_squares_fold_back_less_than_naive_ones(pitch_hz):
    def folded(wave):  # energy that is not at a harmonic below the Nyquist frequency
        power = np.abs(np.fft.rfft(wave * np.blackman(LENGTH))) ** 2
        bins = np.arange(len(power)) * RATE / LENGTH
        harmonic = np.abs(bins / pitch_hz - np.round(bins / pitch_hz)) * pitch_hz < 8
        return power[~harmonic].sum() / power.sum()

    naive = np.where((pitch_hz * T) % 1.0 < 0.5, 1.0, -1.0)
    smooth = synth.square(pitch_hz, T)
    assert folded(smooth) < folded(naive) / 5
    fundamental = np.abs(np.fft.rfft(smooth * np.hanning(LENGTH)))[round(pitch_hz * LENGTH / RATE)] / (LENGTH / 4)
    assert fundamental == pytest.approx(4 / np.pi, rel=0.12)  # Fourier series of a square


def test_noise_has_unit_variance_and_the_width_that_was_asked_for():
    for width in (0.0, 0.3, 1.0):
        left, right = synth.stereo_noise(width, 200_000, np.random.default_rng(0))
        assert left.std() == pytest.approx(1, abs=0.02) and right.std() == pytest.approx(1, abs=0.02)
        assert np.corrcoef(left, right)[0, 1] == pytest.approx(1 - width, abs=0.02)


def test_panning_keeps_the_power():
    for position in (-1, -0.3, 0, 0.8, 1):
        assert (synth.pan(np.ones(4), position) ** 2).sum(0) == pytest.approx(2)


# --- folders of drums -------------------------------------------------------------------------------------------


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_shipped_sounds_are_what_the_machine_plays(root, tmp_path):
    render_folder(tmp_path, progress=False)
    shipped, made = root / "data_samples", tmp_path
    assert {path.name for path in shipped.iterdir()} == {path.name for path in made.iterdir()}
    for path in shipped.iterdir():
        if path.suffix == ".wav":  # samples, not bytes: processors differ in the last digits of exp and sin
            assert (load_audio(path) - load_audio(made / path.name)).abs().max() <= TOLERANCE, path.name
            assert read_comment(path) == read_comment(made / path.name)
        else:
            assert path.read_text("utf-8").splitlines() == (made / path.name).read_text("utf-8").splitlines()


def test_parameters_have_six_digits_and_lie_in_their_range():
    for span in (Range(0.02, 0.6, True), Range(2, 6)):
        drawn = [span.draw(np.random.default_rng(seed)) for seed in range(100)]
        assert all(value == float(f"{value:.6g}") and span.low <= value <= span.high for value in drawn)
        assert len(set(drawn)) == 100


def test_the_shipped_sounds_hold_eight_of_each_family_and_every_voice(root):
    with (root / "data_samples" / "drums.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {label: sum(row["label"] == label for row in rows) for label in LABELS} == dict.fromkeys(LABELS, 8)
    assert {row["voice"] for row in rows} == set(VOICES)


def test_a_row_of_the_table_is_enough_to_make_its_sound_again(root):
    with (root / "data_samples" / "drums.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            voice = VOICES[row["voice"]]
            again = voice.play(**{name: float(row[name]) for name in voice.ranges}, seed=int(row["seed"]))
            assert (load_audio(root / "data_samples" / row["file"]) - again).abs().max() <= TOLERANCE, row["file"]


def test_a_folder_that_another_processor_made_is_kept(tmp_path):
    path = render_folder(tmp_path, count=1, progress=False)[0]
    audio, comment = load_audio(path), read_comment(path)
    audio[0, 100] += 2**-15  # a step of 16 bits
    save_wav(path, audio, "pcm16", comment)
    before = path.read_bytes()
    render_folder(tmp_path, count=1, progress=False)
    assert path.read_bytes() == before
    save_wav(path, 0.9 * audio, "pcm16", comment)  # but not one of another drum machine
    render_folder(tmp_path, count=1, progress=False)
    assert (load_audio(path) - audio).abs().max() <= TOLERANCE


def test_two_processes_write_the_bytes_of_one(tmp_path, monkeypatch):
    render_folder(tmp_path / "one", count=40, seed=50, workers=1, progress=False)
    monkeypatch.setattr("tad_course.drums.folder.FEW", 1)  # so few would not be worth a second process
    render_folder(tmp_path / "two", count=40, seed=50, workers=2, progress=False)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_an_interrupted_folder_goes_on_where_it_stopped(tmp_path, monkeypatch):
    whole = render_folder(tmp_path / "whole", count=12, progress=False)
    render_folder(tmp_path / "part", count=8, progress=False)
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "part").glob("*.wav")}
    files = render_folder(tmp_path / "part", count=12, progress=False)
    assert [path.name for path in files] == [path.name for path in whole]
    assert contents(tmp_path / "part") == contents(tmp_path / "whole")
    assert all(path.stat().st_mtime_ns == before for path, before in kept.items())


def test_damaged_or_foreign_files_are_made_again_and_other_files_left_alone(tmp_path):
    files = render_folder(tmp_path, count=4, progress=False)
    good = contents(tmp_path)
    files[0].write_bytes(files[0].read_bytes()[:1000])
    files[1].write_bytes(b"not a sound")
    (tmp_path / "my_own_1.wav").write_bytes(b"mine")
    render_folder(tmp_path, count=4, progress=False)
    assert contents(tmp_path) == good | {"my_own_1.wav": b"mine"}


def test_a_file_carries_what_is_needed_to_make_it_again(tmp_path):
    path = render_folder(tmp_path, count=1, seed=3, labels=["snare"], progress=False)[0]
    made = json.loads(read_comment(path))
    drum = render("snare", 3)
    assert path.name == "snare_snare_3.wav"
    assert (made["label"], made["voice"], made["seed"], made["params"]) == ("snare", "snare", 3, drum.params)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"count": 0}, "count of 1 or more"),
        ({"seed": -1}, "seed of 0 or more"),
        ({"labels": ["gong"]}, "choose one or more of kick"),
        ({"labels": []}, "choose one or more"),
        ({"labels": ["kick", "kick"]}, "each once"),
    ],
)
def test_a_folder_that_cannot_be_rendered_says_why(tmp_path, arguments, reason):
    with pytest.raises(ValueError, match=reason):
        render_folder(tmp_path / "new", progress=False, **arguments)
    assert not (tmp_path / "new").exists()


def test_a_folder_name_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="cannot be made"):
        render_folder(tmp_path / "file", progress=False)
