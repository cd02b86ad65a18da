"""Folders full of drums: the drum machine plays, two processes write 16-bit WAVs (lessons 01 and 07).

    python -m tad_course.drums.folder data_samples
    python -m tad_course.drums.folder runs/drums --count 20000 --seed 100000

Each WAV carries its label, voice, seed and parameters as a comment; `drums.csv` lists them all.
"""

import argparse
import csv
import io
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from tqdm.auto import tqdm

from tad_course.audio import load_audio
from tad_course.audio.wav import AudioFileError, read_comment, wav_bytes
from tad_course.config import LENGTH_SAMPLES
from tad_course.drums.voices import LABELS, VOICES, render
from tad_course.files import write_atomically

SAMPLES_SEED = 805  # the first start of 32 sounds with every voice, 4 open and 4 closed hats, and only deep kicks
BLOCK = 16  # sounds a process renders before it reports
KEPT_BYTES = 30_000_000  # asked for once and given back untouched
FEW = 100  # so many are rendered in this process: starting others takes longer
TOLERANCE = 2 / 2**15  # two steps of 16 bits: as far as two processors may be apart
LISTED = 64  # so many are listed in the README, more only in the table

Row = dict[str, str | int | float]


def render_folder(
    folder: str | Path,
    count: int = 32,
    seed: int = SAMPLES_SEED,
    labels: Sequence[str] = LABELS,
    workers: int = 2,
    progress: bool = True,
) -> list[Path]:
    """Write `count` drums as 16-bit WAVs `{label}_{voice}_{seed}.wav` into one folder, with a `drums.csv`.

    The labels take turns: of 32 sounds with four labels, 8 belong to each, with the seeds `seed` … `seed + 7`. The
    same arguments always give the same parameters, and the same samples to within a step of 16 bits; on one kind of
    processor the same bytes. What an interrupted run has written is kept, and the next one goes on from there, unless
    it came from another version of the drum machine: then all of it is written again.

    Other processes are started from 100 sounds on; a script that does so needs the usual
    `if __name__ == "__main__":`, or `workers=1`.

    Args:
        folder: made if missing; other files in it are left alone.
        count: number of sounds, of all labels together.
        seed: of the first sound of each label.
        labels: families to draw from, in turn.
        workers: processes that render.
        progress: whether to show a bar with the time left.

    Returns:
        The files, in order of seed and label.

    Raises:
        ValueError: if a number or a label does not fit.
        AudioFileError: if the folder cannot be written.

    Lesson: 01
    """
    folder = Path(folder)
    jobs = _jobs(count, seed, labels)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AudioFileError(f"{folder}: cannot be made ({error.strerror or error}); choose another folder.") from error
    rows = _finished(folder, jobs)
    missing = [job for job in jobs if job not in rows]
    with tqdm(total=len(jobs), initial=len(rows), desc="drums", unit="sound", disable=not progress) as bar:
        for row in _render_all(folder, missing, workers):
            rows[row["label"], row["seed"]] = row
            bar.update()
    ordered = [rows[job] for job in jobs]
    write_atomically(folder / "drums.csv", _csv(ordered).encode("utf-8"))
    write_atomically(folder / "README.md", _readme(ordered, count, seed, labels).encode("utf-8"))
    return [folder / row["file"] for row in ordered]


