"""Recorded drums are found by name or by key, start alike, and lose nothing of what they are."""

import csv
import struct

import numpy as np
import pytest
import soundfile
import torch

from tad_course.audio import load_audio
from tad_course.cli import main
from tad_course.drums.recorded import aligned, collect, copy_of, label_of, recordings

RATE = 44_100


def thud(frames: int = 8000, start: int = 0, sign: float = 1.0) -> np.ndarray:
    """A falling tone `[n]` that starts after so many zeros."""
    t = np.arange(frames) / RATE
    return np.concatenate([np.zeros(start), sign * 0.5 * np.sin(2 * np.pi * 80 * t) * np.exp(-20 * t)])


def chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def soundfont(
    samples: dict[str, np.ndarray], keys: list[tuple[int, int]], preset: bytes = b"Room Kit", lower: bool = False
) -> bytes:
    """A SoundFont with one drum kit (bank 128); zone k plays the k-th sample on the keys `keys[k]` (SoundFont 2.04).

    `lower` adds the chunk with the lower bytes of 24 bits.
    """
    data, heads, at = b"", b"", 0
    for name, x in samples.items():
        pcm = (x * 2**15).astype("<i2")
        heads += struct.pack("<20sIIIIIBbHH", name.encode(), at, at + len(pcm), at, at + len(pcm), RATE, 60, 0, 0, 1)
        data, at = data + pcm.tobytes() + bytes(92), at + len(pcm) + 46
    heads += struct.pack("<20sIIIIIBbHH", b"EOS", 0, 0, 0, 0, 0, 0, 0, 0, 0)
    gens = b"".join(struct.pack("<HBBHH", 43, *key, 53, index) for index, key in enumerate(keys))
    bags = b"".join(struct.pack("<HH", 2 * index, 0) for index in range(len(keys) + 1))
    presets = [struct.pack("<20sHHHIII", *each) for each in ((preset, 0, 128, 0, 0, 0, 0), (b"EOP", 0, 0, 1, 0, 0, 0))]
    parts = {
        b"phdr": b"".join(presets),
        b"pbag": struct.pack("<HHHH", 0, 0, 1, 0), b"pmod": bytes(10),
        b"pgen": struct.pack("<HHHH", 41, 0, 0, 0),
        b"inst": struct.pack("<20sH", b"Drums", 0) + struct.pack("<20sH", b"EOI", len(keys)),
        b"ibag": bags, b"imod": bytes(10), b"igen": gens + bytes(4), b"shdr": heads,
    }  # fmt: skip
    pdta = b"".join(chunk(name, content) for name, content in parts.items())
    info = chunk(b"ifil", struct.pack("<HH", 2, 1)) + chunk(b"INAM", b"Test\0\0")
    third = chunk(b"sm24", b"\x55" * at) if lower else b""
    lists = (b"INFO" + info, b"sdta" + chunk(b"smpl", data) + third, b"pdta" + pdta)
    return chunk(b"RIFF", b"sfbk" + b"".join(chunk(b"LIST", each) for each in lists))


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("BD_808", "kick"), ("Kick 03", "kick"), ("drum_bass_hard", "kick"), ("bass_woodsy_c", None), ("SD1", "snare"),
        ("Piccolo Snr", "snare"), ("Closed HH", "hihat"), ("drum_cymbal_open", "hihat"), ("a3 - middle tom", "tom"),
        ("Hand Clap", "clap"), ("kick_and_snare", None), ("crash", None), ("elec_wood", "woodblock"),
        ("cow bell", "cowbell"), ("Side Stick", "rim"), ("custom", None),
    ],
)  # fmt: skip
def test_a_name_tells_the_instrument_if_it_names_exactly_one(name, label):
    assert label_of(name) == label


def test_a_soundfont_is_read_by_key_and_name_and_its_sides_are_joined(tmp_path):
    left, right = thud(), 0.5 * thud()
    samples = {"Deep(L)": left, "Deep(R)": right, "Tick": thud(4000), "Crash": thud(4000)}
    file = tmp_path / "kit.sf2"
    file.write_bytes(soundfont(samples, [(35, 36), (35, 36), (42, 42), (49, 49)]))
    found = {each.name: each for each in recordings(file)}
    assert {name: each.label for name, each in found.items()} == {"Deep": "kick", "Tick": "hihat"}
    assert found["Deep"].source == "kit"
    expected = torch.from_numpy(np.stack([left, right])).float()
    assert torch.allclose(found["Deep"].audio, expected, atol=2 / 2**15)
    assert torch.equal(*found["Tick"].audio)  # mono on both sides


def test_of_a_soundfont_of_24_bits_the_upper_16_are_read(tmp_path):
    file = tmp_path / "kit.sf2"
    file.write_bytes(soundfont({"Deep": thud()}, [(35, 36)], lower=True))
    (found,) = recordings(file)
    assert torch.allclose(found.audio[0], torch.from_numpy(thud()).float(), atol=2 / 2**15)


