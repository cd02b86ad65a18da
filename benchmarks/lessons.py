"""Run notebooks and measure them: what they play and how loud, how long they take, what they are made of.

``python benchmarks/lessons.py notebooks/*.ipynb`` prints one Markdown row for each; nothing is stored. Every sound that
a notebook puts before its reader is decoded from the page itself, those of the explorers at their start included.
``--stored`` does not run them and leaves the measured columns empty. Exit status 1 if a sound passes -1 dBFS.
"""

import argparse
import base64
import io
import math
import os
import re
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import soundfile
from nbclient import NotebookClient

from tad_course.audio.players import CEILING_DBFS
from tad_course.notebook_runner import CELL_TIMEOUT_S, ENVIRONMENT

ROOT = Path(__file__).parent.parent
PLAYED = re.compile(r"data:audio/[a-z]+;base64,([A-Za-z0-9+/=]+)")
ROUNDING_DB = 0.001  # of 16 bits
# How a thing is called in a code cell of a lesson.
EXPERIMENT, EXERCISE = r"^predict\(", r"^check\("
EXPLORER = r"(?<!def )\b(?:\w+_explorer|first_drum|TrainingView|show_\w+)\("
HEAD = "| notebook | took (s) | code cells | lines: median, longest | predictions | explorers | exercises | sounds | "
HEAD += "highest peak (dBFS) |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|"


@dataclass
class Lesson:
    """What was counted and measured in one notebook."""

    name: str
    lines: list[int]
    predictions: int
    explorers: int
    exercises: int
    took_s: float = math.nan
    peaks_dbfs: list[float] = field(default_factory=list)

    def row(self) -> str:
        """Return one line of the Markdown table."""
        size = f"{statistics.median(self.lines):.0f}, {max(self.lines)}"
        took = "" if math.isnan(self.took_s) else f"{self.took_s:.0f}"
        loudest = f"{max(self.peaks_dbfs):.1f}" if self.peaks_dbfs else ""
        counted = (len(self.lines), size, self.predictions, self.explorers, self.exercises)
        cells = (self.name, took, *counted, len(self.peaks_dbfs) or "", loudest)
        return f"| {' | '.join(str(cell) for cell in cells)} |"


def count(notebook: nbformat.NotebookNode, name: str) -> Lesson:
    """Count what a notebook is made of."""
    sources = [cell.source for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    numbers = (sum(bool(re.search(p, s, re.M)) for s in sources) for p in (EXPERIMENT, EXPLORER, EXERCISE))
    return Lesson(name, [len(source.strip().splitlines()) for source in sources], *numbers)


def texts(value) -> Iterator[str]:
    """Yield every text inside nested dicts and lists."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for item in value.values() for text in texts(item))
    elif isinstance(value, list):
        yield from (text for item in value for text in texts(item))


def peaks_dbfs(notebook: nbformat.NotebookNode) -> list[float]:
    """Return the peak of every sound in the outputs and widgets of an executed notebook, in dBFS; silence is -inf."""
    peaks = []
    for text in texts([notebook.metadata.get("widgets", {}), [cell.get("outputs", []) for cell in notebook.cells]]):
        for data in PLAYED.findall(text):
            samples, _ = soundfile.read(io.BytesIO(base64.b64decode(data)))
            peak = abs(samples).max()
            peaks.append(20 * math.log10(peak) if peak else -math.inf)
    return peaks


def measure(path: Path, execute: bool = True) -> Lesson:
    """Run the notebook at `path` in a fresh kernel and measure it; the file stays as it is."""
    notebook = nbformat.read(path, as_version=4)
    lesson = count(notebook, path.stem)
    if execute:
        start, place = time.perf_counter(), {"metadata": {"path": str(path.parent)}}
        # Widgets are kept, for their sounds; a second display of the same widget counts once.
        NotebookClient(notebook, timeout=CELL_TIMEOUT_S, kernel_name="python3", resources=place).execute()
        lesson.took_s, lesson.peaks_dbfs = time.perf_counter() - start, peaks_dbfs(notebook)
    return lesson


def main() -> int:
    """Print the table; 1 if a sound is louder than the players allow."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", type=Path, default=sorted((ROOT / "notebooks").glob("*.ipynb")))
    parser.add_argument("--stored", action="store_true", help="count only, run nothing")
    options = parser.parse_args()
    os.environ.update(ENVIRONMENT)
    print(HEAD, flush=True)
    too_loud = 0
    for path in options.notebooks:
        lesson = measure(path, execute=not options.stored)
        print(lesson.row(), flush=True)
        too_loud += sum(peak > CEILING_DBFS + ROUNDING_DB for peak in lesson.peaks_dbfs)
    load = f"load {os.getloadavg()[0]:.1f}, " if hasattr(os, "getloadavg") else ""
    print(f"\n{load}{os.cpu_count()} CPU cores; {too_loud} sounds above {CEILING_DBFS:g} dBFS.")
    return int(too_loud > 0)


if __name__ == "__main__":
    sys.exit(main())
