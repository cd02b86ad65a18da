"""Recorded drums: SoundFonts and folders of samples become one folder of WAVs that start alike (lesson 10).

    tad-course collect FluidR3_GM.sf2 my_samples --labels kick --copies 16 --out runs/recorded

Which drum a recording is, its name says (of the file, its folder or the instrument in Hydrogen's drumkit.xml), or the
key of a General MIDI drum kit. Every sound is cut at its onset, has its first large half-wave up and peaks at -3 dBFS,
as those of the drum machine do: a small network learns attacks only if they lie on the same sample. Copies differ in
pitch, length and brightness. What is written can be listened to, and whatever is wrong in it deleted, before training.
"""

import csv
import io
import logging
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from tad_course.audio import AudioFileError, find_sound_files, load_audio
from tad_course.audio.io import fit_length, to_rate
from tad_course.audio.wav import wav_bytes
from tad_course.config import LENGTH_SAMPLES, SAMPLE_RATE
from tad_course.files import write_atomically

NAMES = {  # a recording whose name fits exactly one of these has that label
    "kick": r"kick|bass.?drum|drum.?bass|bdrum|(^|[^a-z])bd",
    "snare": r"snare|snr|(^|[^a-z])s[dn]([^a-z]|$)",
    "hihat": r"hat|closed|open|cymbal.pedal|(^|[^a-z])hh",
    "tom": r"(^|[^a-z])tom|floor",
    "conga": r"conga|bongo|tumba",
    "clap": r"clap",
    "rim": r"(^|[^a-z])rim|side.?stick|(^|[^a-z])stick",
    "cowbell": r"cow.?bell",
    "woodblock": r"wood([^a-z]|block|$)|clave",
    "shaker": r"shaker|maraca|cabasa",
}
KEYS = {  # of a drum kit in General MIDI (MIDI Manufacturers Association, 1991)
    "kick": (35, 36), "snare": (38, 40), "hihat": (42, 44, 46), "tom": (41, 43, 45, 47, 48, 50),
    "conga": (60, 61, 62, 63, 64), "clap": (39,), "rim": (37,), "cowbell": (56,), "woodblock": (75, 76, 77),
    "shaker": (69, 70, 82),
}  # fmt: skip
DRUM_BANK = 128
SILENT_PEAK = 1e-3  # -60 dBFS: a recording that never gets louder is no drum
OTHER_KITS = r"orchestra|march|metronome"  # kits of a SoundFont that lie on other keys
ONSET = 0.01  # -40 dB of the peak: where a sound begins
PEAK = 10 ** (-3 / 20)
SEMITONES, SHORTER_DB_A_S, TILT_DB = 4.0, 60.0, 4.0  # how far copies go


@dataclass(frozen=True)
class Recording:
    """A recorded drum, as it is in its source."""

    name: str
    label: str
    source: str  # the SoundFont or folder it comes from
    audio: Tensor  # [2, n] at 44.1 kHz


def label_of(name: str) -> str | None:
    """Return the label that a name tells; None if it tells none or several."""
    found = [label for label, pattern in NAMES.items() if re.search(pattern, name.lower())]
    return found[0] if len(found) == 1 else None


def recordings(source: Path) -> Iterator[Recording]:
    """Yield the drums of a SoundFont (`.sf2`) or of a folder of sound files and all below it.

    Raises:
        ValueError: if there is no such file or folder, or a SoundFont cannot be read.
    """
    source = Path(source).expanduser()
    if source.suffix.lower() == ".sf2" and source.is_file():
        yield from _soundfont(source)
    elif source.is_dir():
        yield from _folder(source)
    else:
        raise ValueError(f"{source}: neither a SoundFont (.sf2) nor a folder of sounds; check the name.")


def _folder(source: Path) -> Iterator[Recording]:
    names = _hydrogen(source)
    for path in find_sound_files(source):
        label = label_of(names.get(path, path.stem)) or label_of(path.parent.name)
        if label is None:
            continue
        try:
            audio = load_audio(path, None)
        except AudioFileError:
            continue  # one bad file must not stop a folder
        if audio.abs().max() > SILENT_PEAK:
            yield Recording(path.stem, label, source.name, audio)


def _hydrogen(source: Path) -> dict[Path, str]:
    """Return the instrument of each file that a `drumkit.xml` below `source` names."""
    names = {}
    for kit in source.rglob("drumkit.xml"):
        try:
            instruments = ElementTree.parse(kit).findall(".//{*}instrument")
        except ElementTree.ParseError:
            continue  # the names of its files are left
        for instrument in instruments:
            title = instrument.findtext("{*}name", "")
            if not title.startswith("Sample:"):
                names |= {kit.parent / (each.text or ""): title for each in instrument.findall(".//{*}filename")}
    return names


def _soundfont(source: Path) -> Iterator[Recording]:
    from sf2utils.sf2parse import Sf2File  # only here: its module for audio is deprecated and warns

    with source.open("rb") as file:
        logging.disable(logging.WARNING)  # the library remarks on the loops of single samples, which do not matter here
        try:
            presets = [p for p in Sf2File(file).presets if getattr(p, "bank", None) == DRUM_BANK]
            found = {}  # (label, name without its side) -> {side: sample}
            for preset in presets:
                if re.search(OTHER_KITS, preset.name.lower()):
                    continue
                for label, sample in _zones(preset):
                    name, side = re.fullmatch(r"(.*?)\s*(?:\(([LR])\)?)?", sample.name).groups()
                    found.setdefault((label, name), {})[side or "L"] = sample
            for (label, name), sides in found.items():
                yield Recording(name, label, source.stem, _joined(sides))
        except Exception as error:  # a torn file can fail anywhere in the library
            cure = "it may be cut short or compressed; copy it again, or use an uncompressed .sf2"
            raise ValueError(f"{source}: cannot be read as a SoundFont; {cure}.") from error
        finally:
            logging.disable(logging.NOTSET)