def _jobs(count: int, seed: int, labels: Sequence[str]) -> list[tuple[str, int]]:
    unknown = [label for label in labels if label not in LABELS]
    if unknown or not labels or len(set(labels)) < len(labels):
        raise ValueError(f"Labels {list(labels)}: choose one or more of {', '.join(LABELS)}, each once.")
    if count < 1 or seed < 0:
        raise ValueError(f"Needs a count of 1 or more and a seed of 0 or more, not count {count} and seed {seed}.")
    return [(labels[i % len(labels)], seed + i // len(labels)) for i in range(count)]


def _finished(folder: Path, jobs: list[tuple[str, int]]) -> dict[tuple[str, int], Row]:
    """Return what an earlier run left in the folder, or nothing if this drum machine sounds different."""
    wanted, found, checked = set(jobs), {}, set()
    for path in sorted(folder.glob("*_*_*.wav")):
        row = _row_of(path)
        if row is None or (row["label"], row["seed"]) not in wanted:
            continue
        if row["voice"] not in checked:  # one of each voice is compared
            checked.add(row["voice"])
            drum = render(row["label"], row["seed"])
            same = row["voice"] == drum.voice and row["params"] == drum.params
            if not same or (load_audio(path) - drum.audio).abs().max() > TOLERANCE:
                return {}
        found[row["label"], row["seed"]] = row
    return found


def _row_of(path: Path) -> Row | None:
    try:
        row = {"file": path.name, **json.loads(read_comment(path))}
    except (AudioFileError, ValueError, TypeError):
        return None
    whole = path.stat().st_size > 2 * 2 * LENGTH_SAMPLES  # two channels of two bytes, and a header
    return row if whole and {"label", "voice", "seed", "params"} <= row.keys() else None


def _one(label: str, seed: int) -> tuple[str, bytes, Row]:
    """Return file name, bytes and table row of one sound."""
    drum = render(label, seed)
    row = {"label": label, "voice": drum.voice, "seed": seed, "params": drum.params}
    name = f"{label}_{drum.voice}_{seed}.wav"
    return name, wav_bytes(drum.audio, "pcm16", comment=json.dumps(row), name=name), {"file": name, **row}


def _render_block(folder: Path, jobs: list[tuple[str, int]]) -> list[Row]:
    """Render and write some sounds; runs in a process of its own, so it can be pickled."""
    torch.set_num_threads(1)
    np.empty(KEPT_BYTES, np.uint8)  # once freed, glibc keeps what a sound needs for the next: a quarter less time
    rows = []
    for label, seed in jobs:
        name, content, row = _one(label, seed)
        try:
            write_atomically(folder / name, content)
        except OSError as error:
            raise AudioFileError(f"{folder / name}: cannot be written ({error.strerror or error}).") from error
        rows.append(row)
    return rows


def _render_all(folder: Path, jobs: list[tuple[str, int]], workers: int) -> Iterator[Row]:
    if workers < 2 or len(jobs) < FEW:
        for job in jobs:
            yield from _render_block(folder, [job])
        return
    blocks = [jobs[i : i + BLOCK] for i in range(0, len(jobs), BLOCK)]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        try:
            for future in as_completed([pool.submit(_render_block, folder, block) for block in blocks]):
                yield from future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)  # or Ctrl-C would wait for all that is queued
            raise


def _csv(rows: list[Row]) -> str:
    """Return the table: one column for each parameter that any voice has, empty where a voice has it not."""
    names = dict.fromkeys(name for voice in VOICES.values() for name in voice.ranges)
    table = io.StringIO()
    writer = csv.DictWriter(table, ["file", "label", "voice", "seed", *names], lineterminator="\n")
    writer.writeheader()
    for row in rows:
        head = {key: row[key] for key in ("file", "label", "voice", "seed")}
        writer.writerow(head | {name: repr(value) for name, value in row["params"].items()})
    return table.getvalue()


def _readme(rows: list[Row], count: int, seed: int, labels: Sequence[str]) -> str:
    lines = [
        "# Drums from the drum machine",
        "",
        f"{count} sounds ({', '.join(labels)}): 44.1 kHz, stereo, 16 bits, 32,768 samples (0.74 s), peak -3 dBFS.",
        "All are synthesized by `tad_course.drums.voices`; nothing was recorded. MIT license like the code or, if you",
        "prefer, CC0 1.0: use them for anything.",
        "",
        "Made by (and made again, to within a step of 16 bits; byte for byte on the same kind of processor)",
        "",
        f"    python -m tad_course.drums.folder FOLDER --count {count} --seed {seed} --labels {' '.join(labels)}",
        "",
        "A single one comes back with `drums.render(label, seed)`, or, to change a parameter, with",
        "`drums.VOICES[voice].play(**params, seed=seed)`. The exact parameters are in `drums.csv` and in the comment",
        "of each file (`audio.read_comment`).",
    ]
    if count > LISTED:
        return "\n".join(lines) + "\n"
    lines += ["", "| file | voice | seed | parameters |", "|---|---|---|---|"]
    for row in rows:
        params = ", ".join(f"{name} {value:.4g}" for name, value in row["params"].items())
        lines.append(f"| `{row['file']}` | {row['voice']} | {row['seed']} | {params} |")
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run `render_folder` from the command line."""
    parser = argparse.ArgumentParser(prog="python -m tad_course.drums.folder", description="Write a folder of drums.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=32, help="sounds in all (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=SAMPLES_SEED, help="of the first of each label (%(default)s)")
    parser.add_argument("--labels", nargs="+", default=LABELS, choices=LABELS)
    parser.add_argument("--workers", type=int, default=2, help="processes (default: %(default)s)")
    given = parser.parse_args(arguments)
    try:
        files = render_folder(given.folder, given.count, given.seed, given.labels, given.workers)
    except ValueError as error:
        parser.exit(2, f"{error}\n")
    print(f"{len(files)} drums in {given.folder}")


if __name__ == "__main__":
    main()
