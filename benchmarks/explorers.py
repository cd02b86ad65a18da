"""How long an explorer takes from a slider that is let go to its new picture and sound.

``python benchmarks/explorers.py`` measures the work in Python; ``--browser`` also starts a JupyterLab and a Chromium,
moves each slider by keys, and waits until the picture is drawn and the sound can be played. Prints a Markdown table.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import nbformat
import torch

from tad_course.drums import voices as drums
from tad_course.lessons.explorers.block_explorer import BLOCK_SIZES, BlockExplorer
from tad_course.lessons.explorers.noise_explorer import NoiseExplorer
from tad_course.lessons.explorers.phase_explorer import BLOCKS, PhaseExplorer
from tad_course.lessons.explorers.receptive_field_explorer import ReceptiveFieldExplorer
from tad_course.lessons.explorers.rotation_explorer import RotationExplorer
from tad_course.lessons.explorers.sound_explorer import SoundExplorer

ROOT = Path(__file__).parent.parent
GOAL_S = 0.25
ROUNDS = 3
PATIENCE_S = 600  # the machine may be busy
TENTHS = [n / 10 for n in range(1, 10)]
# name: (class on the page, how to make it, its slider, values to move it to, the line that shows it)
EXPLORERS: dict[str, tuple[str, Callable, str, Iterable, str]] = {
    "01 sound": ("tad-sound-explorer", SoundExplorer, "slider", range(40, 75, 5), "sound_explorer()"),
    "02 phase": ("tad-phase-explorer", PhaseExplorer, "block", BLOCKS, "phase_explorer()"),
    "03 noise": ("tad-noise-explorer", NoiseExplorer, "slider", TENTHS, "noise_explorer()"),
    "04 rotation": ("tad-rotation-explorer", RotationExplorer, "s", TENTHS[:6], "rotation_explorer()"),
    "05 receptive field": (
        "tad-receptive-field-explorer",
        lambda: ReceptiveFieldExplorer(drums.snare()),
        "levels",
        range(1, 9),
        "receptive_field_explorer(drums.snare())",
    ),
    "06 block": (
        "tad-block-explorer",
        lambda: BlockExplorer(drums.kick()),
        "block_size",
        BLOCK_SIZES,
        "block_explorer(drums.kick())",
    ),
}
# Resolves with the milliseconds from the next key to a picture and a sound that are new and ready.
WATCH = """selector => {
    const box = document.querySelector(selector).closest('.widget-vbox');
    const names = () => [box.querySelector('figure img')?.alt, box.querySelector('audio')?.ariaLabel];
    const before = names();
    window.answered = new Promise(done => document.addEventListener('keydown', () => {
        const start = performance.now();
        const look = () => {
            const image = box.querySelector('figure img'), sound = box.querySelector('audio');
            const fresh = names().every((name, n) => name && name !== before[n]);
            if (fresh && image.complete && sound.readyState >= 2) return done(performance.now() - start);
            requestAnimationFrame(look);
        };
        look();
    }, {once: true, capture: true}));
}"""


def times_in_python(make: Callable, slider: str, values: Iterable) -> list[tuple[float, float]]:
    """Return (seconds passed, seconds of CPU) of each move of a slider, the work of all its observers included."""
    explorer, times = make(), []
    for _ in range(ROUNDS):
        for value in values:
            if getattr(explorer, slider).value == value:
                continue
            start, start_cpu = time.perf_counter(), time.process_time()
            getattr(explorer, slider).value = value
            times.append((time.perf_counter() - start, time.process_time() - start_cpu))
    return times


def write_notebook(path: Path) -> None:
    """Write a notebook that shows all explorers below each other."""
    cells = [nbformat.v4.new_code_cell("from tad_course import drums", id="imports")]
    for number, (*_, show) in enumerate(EXPLORERS.values()):
        name = show.partition("(")[0]
        source = f"from tad_course.studio.{name} import {name}\n{show}"
        cells.append(nbformat.v4.new_code_cell(source, id=f"explorer-{number}"))
    kernel = {"kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), path)


def times_in_browser(moves: int = 8) -> dict[str, list[float]]:
    """Return the seconds from key to new picture and playable sound, for each explorer in a real JupyterLab."""
    sys.path.insert(0, str(ROOT / "tests" / "browser"))
    import conftest  # how the tests start their JupyterLab
    from playwright.sync_api import expect, sync_playwright

    times, conftest.START_TIMEOUT_S = {}, PATIENCE_S
    with tempfile.TemporaryDirectory() as folder:
        project, work = Path(folder) / "project", Path(folder) / "lab"
        project.mkdir(), work.mkdir()
        write_notebook(project / "explorers.ipynb")
        server, address = conftest.start_lab(project, work)
        try:
            conftest.wait_until_up(server, address, work / "lab.log")
            with sync_playwright() as driver:
                chromium = next(filter(None, map(conftest.shutil.which, conftest.BROWSERS)))
                page = driver.chromium.launch(executable_path=chromium, args=conftest.FLAGS).new_page()
                page.set_default_timeout(1000 * PATIENCE_S)
                page.goto(f"{address}/lab/tree/explorers.ipynb?reset", wait_until="domcontentloaded")
                conftest.wait_for_kernel(page, PATIENCE_S)
                page.evaluate(conftest.RUN_ALL)
                status = page.locator(".jp-Notebook-ExecutionIndicator").first
                expect(status).to_have_attribute("data-status", "idle", timeout=1000 * PATIENCE_S)
                for name, (selector, *_) in EXPLORERS.items():
                    times[name] = [answer_time_s(page, f".{selector}", move) for move in range(moves)]
        finally:
            server.terminate()
            server.wait(15)
    return times


def answer_time_s(page, selector: str, move: int) -> float:
    """Press an arrow key on a slider, left and right in turns, and return the seconds until all is new."""
    page.locator(selector).scroll_into_view_if_needed()
    page.locator(f"{selector} .noUi-handle").focus()
    page.wait_for_timeout(300)
    page.evaluate(WATCH, selector)
    page.keyboard.press("ArrowLeft" if move % 2 == 0 else "ArrowRight")
    return page.evaluate("() => window.answered") / 1000


def in_ms(times: Sequence[float]) -> str:
    """Return the median and the largest of times in seconds as text in milliseconds."""
    return f"{1000 * statistics.median(times):.0f}, {1000 * max(times):.0f}" if times else ""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--browser", action="store_true", help="measure in a JupyterLab and a Chromium, too")
    options = parser.parse_args()
    torch.set_num_threads(1)
    in_browser = times_in_browser() if options.browser else {}
    print("Milliseconds, median and slowest. CPU is what an idle machine would need.\n")
    print("| explorer | Python, CPU | Python, passed | browser, passed |\n|---|--:|--:|--:|")
    for name, (_, make, slider, values, _) in EXPLORERS.items():
        passed, cpu = zip(*times_in_python(make, slider, values), strict=True)
        columns = [in_ms(times) for times in (cpu, passed, in_browser.get(name, ()))]
        print(f"| {name} | {' | '.join(columns)} |", flush=True)
    load = f"load {os.getloadavg()[0]:.1f} on " if hasattr(os, "getloadavg") else ""
    print(f"\nThe goal is {1000 * GOAL_S:.0f} ms on an idle machine. {load}{os.cpu_count()} CPU cores.")


if __name__ == "__main__":
    main()
