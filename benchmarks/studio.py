"""Measure the studio: memory after many sounds, and how soon it answers in a real browser.

    python benchmarks/studio.py             memory of the kernel's part after 20 and after 200 sounds
    python benchmarks/studio.py --browser   also, in a JupyterLab: Run All to first sound, control to sound

The second needs Chromium and the packages of the tests. "Control to sound" is the time on the page's own clock from
the key that turns a control of Make to the moment when the source of the new player is on the page. The seed is turned
with the sampler that the studio starts with, and with DPM-Solver++ 3M at several numbers of steps (`--steps`); the
slider of the guidance goes between 1 and 1.5, where a step takes two calls of the network. How long the model alone
takes for such a sound, in this process, stands beside it.
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

from tad_course.generate import Settings, generate
from tad_course.model.checkpoint import load_model
from tad_course.studio.studio import Studio

ROOT = Path(__file__).resolve().parents[1]
COUNTS = (20, 200)
STEPS = (12, 4)
MOVES = 11
LONGEST_MS = 100_000
STEADY_MS = 1500  # between two moves: the page has settled

WATCH = """selector => {
    document.querySelectorAll('audio').forEach(player => { player.dataset.old = 'yes'; });
    window.turned = window.heard = 0;
    document.querySelector(selector).addEventListener(
        'keydown', () => { window.turned = performance.now(); }, {once: true, capture: true});
    const look = () => {
        if (!window.heard && document.querySelector('.tad-cards audio[src]:not([data-old])')) {
            window.heard = performance.now();
        }
    };
    new MutationObserver(look).observe(document.querySelector('.tad-make'), {childList: true, subtree: true});
}"""


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
                studio.make.seed.value.value = made + 1  # "make one at every change" makes the sound
                studio.session.worker.wait()
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


def measure_in_browser(steps: tuple[int, ...]) -> None:
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
            page.evaluate("() => window.ran.then(() => null)")  # the cells below the panels run as well
            model = load_model("drums")
            measure_seed(visit, model, {})
            for num_steps in steps:
                set_steps(visit, num_steps)
                measure_seed(visit, model, {"num_steps": num_steps})
        finally:
            server.terminate()
            server.wait(15)


def run_all_to_sound_s(page) -> float:
    """Start Run All and return the seconds until the first player of the studio is on the page."""
    start = time.monotonic()
    page.evaluate("() => { window.ran = window.jupyterapp.commands.execute('notebook:run-all-cells'); }")
    page.locator(".tad-cards audio").first.wait_for(state="attached", timeout=LONGEST_MS)
    return time.monotonic() - start


def control_to_sound_ms(visit, control: str, key: str) -> float:
    """Turn a control with a key and return the milliseconds until the source of the new player is on the page."""
    visit.page.wait_for_timeout(STEADY_MS)
    visit.make.locator(control).focus()
    visit.page.evaluate(WATCH, f".tad-make {control}")
    visit.keyboard.press(key)
    visit.page.wait_for_function("() => window.heard > 0", timeout=LONGEST_MS)
    return visit.page.evaluate("() => window.heard - window.turned")


def turn_seed(visit) -> float:
    """Take the next seed."""
    return control_to_sound_ms(visit, ".tad-seed input", "ArrowUp")


def set_steps(visit, num_steps: int) -> None:
    """Move guidance and steps, by keys, to 1 and a number of steps."""
    for slider, wanted, size in (("guidance", 1, 0.5), ("steps", num_steps, 1)):
        handle = visit.make.locator(f".tad-{slider} .noUi-handle")
        places = round((wanted - float(handle.get_attribute("aria-valuenow"))) / size)
        for _ in range(abs(places)):
            handle.press("ArrowRight" if places > 0 else "ArrowLeft")
    visit.page.wait_for_timeout(2 * STEADY_MS)


def measure_seed(visit, model, way: dict) -> None:
    """Turn the seed at `way`, the settings of the panel; print the waits and what the model takes alone."""
    report(f"seed, {way.get('num_steps', Settings.num_steps)} steps,", [turn_seed(visit) for _ in range(MOVES)])
    took_s = []
    for seed in range(MOVES):
        start = time.perf_counter()
        generate(model, Settings(seed=seed, **way))
        took_s.append(time.perf_counter() - start)
    print(f"    the model alone: median {1000 * statistics.median(took_s):.0f} ms")


def report(what: str, waits_ms: list[float]) -> None:
    """Print the median and the extremes."""
    shortest, middle, longest = min(waits_ms), statistics.median(waits_ms), max(waits_ms)
    print(f"{what} to sound: median {middle:.0f} ms of {len(waits_ms)}, {shortest:.0f} to {longest:.0f} ms")


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--browser", action="store_true")
    parser.add_argument("--steps", type=int, nargs="+", default=STEPS, help="at which the seed is turned")
    given = parser.parse_args()
    measure_memory()
    if given.browser:
        measure_in_browser(tuple(given.steps))


if __name__ == "__main__":
    main()
