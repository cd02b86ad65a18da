"""Kept sounds as one zip: the WAV files, and a `settings.json` from which they can be made again (the studio).

The sounds out of which others were shaped lie in its folder `sources`, exactly as the model got them. So `tad-course
generate --from sounds.zip` makes the very same files, byte for byte, if the models are still the same.
"""

import base64
import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path

from tad_course.audio.wav import wav_bytes
from tad_course.library.sound import Sound, Source, safe_name, write_new

SETTINGS_FILE = "settings.json"
SOURCES_FOLDER = "sources"
LONGEST_SOURCE_NAME = 40  # characters, so that a number still fits behind it
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can hold, so that equal sounds give equal zips


def unique_names(names: Sequence[str]) -> list[str]:
    """Return file names (without ending) that are safe and differ, also where capitals do not count."""
    taken, unique = set(), []
    for name in map(safe_name, names):
        number, new = 1, name
        while new.casefold() in taken:
            number += 1
            new = f"{name}-{number}"
        taken.add(new.casefold())
        unique.append(new)
    return unique


def source_files(sounds: Iterable[Sound]) -> dict[str, Source]:
    """Return the sounds out of which `sounds` were shaped, each once, by the file that holds it in the zip."""
    sources = {source.digest: source for sound in sounds for source in sound.sources}
    names = unique_names([safe_name(source.name)[:LONGEST_SOURCE_NAME] for source in sources.values()])
    return {f"{SOURCES_FOLDER}/{name}.wav": each for name, each in zip(names, sources.values(), strict=True)}


def settings_of(sounds: Mapping[str, Sound], encoding: str) -> dict:
    """Return the content of `settings.json` for sounds (file name -> sound).

    Each entry has the `file`, the `kind`, the `settings` and the `encoding`. Those of a shaped sound also have its
    `sources`: for each its `file`, its `digest` and length, its `name`, its `label` and, if its noise was known to the
    model, the `settings` that made it.
    """
    files = {source.digest: file for file, source in source_files(sounds.values()).items()}
    entries = [
        {"file": file, "kind": sound.kind, "settings": sound.recipe(), "encoding": encoding}
        | ({"sources": [_source_entry(each, files[each.digest]) for each in sound.sources]} if sound.sources else {})
        for file, sound in sounds.items()
    ]
    return {"sounds": entries}


def _source_entry(source: Source, file: str) -> dict:
    entry = {"file": file, "digest": source.digest, "length_samples": source.audio.shape[-1]}
    entry |= {"name": source.name, "label": source.label}
    return entry | ({"settings": source.settings.to_dict()} if source.settings else {})


def zip_bytes(named: Sequence[tuple[str, Sound]], encoding: str = "float32") -> bytes:
    """Return a zip of WAV files, their sources and their `settings.json`; the same sounds give the same bytes.

    Args:
        named: pairs of a name and a sound; names are made safe, and numbered where they meet.
        encoding: "float32" (exact), "pcm24" or "pcm16"; sources are always exact.

    Raises:
        ValueError: if there is no sound, a sample is NaN or infinite, or 16 or 24 bits would clip.
    """
    if not named:
        raise ValueError("There is no sound to export yet.")
    files = [f"{name}.wav" for name in unique_names([name for name, _ in named])]
    sounds = dict(zip(files, (sound for _, sound in named), strict=True))
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        for file, sound in sounds.items():
            _add(archive, file, wav_bytes(sound.audio, encoding, sound.comment(), name=file))
        for file, source in source_files(sounds.values()).items():
            _add(archive, file, wav_bytes(source.audio, name=file))
        text = json.dumps(settings_of(sounds, encoding), indent=2, ensure_ascii=False)
        _add(archive, SETTINGS_FILE, f"{text}\n".encode(errors="backslashreplace"))  # half letters, as JSON has them
    return memory.getvalue()


def save_zip(
    named: Sequence[tuple[str, Sound]], folder: str | Path, name: str = "sounds", encoding: str = "float32"
) -> Path:
    """Write `zip_bytes` into `folder` under a name that is not taken yet; return the file.

    Raises:
        AudioFileError: if it cannot be written.
        ValueError: if the sounds cannot be exported.
    """
    return write_new(folder, safe_name(name), ".zip", zip_bytes(named, encoding))


def download_link(content: bytes, file: str) -> str:
    """Return a link that carries `content` in itself and saves it as `file`: it needs no server and no kernel."""
    data = base64.b64encode(content).decode("ascii")
    size = f"{len(content) / 1e6:.1f} MB" if len(content) >= 1e6 else f"{len(content) / 1e3:.0f} kB"
    href = f"data:application/zip;base64,{data}"
    return f'<a class="tad-link" download="{escape(file)}" href="{href}">Download {escape(file)} ({size})</a>'


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
    archive.writestr(info, content)
