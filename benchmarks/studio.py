"""Measure the studio: memory after many sounds, and how soon it answers in a real browser.

    python benchmarks/studio.py             memory of the kernel's part after 20 and after 200 sounds
    python benchmarks/studio.py --browser   also, in a JupyterLab: Run All to first sound, slider to sound

The second needs Chromium and the packages of the tests.
"""

import argparse
import gc
import random
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import psutil

from tad_course.widgets.studio import Studio

ROOT = Path(__file__).resolve().parents[1]
COUNTS = (20, 200)
SLIDER_MOVES = 11
LONGEST_MS = 300_000


def memory_mb() -> float:
    """Return the resident memory of this process in MB."""
    gc.collect()
    return psutil.Process().memory_info().rss / 1e6


def memory_after(counts: tuple[int, ...] = COUNTS) -> dict[int, float]:
    """Press Make so many times, one sound each, and return count -> resident memory in MB."""
    with tempfile.TemporaryDirectory() as folder:
        studio, made, found = Studio("drums", ROOT / "data_samples", folder, random.Random(0)), 0, {}
        for count in counts:
            while made < count:
                studio.make.seed.value.value = made + 1  # "answer to every change" makes the sound
                studio.desk.worker.wait()
                made += 1
            found[count] = memory_mb()
    return found


def measure_memory() -> None:
    """Print the memory after each count, and the growth between them."""
    found = memory_after()
    few, many = (found[count] for count in COUNTS)
    for count, size_mb in found.items():
        print(f"resident memory after {count} sounds: {size_mb:.0f} MB")
    print(f"growth: {100 * (many / few - 1):+.1f} % (at most +10 % is wanted)")


def measure_in_browser() -> None:
    """Print how long a visitor of a JupyterLab waits, as seen from the page."""
    sys.path.insert(0, str(ROOT / "tests" / "browser"))
    import conftest as lab_tools
    from studio_visit import Visit

    chromium = next(filter(None, map(shutil.which, lab_tools.BROWSERS)))
    with tempfile.TemporaryDirectory() as folder, lab_tools.playwright.sync_playwright() as driver:
        project, work = Path(folder) / "project", Path(folder) / "lab"
        for name in ("notebooks", "data_samples"):
            shutil.copytree(ROOT / name, project / name)
        server, address = lab_tools.start_lab(project, work)
        try:
            lab_tools.wait_until_up(server, address, work / "lab.log")
            page = driver.chromium.launch(executable_path=chromium, args=lab_tools.FLAGS).new_page()
            page.goto(f"{address}/lab/tree/notebooks/Inference.ipynb?reset", wait_until="domcontentloaded")
            lab_tools.wait_for_kernel(page)
            print(f"Run All to the first sound: {run_all_to_sound_s(page):.1f} s")
            visit = Visit(page)
            page.locator(".tad-shelf .tad-download").wait_for(timeout=LONGEST_MS)
            waits_s = sorted(slider_to_sound_s(visit, place) for place in range(SLIDER_MOVES))
            middle = statistics.median(waits_s)
            print(f"slider to sound: median {middle:.2f} s of {SLIDER_MOVES}, {waits_s[0]:.2f} to {waits_s[-1]:.2f} s")
        finally:
            server.terminate()
            server.wait(15)


def run_all_to_sound_s(page) -> float:
    """Start Run All and return the seconds until the first player of the studio is on the page."""
    start = time.monotonic()
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); }")
    page.locator(".tad-cards audio").first.wait_for(state="attached", timeout=LONGEST_MS)
    return time.monotonic() - start


def slider_to_sound_s(visit, place: int) -> float:
    """Turn the slider of the guidance with a key and return the seconds until the new player is on the page."""
    visit.make.locator(".tad-guidance .noUi-handle").focus()
    start = time.monotonic()
    player = visit.page.locator(".tad-cards audio:not([data-old])")
    visit.page.evaluate("() => document.querySelectorAll('audio').forEach(p => { p.dataset.old = 'yes'; })")
    visit.keyboard.press("ArrowLeft" if place % 2 else "ArrowRight")
    player.last.wait_for(state="attached", timeout=LONGEST_MS)
    waited_s = time.monotonic() - start
    visit.page.wait_for_timeout(500)
    return waited_s


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--browser", action="store_true")
    given = parser.parse_args()
    measure_memory()
    if given.browser:
        measure_in_browser()


if __name__ == "__main__":
    main()