def test_kits_on_other_keys_are_left_out_and_a_torn_file_is_named(tmp_path):
    file = tmp_path / "march.sf2"
    file.write_bytes(soundfont({"Deep": thud()}, [(35, 36)], b"Marching Bass"))
    assert list(recordings(file)) == []
    file.write_bytes(soundfont({"Deep": thud()}, [(35, 36)])[:-60])
    with pytest.raises(ValueError, match=r"march\.sf2: cannot be read as a SoundFont"):
        list(recordings(file))


def test_a_folder_is_read_by_the_names_of_files_folders_and_hydrogen_instruments(tmp_path):
    kit = tmp_path / "kit"
    for path in ("kick.wav", "toms/03.wav", "x1.wav", "crash.wav", "silent_kick.wav"):
        (kit / path).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(kit / path, 0 * thud() if "silent" in path else thud(), RATE)
    (kit / "damaged_kick.wav").write_bytes(b"RIFF")
    (kit / "drumkit.xml").write_text(
        '<drumkit_info xmlns="http://www.hydrogen-music.org/drumkit"><instrumentList><instrument>'
        "<name>Snare Jazz</name><layer><filename>x1.wav</filename></layer></instrument></instrumentList></drumkit_info>"
    )
    assert {each.name: each.label for each in recordings(kit)} == {"kick": "kick", "03": "tom", "x1": "snare"}


def test_what_is_no_source_is_refused(tmp_path):
    with pytest.raises(ValueError, match="neither a SoundFont .* nor a folder"):
        list(recordings(tmp_path / "nothing.sf2"))


@pytest.mark.parametrize(("start", "sign", "gain"), [(0, 1, 1), (700, -1, 0.2), (3000, 1, 1.5)])
def test_aligned_sounds_are_the_same_wherever_they_began_and_whichever_way_up(start, sign, gain):
    plain, moved = (torch.from_numpy(np.stack([x, x])).float() for x in (thud(), gain * thud(start=start, sign=sign)))
    expected, found = aligned(plain), aligned(moved)
    assert found.shape == (2, 32_768) and found.abs().max() == pytest.approx(10 ** (-3 / 20), rel=1e-5)
    assert torch.allclose(expected, found, atol=1e-4)
    assert found[0, :300].max() > 0.3 and found[0, :250].min() > -1e-3  # the first half-wave is up


def test_a_long_sound_is_faded_out_where_it_is_cut():
    x = torch.ones(2, 60_000)
    end = aligned(x)[0, -2:].abs()
    assert end.max() < 1e-3


def test_a_copy_is_another_pitch_of_the_same_drum():
    t = torch.arange(32_768) / RATE
    audio = (torch.sin(2 * torch.pi * 200 * t) * torch.exp(-6 * t)).repeat(2, 1)
    copies = [copy_of(audio, torch.Generator().manual_seed(seed)) for seed in range(12)]
    pitches = torch.tensor([float(torch.fft.rfft(x.mean(0), 2**17).abs().argmax()) for x in [audio, *copies]])
    octaves = (pitches[1:] / pitches[0]).log2() * 12
    assert octaves.abs().max() < 5 and octaves.std() > 1  # semitones
    assert all(x.isfinite().all() for x in copies)


def test_collect_writes_labelled_wavs_and_says_where_they_come_from(tmp_path, capsys):
    kit = tmp_path / "my kit"
    kit.mkdir()
    for name in ("kick one.wav", "snare.wav"):
        soundfile.write(kit / name, thud(), RATE)
    out = tmp_path / "out"
    assert main(["collect", str(kit), "--labels", "kick", "--copies", "3", "--out", str(out)]) == 0
    names = [f"kick_my-kit_kick-one_{copy}.wav" for copy in range(3)]
    assert sorted(p.name for p in out.iterdir()) == [*names, "sources.csv"]
    rows = list(csv.DictReader((out / "sources.csv").open(encoding="utf-8")))
    assert [row["file"] for row in rows] == names and rows[0]["source"] == "my kit" and rows[2]["copy"] == "2"
    sounds = [load_audio(out / name) for name in names]
    assert (sounds[0] - sounds[1]).abs().max() > 0.05
    before = [(out / name).read_bytes() for name in names]
    collect([kit], out, ["kick"], copies=3, progress=False)
    assert before == [(out / name).read_bytes() for name in names]


@pytest.mark.parametrize(
    ("options", "reason"),
    [(["--labels", "gong"], "Unknown labels gong; choose from kick"), (["--labels", "clap"], "No clap in "),
     (["--labels", "kick", "--copies", "0"], "at least 1, not 0")],
)  # fmt: skip
def test_collect_says_what_is_wrong(tmp_path, capsys, options, reason):
    soundfile.write(tmp_path / "kick.wav", thud(), RATE)
    assert main(["collect", str(tmp_path), "--out", str(tmp_path / "out"), *options]) == 1
    assert reason in capsys.readouterr().err and not (tmp_path / "out").exists()