def _zones(preset) -> Iterator[tuple[str, object]]:
    """Yield the label and the sample of each zone of a drum kit that plays one."""
    for bag in preset.bags:
        for zone in bag.instrument.bags if bag.instrument else ():
            low, high = zone.key_range or (0, -1)
            for label, keys in KEYS.items():
                if zone.sample and any(low <= key <= high for key in keys):
                    yield label_of(zone.sample.name) or label, zone.sample


def _joined(sides: dict) -> Tensor:
    """Return the samples of left and right, or of a single side, as a sound `[2, n]` at 44.1 kHz."""
    first = next(iter(sides.values()))
    for sample in sides.values():
        sample.sm24_offset = None  # of 24 bits the upper 16 are read: sf2utils does not put the three bytes together
    rows = [np.frombuffer(bytes(sample.raw_sample_data), "<i2") for sample in sides.values()]
    shortest = min(map(len, rows))
    audio = torch.from_numpy(np.stack([row[:shortest] for row in rows]).astype(np.float32) / 2**15)
    return to_rate(audio if len(rows) == 2 else audio.repeat(2, 1), first.sample_rate, SAMPLE_RATE)


def aligned(audio: Tensor) -> Tensor:
    """Return a sound `[2, n]` from its onset on, its first large half-wave up, with a peak of -3 dBFS, `[2, 32768]`."""
    mono = audio.mean(0)
    start = int((audio.abs().amax(0) > ONSET * audio.abs().max()).float().argmax())
    audio, mono = audio[:, start:], mono[start:]
    large = mono.abs() > 0.3 * mono.abs().max()
    sign = -1.0 if mono[int(large.float().argmax())] < 0 else 1.0
    end = min(audio.shape[-1], LENGTH_SAMPLES)
    audio = fit_length(fit_length(audio, end - 1), LENGTH_SAMPLES)  # fades out wherever it was cut
    return audio * sign * PEAK / audio.abs().max().clamp(min=1e-9)


def copy_of(audio: Tensor, generator: torch.Generator) -> Tensor:
    """Return a relative of a sound `[2, n]`: up to 4 semitones higher or lower, shorter, brighter or duller."""
    pitch, shorter, tilt = torch.rand(3, generator=generator).tolist()
    rate = round(SAMPLE_RATE * 2 ** (SEMITONES * (2 * pitch - 1) / 12) / 100) * 100  # played at another rate
    audio = to_rate(audio, rate, SAMPLE_RATE)
    time_s = torch.arange(audio.shape[-1]) / SAMPLE_RATE
    audio = audio * 10 ** (-max(0.0, 2 * shorter - 1) * SHORTER_DB_A_S * time_s / 20)  # half of them keep their length
    spectrum = torch.fft.rfft(audio)
    octaves = (torch.fft.rfftfreq(audio.shape[-1], 1 / SAMPLE_RATE).clamp(min=40, max=16_000) / 800).log2()
    return torch.fft.irfft(spectrum * 10 ** ((2 * tilt - 1) * TILT_DB / 4 * octaves / 20), audio.shape[-1])


def collect(
    sources: Sequence[Path], out: Path, labels: Sequence[str], copies: int = 1, seed: int = 0, progress: bool = True
) -> list[Path]:
    """Write the drums of these labels as 16-bit WAVs `{label}_{source}_{name}_{copy}.wav`, with a `sources.csv`.

    Args:
        sources: SoundFonts and folders.
        out: made if missing; files of the same name are replaced.
        labels: from `NAMES`.
        copies: how many sounds are made of each recording: itself, and relatives of it.
        seed: of the copies.
        progress: whether to show a bar.

    Raises:
        ValueError: if a source or label is wrong, or nothing is found.
    """
    if unknown := [label for label in labels if label not in NAMES]:
        raise ValueError(f"Unknown labels {', '.join(unknown)}; choose from {', '.join(NAMES)}.")
    if copies < 1:
        raise ValueError(f"copies must be at least 1, not {copies}.")
    generator, files, rows = torch.Generator().manual_seed(seed), [], []
    for source in sources:
        for found in tqdm(recordings(source), desc=Path(source).name, unit="drum", disable=not progress):
            if found.label not in labels:
                continue
            for copy in range(copies):
                audio = found.audio if copy == 0 else copy_of(found.audio, generator)
                name = f"{found.label}_{found.source}_{found.name}_{copy}"
                path = Path(out) / f"{re.sub(r'[^A-Za-z0-9_-]+', '-', name)}.wav"
                Path(out).mkdir(parents=True, exist_ok=True)
                write_atomically(path, wav_bytes(aligned(audio), "pcm16", name=path.name))
                files.append(path)
                rows.append((path.name, found.label, found.source, found.name, copy))
    if not files:
        where = ", ".join(map(str, sources))
        raise ValueError(f"No {' or '.join(labels)} in {where}: the names of files, folders or instruments tell.")
    table = io.StringIO()
    csv.writer(table, lineterminator="\n").writerows([("file", "label", "source", "recording", "copy"), *rows])
    write_atomically(Path(out) / "sources.csv", table.getvalue().encode("utf-8"))
    return files
